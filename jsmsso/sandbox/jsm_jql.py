"""Jira's query language, as much of it as finds requests: conditions with ``AND``, ``OR``, ``NOT``, and an order."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jsmsso.sandbox.jsm_jql_conditions import ORDERS, Conditions, Test, WrongJql
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.jsm_site import ISSUE_FIELDS, LocalSite

TOKEN = re.compile(
    r"""\s*(?:
      (?P<quoted>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*')
    | (?P<operator>!=|!~|<=|>=|=|~|<|>)
    | (?P<mark>[(),])
    | (?P<word>[^\s"'=!~<>(),|&{}*/%+^$\#@?;:\[\]\\`]+(?:\[\d+\])?)
    | (?P<relative>[-+]\d+[mhdw])
    )""",
    re.VERBOSE,
)
NEWEST_FIRST = frozenset({"created", "updated"})  # unless the query says otherwise
ESCAPES = {"n": "\n", "t": "\t", "r": "\r"}
ESCAPE = re.compile(r"\\(?:u(?P<code>[0-9a-fA-F]{4})|(?P<one>.))")
RESERVED = frozenset({"and", "or", "not", "in", "is", "empty", "null", "order", "by", "asc", "desc", "was", "changed"})


@dataclass(frozen=True, slots=True)
class Query:
    """What a text asks for; ``bounded`` says whether it has any condition at all."""

    test: Test
    orders: tuple[tuple[str, bool], ...]
    bounded: bool

    def sorted(self, issues: list[LocalIssue]) -> list[LocalIssue]:
        """In the order that was asked for; the newest first without one."""
        for name, descending in reversed(self.orders or (("created", True),)):
            issues.sort(key=ORDERS[name], reverse=descending)
        return issues


def parse(text: str, site: LocalSite, caller_id: str) -> Query:
    """The query that ``text`` is. Raises :class:`WrongJql`."""
    parser = _Parser(_tokens(text), site, caller_id)
    bounded = bool(parser.left) and not parser.at("order")
    test: Test = parser.any_of() if bounded else lambda issue: True
    return Query(test, parser.order(), bounded)


def _tokens(text: str) -> list[tuple[str, str]]:
    found, place = [], 0
    while text[place:].strip():
        match = TOKEN.match(text, place)
        if match is None:
            where = text[place:].strip()[:1]
            raise WrongJql(f"Error in the JQL Query: The character '{where}' is a reserved JQL character, or a string is not closed.")
        kind = str(match.lastgroup)
        found.append((kind, _unquoted(match[kind]) if kind == "quoted" else match[kind]))
        place = match.end()
    return found


def _unquoted(text: str) -> str:
    return ESCAPE.sub(_unescaped, text[1:-1])


def _unescaped(found: re.Match[str]) -> str:
    if found["code"]:
        return chr(int(found["code"], 16))
    if found["one"] not in "\"'\\ntr ":
        raise WrongJql(f"Error in the JQL Query: '\\{found['one']}' is an illegal JQL escape sequence.")
    return ESCAPES.get(found["one"], found["one"])


class _Parser:
    def __init__(self, tokens: list[tuple[str, str]], site: LocalSite, caller_id: str) -> None:
        self.left = tokens[::-1]
        self._conditions = Conditions(site)
        self._caller_id = caller_id
        fields = site.issue_fields
        organizations, participants, types, approvals = (fields.get(name, "") for name in ISSUE_FIELDS)
        self._own = {
            **dict.fromkeys(_names(organizations, "organizations"), "organizations"),
            **dict.fromkeys(_names(participants, "request participants"), "participants"),
            **dict.fromkeys(_names(types, "request type", "customer request type"), "request type"),
            **dict.fromkeys(_names(approvals, "approvals"), "approvals"),
        }

    def at(self, *words: str) -> bool:
        """Whether one of these words comes next, not in quotes."""
        return bool(self.left) and self.left[-1][0] != "quoted" and self.left[-1][1].lower() in words

    def any_of(self) -> Test:
        tests = [self._all_of()]
        while self._took("or"):
            tests.append(self._all_of())
        return tests[0] if len(tests) == 1 else lambda issue: any(test(issue) for test in tests)

    def order(self) -> tuple[tuple[str, bool], ...]:
        """``ORDER BY``, with nothing after it."""
        orders: list[tuple[str, bool]] = []
        if self._took("order"):
            if not self._took("by"):
                raise WrongJql("Error in the JQL Query: Expecting 'by'.")
            while True:
                name = self._next("a field")[1].lower()
                if name not in ORDERS:
                    raise WrongJql(f"Field '{name}' does not exist or is not sortable.")
                orders.append((name, self._took("desc") or (not self._took("asc") and name in NEWEST_FIRST)))
                if not self._took(","):
                    break
        if self.left:
            raise WrongJql(f"Error in the JQL Query: Expecting either 'OR' or 'AND' but got '{self.left[-1][1]}'.")
        return tuple(orders)

    def _all_of(self) -> Test:
        tests = [self._one()]
        while self._took("and"):
            tests.append(self._one())
        return tests[0] if len(tests) == 1 else lambda issue: all(test(issue) for test in tests)

    def _one(self) -> Test:
        if self._took("not"):
            inner = self._one()
            return lambda issue: not inner(issue)
        if self._took("("):
            inner = self.any_of()
            if not self._took(")"):
                raise WrongJql("Error in the JQL Query: Expecting ')' before the end of the query.")
            return inner
        return self._condition()

    def _condition(self) -> Test:
        kind, field = self._next("a field name")
        if kind not in ("word", "quoted") or (kind == "word" and field.lower() in RESERVED):
            raise WrongJql(f"Error in the JQL Query: Expecting a field name but got '{field}'.")
        name = self._own.get(field.lower(), field.lower())
        if name == "approvals":
            return self._approver(field)
        if self._took("is"):
            wanted = not self._took("not")
            if not self._took("empty", "null"):
                raise WrongJql("Error in the JQL Query: Expecting 'EMPTY'.")
            empty = self._conditions.empty(name, field)
            return lambda issue: empty(issue) == wanted
        negated = self._took("not")
        if self._took("in"):
            tests = [self._conditions.compared(name, field, "=", value) for value in self._list()]
            return lambda issue: any(test(issue) for test in tests) != negated
        kind, operator = self._next("an operator")
        if kind != "operator" or negated:
            raise WrongJql(f"Error in the JQL Query: Expecting operator but got '{operator}'.")
        return self._conditions.compared(name, field, operator, self._value())

    def _approver(self, field: str) -> Test:
        """``= approver("id", ...)``; of JSM's other functions, and of people by themselves, this field takes none here."""
        operator = self._next("an operator")[1]
        if operator != "=":
            raise WrongJql(f"The operator '{operator}' is not supported by the '{field}' field.")
        kind, function = self._next("a function")
        if kind != "word" or function.lower() != "approver" or not self.at("("):
            raise WrongJql(f"The field '{field}' does not support the value '{function}'.")
        tests = [self._conditions.approver(field, value) for value in self._list()]
        return lambda issue: any(test(issue) for test in tests)

    def _list(self) -> list[str]:
        if not self._took("("):
            raise WrongJql("Error in the JQL Query: Expecting a list of values or functions.")
        values = [self._value()]
        while self._took(","):
            values.append(self._value())
        if not self._took(")"):
            raise WrongJql("Error in the JQL Query: Expecting ')' before the end of the query.")
        return values

    def _value(self) -> str:
        kind, value = self._next("a value")
        if kind in ("mark", "operator") or (kind == "word" and value.lower() in RESERVED):
            raise WrongJql(f"Error in the JQL Query: Expecting a value but got '{value}'.")
        if kind == "word" and self._took("("):
            if value.lower() != "currentuser" or not self._took(")"):
                raise WrongJql(f"Unable to find JQL function '{value}'.")
            return self._caller_id
        return value

    def _took(self, *words: str) -> bool:
        if self.at(*words):
            self.left.pop()
            return True
        return False

    def _next(self, what: str) -> tuple[str, str]:
        if not self.left:
            raise WrongJql(f"Error in the JQL Query: Expecting {what} before the end of the query.")
        return self.left.pop()


def _names(field_id: str, *names: str) -> list[str]:
    """What a custom field is called in a query: by its name, or ``cf[10002]``."""
    return [*names, f"cf[{field_id.removeprefix('customfield_')}]", field_id] if field_id else []
