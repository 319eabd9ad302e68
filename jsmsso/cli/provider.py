"""``jsmsso provider``: add, list, show and remove OpenID Providers."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jsmsso.cli.render import Result, reports

if TYPE_CHECKING:
    from rich.console import Console

    from jsmsso.profile.model import Profile, Provider

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def provider() -> None:
    """Add, list, show and remove OpenID Providers."""


@app.command()
@reports
def add(
    type_: Annotated[str, typer.Argument(help="One that jsmsso provider types lists.", metavar="TYPE")],
    profile: str,
    as_json: bool,
    name: Annotated[str, typer.Option(help="Your name for it; the type otherwise.", metavar="N", show_default=False)] = "",
    domain: Annotated[
        str, typer.Option(help="The domain, where the type asks for one (cognito, okta ...).", metavar="D", show_default=False)
    ] = "",
    issuer: Annotated[str, typer.Option(help="The issuer, as the provider writes it.", metavar="URL", show_default=False)] = "",
    discovery_url: Annotated[
        str, typer.Option(help="Where its metadata is, if not below the issuer.", metavar="URL", show_default=False)
    ] = "",
    client_id: Annotated[str, typer.Option(help="The client's id at the provider.", metavar="ID", show_default=False)] = "",
    client_secret: Annotated[
        str, typer.Option(help="Where its secret is: keyring:NAME, env:VARIABLE or file:PATH.", metavar="REF", show_default=False)
    ] = "",
    client_secret_stdin: Annotated[
        bool, typer.Option("--client-secret-stdin", help="Read the secret from standard input; keep it.")
    ] = False,
    user_pool_id: Annotated[str, typer.Option(help="Cognito: the pool, to find the issuer at once.", metavar="P", show_default=False)] = "",
    scope: Annotated[list[str], typer.Option(help="A scope to ask for; may be given several times.", metavar="S", show_default=False)] = [],  # noqa: B006
    public_url: Annotated[str, typer.Option(help="Where customers will reach jsmsso.", metavar="URL", show_default=False)] = "",
    set_: Annotated[
        list[str],
        typer.Option(
            "--set",
            help="What else the type asks for (tenant, realm ...), or a key of the profile.",
            metavar="KEY=VALUE",
            show_default=False,
        ),
    ] = [],  # noqa: B006
) -> Result:
    """Add a provider. Asks on a terminal for what is missing, after it printed the addresses to register there."""
    from jsmsso.cli.adding_provider.adding import add_provider
    from jsmsso.cli.adding_provider.options import Given
    from jsmsso.profile.locating import locate_profile
    from jsmsso.providers.known import provider_type

    kind = provider_type(type_)
    given = Given(
        name=name,
        domain=domain,
        issuer=issuer,
        discovery_url=discovery_url,
        client_id=client_id,
        client_secret=client_secret,
        client_secret_stdin=client_secret_stdin,
        user_pool_id=user_pool_id,
        scopes=tuple(scope),
        public_url=public_url,
        settings=tuple(set_),
    )
    return add_provider(locate_profile(profile), kind, given, as_json=as_json)


@app.command("list")
@reports
def list_(profile: str) -> Result:
    """List the providers; the first is the default."""
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile

    read = read_profile(locate_profile(profile))
    rows = [_listed(read, name, one) for name, one in read.providers.items()]
    if not rows:
        return Result(data=[], text="No provider yet.\nNext: jsmsso provider add cognito")

    def draw(console: Console) -> None:
        from jsmsso.cli.connection.showing import row, table

        drawn = table("name", "type", "issuer or domain", "client id", "callback")
        for one in rows:
            row(drawn, one["name"], one["type"], one["issuer"] or one["domain"] or one["discovery_url"], one["client_id"], one["callback"])
        console.print(drawn)

    return Result(data=rows, text=draw)


@app.command()
@reports
def show(name: Annotated[str, typer.Argument(help="The provider's name in the profile.", metavar="NAME")], profile: str) -> Result:
    """Show one provider, and the addresses that must be registered there. Secrets only by their references."""
    from jsmsso.cli.loopback import loopback_redirect_uri
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile
    from jsmsso.providers.entry import registration
    from jsmsso.providers.known import provider_type

    read = read_profile(locate_profile(profile))
    one = read.providers[_known(read, name)]
    type_ = provider_type(one.type)
    registered = registration(read, name, loopback_redirect_uri())
    data = _listed(read, name, one) | {
        "user_pool_id": one.user_pool_id,
        "client_secret": one.client_secret,
        "client_auth": one.client_auth,
        "email_domains": None if one.email_domains is None else list(one.email_domains),
        "any_email": one.any_email,
        "trust_unverified_email": list(one.trust_unverified_email or ()),
        "tenants": list(one.tenants or ()),
        "register": registered.data(),
    }

    def draw(console: Console) -> None:
        from jsmsso.cli.connection.showing import row, shown_value, table

        drawn = table("", "", show_header=False)
        for key, value in data.items():
            if key != "register" and value not in (None, [], False):
                row(drawn, key, shown_value(value))
        if one.client_secret is None:
            row(drawn, "client_secret", "none: a public client")
        if one.type == "cognito" and not one.issuer:
            row(drawn, "issuer", f"not known yet: jsmsso test-connection --provider {name}")
        console.print(drawn)
        console.print()
        for line in registered.lines(type_):
            console.print(line, markup=False, soft_wrap=True)

    return Result(data=data, text=draw)


@app.command()
@reports
def remove(
    name: Annotated[str, typer.Argument(help="The provider's name in the profile.", metavar="NAME")],
    profile: str,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> Result:
    """Take a provider out of the profile. Its secret stays where it is."""
    from jsmsso.cli.asking import confirm
    from jsmsso.cli.removing import remove_provider
    from jsmsso.errors import UsageError
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.reading import read_profile

    path = locate_profile(profile)
    read = read_profile(path)
    _known(read, name)
    if not yes:
        if not sys.stdin.isatty():
            raise UsageError("--yes is missing", "Without a terminal nothing can be asked, and nothing is removed unasked.")
        if not confirm(f"Remove the provider {name} from {path}?", default=False):
            return Result(data={"name": name, "removed": False}, text="Nothing was removed.", exit_code=1)
    return remove_provider(path, read, name)


@app.command()
@reports
def types() -> Result:
    """List the types of providers that can be added."""
    from jsmsso.providers.known import provider_types

    rows = [{"type": one.name, "name": one.title, "documentation": one.documentation} for one in provider_types().values()]

    def draw(console: Console) -> None:
        from jsmsso.cli.connection.showing import row, table

        drawn = table("type", "name")
        for one in rows:
            row(drawn, one["type"], one["name"])
        console.print(drawn)
        # The addresses of their documentation are longer than a line, and an address that is broken cannot be opened.
        console.print("\nTheir own documentation: jsmsso provider types --json")
        console.print("Next: jsmsso provider add TYPE")

    return Result(data=rows, text=draw)


def _listed(profile: Profile, name: str, provider: Provider) -> dict[str, Any]:
    from jsmsso.providers.settings import callback_url

    return {
        "name": name,
        "type": provider.type,
        "default": next(iter(profile.providers)) == name,
        "domain": provider.domain,
        "issuer": provider.issuer,
        "discovery_url": provider.discovery_url,
        "client_id": provider.client_id,
        "callback": callback_url(profile, provider),
    }


def _known(profile: Profile, name: str) -> str:
    from difflib import get_close_matches

    from jsmsso.errors import UsageError

    if name not in profile.providers:
        near = get_close_matches(name, profile.providers, n=1)
        there = f"There is: {', '.join(profile.providers)}." if profile.providers else "There is none: jsmsso provider add cognito"
        raise UsageError(f"the profile has no provider {name!r}", f"Did you mean {near[0]}?" if near else there)
    return name
