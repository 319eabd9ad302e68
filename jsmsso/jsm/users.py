"""Customers as JSM has them: find, create, add to a service desk. Whether one is the right one is decided elsewhere."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any

from jsmsso.errors import AccountUnknown, CustomerExists, JsmAnswerInvalid, JsmRefused
from jsmsso.jsm.answers import in_path, text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.paging import each_item
from jsmsso.jsm.site import Site

NEEDS_SEARCH = "the global permission Browse users and groups"
NEEDS_CREATE = "the global permission Administer Jira"
NEEDS_ADD = "Administer projects (role Administrators of the project)"
NEEDS_CUSTOMERS = "Service project agent (role Service Desk Team of the project)"

SEARCH_PAGE = 50  # the platform's default, and so the most that no site lowers
MOST_FOUND = 1_000  # it counts no further (Atlassian: GET /rest/api/3/user/search)
NOT_THERE = frozenset({404, 405, 412})  # a call, or a desk, that this site does not have
PORTAL_ONLY_IDS = "qm:"  # how the account ids of portal-only accounts begin
KINDS = {"customer": "portal_only", "atlassian": "atlassian"}


@dataclass(frozen=True, slots=True)
class JsmUser:
    """An account. ``id`` is the account id on Cloud, the user name on Data Center.

    ``email`` is empty where the site hides it. ``kind`` is ``portal_only``, ``atlassian``, or empty where it is not told.
    """

    id: str
    email: str
    display_name: str
    kind: str
    active: bool


def find_users(client: JsmClient, site: Site, email: str, desk_id: str = "") -> list[JsmUser]:
    """Every account that the site's searches bring for this text, each once: also those that only look like it.

    Asked are the whole site (Atlassian: ``GET /rest/api/3/user/search``, Data Center ``/rest/api/2/user/search``) and,
    where ``desk_id`` names one, the customers of a service desk. A search that is not allowed or not there brings nothing.
    """
    found: dict[str, JsmUser] = {}
    of_desk = _of_the_desk(client, site, desk_id, email, {403, *NOT_THERE}) if desk_id else []
    for user in [*_of_the_site(client, site, email), *of_desk]:
        found[user.id] = _merged(found[user.id], user) if user.id in found else user
    return list(found.values())


def create_customer(client: JsmClient, site: Site, email: str, display_name: str) -> JsmUser:
    """A new account, to which no invitation is sent (Atlassian: ``POST /rest/servicedeskapi/customer``).

    Raises :class:`CustomerExists` where the address has an account. Never repeated when it may have worked: look again.
    """
    name = "displayName" if site.is_cloud else "fullName"
    parameters = {"strictConflictStatusCode": "true"} if site.is_cloud else None
    path = "/rest/servicedeskapi/customer"
    try:
        answer = client.send(
            "POST", path, {"email": email, name: display_name}, needs=NEEDS_CREATE, idempotent=False, parameters=parameters
        )
    except JsmRefused as error:
        if error.status == 409 or (error.status == 400 and _says_it_exists(error)):
            raise CustomerExists(error.status, error.detail, error.message, error.hint, key=error.key) from error
        raise
    user = user_of(answer, site)
    if user is None:
        raise JsmAnswerInvalid("JSM does not say which account it created", "Look for the customer in JSM before trying again.")
    return user


def add_to_desk(client: JsmClient, site: Site, desk_id: str, user_id: str) -> None:
    """Make the account a customer of the service desk, also where it is one (``POST .../servicedesk/<id>/customer``).

    Raises :class:`AccountUnknown` while JSM does not know the account.
    """
    path = f"/rest/servicedeskapi/servicedesk/{in_path(desk_id)}/customer"
    with_account(client, site, "POST", path, user_id, needs=NEEDS_ADD)


def is_customer_of_desk(client: JsmClient, site: Site, desk_id: str, user_id: str, email: str) -> bool:
    """Whether the service desk lists this account among its customers. A Data Center that does not list them means no."""
    unlisted = set() if site.is_cloud else NOT_THERE
    return any(user.id == user_id for user in _of_the_desk(client, site, desk_id, email or user_id, unlisted))


def user_exists(client: JsmClient, site: Site, user_id: str) -> bool:
    """Whether the site knows the account."""
    return read_user(client, site, user_id) is not None


def read_user(client: JsmClient, site: Site, user_id: str) -> JsmUser | None:
    """The account of this id, deactivated or not (Atlassian: ``GET /rest/api/3/user``, Data Center ``/rest/api/2/user``)."""
    try:
        answer = client.get(f"{site.api}/user", {"accountId" if site.is_cloud else "username": user_id}, needs=NEEDS_SEARCH)
    except JsmRefused as error:
        if error.status == 404:
            return None
        raise
    return user_of(answer, site)


def with_account(client: JsmClient, site: Site, method: str, path: str, user_id: str, *, needs: str) -> None:
    """A call whose body is one account. Raises :class:`AccountUnknown` where JSM says that it is not there (400)."""
    body = {"accountIds" if site.is_cloud else "usernames": [user_id]}
    try:
        client.send(method, path, body, needs=needs, idempotent=True)
    except JsmRefused as error:
        if error.status == 400:
            raise AccountUnknown(error.status, error.detail, error.message, error.hint, key=error.key) from error
        raise


def user_of(item: Any, site: Site) -> JsmUser | None:
    """The account in an answer; None where it has no id. Nothing else in it is certain."""
    if not isinstance(item, dict) or not (user_id := user_id_of(item, site)):
        return None
    kind = KINDS.get(text_of(item.get("accountType")), "")
    if not kind and site.is_cloud and user_id.startswith(PORTAL_ONLY_IDS):
        kind = "portal_only"
    return JsmUser(user_id, text_of(item.get("emailAddress")), text_of(item.get("displayName")), kind, item.get("active") is not False)


def user_id_of(item: dict[str, Any], site: Site) -> str:
    """What an account in an answer is known by; empty where it has nothing of the kind."""
    return text_of(item.get("accountId" if site.is_cloud else "name"))


def _of_the_site(client: JsmClient, site: Site, text: str) -> list[JsmUser]:
    found: list[JsmUser] = []
    for start in range(0, MOST_FOUND, SEARCH_PAGE):
        question: dict[str, str | int] = {"query" if site.is_cloud else "username": text, "startAt": start, "maxResults": SEARCH_PAGE}
        try:
            answer = client.get(f"{site.api}/user/search", question, needs=NEEDS_SEARCH)
        except JsmRefused as error:
            if error.status == 403:
                break
            raise
        if not isinstance(answer, list):
            raise JsmAnswerInvalid(f"JSM's answer to {site.api}/user/search is no list", "Is jsm.url the address of a Jira site?")
        found += _users(answer, site)
        if len(answer) < SEARCH_PAGE:
            break
    return found


def _of_the_desk(client: JsmClient, site: Site, desk_id: str, text: str, passed_over: Collection[int]) -> list[JsmUser]:
    """Atlassian: ``GET /rest/servicedeskapi/servicedesk/<id>/customer``, experimental; Data Center's reference has none."""
    path = f"/rest/servicedeskapi/servicedesk/{in_path(desk_id)}/customer"
    found = each_item(client, path, {"query": text}, identity=lambda item: user_id_of(item, site), needs=NEEDS_CUSTOMERS, experimental=True)
    try:
        return list(_users(found, site))
    except JsmRefused as error:
        if error.status in passed_over:
            return []
        raise


def _users(items: Iterable[Any], site: Site) -> Iterator[JsmUser]:
    return (user for user in (user_of(item, site) for item in items) if user is not None)


def _merged(one: JsmUser, other: JsmUser) -> JsmUser:
    """What two searches tell of one account, which may hide from one what the other shows."""
    return replace(one, email=one.email or other.email, kind=one.kind or other.kind, active=one.active and other.active)


def _says_it_exists(error: JsmRefused) -> bool:
    """Data Center and older Clouds answer 400 to this as to a malformed address; the message tells them apart."""
    said = f"{error.key} {error.detail}".lower()
    return "exist" in said or "already" in said
