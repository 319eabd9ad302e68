"""Ending sessions and keeping people out: ``customers revoke``, ``customers restore`` and ``sessions revoke``."""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from textwrap import fill

from jsmsso.cli.people.opening import Books, bars_of, now, people_of
from jsmsso.cli.render import Result
from jsmsso.errors import JsmFailed, NotReady, SecretUnavailable
from jsmsso.jsm.customers.matching import match
from jsmsso.jsm.customers.standing import BY_ADDRESS
from jsmsso.jsm.users import find_users
from jsmsso.store.records import Account, Ending

LEASE_SECONDS = 60.0
JSM_SECONDS = 10.0
WIDTH = 79  # columns

AT_JSM_CLOUD = (
    "Atlassian's own portal does not know of this: a session there goes on, and a password reset by mail reopens a portal-only account."
    " Revoke its access there too: Atlassian Administration > Apps > your site > Jira Service Management > Portal-only customers >"
    " Revoke access (an Atlassian account: Directory > Users > Suspend access)."
)
AT_JSM_DATA_CENTER = (
    "Jira itself does not know of this: a session there goes on, and whoever has a password there can log in."
    " Deactivate the account: Administration > User management > Users > Edit, and take Active away."
)
AT_PROVIDER = "At the provider the account stays open: disable it there too, or it signs in wherever else it may."


def revoke(books: Books, email: str) -> Result:
    """Keep an address and everybody known by it out, end their sessions, drop what waits to be written for them."""
    accounts = [one for one in people_of(books.store, email) if one.issuer != BY_ADDRESS]
    at = now()
    books.store.bar(f"email:{email}", email=email, at=at)
    for one in accounts:
        books.store.bar(f"sub:{one.issuer} {one.subject}", email=email, at=at)
    _end(books, email, accounts)
    dropped = sum(_drop_write(books, one.issuer, one.subject) for one in accounts)
    warnings = list(books.note("session.revoked", email=email, barred=True))
    ids = list(dict.fromkeys(one.account_id for one in books.store.accounts_of_email(email) if one.account_id))
    if (linked := books.store.linked(email)) is not None:
        ids = list(dict.fromkeys((*ids, linked.account_id)))
    found, is_cloud, unanswered = _ids_in_jsm(books, email)
    ids = list(dict.fromkeys((*ids, *found)))
    if unanswered:
        warnings.append(f"JSM could not be asked for the account: {unanswered}")
    at_jsm = AT_JSM_CLOUD if is_cloud else AT_JSM_DATA_CENTER
    people = [{"issuer": one.issuer, "subject": one.subject, "provider": one.provider} for one in accounts]
    data = {
        "email": email,
        "revoked": True,
        "people": people,
        "dropped_writes": dropped,
        "account_ids": ids,
        "to_do": [at_jsm, AT_PROVIDER] if books.profile.jsm is not None else [AT_PROVIDER],
    }
    lines = [f"{email} is out: sessions end within two seconds on every worker, no login gets in."]
    lines += [f"  {one.subject} of {one.issuer}" for one in accounts]
    if books.profile.jsm is not None:
        lines += ["", fill(at_jsm, WIDTH), *(f"  account {one}" for one in ids)]
    lines += ["", fill(AT_PROVIDER, WIDTH), "", f"To let them in again: jsmsso customers restore {email}"]
    return Result(data, "\n".join(lines), tuple(warnings))


def restore(books: Books, email: str) -> Result:
    """Undo :func:`revoke`; ended sessions stay ended."""
    addresses = {bar.email for bar in bars_of(books.store, email)}
    for address in addresses:
        books.store.unbar(address)
    if not addresses:
        return Result({"email": email, "restored": False}, f"{email} was not revoked.")
    warnings = books.note("customer.restored", email=email)
    return Result({"email": email, "restored": True}, f"{email} may log in again, as far as the access rules let them.", warnings)


def end_sessions_of(books: Books, email: str) -> Result:
    """End the sessions of an address, of whoever is known by it now and of whoever was when the session began."""
    accounts = [one for one in people_of(books.store, email) if one.issuer != BY_ADDRESS]
    _end(books, email, accounts)
    warnings = books.note("session.revoked", email=email)
    text = (
        f"The sessions of {email} end within two seconds on every worker. They may log in again;\n"
        f"to keep them out: jsmsso customers revoke {email}"
    )
    return Result({"revoked": "email", "email": email}, text, warnings)


def end_all_sessions(books: Books) -> Result:
    """End every session of the deployment."""
    at = now()
    books.store.end(Ending.for_good("all", "", "", at), now=at)
    warnings = books.note("session.revoked", all=True)
    return Result(
        {"revoked": "all", "email": None}, "All sessions end within two seconds on every worker. Everybody may log in again.", warnings
    )


def _end(books: Books, email: str, accounts: Iterable[Account]) -> None:
    at = now()
    books.store.end(Ending.for_good("email", "", email, at), now=at)
    for one in accounts:
        books.store.end(Ending.for_good("sub", one.issuer, one.subject, at), now=at)


def _drop_write(books: Books, issuer: str, subject: str) -> bool:
    """Whether a write waited and is gone: nobody's account is made after they were shut out."""
    at = now()
    write = books.store.lease_write_of(issuer, subject, f"revoke {secrets.token_hex(8)}", now=at, until=at + LEASE_SECONDS)
    return write is not None and books.store.finish_write(write)


def _ids_in_jsm(books: Books, email: str) -> tuple[list[str], bool, str]:
    """The accounts that JSM shows the address on, whether it is on Cloud, and why it could not be asked."""
    jsm = books.profile.jsm
    if jsm is None:
        return [], False, ""
    try:
        to = books.connect().within(JSM_SECONDS)
        users = find_users(to.client, to.site, email)
    except (NotReady, JsmFailed, SecretUnavailable) as error:
        return [], bool(jsm.email), error.message
    return [one.id for one in users if match([one], email, None).kind in ("one", "inactive")], to.site.is_cloud, ""
