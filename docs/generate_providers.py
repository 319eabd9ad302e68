"""Writes docs/providers.md from the provider types; ``--check`` only compares (exit code 1 on a difference)."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

from jsmsso.providers.known import provider_types
from jsmsso.providers.types import ProviderType

TARGET = Path(__file__).with_name("providers.md")

HEAD = """# Providers

<!-- Written by docs/generate_providers.py from jsmsso/providers: change the types there. -->

`jsmsso provider add TYPE` asks what the type needs once and writes where the provider is as `issuer` (and, where the metadata is
elsewhere, `discovery_url`) into the profile. It prints what must be registered at the provider first. `jsmsso provider types` lists
the types; any provider that publishes OpenID Connect metadata works as type `oidc`.

Without a terminal the answers are options: `--set tenant=...`, and `--domain` and `--issuer` where that is what is asked for. They may be
pasted as they stand in a browser: `--set tenant=https://login.microsoftonline.com/72f988bf-.../v2.0` is the tenant. For a provider of
OpenID Connect whose issuer is known, `--issuer` may stand in place of them.

    jsmsso provider add entra --set tenant=72f988bf-86f1-41af-91ab-2d7cd011db47 --client-id ID --client-secret-stdin < secret.txt
    jsmsso provider add okta --domain acme.okta.com --client-id ID --client-secret env:OKTA_SECRET
    jsmsso provider add keycloak --set address=https://id.acme.com --set realm=customers --client-id jsmsso --client-secret env:SECRET

`jsmsso test-connection --provider NAME` then logs in; `jsmsso test-connection --all` makes the checks that need no login, at every
provider.

An email address counts only where the provider calls it verified, or where its domain stands in `trust_unverified_email`: list there
only domains of which this provider alone decides who has an address.

Where **anybody can sign up**, `jsmsso serve` refuses a profile without access rules; `access: [{allow: everyone}]`, written out, is one.

## At a glance

| type | provider | default scopes | email verified by | groups in | anybody can sign up | logout there |
|---|---|---|---|---|---|---|
"""


def main() -> int:
    text = "".join(_lines()).rstrip() + "\n"
    if "--check" in sys.argv:
        if TARGET.exists() and TARGET.read_text(encoding="utf-8") == text:
            return 0
        print("docs/providers.md is not what docs/generate_providers.py writes: run it", file=sys.stderr)
        return 1
    TARGET.write_text(text, encoding="utf-8")
    return 0


def _lines() -> Iterator[str]:
    types = provider_types().values()
    yield HEAD
    for type_ in types:
        yield f"| {' | '.join(_row(type_))} |\n"
    for type_ in types:
        yield "\n"
        yield from _section(type_)


def _row(type_: ProviderType) -> Iterator[str]:
    yield f"[`{type_.name}`](#{type_.name})"
    yield type_.title
    yield " ".join(type_.default_scopes)
    yield _codes(type_.verified_by) if type_.plain is None and type_.verified_by else ("its API" if type_.verified_by else "nothing")
    yield f"`{type_.groups.claim}`" if type_.groups else "no groups"
    yield "**yes**" if type_.open_to_all else ("at some issuers" if type_.open_issuers else "as it is set up")
    yield _logout(type_)


def _logout(type_: ProviderType) -> str:
    if type_.logout_style == "local":
        return "no"
    kind = {"cognito": "Cognito's own", "bare": "yes, then where its own settings say"}.get(type_.logout_style, "yes")
    if type_.id_token_hint:
        kind += ", with the ID token"
    return f"{kind}, or an older way" if type_.logout_template else kind


def _section(type_: ProviderType) -> Iterator[str]:
    yield f"## {type_.name}\n\n{type_.title}: [its documentation]({type_.documentation}).\n\n"
    if type_.questions:
        yield "`provider add` asks for:\n\n"
        for question in type_.questions:
            known = ", may be left out" if question.optional else ""
            known = f", default `{question.default}`" if question.default else known
            yield f"- `{question.key}`: {question.prompt}{known}. For example: {question.example}.\n"
        yield "\n"
    elif type_.issuer:
        yield f"Its issuer is always `{type_.issuer}`.\n\n"
    else:
        yield f"`provider add` asks for its {' and '.join(type_.asks_for)}.\n\n"
    yield f"- **Protocol**: {_protocol(type_)}\n"
    yield f"- **Email**: {type_.email}\n"
    if type_.groups:
        overflow = f" {type_.groups.overflow}" if type_.groups.overflow else ""
        yield f"- **Groups** in `{type_.groups.claim}`: {type_.groups.how}{overflow}\n"
    if type_.open_issuers:
        yield f"- **Anybody can sign up** at {_codes(type_.open_issuers)}.\n"
    yield f"- **Refresh tokens**: {_refresh(type_)}\n"
    sign_out = f", {type_.labels[1]} (after a logout)" if type_.logout_style != "local" else ""
    yield f"- **Register** at the provider: {type_.labels[0]} (the callback){sign_out}.\n"
    for setting in ("client_id", "client_secret", "callback", "sign_out", "scopes", "grant"):
        if setting in type_.places:
            yield f"  - {_SETTINGS[setting]}: {type_.places[setting]}\n"
    if type_.login_comes_first:
        yield "- **`test-connection`** cannot tell before the login whether client id, callback and scopes are right.\n"
    for quirk in type_.quirks:
        yield f"- {quirk}\n"


_SETTINGS = {
    "client_id": "client id", "client_secret": "client secret", "callback": "callback", "sign_out": "sign-out address",
    "scopes": "scopes", "grant": "authorization code grant",
}  # fmt: skip


def _protocol(type_: ProviderType) -> str:
    kind = "plain OAuth 2.0, claims from its API" if type_.plain else "OpenID Connect"
    without = [name for name, has in (("PKCE", type_.pkce), ("nonce", type_.nonce and type_.plain is None)) if not has]
    userinfo = "" if type_.userinfo_is_useful or type_.plain else "; userinfo is never asked"
    hint = "" if type_.login_hint else "; no login hint"
    return f"{kind}{', without ' + ' and '.join(without) if without else ''}{userinfo}{hint}."


def _refresh(type_: ProviderType) -> str:
    refresh = type_.refresh
    if refresh is None:
        return "none."
    needs = [f"scope `{refresh.scope}`"] if refresh.scope else []
    needs += [f"`{name}={value}`" for name, value in refresh.parameters]
    how = f"with {', '.join(needs)}" if needs else "without asking"
    rotation = {"always": "a new one at each use", "optional": "a new one where rotation is on", "never": "the same one stays"}
    return f"{how}; {rotation[refresh.rotation]}; {'can' if type_.revocation else 'cannot'} be taken back."


def _codes(names: tuple[str, ...]) -> str:
    return ", ".join(f"`{name}`" for name in names)


if __name__ == "__main__":
    sys.exit(main())
