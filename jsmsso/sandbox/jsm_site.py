"""What the local JSM is about: its service desks, their customers and organizations, and the accounts that may call it."""

from __future__ import annotations

import hashlib
import threading
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

from jsmsso.sandbox.jsm_articles import LocalArticle
from jsmsso.sandbox.jsm_field_kinds import FACILITIES, IT_HELP, PEOPLE
from jsmsso.sandbox.jsm_people import Hidden, Kind, LocalOrganization, LocalPerson, People, atlassian_id, customer_id
from jsmsso.sandbox.jsm_request_types import LocalRequestType, RequestTypeDraft, draft_of
from jsmsso.sandbox.jsm_requests import Requests

Deployment = Literal["Cloud", "Server"]
Role = Literal["administrator", "project_administrator", "agent", "customer", "none"]

AGENT = frozenset({"BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "SERVICEDESK_AGENT", "USER_PICKER"})
PERMISSIONS: Mapping[Role, frozenset[str]] = {
    "none": frozenset(),
    # Portal access gives customers these three as well, so none of them tells an agent (Atlassian: GET mypermissions).
    "customer": frozenset({"BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS"}),
    "agent": AGENT,
    "project_administrator": AGENT | {"ADMINISTER_PROJECTS"},
    "administrator": AGENT | {"ADMINISTER_PROJECTS", "ADMINISTER"},
}
GLOBAL_PERMISSIONS = frozenset({"ADMINISTER", "USER_PICKER"})  # USER_PICKER is the key of "Browse users and groups"
KNOWN_PERMISSIONS = PERMISSIONS["administrator"]
CLOUD_ID = "6c1f6d1e-5b0e-4c39-9d2c-0a5f3b1e7a90"


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """Somebody who may call the local JSM, with one token. ``desks`` gives another role on single desks, by project key.

    A person with two tokens is two accounts with the same email. A ``scoped`` token works at the gateway alone.
    """

    email: str
    token: str
    display_name: str = "SSO bot"
    account_id: str = ""
    role: Role = "project_administrator"
    desks: Mapping[str, Role] = field(default_factory=dict)
    scoped: bool = False

    def __post_init__(self) -> None:
        if not self.account_id:
            object.__setattr__(self, "account_id", hashlib.sha256(self.email.lower().encode()).hexdigest()[:24])

    @property
    def name(self) -> str:
        """The user name on Data Center."""
        return self.email.partition("@")[0]

    def permissions(self, desk: LocalDesk | None = None) -> frozenset[str]:
        """The permission keys this account has, on one desk or anywhere."""
        if desk is not None:
            role = self.desks.get(desk.key)
            return PERMISSIONS[self.role] if role is None else PERMISSIONS[role] - GLOBAL_PERMISSIONS | self._global()
        return PERMISSIONS[self.role].union(*(PERMISSIONS[role] - GLOBAL_PERMISSIONS for role in self.desks.values()))

    def _global(self) -> frozenset[str]:
        return PERMISSIONS[self.role] & GLOBAL_PERMISSIONS


@dataclass(frozen=True, slots=True)
class LocalDesk:
    """A service desk. ``portal_id`` equals its id on Cloud; Data Center counts portals on their own.

    ``customers`` holds the ids of people, ``organizations`` those of organizations; both change while the site runs.
    """

    id: str
    key: str
    name: str
    project_id: str
    portal_id: str
    request_types: tuple[str | RequestTypeDraft, ...] = ("Get help", "Report a problem")
    customers: set[str] = field(default_factory=set, compare=False)
    organizations: set[str] = field(default_factory=set, compare=False)

    @property
    def types(self) -> tuple[LocalRequestType, ...]:
        """Its request types, numbered so that no two desks share an id."""
        drafts = (draft_of(given, self.name) for given in self.request_types)
        return tuple(LocalRequestType(str(int(self.id) * 100 + n), draft, self) for n, draft in enumerate(drafts))

    @property
    def groups(self) -> dict[str, str]:
        """The ids of its groups of request types, by name, in the order of the portal."""
        names = dict.fromkeys(name for given in self.request_types for name in draft_of(given, self.name).groups)
        return {name: str(place * 10_000 + int(self.id)) for place, name in enumerate(names)}


SERVICE_ACCOUNT = LocalAccount(email="sso-bot@example.com", token="local-jsm-token")  # noqa: S106 - the sandbox's own, worth nothing

NAMES: tuple[tuple[str, str, tuple[str | RequestTypeDraft, ...]], ...] = (
    ("HELP", "IT help", IT_HELP),
    ("HR", "People", PEOPLE),
    ("FAC", "Facilities", FACILITIES),
)
# The custom fields that JSM brings along, by their types. A site may have other ids, or lack some.
ISSUE_FIELDS = {
    "com.atlassian.servicedesk:sd-customer-organizations": "customfield_10002",
    "com.atlassian.servicedesk:sd-request-participants": "customfield_10003",
    "com.atlassian.servicedesk:vp-origin": "customfield_10010",
    "com.atlassian.servicedesk.approvals-plugin:sd-approvals": "customfield_10011",
}


def default_desks(count: int = 3, *, deployment: Deployment = "Cloud") -> tuple[LocalDesk, ...]:
    """``HELP``, ``HR`` and ``FAC``, then as many made-up ones as are asked for."""
    offset = 0 if deployment == "Cloud" else 20
    desks = []
    for number in range(1, count + 1):
        key, name, types = NAMES[number - 1] if number <= len(NAMES) else (f"D{number}", f"Desk {number}", ("Get help",))
        desks.append(LocalDesk(str(number), key, name, str(10000 + number), str(number + offset), types))
    return tuple(desks)


class Directory:
    """The desks of a site at one moment, by all that they are asked for: a site may have thousands."""

    def __init__(self, desks: tuple[LocalDesk, ...]) -> None:
        self.desks = desks
        self.by_id_or_key = {desk.key: desk for desk in reversed(desks)} | {desk.id: desk for desk in reversed(desks)}
        self.by_portal = {desk.portal_id: desk for desk in reversed(desks)}
        self.by_project = {desk.project_id: desk for desk in desks}
        self.types = [request_type for desk in desks for request_type in desk.types]
        self.type_by_id = {request_type.id: request_type for request_type in self.types}


@dataclass
class LocalSite:
    """A whole site, as :class:`~jsmsso.sandbox.local_jsm.LocalJsm` serves it. Tests change it while it runs.

    ``max_limit`` is the largest page it gives, whatever is asked. ``latency`` is how long answers take, in seconds, by the
    beginning of their path (``{"/rest/": 0.2}``; the longest that fits counts). ``slow_account_creation`` is how many seconds
    an account that was just created stays unknown to other calls. ``organizations_for_administrators`` is the setting that
    keeps organizations to Jira administrators. ``desk_query_finds_hidden`` lets the search among a desk's customers find an
    address that the answer then hides: Atlassian says of it neither that it does nor that it does not.

    ``global_request_types`` says whether it lists the request types of all desks in one call, ``lists_desk_customers`` whether
    it lists the customers of a desk: Cloud does both, the reference of Data Center names no such calls.

    ``checks_type_permissions`` says whether it tells which request types somebody may use (``requesttype/permissions/check``).
    ``attachment_limit`` is in bytes. ``issue_fields`` are the ids of JSM's custom fields by their types.
    ``answered_for_the_caller`` holds method and path of each call that JSM does for nobody but the account that makes it:
    feedback, notification, and answers to approvals.
    """

    deployment: Deployment = "Cloud"
    desks: tuple[LocalDesk, ...] = ()
    accounts: tuple[LocalAccount, ...] = (SERVICE_ACCOUNT,)
    context_path: str = ""
    title: str = "Local JSM"
    max_limit: int = 50
    anonymous_server_info: bool = True
    global_request_types: bool | None = None
    lists_desk_customers: bool | None = None
    latency: dict[str, float] = field(default_factory=dict)
    slow_account_creation: float = 0.0
    organizations_for_administrators: bool = False
    desk_query_finds_hidden: bool = False
    cloud_id: str = CLOUD_ID
    organizations: dict[str, LocalOrganization] = field(default_factory=dict)
    checks_type_permissions: bool | None = None
    attachment_limit: int = 20_000_000
    attachments_enabled: bool = True
    issue_fields: dict[str, str] = field(default_factory=lambda: dict(ISSUE_FIELDS))
    articles: list[LocalArticle] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.RLock()
        self.people = People()
        self.requests = Requests(self)
        self.answered_for_the_caller: list[tuple[str, str]] = []
        self.checks_type_permissions = self.is_cloud if self.checks_type_permissions is None else self.checks_type_permissions
        self.desks = self.desks or default_desks(deployment=self.deployment)
        self.global_request_types = self.is_cloud if self.global_request_types is None else self.global_request_types
        self.lists_desk_customers = self.is_cloud if self.lists_desk_customers is None else self.lists_desk_customers
        self._directory = Directory(self.desks)
        self._account_people: Sequence[LocalAccount] = ()
        self.know_accounts()

    @property
    def is_cloud(self) -> bool:
        """Whether it answers as Atlassian's Cloud does."""
        return self.deployment == "Cloud"

    @property
    def directory(self) -> Directory:
        """Its desks as they are now."""
        if self._directory.desks is not self.desks:
            self._directory = Directory(self.desks)
        return self._directory

    def desk(self, id_or_key: str) -> LocalDesk | None:
        """The desk of this id or project key."""
        return self.directory.by_id_or_key.get(id_or_key)

    def desk_of_portal(self, portal_id: str) -> LocalDesk | None:
        """The desk whose portal has this id."""
        return self.directory.by_portal.get(portal_id)

    def desks_seen_by(self, account: LocalAccount) -> Sequence[LocalDesk]:
        """Those the account may see, in order."""
        if account.desks:
            return [desk for desk in self.desks if "BROWSE_PROJECTS" in account.permissions(desk)]
        return self.desks if "BROWSE_PROJECTS" in account.permissions() else ()

    def latency_of(self, path: str) -> float:
        """Seconds that an answer of this path takes."""
        fitting = [prefix for prefix in self.latency if path.startswith(prefix)]
        return self.latency[max(fitting, key=len)] if fitting else 0.0

    def know_accounts(self) -> None:
        """Let those who may call the site be found in it like everyone else."""
        if self._account_people is self.accounts:
            return
        self._account_people = self.accounts
        for account in self.accounts:
            if self.people.get(self.id_of(account)) is None:
                self.people.add(LocalPerson(self.id_of(account), account.email, account.display_name, "atlassian"))

    def id_of(self, account: LocalAccount) -> str:
        """The id of the person who calls."""
        return account.account_id if self.is_cloud else account.name

    def add_customer(
        self,
        email: str,
        display_name: str = "",
        *,
        hidden: bool | Hidden = False,
        kind: Kind = "customer",
        active: bool = True,
        known_in: float = 0.0,
        desks: Iterable[str] = (),
        organizations: Iterable[str] = (),
    ) -> LocalPerson:
        """A new account, ``known_in`` seconds from now; put on ``desks`` (ids or keys) and into ``organizations`` (names)."""
        with self.lock:
            number = len(self.people.with_email(email))
            cloud_id = customer_id() if kind == "customer" else atlassian_id()
            person_id = cloud_id if self.is_cloud else email.lower() + str(number or "")  # Atlassian: the user name is the address
            how: Hidden = ("absent" if hidden else "") if isinstance(hidden, bool) else hidden
            known_from = time.monotonic() + known_in if known_in else 0.0
            name = display_name or email.partition("@")[0]
            person = self.people.add(LocalPerson(person_id, email, name, kind, active, how, known_from))
            for id_or_key in desks:
                self.directory.by_id_or_key[id_or_key].customers.add(person.id)
            for organization in organizations:
                self.add_organization(organization).members.add(person.id)
            return person

    def change(self, person: LocalPerson, **changes: Any) -> LocalPerson:
        """Another email, display name, ``hidden`` or ``active`` for somebody."""
        with self.lock:
            return self.people.change(person.id, **changes)

    def settle(self) -> None:
        """Let accounts that were just created be known to all calls now."""
        with self.lock:
            self.people.settle()

    def add_request_type(self, desk: str, draft: RequestTypeDraft) -> LocalRequestType:
        """One more request type on this desk (id or key)."""
        with self.lock:
            old = self.directory.by_id_or_key[desk]
            new = replace(old, request_types=(*old.request_types, draft))
            self.desks = tuple(new if one is old else one for one in self.desks)
            return new.types[-1]

    def change_request_type(self, request_type: LocalRequestType, **changes: Any) -> LocalRequestType:
        """Another name, group, field or permission for a request type; the arguments are those of a draft."""
        with self.lock:
            old = self.directory.by_id_or_key[request_type.desk.id]
            place = int(request_type.id) - int(old.id) * 100
            changed = replace(draft_of(old.request_types[place], old.name), **changes)
            new = replace(old, request_types=(*old.request_types[:place], changed, *old.request_types[place + 1 :]))
            self.desks = tuple(new if one is old else one for one in self.desks)
            return new.types[place]

    def organizations_with(self, person_id: str) -> list[str]:
        """The ids of the organizations that somebody is in."""
        return [organization.id for organization in self.organizations.values() if person_id in organization.members]

    def organization(self, name: str) -> LocalOrganization | None:
        """The organization of this name."""
        return next((organization for organization in list(self.organizations.values()) if organization.name == name), None)

    def add_organization(self, name: str, members: Iterable[LocalPerson] = (), desks: Iterable[str] = ()) -> LocalOrganization:
        """The organization of this name, new or not, with these members more, on these desks (ids or keys) too."""
        with self.lock:
            organization = self.organization(name)
            if organization is None:
                organization = LocalOrganization(str(max(map(int, self.organizations), default=0) + 1), name)
                self.organizations[organization.id] = organization
            organization.members.update(person.id for person in members)
            for id_or_key in desks:
                self.directory.by_id_or_key[id_or_key].organizations.add(organization.id)
            return organization
