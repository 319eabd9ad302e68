"""A customer's request: raise it, read it, share it, move it on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from jsmsso.errors import JsmAnswerInvalid, JsmRefused
from jsmsso.jsm.answers import PLAIN_ID, in_path, text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.paging import each_item
from jsmsso.jsm.requests.adf import is_document, plain_text
from jsmsso.jsm.requests.fields import IssueFields
from jsmsso.jsm.requests.reading import dict_of, dicts_of, linked_id, time_of
from jsmsso.jsm.requests.wiki_markup import escaped
from jsmsso.jsm.site import Site
from jsmsso.jsm.users import JsmUser, user_id_of, user_of

ALL = "/rest/servicedeskapi/request"
NEEDS = "Service project agent (role Service Desk Team of the project)"
NEEDS_RAISE = "Service project agent and Create issues (role Service Desk Team of the project)"
NEEDS_EDIT = "Edit issues on the service desk's project"
NEEDS_TRANSITION = "Transition issues on the service desk's project"
CATEGORIES = {"NEW": "new", "INDETERMINATE": "indeterminate", "DONE": "done"}


@dataclass(frozen=True, slots=True)
class RequestDetails:
    """A request as our account reads it. ``fields`` are id, label, value, and whether the value is HTML (Jira's, not to be trusted).

    Values that the request type sets by itself may be among them, which are not meant for customers.

    ``status`` is the name that customers are shown; ``status_category`` as in :class:`~jsmsso.jsm.requests.issues.IssueFacts`.
    """

    key: str
    type_id: str
    type_name: str
    desk_id: str
    created: datetime
    status: str
    status_category: str
    reporter_id: str
    reporter_name: str
    fields: tuple[tuple[str, str, str, bool], ...]


@dataclass(frozen=True, slots=True)
class Created:
    """A new request."""

    id: str
    key: str


@dataclass(frozen=True, slots=True)
class Transition:
    """A way to another status that our account has, which is more than the customer has."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class Sla:
    """A goal that agents have. ``remaining_text`` is JSM's (``2h 16m``), ``due`` the moment at which it is missed.

    ``completed``: nothing is being measured any more.
    """

    name: str
    breached: bool
    remaining_text: str
    due: datetime | None
    completed: bool


def request_details(client: JsmClient, site: Site, key: str) -> RequestDetails | None:
    """The request, without comments and attachments (Atlassian: ``GET .../request/<key>``); None where there is none for us."""
    if not PLAIN_ID.fullmatch(key):
        return None
    try:
        answer = dict_of(client.get(f"{ALL}/{key}", {"expand": "requestType"}, needs=NEEDS))
    except JsmRefused as error:
        if error.status in (403, 404):
            return None
        raise
    created = time_of(answer.get("createdDate"))
    if not text_of(answer.get("issueKey")) or created is None:
        raise JsmAnswerInvalid(f"JSM's answer to {ALL}/{key} is no request")
    status, reporter = dict_of(answer.get("currentStatus")), dict_of(answer.get("reporter"))
    return RequestDetails(
        key=text_of(answer["issueKey"]),
        type_id=text_of(answer.get("requestTypeId")),
        type_name=text_of(dict_of(answer.get("requestType")).get("name")),
        desk_id=text_of(answer.get("serviceDeskId")),
        created=created,
        status=text_of(status.get("status")),
        status_category=CATEGORIES.get(text_of(status.get("statusCategory")), ""),
        reporter_id=user_id_of(reporter, site),
        reporter_name=text_of(reporter.get("displayName")),
        fields=tuple(_values(answer.get("requestFieldValues"))),
    )


def create_request(
    client: JsmClient,
    site: Site,
    desk_id: str,
    type_id: str,
    values: Mapping[str, Any],
    *,
    on_behalf_of: str,
    participants: Sequence[str] = (),
) -> Created:
    """A new request, which is the customer's own (Atlassian: ``POST /rest/servicedeskapi/request``).

    ``values`` are those of :func:`~jsmsso.jsm.requests.values.field_value` by field id. Never repeated when it may have
    worked: look for it before trying again. Raises :class:`JsmRefused` with 400 and JSM's words for what it does not take.
    """
    body: dict[str, Any] = {
        "serviceDeskId": desk_id,
        "requestTypeId": type_id,
        "requestFieldValues": dict(values),
        "raiseOnBehalfOf": on_behalf_of,
    }
    if participants:
        body["requestParticipants"] = list(participants)
    rich = {field_id: value for field_id, value in values.items() if is_document(value)}
    if not rich:
        return _created(client.send("POST", ALL, body, needs=NEEDS_RAISE, idempotent=False))
    try:
        return _created(client.send("POST", ALL, {**body, "isAdfRequest": True}, needs=NEEDS_RAISE, idempotent=False))
    except JsmRefused as error:
        if error.status != 400:
            raise
    # Refused, so nothing was made. Documents are an experimental option of this call; it has always taken wiki markup.
    body["requestFieldValues"] = {**values, **{field_id: escaped(plain_text(value)) for field_id, value in rich.items()}}
    return _created(client.send("POST", ALL, body, needs=NEEDS_RAISE, idempotent=False))


def participants(client: JsmClient, site: Site, key: str) -> tuple[JsmUser, ...]:
    """Whom the request is shared with by name (Atlassian: ``GET .../request/<key>/participant``)."""
    items = each_item(client, f"{_of(key)}/participant", identity=lambda item: user_id_of(item, site), needs=NEEDS)
    return tuple(user for item in items if (user := user_of(item, site)) is not None)


def add_participants(client: JsmClient, site: Site, key: str, ids: Sequence[str]) -> None:
    """Share the request with these accounts, also where it is (``POST .../participant``)."""
    client.send("POST", f"{_of(key)}/participant", _people(site, ids), needs=NEEDS, idempotent=True)


def remove_participants(client: JsmClient, site: Site, key: str, ids: Sequence[str]) -> None:
    """Share it with them no longer (``DELETE .../participant``)."""
    client.send("DELETE", f"{_of(key)}/participant", _people(site, ids), needs=NEEDS, idempotent=True)


def set_organizations(client: JsmClient, site: Site, fields: IssueFields, key: str, ids: Sequence[str]) -> None:
    """Share the request with these organizations and no others (platform: ``PUT issue/<key>``)."""
    if not fields.organizations:
        raise JsmAnswerInvalid("JSM does not show the field in which a request's organizations are", "It needs a field of that type.")
    body = {"fields": {fields.organizations: [int(organization_id) for organization_id in ids]}}
    client.send("PUT", f"{site.api}/issue/{in_path(key)}", body, needs=NEEDS_EDIT, idempotent=True)


def transitions(client: JsmClient, site: Site, key: str) -> tuple[Transition, ...]:
    """What our account could do with the request (Atlassian: ``GET .../request/<key>/transition``)."""
    items = each_item(client, f"{_of(key)}/transition", needs=NEEDS)
    return tuple(Transition(text_of(item["id"]), name) for item in items if (name := text_of(item.get("name"))))


def make_transition(client: JsmClient, site: Site, key: str, transition_id: str, comment: str = "") -> None:
    """Move the request on, with a public comment where there is one. Never repeated when it may have worked."""
    body: dict[str, Any] = {"id": transition_id}
    if comment:
        body["additionalComment"] = {"body": comment}
    client.send("POST", f"{_of(key)}/transition", body, needs=NEEDS_TRANSITION, idempotent=False)


def slas(client: JsmClient, site: Site, key: str) -> tuple[Sla, ...]:
    """The agents' goals for the request (Atlassian: ``GET .../request/<key>/sla``)."""
    items = each_item(client, f"{_of(key)}/sla", identity=_sla_id, needs=NEEDS)
    return tuple(_sla(item) for item in items if text_of(item.get("name")))


def _values(told: Any) -> Iterator[tuple[str, str, str, bool]]:
    for item in dicts_of(told):
        field_id = text_of(item.get("fieldId"))
        label = text_of(item.get("label")) or field_id
        html = text_of(dict_of(item.get("renderedValue")).get("html"))
        text = _in_words(item.get("value"))
        if label and (html or text) and field_id != "attachment":
            yield field_id, label, html or text, bool(html)


def _in_words(value: Any) -> str:
    """A field's value for people: of an object the name that it has, never an address or an email."""
    if isinstance(value, list):
        return ", ".join(filter(None, map(_in_words, value)))
    if isinstance(value, dict):
        own = next((text for name in ("displayName", "value", "name", "label") if (text := text_of(value.get(name)))), "")
        child = _in_words(value["child"]) if isinstance(value.get("child"), dict) else ""
        return " / ".join(filter(None, (own, child)))
    return str(value) if isinstance(value, float) else text_of(value)


def _created(answer: Any) -> Created:
    told = dict_of(answer)
    issue_id, key = text_of(told.get("issueId")), text_of(told.get("issueKey"))
    if not (issue_id and key):
        raise JsmAnswerInvalid("JSM does not say which request it created", "Look for the request in JSM before trying again.")
    return Created(issue_id, key)


def _of(key: str) -> str:
    return f"{ALL}/{in_path(key)}"


def _people(site: Site, ids: Sequence[str]) -> dict[str, list[str]]:
    return {"accountIds" if site.is_cloud else "usernames": list(ids)}


def _sla_id(item: dict[str, Any]) -> str:
    return text_of(item.get("id")) or linked_id(item, "self") or text_of(item.get("name"))


def _sla(item: dict[str, Any]) -> Sla:
    ongoing = item.get("ongoingCycle")
    cycles = [*dicts_of(item.get("completedCycles"))]
    cycle = ongoing if isinstance(ongoing, dict) else (cycles[-1] if cycles else {})
    return Sla(
        text_of(item["name"]),
        cycle.get("breached") is True,
        text_of(dict_of(cycle.get("remainingTime")).get("friendly")),
        time_of(cycle.get("breachTime")),
        not isinstance(ongoing, dict),
    )
