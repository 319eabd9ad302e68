"""``jsmsso token``: token flows by hand. Tokens stay in the keyring; only ``--show`` prints one."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from jsmsso.cli.render import Result, progress_line, reports

if TYPE_CHECKING:
    from jsmsso.cli.connection.chosen import Chosen
    from jsmsso.cli.connection.kept_tokens import KeptTokens

app = typer.Typer(no_args_is_help=True, add_completion=False)

ProviderOption = Annotated[
    str, typer.Option("--provider", help="Which provider; the first one otherwise.", metavar="NAME", show_default=False)
]
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
    no_browser: Annotated[
        bool, typer.Option("--no-browser", help="Print the address, and also take the final address pasted back (over SSH).")
    ] = False,
    port: Annotated[int, typer.Option(help="Listen there; register http://localhost:PORT/callback for it.", min=1, max=65535)] = 8400,
    timeout: Annotated[int, typer.Option(help="How many seconds to wait for the login.", min=1, max=3600)] = 180,
    client_credentials: Annotated[bool, typer.Option("--client-credentials", help="For the client itself, with nobody logged in.")] = False,
    scope: Annotated[list[str] | None, typer.Option(help="With --client-credentials: a scope to ask for.", metavar="SCOPE")] = None,
) -> Result:
    """Log in and keep the tokens in the keyring."""
    from jsmsso.cli.connection.kept_tokens import check_keyring
    from jsmsso.errors import UsageError

    if scope and not client_credentials:
        raise UsageError("--scope goes with --client-credentials alone", "A login asks for the provider's `scopes` in the profile.")
    one = _chosen(profile, provider)
    if not show:
        check_keyring(one.name, base=one.base)
    if client_credentials:
        tokens = _of_the_client(one, " ".join(scope or ()).split())
    else:
        tokens = _by_login(one, port=port, seconds=timeout, no_browser=no_browser)
    return _obtained(one, tokens, show=show)


@app.command("refresh")
@reports
def refresh(profile: str, provider: ProviderOption = "", show: ShowOption = False) -> Result:
    """Exchange the kept refresh token for new tokens, and keep those."""
    from dataclasses import replace

    from jsmsso.errors import IdTokenRefused, TokenRequestRefused, UsageError

    one = _chosen(profile, provider)
    kept = one.recall()
    if not kept.id_claims:
        raise UsageError("the kept token is the client's own, which is not refreshed", "Get another: jsmsso token get --client-credentials")
    if not kept.refresh_token:
        raise UsageError(
            f"the provider {one.name} gave no refresh token", "Many give one only for the scope offline_access (and Google for none)."
        )
    party, _, _ = one.party(with_secret=True)
    one.check_fit(kept, party.settings)
    with kept.unspoken():
        try:
            new = party.refresh(kept.refresh_token, kept.id_claims).tokens
        except IdTokenRefused as error:
            error.hint = error.hint or f"Nothing new is kept. To start anew: jsmsso token get --provider {one.name}"
            raise
        except TokenRequestRefused as error:
            if error.error != "invalid_grant":
                raise
            raise TokenRequestRefused(
                error.error,
                error.description,
                error.status,
                f"the provider no longer takes the refresh token ({': '.join(filter(None, (error.error, error.description)))})",
                f"It was revoked, has ended, or was used before. Log in again: jsmsso token get --provider {one.name}",
            ) from None
    tokens = replace(
        kept,
        access_token=new.access_token,
        id_token=new.id_token or kept.id_token,
        refresh_token=new.refresh_token,
        scope=new.scope or kept.scope,
    )
    lines = ["The refresh token is a new one." if new.refresh_token != kept.refresh_token else "The refresh token is still the same."]
    lines += [] if new.id_token or not kept.id_token else ["No ID token came with them: the kept one is still that of the login."]
    return _obtained(one, tokens, show=show, also=" ".join(lines))


@app.command("inspect")
@reports
def inspect(
    profile: str,
    provider: ProviderOption = "",
    stdin: Annotated[
        bool, typer.Option("--stdin", help="Wait for a token on standard input. One that is piped in is taken anyway.")
    ] = False,
    access: Annotated[bool, typer.Option("--access", help="It is an access token; without this, an ID token.")] = False,
) -> Result:
    """Explain the kept token, or one piped in: each check, each claim, times in words. Exit 1 when a check fails."""
    import time

    from jsmsso.cli.connection.explaining import draw, to_data
    from jsmsso.cli.connection.inspecting import NAMES, in_words, inspect_token
    from jsmsso.cli.connection.token_given import token_given
    from jsmsso.errors import UsageError
    from jsmsso.providers.settings import identity_rules

    one = _chosen(profile, provider)
    party, type_, _ = one.openid_party()
    name = NAMES["access" if access else "id"]
    given = token_given(access=access, certainly=stdin)
    if given:
        text, title, source = given, f"The token on standard input, taken for {name} of {one.name}", "standard input"
    else:
        kept = one.recall()
        text = kept.access_token if access else kept.id_token
        age = in_words(max(time.time() - kept.obtained, 0))
        title, source = f"The kept {name.partition(' ')[2]} of {one.name}, got {age} ago", "keyring"
        if not text:
            raise UsageError(f"no ID token of the provider {one.name} is kept", "For the access token: jsmsso token inspect --access")
    rules = identity_rules(one.profile, one.name)
    inspection = inspect_token(text, party, rules, type_, access=access)
    return Result(
        data={"provider": one.name, "from": source, **to_data(inspection, rules, one.profile.rules)},
        text=lambda console: draw(console, inspection, rules, one.profile.rules, title),
        exit_code=0 if inspection.good else 1,
    )


@app.command("userinfo")
@reports
def userinfo(profile: str, provider: ProviderOption = "") -> Result:
    """Ask the UserInfo endpoint, or what stands for it, with the kept access token."""
    from jsmsso.cli.connection.showing import row, shown_value, table
    from jsmsso.errors import UsageError, UserinfoRefused

    one = _chosen(profile, provider)
    kept = one.recall()
    if not kept.id_claims:
        raise UsageError(
            "the kept access token is the client's own: nobody is behind it", f"Log in: jsmsso token get --provider {one.name}"
        )
    with kept.unspoken():
        try:
            claims = _userinfo(one, kept)
        except UserinfoRefused as error:
            if error.message.endswith((" 401", " 403")):
                error.hint = f"The access token has ended (jsmsso token refresh --provider {one.name}). {error.hint}".strip()
                error.hint = error.hint.replace("The access token lacks", "Or it lacks")
            raise

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
    from jsmsso.cli.connection.kept_tokens import forget
    from jsmsso.errors import TokenRequestRefused
    from jsmsso.oidc.revocation import revoke_token

    one = _chosen(profile, provider)
    kept = one.recall()
    party, _, http = one.party(with_secret=True)
    warnings = []
    revoked = False
    if not kept.fits(party.settings):
        warnings.append(f"nothing was taken back at the provider: the tokens are of the client {kept.client_id} at {kept.issuer}")
    else:
        with kept.unspoken():
            try:
                if kept.refresh_token:
                    revoked = party.revoke(kept.refresh_token)
                else:
                    revoked = revoke_token(http, party.settings, party.metadata, kept.access_token, "access_token")
                why = "it has no revocation endpoint"
            except TokenRequestRefused as error:
                if error.error != "unsupported_token_type":  # RFC 7009 2.2.1; Cognito takes refresh tokens alone
                    raise
                why = "it takes refresh tokens alone, and gave none"
        if not revoked:
            warnings.append(f"nothing was taken back at the provider: {why}")
    forget(one.name)
    if kept.refresh_token or not revoked:
        warnings.append("an access token that somebody copied may work until it ends")
    text = f"Nothing of {one.name} is kept any more."
    if revoked:
        text = f"The provider took the {'refresh' if kept.refresh_token else 'access'} token of {one.name} back. Nothing is kept any more."
    return Result(data={"provider": one.name, "revoked": revoked}, text=text, warnings=tuple(warnings))


def _chosen(profile: str, provider: str) -> Chosen:
    """The provider that a command is about; what it needs is loaded here, not with the command's help."""
    from jsmsso.cli.connection.chosen import choose

    return choose(profile, provider)


def _of_the_client(one: Chosen, scopes: list[str]) -> KeptTokens:
    from jsmsso.cli.connection.kept_tokens import KeptTokens
    from jsmsso.errors import UsageError
    from jsmsso.oidc.client_credentials import client_credentials_token

    provider = one.profile.providers[one.name]
    if not provider.client_secret and not provider.client_key:
        raise UsageError(f"{one.name} is a public client: it has no credentials", "The grant needs a client_secret or a client_key.")
    party, _, http = one.party(with_secret=True)
    access_token, granted = client_credentials_token(http, party.settings, party.metadata, scopes)
    return KeptTokens(party.settings.issuer, party.settings.client_id, access_token, scope=granted)


def _by_login(one: Chosen, *, port: int, seconds: int, no_browser: bool) -> KeptTokens:
    from jsmsso.cli.asking import somebody_types
    from jsmsso.cli.connection.checks import check_before_login
    from jsmsso.cli.connection.kept_tokens import KeptTokens
    from jsmsso.cli.connection.trial import Terminal, log_in
    from jsmsso.cli.loopback import loopback_redirect_uri
    from jsmsso.profile.outgoing import http_client

    settings = one.settings(with_secret=True)
    http = http_client(one.profile, one.path)
    terminal = Terminal(lambda probe: None, progress_line, not no_browser, no_browser or somebody_types())
    redirect_uri = loopback_redirect_uri(port)
    checked = check_before_login(
        http,
        one.profile,
        one.name,
        settings.client_secret,
        client_key=settings.client_key,
        redirect_uri=redirect_uri,
        say=terminal.probe,
    )
    authentication, _ = log_in(http, one.profile, one.name, checked, port=port, seconds=seconds, terminal=terminal)
    tokens = authentication.tokens
    return KeptTokens(
        settings.issuer,
        settings.client_id,
        tokens.access_token,
        tokens.id_token,
        tokens.refresh_token or "",
        tokens.scope or " ".join(settings.scopes),
        dict(authentication.id_claims),
    )


def _userinfo(one: Chosen, kept: KeptTokens) -> dict[str, Any]:
    """What the provider says of the person who logged in: by its UserInfo endpoint, or by its API where it is plain OAuth 2.0."""
    from jsmsso.errors import ProviderFailed, UserinfoRefused
    from jsmsso.oidc.relying_party import RelyingParty
    from jsmsso.oidc.tokens import TokenAnswer
    from jsmsso.oidc.userinfo import fetch_userinfo

    party, _, http = one.party(with_secret=False)
    one.check_fit(kept, party.settings)
    if not isinstance(party, RelyingParty):
        tokens = TokenAnswer("", kept.access_token, None, None, None)
        claims = dict(party.authenticate(tokens, nonce="", wants_userinfo=lambda _: False).claims)
        if claims["sub"] != kept.id_claims["sub"]:
            raise UserinfoRefused("the provider's API describes another person than the one who logged in")
        return claims
    endpoint = party.metadata.userinfo_endpoint
    if endpoint is None:
        raise ProviderFailed(f"the provider {one.name} has no UserInfo endpoint", "Its ID token is all that it says of a person.")
    return fetch_userinfo(
        http,
        endpoint,
        kept.access_token,
        issuer=str(kept.id_claims["iss"]),
        client_id=party.settings.client_id,
        subject=str(kept.id_claims["sub"]),
        keys=party.keys,
        algorithms=party.algorithms,
    )


def _obtained(one: Chosen, tokens: KeptTokens, *, show: bool, also: str = "") -> Result:
    from jsmsso.cli.connection.kept_tokens import keep
    from jsmsso.cli.connection.showing import visible
    from jsmsso.errors import SecretUnavailable

    warnings: tuple[str, ...] = ()
    reference = None
    try:
        reference = keep(one.name, tokens, base=one.base)
    except SecretUnavailable as error:
        if not show:
            raise
        warnings = (f"the tokens are not kept: {error.message}",)
    data: dict[str, Any] = {"provider": one.name, "tokens": list(tokens.kinds), "scope": tokens.scope, "kept": reference}
    kinds = ", ".join(kind.replace("_", " ").replace("id ", "ID ") for kind in tokens.kinds)
    lines = [f"Got from {one.name}: {kinds}." + (f" Kept in the keyring ({reference})." if reference else "")]
    lines += [also] if also else []
    if show:
        data |= {kind: getattr(tokens, kind) for kind in tokens.kinds}
        lines += [f"\n{kind}\n{visible(getattr(tokens, kind))}" for kind in tokens.kinds]
    else:
        lines.append(f"Next: jsmsso token inspect{'' if tokens.id_token else ' --access'}")
    return Result(data=data, text="\n".join(lines), warnings=warnings)
