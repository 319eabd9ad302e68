"""The questions that lists of requests ask of Jira's search. Every value in them goes through :func:`quoted`.

They narrow what is looked through; who may see a row is decided on the row itself (seeing.may_see).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from jsmsso.jsm.requests.fields import IssueFields
from jsmsso.jsm.requests.jql import quoted, quoted_words

STATES = ("open", "closed", "all")
MOST_ORGANIZATIONS = 200  # of one customer; JQL is to stay short


def own_requests(
    fields: IssueFields, account_id: str, projects: Collection[str], state: str = "all", words: str = "", *, to_approve: bool = True
) -> str:
    """What the customer raised, takes part in or approves, the latest activity first.

    ``to_approve``: with JSM's function ``approver``, which takes whom it is asked for also where they have answered.
    """
    conditions = [f"reporter = {quoted(account_id)}"]
    if fields.participants:
        conditions.append(f"{_field(fields.participants)} = {quoted(account_id)}")
    if fields.approvals and to_approve:
        conditions.append(f"{_field(fields.approvals)} = approver({quoted(account_id)})")
    return _query(fields, f"({' OR '.join(conditions)})", projects, state, words)


def shared_requests(
    fields: IssueFields, organization_ids: Sequence[str], projects: Collection[str], state: str = "all", words: str = ""
) -> str:
    """What is shared with one of these organizations; empty (no query) without any, or where the site has no such field."""
    if not organization_ids or not fields.organizations:
        return ""
    ids = ", ".join(quoted(one) for one in organization_ids[:MOST_ORGANIZATIONS])
    return _query(fields, f"{_field(fields.organizations)} in ({ids})", projects, state, words)


def _query(fields: IssueFields, whose: str, projects: Collection[str], state: str, words: str) -> str:
    return f"{' AND '.join(_conditions(fields, whose, projects, state, words))} ORDER BY updated DESC"


def _conditions(fields: IssueFields, whose: str, projects: Collection[str], state: str, words: str) -> Iterator[str]:
    yield f"project in ({', '.join(quoted(key) for key in projects)})"
    yield whose
    if fields.request_type:
        yield f"{_field(fields.request_type)} is not EMPTY"
    if state in ("open", "closed"):
        yield f"statusCategory {'=' if state == 'closed' else '!='} Done"
    # The summary alone: whatever else Jira would look through, such as internal comments, would tell what is in it.
    if wanted := quoted_words(words):
        yield f"summary ~ {wanted}"


def _field(field_id: str) -> str:
    """A custom field by its number: names are translated, and two may have the same."""
    return f"cf[{field_id.removeprefix('customfield_')}]"
