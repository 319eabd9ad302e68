"""``jsmsso token``: token flows by hand. Tokens stay in the keyring; only ``--show`` prints one."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jsmsso.cli.render import Result, progress_line, reports

if TYPE_CHECKING:
    from pathlib import Path

    from jsmsso.cli.connection.kept_tokens import KeptTokens
    from jsmsso.oidc.relying_party import RelyingParty
    from jsmsso.profile.model import Profile

app = typer.Typer(no_args_is_help=True, add_completion=False)

MAX_TOKEN = 64 * 1024  # characters read from standard input
ProviderOption = Annotated[str, typer.Option("--provider", help="Which provider; default: the first.", metavar="NAME", show_default=False)]
ShowOption = Annotated[bool, typer.Option("--show", help="Print the tokens. They are credentials: mind who looks.")]


@app.callback()
def token() -> None:
    """Get tokens, look into them, refresh them, take them back."""


@app.command("get")
@reports
def get(
    profile: str,
    provider: ProviderOption = "",
    show: ShowOption = False,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Print the address, and take the final address pasted back.")] = False,
    port: Annotated[int, typer.Option(help="Listen there; register http://localhost:PORT/callback for it.", min=1, max=65535)] = 8400,
    timeout: Annotated[int, typer.Option(help="How many seconds to wait for the login.", min=1, max=3600)] = 180,
    client_credentials: Annotated[bool, typer.Option("--client-credentials", help="For the client itself, with nobody logged in.")] = False,
    scope: Annotated[list[str] | None, typer.Option(help="With --client-credentials: a scope to ask for.", metavar="SCOPE")] = None,
) -> Result:
    """Log in and keep the tokens in the keyring."""
    from jsmsso.cli.connection.kept_tokens import KeptTokens, keep

    read, path, name = _chosen(profile, provider)
    if client_credentials:
        from jsmsso.oidc.client_credentials import client_credentials_token

        party, http = _party(read, path, name, with_secret=True)
        access_token, granted = client_credentials_token(http, party.settings, party.metadata, scope or ())
        tokens = KeptTokens(access_token, scope=granted)
    else:
        tokens = _by_login(read, path, name, port=port, seconds=timeout, no_browser=no_browser)
    reference = keep(name, tokens, base=path.parent)
    return _obtained(name, tokens, reference, show=show)


@app.command("refresh")
@reports
def refresh(profile: str, provider: ProviderOption = "", show: ShowOption = False) -> Result:
    """Exchange the kept refresh token for new tokens, and keep those."""
    from jsmsso.cli.connection.kept_tokens import KeptTokens, keep, recall
    from jsmsso.errors import UsageError

    read, path, name = _chosen(profile, provider)
    kept = recall(name, base=path.parent)
    if not kept.refresh_token:
        raise UsageError(f"no refresh token of the provider {name} is kept", "Some providers give one only for the scope offline_access.")
    party, _ = _party(read, path, name, with_secret=True)
    renewal = party.refresh(kept.refresh_token, kept.id_claims)
    new = renewal.tokens
    tokens = KeptTokens(new.access_token, new.id_token or kept.id_token, new.refresh_token, new.scope or kept.scope, kept.id_claims)
    reference = keep(name, tokens, base=path.parent)
    rotated = "a new refresh token" if new.refresh_token != kept.refresh_token else "the same refresh token"
    return _obtained(name, tokens, reference, show=show, also=f"The provider gave {rotated}.")


@app.command("inspect")
@reports
def inspect(
    profile: str,
    provider: ProviderOption = "",
    stdin: Annotated[bool, typer.Option("--stdin", help="Read the token from standard input instead of the keyring.")] = False,
    access: Annotated[bool, typer.Option("--access", help="The kept access token instead of the ID token.")] = False,
) -> Result:
    """Decode a token, check it against the provider's keys, and explain each claim. Exit 1 when a check fails."""
    from jsmsso.cli.connection.inspecting import draw_inspection, inspect_token
    from jsmsso.cli.connection.kept_tokens import recall
    from jsmsso.errors import UsageError

    read, path, name = _chosen(profile, provider)
    if stdin:
        text = sys.stdin.read(MAX_TOKEN + 1).strip()
    else:
        kept = recall(name, base=path.parent)
        text = kept.access_token if access else kept.id_token or ""
    if not text:
        raise UsageError("there is no token to inspect", "Pipe one into --stdin, or get some: jsmsso token get")
    party, _ = _party(read, path, name, with_secret=False)
    inspection = inspect_token(text, party, skew=read.clock_skew)
    return Result(
        data=inspection.to_data(),
        text=lambda console: draw_inspection(console, inspection),
        exit_code=0 if inspection.good else 1,
    )


@app.command("userinfo")
@reports
def userinfo(profile: str, provider: ProviderOption = "") -> Result:
    """Ask the UserInfo endpoint with the kept access token."""
    from jsmsso.cli.connection.kept_tokens import recall
    from jsmsso.cli.connection.showing import row, shown_value, table
    from jsmsso.errors import UsageError
    from jsmsso.oidc.userinfo import fetch_userinfo

    read, path, name = _chosen(profile, provider)
    kept = recall(name, base=path.parent)
    party, http = _party(read, path, name, with_secret=False)
    endpoint = party.metadata.userinfo_endpoint
    if endpoint is None:
        raise UsageError(f"the provider {name} has no UserInfo endpoint")
    if not kept.id_claims:
        raise UsageError("the kept access token is the client's own: nobody is behind it", "Log in: jsmsso token get")
    claims = fetch_userinfo(
        http,
        endpoint,
        kept.access_token,
        issuer=str(kept.id_claims["iss"]),
        client_id=party.settings.client_id,
        subject=str(kept.id_claims["sub"]),
        keys=party.keys,
        algorithms=party.algorithms,
    )

    def draw(console: Any) -> None:
        drawn = table("claim", "value")
        for claim, value in claims.items():
            row(drawn, claim, shown_value(value))
        console.print(drawn)

    return Result(data=claims, text=draw)


@app.command("revoke")
@reports
def revoke(profile: str, provider: ProviderOption = "") -> Result:
    """Take the kept tokens back at the provider, and forget them."""
    from jsmsso.cli.connection.kept_tokens import forget, recall

    read, path, name = _chosen(profile, provider)
    kept = recall(name, base=path.parent)
    revoked = False
    if kept.refresh_token:
        party, _ = _party(read, path, name, with_secret=True)
        revoked = party.revoke(kept.refresh_token)
    forget(name)
    if revoked:
        text, warnings = f"The provider took the refresh token of {name} back. Nothing is kept any more.", []
    else:
        text = f"Nothing of {name} is kept any more."
        why = "there was no refresh token" if not kept.refresh_token else "the provider has no revocation endpoint"
        warnings = [f"nothing was taken back at the provider: {why}"]
    if kept.access_token:
        warnings.append("an access token that somebody copied works until it expires")
    return Result(data={"provider": name, "revoked": revoked}, text=text, warnings=tuple(warnings))


def _chosen(profile: str, provider: str) -> tuple[Profile, Path, str]:
    from jsmsso.errors import NotReady, UsageError
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile

    path = locate_profile(profile)
    read = read_profile(path)
    if not read.providers:
        raise NotReady("the profile has no provider yet", "Add one with: jsmsso provider add cognito")
    if provider and provider not in read.providers:
        raise UsageError(f"the profile has no provider {provider!r}", f"There is: {', '.join(read.providers)}.")
    return read, path, provider or next(iter(read.providers))


def _party(profile: Profile, path: Path, name: str, *, with_secret: bool) -> tuple[RelyingParty, Any]:
    from jsmsso.errors import NotReady
    from jsmsso.oidc.relying_party import RelyingParty
    from jsmsso.profile.secrets import read_secret
    from jsmsso.providers.settings import client_settings, http_client

    provider = profile.providers[name]
    if not provider.issuer:
        raise NotReady(f"the issuer of {name} is not pinned yet", f"Run: jsmsso test-connection --provider {name}")
    secret = read_secret(provider.client_secret, base=path.parent) if with_secret and provider.client_secret else None
    key = read_secret(provider.client_key, base=path.parent) if with_secret and provider.client_key else None
    http = http_client(profile, path)
    return RelyingParty(client_settings(profile, name, client_secret=secret, client_key=key), http), http


def _by_login(profile: Profile, path: Path, name: str, *, port: int, seconds: int, no_browser: bool) -> KeptTokens:
    from jsmsso.cli.asking import somebody_types
    from jsmsso.cli.connection.checks import check_before_login
    from jsmsso.cli.connection.kept_tokens import KeptTokens
    from jsmsso.cli.connection.trial import Terminal, log_in
    from jsmsso.cli.loopback import loopback_redirect_uri
    from jsmsso.profile.secrets import read_secret
    from jsmsso.providers.settings import http_client

    provider = profile.providers[name]
    secret = read_secret(provider.client_secret, base=path.parent) if provider.client_secret else None
    http = http_client(profile, path)
    terminal = Terminal(lambda probe: None, progress_line, not no_browser, no_browser or somebody_types())
    checked = check_before_login(http, profile, name, secret, redirect_uri=loopback_redirect_uri(port), say=terminal.probe)
    authentication, _ = log_in(http, profile, name, checked, port=port, seconds=seconds, terminal=terminal)
    tokens = authentication.tokens
    return KeptTokens(tokens.access_token, tokens.id_token, tokens.refresh_token, tokens.scope, dict(authentication.id_claims))


def _obtained(name: str, tokens: KeptTokens, reference: str, *, show: bool, also: str = "") -> Result:
    data: dict[str, Any] = {"provider": name, "tokens": list(tokens.kinds), "scope": tokens.scope, "kept": reference}
    kinds = ", ".join(kind.replace("_", " ").replace("id ", "ID ") for kind in tokens.kinds)
    lines = [f"Got from {name}: {kinds}. Kept in the keyring ({reference})."]
    lines += [also] if also else []
    if show:
        data |= {kind: getattr(tokens, kind) for kind in tokens.kinds}
        lines += [f"\n{kind}\n{getattr(tokens, kind)}" for kind in tokens.kinds]
    else:
        lines.append("Next: jsmsso token inspect")
    return Result(data=data, text="\n".join(lines))
