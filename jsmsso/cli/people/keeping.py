"""``customers export`` and ``customers forget``: all that is kept about a person here, and what is kept elsewhere."""

from __future__ import annotations

import json
from textwrap import fill
from typing import Any

from jsmsso.cli.connection import tested_claims
from jsmsso.cli.people.opening import Books, now
from jsmsso.cli.render import Result
from jsmsso.store.json_lines import stamp

TIMES = frozenset(("first_seen", "last_seen", "making_since", "at", "expires", "created", "due", "lease_until"))
JSON_TEXTS = frozenset(("desks", "content"))  # what SQLite keeps as text

AT_JSM = (
    "JSM keeps the account, its requests, comments and attachments, and which service desks and organizations it is in. Cloud: Atlassian"
    " Administration > Apps > your site > Jira Service Management > Portal-only customers > Delete customer; an Atlassian account is closed"
    " by its owner or its organization. Data Center: Administration > User management > Anonymize."
)
IN_BROWSERS = "A session is sealed in a cookie of the person's browser, until session.lifetime is over."
IN_THE_LOG = "The log that jsmsso writes to standard error names people too, for as long as whoever collects it keeps it."
IN_KEYRINGS = (
    "The keyring of whoever tried their login out: its claims until the next jsmsso test-connection of that provider or of another person,"
    " and its tokens until jsmsso token revoke."
)
AT_PROVIDER = "The provider keeps the account that they log in with."
ELSEWHERE = (AT_JSM, IN_BROWSERS, IN_THE_LOG, IN_KEYRINGS, AT_PROVIDER)
WIDTH = 79  # columns


def export(books: Books, email: str) -> Result:
    """One JSON document of all that is kept here."""
    about = books.store.about(email)
    data = {
        "email": email,
        "exported_at": stamp(now()),
        "store": {table: [_readable(one) for one in rows] for table, rows in about.items()},
        "audit": books.audit.about(email),
        "tested_claims": tested_claims.names_about(books.profile, email, base=books.path.parent),
        "account_ids_in_jsm": _account_ids(about),
        "elsewhere": list(ELSEWHERE),
    }
    return Result(data)


def forget(books: Books, email: str) -> Result:
    """Delete it from the store; what must stay is named."""
    about = books.store.about(email)
    ids = _account_ids(about)
    gone = books.store.forget(email)
    tested = tested_claims.names_about(books.profile, email, base=books.path.parent)
    for name in tested:
        tested_claims.forget(name)
    warnings = books.note("customer.forgotten", email=email)
    lines = len(books.audit.about(email))
    days = books.profile.retention.audit // 86400
    stays = [f"{lines} lines of the audit trail, until each is {days} days old (retention.audit)"]
    if about["bars"]:
        stays.append(f"that they were revoked, until: jsmsso customers restore {email}")
    if about["endings"]:
        stays.append("which of their sessions ended, until no session can be as old")
    count = sum(gone.values())
    data = {
        "email": email,
        "forgotten": gone,
        "tested_claims": tested,
        "stays": stays,
        "account_ids_in_jsm": ids,
        "elsewhere": list(ELSEWHERE),
    }
    told = ", ".join(f"{number} {table}" for table, number in gone.items() if number) or "nothing was kept"
    keyring = [f"In this keyring: the claims of the last test-connection at {', '.join(tested)}."] if tested else []
    text = [f"Forgotten of {email}: {told}.", *keyring, "Here stays:", *(f"  {one}" for one in stays), "Elsewhere stays:"]
    text += [fill(one, WIDTH, initial_indent="  ", subsequent_indent="  ") for one in ELSEWHERE]
    if ids:
        text.append(f"Their account in JSM: {', '.join(ids)}")
    if count:
        text.append(f"A session that is still open writes some of it again: jsmsso sessions revoke --email {email}")
    return Result(data, "\n".join(text), warnings)


def _account_ids(about: dict[str, list[dict[str, Any]]]) -> list[str]:
    named = (one["account_id"] for table in ("accounts", "links", "memberships") for one in about[table])
    return list(dict.fromkeys(one for one in named if one))


def _readable(row: dict[str, Any]) -> dict[str, Any]:
    return {name: _value(name, value) for name, value in row.items()}


def _value(name: str, value: Any) -> Any:
    if name in TIMES and isinstance(value, (int, float)):
        return stamp(value) if value else None
    if name in JSON_TEXTS and isinstance(value, str):
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
