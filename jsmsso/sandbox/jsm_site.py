"""What the local JSM is about: its service desks, their request types, and the accounts that may call it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Literal

Deployment = Literal["Cloud", "Server"]
Role = Literal["administrator", "project_administrator", "agent", "customer", "none"]

PERMISSIONS: Mapping[Role, frozenset[str]] = {
    "none": frozenset(),
    # Portal access gives customers these two as well, so neither of them tells an agent (Atlassian: GET mypermissions).
    "customer": frozenset({"BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS"}),
    "agent": frozenset({"BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "SERVICEDESK_AGENT"}),
    "project_administrator": frozenset({"BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "SERVICEDESK_AGENT", "ADMINISTER_PROJECTS"}),
    "administrator": frozenset(
        {"BROWSE_PROJECTS", "CREATE_ISSUES", "ADD_COMMENTS", "SERVICEDESK_AGENT", "ADMINISTER_PROJECTS", "ADMINISTER"}
    ),
}
GLOBAL_PERMISSIONS = frozenset({"ADMINISTER"})
KNOWN_PERMISSIONS = PERMISSIONS["administrator"]


@dataclass(frozen=True, slots=True)
class LocalAccount:
    """Somebody who may call the local JSM. ``desks`` gives another role on single desks, by project key."""

    email: str
    token: str
    display_name: str = "SSO bot"
    account_id: str = "5b10ac8d82e05b22cc7d4ef5"
    role: Role = "project_administrator"
    desks: Mapping[str, Role] = field(default_factory=dict)

    def permissions(self, desk: LocalDesk | None = None) -> frozenset[str]:
        """The permission keys this account has, on one desk or anywhere."""
        if desk is not None:
            return PERMISSIONS[self.desks.get(desk.key, self.role)] - GLOBAL_PERMISSIONS | self._global()
        return PERMISSIONS[self.role].union(*(PERMISSIONS[role] - GLOBAL_PERMISSIONS for role in self.desks.values()))

    def _global(self) -> frozenset[str]:
        return PERMISSIONS[self.role] & GLOBAL_PERMISSIONS


@dataclass(frozen=True, slots=True)
class LocalDesk:
    """A service desk. ``portal_id`` equals its id on Cloud; Data Center counts portals on their own."""

    id: str
    key: str
    name: str
    project_id: str
    portal_id: str
    request_types: tuple[str, ...] = ("Get help", "Report a problem")

    @property
    def types(self) -> tuple[LocalRequestType, ...]:
        """Its request types, numbered so that no two desks share an id."""
        return tuple(LocalRequestType(str(int(self.id) * 100 + n), name, self) for n, name in enumerate(self.request_types))


@dataclass(frozen=True, slots=True)
class LocalRequestType:
    """A request type of a service desk."""

    id: str
    name: str
    desk: LocalDesk


SERVICE_ACCOUNT = LocalAccount(email="sso-bot@example.com", token="local-jsm-token")  # noqa: S106 - the sandbox's own, worth nothing

NAMES = (
    ("HELP", "IT help", ("Get IT help", "Request a new account", "Report a broken device")),
    ("HR", "People", ("Ask a question", "Change my address")),
    ("FAC", "Facilities", ("Something is broken", "Move my desk")),
)


def default_desks(count: int = 3, *, deployment: Deployment = "Cloud") -> tuple[LocalDesk, ...]:
    """``HELP``, ``HR`` and ``FAC``, then as many made-up ones as are asked for."""
    offset = 0 if deployment == "Cloud" else 20
    desks = []
    for number in range(1, count + 1):
        key, name, types = NAMES[number - 1] if number <= len(NAMES) else (f"D{number}", f"Desk {number}", ("Get help",))
        desks.append(LocalDesk(str(number), key, name, str(10000 + number), str(number + offset), types))
    return tuple(desks)


@dataclass
class LocalSite:
    """A whole site, as :class:`~jsmsso.sandbox.local_jsm.LocalJsm` serves it. Tests change its desks while it runs.

    ``max_limit`` is the largest page it gives, whatever is asked. ``global_request_types`` says whether it
    lists the request types of all desks in one call: Cloud does, the reference of Data Center names no such call.
    """

    deployment: Deployment = "Cloud"
    desks: tuple[LocalDesk, ...] = ()
    accounts: tuple[LocalAccount, ...] = (SERVICE_ACCOUNT,)
    context_path: str = ""
    title: str = "Local JSM"
    max_limit: int = 50
    anonymous_server_info: bool = True
    global_request_types: bool | None = None

    def __post_init__(self) -> None:
        self.desks = self.desks or default_desks(deployment=self.deployment)
        if self.global_request_types is None:
            self.global_request_types = self.deployment == "Cloud"

    def desk(self, id_or_key: str) -> LocalDesk | None:
        """The desk of this id or project key."""
        return next((desk for desk in self.desks if id_or_key in (desk.id, desk.key)), None)

    def desk_of_portal(self, portal_id: str) -> LocalDesk | None:
        """The desk whose portal has this id."""
        return next((desk for desk in self.desks if desk.portal_id == portal_id), None)

    def desks_seen_by(self, account: LocalAccount) -> Iterable[LocalDesk]:
        """Those the account may see, in order."""
        return (desk for desk in self.desks if "BROWSE_PROJECTS" in account.permissions(desk))
