"""``jsmsso jsm``: connect the Jira Service Management site."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from jsmsso.cli.render import Result, reports

if TYPE_CHECKING:
    from jsmsso.cli.connection_report import Admin, Connection
    from jsmsso.jsm.connection import Way
    from jsmsso.jsm.site import Site
    from jsmsso.profile.model import Profile

app = typer.Typer(no_args_is_help=True, add_completion=False)

KEYRING_NAME = "keyring:jsm/api_token"
FILE_NAME = "file:secrets/jsm-api-token"


@app.callback()
def jsm() -> None:
    """Connect the Jira Service Management site."""


@app.command()
@reports
def connect(
    profile: str,
    url: Annotated[str, typer.Option(help="The Cloud site, or the Data Center base URL.", metavar="URL", show_default=False)] = "",
    email: Annotated[str, typer.Option(help="The service account's email; Cloud only.", metavar="E", show_default=False)] = "",
    api_token: Annotated[
        str, typer.Option(help="Where its token is: keyring:NAME, env:VARIABLE or file:PATH.", metavar="REF", show_default=False)
    ] = "",
    api_token_stdin: Annotated[bool, typer.Option("--api-token-stdin", help="Read the token from standard input and keep it.")] = False,
    expires: Annotated[str, typer.Option(help="The day on which the token ends.", metavar="YYYY-MM-DD", show_default=False)] = "",
) -> Result:
    """Connect the site with a service account, and show what the account may do.

    On Cloud it takes the account's email and an API token, on Data Center
    a personal access token. The token is tried before anything is written,
    and never stands in the profile itself.
    """
    from jsmsso.cli.connection_report import Connection
    from jsmsso.cli.counting import counting
    from jsmsso.jsm.connection import find_way, usable_token
    from jsmsso.jsm.missing import what_is_missing
    from jsmsso.jsm.permissions import find_abilities
    from jsmsso.jsm.service_desks import list_service_desks
    from jsmsso.jsm.writing import write_connection
    from jsmsso.profile.locating import locate_profile
    from jsmsso.profile.outgoing import http_client
    from jsmsso.profile.reading import read_profile
    from jsmsso.profile.secrets import write_secret

    path = locate_profile(profile)
    known = read_profile(path)
    _check_options(api_token, api_token_stdin, expires)
    http = http_client(known, path)
    url = url or _ask("Site", known.jsm.url if known.jsm else "", "--url", "For example https://acme.atlassian.net.")
    with counting() as bars:
        site = _recognize(url, http, bars.patience)
    base_url = site.base_url if site else url
    email = _email(email, site, known)
    token = _token(api_token, api_token_stdin, known, path, email)
    ends = _expiry(expires, known, token)
    secret = usable_token(token.value, token.reference)
    with counting() as bars:
        way = find_way(base_url, email, secret, http, bars.patience, (known.jsm and known.jsm.cloud_id) or "")
        desks = list_service_desks(way.client, bars.bar("Service desks"))
        progress = bars.bar("Permissions") if not way.site.is_cloud else lambda count, done: None
        abilities = find_abilities(way.client, way.site, desks, progress)
        admin = _admin(known, path, way, http, bars.patience)
    if token.is_new:
        write_secret(token.reference, secret, base=path.parent)
    written = write_connection(path, url=way.site.base_url, email=email, api_token=token.reference, expires=ends, cloud_id=way.cloud_id)
    missing = what_is_missing(abilities, known, way.site)
    found = Connection(path, way, token.reference, ends, abilities, missing, written, admin)
    return Result(data=found.data(), text=found.draw, warnings=_warnings(found))


@dataclass(frozen=True, slots=True)
class Token:
    """A token and the reference that stands for it; ``is_new`` says that it must still be stored there."""

    value: str
    reference: str
    is_new: bool


def _check_options(api_token: str, api_token_stdin: bool, expires: str) -> None:
    """What can be seen to be wrong before any question is asked."""
    from jsmsso.errors import UsageError

    if api_token and api_token_stdin:
        raise UsageError("--api-token and --api-token-stdin exclude each other", "Give one of them.")
    if api_token and api_token.partition(":")[0] not in ("keyring", "env", "file"):
        raise UsageError(
            "--api-token takes a reference, never the token itself",
            "Allowed: keyring:NAME, env:VARIABLE or file:PATH. To hand over the token, pipe it into --api-token-stdin.\n"
            "If that was the token, make a new one: arguments are seen by others on this machine.",
        )
    if expires:
        _day(expires)


def _ask(question: str, default: str, option: str, hint: str = "") -> str:
    """An answer from the terminal; without one, the default or an error that names the option."""
    from jsmsso.errors import UsageError

    if not sys.stdin.isatty():
        if default:
            return default
        raise UsageError(f"{option} is missing", hint)
    from jsmsso.cli.asking import ask

    while True:
        answer = ask(f"{question} [{default}]" if default else question).strip() or default
        if answer:
            return answer


def _recognize(url: str, http: Any, patience: Any) -> Site | None:
    """The site; None where it tells nobody without a login what it is."""
    from jsmsso.errors import JsmRefused
    from jsmsso.jsm.site_address import find_site

    try:
        return find_site(url, http, patience)
    except JsmRefused as error:
        if error.status not in (401, 403):
            raise
        return None


def _email(email: str, site: Site | None, known: Profile) -> str:
    """The service account's address on Cloud, empty on Data Center."""
    from jsmsso.errors import UsageError
    from jsmsso.identity.email_address import NotAnEmailAddress, fold_email

    before = known.jsm.email or "" if known.jsm else ""
    if site is not None and not site.is_cloud:
        if email:
            hint = "Leave it out: Data Center takes a personal access token alone."
            raise UsageError("--email is for Cloud only, and this is a Data Center", hint)
        return ""
    if site is not None and not email:
        email = _ask("Email of the service account", before, "--email", "Cloud wants the service account's address beside its token.")
    try:
        return fold_email(email) if email else ""
    except NotAnEmailAddress as error:
        raise UsageError(f"--email is no address: {error}") from None


def _token(api_token: str, api_token_stdin: bool, known: Profile, path: Path, email: str) -> Token:
    """The token from where the options say; typed unseen on a terminal where they say nothing."""
    from jsmsso.errors import UsageError
    from jsmsso.profile.secrets import read_secret

    if api_token:
        return Token(read_secret(api_token, base=path.parent), api_token, False)
    if api_token_stdin:
        reference = _place(known)
        return Token(_from_stdin(), reference, True)
    if not sys.stdin.isatty():
        raise UsageError(
            "--api-token or --api-token-stdin is missing", "--api-token names where the token is, for example env:JSM_API_TOKEN."
        )
    reference = _place(known)
    kind = "API token" if email else "Personal access token"
    where = "the keyring" if reference.startswith("keyring:") else reference
    from jsmsso.cli.asking import ask_unseen

    while not (token := ask_unseen(f"{kind} (typed unseen, goes to {where})")):
        pass
    return Token(token, reference, True)


def _from_stdin() -> str:
    from jsmsso.errors import UsageError

    try:
        text = sys.stdin.read(65_536).strip()
    except UnicodeDecodeError:
        text = ""
    if not text:
        raise UsageError("there is no token on standard input", "For example: jsmsso jsm connect ... --api-token-stdin < token.txt")
    return text


def _place(known: Profile) -> str:
    """Where a new token is kept: where the last one is, else the keyring, else (asked on a terminal) a file."""
    from jsmsso.errors import SecretUnavailable
    from jsmsso.profile.secrets import keyring_usable

    before = known.jsm.api_token if known.jsm else ""
    if before.startswith("file:"):
        return before
    if keyring_usable():
        return before if before.startswith("keyring:") else KEYRING_NAME
    hint = "Put it into a file that only you can read, and give --api-token file:PATH; or --api-token env:VARIABLE."
    question = f"There is no usable keyring. Keep the token as {FILE_NAME} beside the profile (mode 0600)?"
    from jsmsso.cli.asking import confirm

    if sys.stdin.isatty() and confirm(question, default=True):
        return FILE_NAME
    raise SecretUnavailable(KEYRING_NAME, "there is no usable keyring to keep the token in", hint)


def _expiry(expires: str, known: Profile, token: Token) -> date | None:
    """The day on which the token ends; asked for on a terminal. A token that was there before keeps its day."""
    if expires:
        return _day(expires)
    if not token.is_new and known.jsm and known.jsm.api_token == token.reference and known.jsm.api_token_expires:
        return known.jsm.api_token_expires
    if not sys.stdin.isatty():
        return None
    from jsmsso.cli.asking import ask
    from jsmsso.errors import UsageError

    while True:
        answer = ask("The token ends on (YYYY-MM-DD, empty if not known)").strip()
        try:
            return _day(answer) if answer else None
        except UsageError as error:
            typer.echo(f"{error.message}. {error.hint}", err=True)


def _day(text: str) -> date:
    from jsmsso.errors import UsageError

    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--expires is no day: {text}", "Write it as 2027-05-01.") from None
    if day < date.today():  # noqa: DTZ011 - a person's day
        raise UsageError(f"--expires is over: {day}", "The day stands where the token was made.")
    return day


def _admin(known: Profile, path: Path, way: Way, http: Any, patience: Any) -> Admin | None:
    """Who ``jsm.admin_api_token`` belongs to and what it may do; None where there is none. Its troubles are said, not raised."""
    from jsmsso.cli.connection_report import Admin
    from jsmsso.errors import JsmFailed, SecretUnavailable
    from jsmsso.jsm.connection import find_way, usable_token
    from jsmsso.jsm.permissions import may_create_accounts
    from jsmsso.profile.secrets import read_secret

    reference = known.jsm.admin_api_token if known.jsm else None
    if known.jsm is None or reference is None:
        return None
    email = (known.jsm.admin_email or known.jsm.email or "") if way.site.is_cloud else ""
    try:
        token = usable_token(read_secret(reference, base=path.parent), reference)
        other = find_way(way.site.base_url, email, token, http, patience, way.cloud_id)
        if other.cloud_id != way.cloud_id:
            return Admin(reference, other.account, None, "one token has scopes and the other has none; both must be of one kind")
        return Admin(reference, other.account, may_create_accounts(other.client, other.site), "")
    except (JsmFailed, SecretUnavailable) as error:
        return Admin(reference, None, None, error.message)


def _warnings(found: Connection) -> tuple[str, ...]:
    from jsmsso.jsm.token_expiry import LONGEST_LIFE, expiry_warning

    warnings = []
    today = date.today()  # noqa: DTZ011 - a person's day
    if found.expires is None:
        warnings.append("without --expires nobody is warned before the token ends; on Cloud it lives a year at most")
    elif found.way.site.is_cloud and (found.expires - today).days > LONGEST_LIFE:
        warnings.append(f"Atlassian's API tokens live a year at most: is {found.expires} right?")
    if ending := expiry_warning(found.expires, today):
        warnings.append(ending)
    if not found.abilities.desks:
        warnings.append("the account sees no service desk: give it the role Service Desk Team on each project that has a portal")
    needed = [missing for missing in found.missing if missing.denied and not missing.unneeded]
    if found.admin is not None and (problem := found.admin.problem):
        warnings.append(f"jsm.admin_api_token cannot be used: {problem}")
    if needed:
        names = ", ".join(missing.ability.label for missing in needed)
        warnings.append(f"the account lacks what the profile needs: {names}")
    return tuple(warnings)
