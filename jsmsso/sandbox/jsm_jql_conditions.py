"""What the conditions of a query mean: which requests have a value, a text, a date (Jira: Advanced search reference)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.jsm_site import LocalSite
from jsmsso.sandbox.jsm_workflow import CATEGORY_NAMES, STATUSES

Test = Callable[[LocalIssue], bool]

TEXTS: dict[str, Callable[[LocalIssue], str]] = {
    "summary": lambda issue: issue.summary,
    "description": lambda issue: str(issue.values.get("description") or ""),
    "comment": lambda issue: " ".join(comment.body for comment in issue.comments),
}
TEXTS["text"] = lambda issue: " ".join(TEXTS[name](issue) for name in ("summary", "description", "comment"))
ORDERS: dict[str, Callable[[LocalIssue], Any]] = {
    "created": lambda issue: issue.created,
    "updated": lambda issue: issue.updated,
    "status": lambda issue: STATUSES[issue.status].id,
    "summary": lambda issue: issue.summary.lower(),
    "key": lambda issue: (issue.key.partition("-")[0], int(issue.key.partition("-")[2])),
    "id": lambda issue: int(issue.id),
}
ORDERS["issuekey"] = ORDERS["key"]


EMPTY: dict[str, Callable[[LocalIssue], object]] = {
    "organizations": lambda issue: issue.organizations,
    "participants": lambda issue: issue.participants,
    "request type": lambda issue: issue.type_id,
    "reporter": lambda issue: issue.reporter_id,
    **TEXTS,
}
PEOPLE: dict[str, Callable[[LocalIssue, str], bool]] = {
    "reporter": lambda issue, person: issue.reporter_id == person,
    "creator": lambda issue, person: issue.creator_id == person,
    "participants": lambda issue, person: person in issue.participants,
}


class WrongJql(Exception):
    """This is no query that Jira would answer; the message is Jira's."""


class Conditions:
    """The conditions that a site knows, by the names of its fields."""

    def __init__(self, site: LocalSite) -> None:
        self._site = site
        self._values: dict[str, Callable[[str], Test | None]] = {
            "project": self._project,
            "statuscategory": self._category,
            "status": self._status,
            "request type": self._request_type,
            "organizations": self._organization,
            **dict.fromkeys(("key", "issuekey", "issue", "id"), self._issue),
            **{name: self._person(name) for name in PEOPLE},
        }

    def compared(self, name: str, field: str, operator: str, value: str) -> Test:
        """``field <operator> value``; ``name`` is the field without its aliases. Raises :class:`WrongJql`."""
        if name in TEXTS:
            if operator not in ("~", "!~"):
                raise WrongJql(f"The operator '{operator}' is not supported by the '{field}' field.")
            matches = _text_test(value, field)
            return lambda issue: matches(TEXTS[name](issue)) == (operator == "~")
        if name in ("created", "updated"):
            return _date_test(name, operator, value)
        if name not in self._values:
            raise WrongJql(f"Field '{field}' does not exist or you do not have permission to view it.")
        if operator not in ("=", "!="):
            raise WrongJql(f"The operator '{operator}' is not supported by the '{field}' field.")
        equal = self._values[name](value)
        if equal is None:
            raise WrongJql(f"The value '{value}' does not exist for the field '{field}'.")
        return equal if operator == "=" else lambda issue: not equal(issue)

    def approver(self, field: str, person: str) -> Test:
        """``field = approver(person)``, whether or not they have answered. Raises :class:`WrongJql`."""
        if self._site.people.get(person) is None:
            raise WrongJql(f"The user '{person}' does not exist for the field '{field}'.")
        return lambda issue: person in issue.approvers

    def empty(self, name: str, field: str) -> Test:
        """``field IS EMPTY``. Raises :class:`WrongJql`."""
        if name not in EMPTY:
            raise WrongJql(f"Field '{field}' does not exist or you do not have permission to view it.")
        return lambda issue: not EMPTY[name](issue)

    def _project(self, value: str) -> Test | None:
        low, site = value.lower(), self._site
        desk = site.directory.by_project.get(value) or next((one for one in site.desks if low in (one.key.lower(), one.name.lower())), None)
        return None if desk is None else lambda issue: issue.desk_id == desk.id

    def _issue(self, value: str) -> Test | None:
        found = self._site.requests.get(value)
        return None if found is None else lambda issue: issue.id == found.id

    def _category(self, value: str) -> Test | None:
        keys = {shown.lower(): key for key, (_, shown, _) in CATEGORY_NAMES.items()} | {key: key for key in CATEGORY_NAMES}
        key = keys.get(value.lower())
        return None if key is None else lambda issue: issue.category == key

    def _status(self, value: str) -> Test | None:
        names = {status.name for status in STATUSES.values() if value.lower() in (status.name.lower(), status.id)}
        return (lambda issue: issue.status in names) if names else None

    def _request_type(self, value: str) -> Test | None:
        types = {one.id for one in self._site.directory.types if value in (one.id, one.name)}
        return (lambda issue: issue.type_id in types) if types else None

    def _organization(self, value: str) -> Test | None:
        ids = {one.id for one in self._site.organizations.values() if value == one.id or value.lower() == one.name.lower()}
        return (lambda issue: not ids.isdisjoint(issue.organizations)) if ids else None

    def _person(self, name: str) -> Callable[[str], Test | None]:
        def of(value: str) -> Test | None:
            known = self._site.people.get(value) is not None
            return (lambda issue: PEOPLE[name](issue, value)) if known else None

        return of


def _text_test(value: str, field: str) -> Callable[[str], bool]:
    """Every word has to be there, a phrase in quotes as it is, and ``*`` stands for the rest of a word (Jira: Search syntax)."""
    wanted = value.strip()
    if not wanted:
        raise WrongJql(f"The field '{field}' does not support searching for an empty string.")
    if wanted[0] in "*?":
        raise WrongJql(f"The text query '{value}' for field '{field}' is not allowed to start with character '{wanted[0]}'")
    if len(re.findall(r'(?<!\\)"', wanted)) % 2 or re.search(r"(?<!\\)[\[{(^]", wanted):
        raise WrongJql(f"Unable to parse the text '{value}' for field '{field}'.")
    phrases = [_words(part) for part in re.findall(r'(?<!\\)"([^"]*)"', wanted)]
    words = [(word.rstrip("*"), word.endswith("*")) for word in re.sub(r'(?<!\\)"[^"]*"', " ", wanted).split()]
    plain = [(part, starts) for word, starts in words for part in _words(word)]

    def matches(text: str) -> bool:
        there = _words(text)
        known = set(there)
        return all(part in known or (starts and any(word.startswith(part) for word in known)) for part, starts in plain) and all(
            any(there[place : place + len(phrase)] == phrase for place in range(len(there))) for phrase in phrases
        )

    return matches


def _words(text: str) -> list[str]:
    return re.findall(r"\w+", text.lower())


def _date_test(name: str, operator: str, value: str) -> Test:
    relative = re.fullmatch(r"([-+]?\d+)([mhdw])", value)
    if relative:
        unit = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}[relative[2]]
        limit = datetime.now(UTC) + timedelta(**{unit: int(relative[1])})
    else:
        try:
            limit = datetime.fromisoformat(value.replace("/", "-")).replace(tzinfo=UTC)
        except ValueError:
            raise WrongJql(f"Date value '{value}' for field '{name}' is invalid.") from None
    of = ORDERS[name]
    tests: dict[str, Test] = {
        "<": lambda issue: of(issue) < limit,
        "<=": lambda issue: of(issue) <= limit,
        ">": lambda issue: of(issue) > limit,
        ">=": lambda issue: of(issue) >= limit,
    }
    if operator not in tests:
        raise WrongJql(f"The operator '{operator}' is not supported by the '{name}' field.")
    return tests[operator]
