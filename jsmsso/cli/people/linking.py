"""``customers link``: which JSM account an address has, where JSM's own answer does not tell."""

from __future__ import annotations

from dataclasses import replace

from jsmsso.cli.people.opening import Books, now
from jsmsso.cli.render import Result
from jsmsso.errors import CheckFailed, JsmFailed, NotReady, SecretUnavailable, UsageError
from jsmsso.identity.email_address import NotAnEmailAddress, fold_email
from jsmsso.jsm.users import JsmUser, read_user
from jsmsso.store.records import Link

LONGEST_ID = 255  # characters; Atlassian gives 128 to account ids, and as many to user names


def link(books: Books, email: str, account_id: str) -> Result:
    """Say so once, for every later login. Raises :class:`CheckFailed` for an account that JSM does not have."""
    if not account_id or len(account_id) > LONGEST_ID or not account_id.isprintable() or account_id != account_id.strip():
        raise UsageError("ACCOUNT_ID is none", "It stands in the address of the person's page in Atlassian's administration.")
    warnings: list[str] = []
    user, unanswered = _read(books, account_id)
    if unanswered:
        warnings.append(f"whether JSM has the account could not be checked: {unanswered}")
    warnings += _doubts(books, email, account_id, user)
    books.store.link(Link(email, account_id, now(), "operator"))
    warnings += books.note("customer.linked", email=email, account_id=account_id)
    data = {
        "email": email,
        "account_id": account_id,
        "linked": True,
        "checked": not unanswered,
        "shown_email": (user and user.email) or None,
        "display_name": user and user.display_name,
    }
    name = f" ({user.display_name})" if user is not None and user.display_name else ""
    return Result(data, f"From the next login on {email} is {account_id}{name}.", tuple(warnings))


def unlink(books: Books, email: str) -> Result:
    """Take the link away, and forget the account where a login took it by that link: the next one looks anew."""
    before = books.store.linked(email)
    if before is None:
        return Result({"email": email, "linked": False, "removed": False}, f"{email} was not linked.")
    books.store.unlink(email)
    for account in books.store.accounts_of_email(email):
        if account.account_id == before.account_id:
            books.store.remember(replace(account, account_id="", fingerprint="", desks=(), making_since=None))
    warnings = books.note("customer.unlinked", email=email, account_id=before.account_id)
    data = {"email": email, "linked": False, "removed": True, "account_id": before.account_id}
    return Result(
        data, f"{email} is no longer linked to {before.account_id}. The next login looks for the account by the address.", warnings
    )


def _read(books: Books, account_id: str) -> tuple[JsmUser | None, str]:
    """The account, or why it could not be asked for."""
    try:
        to = books.connect()
        user = read_user(to.client, to.site, account_id)
    except (NotReady, JsmFailed, SecretUnavailable) as error:
        return None, error.message
    if user is None:
        raise CheckFailed(
            f"JSM has no account {account_id}, or does not show it to the service account",
            "Copy the id from the person's page. Nothing was changed.",
        )
    return user, ""


def _doubts(books: Books, email: str, account_id: str, user: JsmUser | None) -> list[str]:
    said = []
    if user is not None and user.email and _folded(user.email) != email:
        said.append(f"JSM shows another address on {account_id}: {user.email}")
    if user is not None and not user.active:
        said.append(f"{account_id} is deactivated in JSM")
    others = sorted({one.email for one in books.store.accounts_of_id(account_id)} - {email})
    if others:
        said.append(f"{account_id} is the account of {', '.join(others[:3])} too; both will see the same requests")
    return said


def _folded(text: str) -> str:
    try:
        return fold_email(text)
    except NotAnEmailAddress:
        return text
