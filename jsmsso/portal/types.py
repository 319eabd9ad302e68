"""The request types that a customer may use, and their forms."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Protocol, TypeVar

from jsmsso.errors import JsmFailed, JsmRefused
from jsmsso.jsm.customers.recording import Connection
from jsmsso.jsm.organizations import organizations_of
from jsmsso.jsm.requests.open_types import open_type_ids
from jsmsso.jsm.requests.request_types import RequestType, TypeGroup, has_jira_form, may_create, request_types, type_groups
from jsmsso.jsm.requests.type_form import TypeForm, type_form
from jsmsso.portal.acting import Acting
from jsmsso.portal.caching import Cache, Cached
from jsmsso.portal.parallel import together
from jsmsso.profile.model import Portal
from jsmsso.profile.site import SomeRequestTypes

if TYPE_CHECKING:
    from jsmsso.portal.services import Services

TYPES_SECONDS = 300.0  # what is the same for everybody: types, groups, fields
CUSTOMER_SECONDS = 60.0  # what one customer may, and their organizations
STALE_SECONDS = 24 * 3600.0  # while JSM does not answer
SAY_SECONDS = 600.0  # between two lines of the log about the same portal
CUSTOMERS = 20_000  # that a worker remembers something of
T = TypeVar("T")
NOT_THERE = frozenset({400, 404})
UNCHECKED = "JSM does not say who may use which request types, so those that are not for everybody are left out"
UNCHECKED_HINT = "Make the service account an administrator of the project (role Administrators)."


class AsksForStrangers(Protocol):
    """Puts a question to JSM for somebody unknown, as far as their budget goes. Raises JSM's errors."""

    def __call__(self, question: Callable[[Connection], T], /) -> T: ...


@dataclass(frozen=True, slots=True)
class OfferedGroup:
    """A group of request types as the portal shows it."""

    id: str
    name: str
    types: tuple[RequestType, ...]


@dataclass(frozen=True, slots=True)
class Offered:
    """What a customer may raise at a portal. ``is_stale``: JSM does not answer, and this is older than it should be."""

    groups: tuple[OfferedGroup, ...]
    is_stale: bool = False

    def fitting(self, words: str) -> Offered:
        """Those in whose name, description or group's name all of the words are."""
        wanted = words.casefold().split()

        def fits(one: RequestType, group: OfferedGroup) -> bool:
            text = f"{one.name} {one.description} {group.name}".casefold()
            return all(word in text for word in wanted)

        groups = (OfferedGroup(group.id, group.name, tuple(one for one in group.types if fits(one, group))) for group in self.groups)
        return Offered(tuple(group for group in groups if group.types), self.is_stale)

    def type(self, type_id: str) -> RequestType | None:
        """The request type of this id, if it is among them."""
        return next((one for group in self.groups for one in group.types if one.id == type_id), None)


@dataclass(frozen=True, slots=True)
class OfferedForm:
    """A request type and its form. ``organization_ids`` are the customer's own (Data Center: only where a rule names some).

    ``has_jira_form``: questions are attached to it which are not among its fields.
    """

    type: RequestType
    form: TypeForm
    has_jira_form: bool
    organization_ids: frozenset[str]
    is_stale: bool = False

    @property
    def is_buildable(self) -> bool:
        """Whether it can be filled in here."""
        return self.form.can_raise_on_behalf and not self.has_jira_form and not any(one.required for one in self.form.unsupported)


@dataclass(frozen=True, slots=True)
class _Catalogue:
    types: tuple[RequestType, ...]
    groups: tuple[TypeGroup, ...]


class Types:
    """One per worker. Nothing that depends on who asks is kept for anybody else."""

    def __init__(self, services: Services) -> None:
        self._deployment = services.deployment
        self._now = now = services.deployment.now
        self._catalogues: Cache[_Catalogue] = Cache(now, max_age=TYPES_SECONDS, max_stale=STALE_SECONDS)
        self._forms: Cache[TypeForm] = Cache(now, max_age=TYPES_SECONDS, max_stale=STALE_SECONDS)
        self._jira_forms: Cache[bool] = Cache(now, max_age=TYPES_SECONDS, max_stale=STALE_SECONDS)
        self._open: Cache[frozenset[str]] = Cache(now, max_age=TYPES_SECONDS, max_stale=STALE_SECONDS)
        self._allowed: Cache[frozenset[str] | None] = Cache(now, max_age=CUSTOMER_SECONDS, most=CUSTOMERS)
        self._organizations: Cache[Mapping[str, str]] = Cache(now, max_age=CUSTOMER_SECONDS, most=CUSTOMERS)
        self._telling: set[str] = set()  # service desks of which JSM says who may use which types
        self._said: dict[str, float] = {}

    def for_customer(self, acting: Acting) -> Offered:
        """The request types of the portal that this customer may use, in their groups. Raises JSM's errors where nothing is known."""
        catalogue: Cached[_Catalogue]
        organizations: Cached[Mapping[str, str]]
        catalogue, organizations, _ = together(
            partial(self._catalogue, acting), partial(self._organizations_of, acting), partial(self._foresee, acting)
        )
        ids = tuple(one.id for one in catalogue.value.types if one.group_ids)
        allowed = self._allowed.get((*_who(acting), ids), lambda: _may_create(acting, ids))
        groups = _offered(acting.portal, catalogue.value, self._usable(acting, allowed.value), organizations.value)
        return Offered(groups, catalogue.is_stale or organizations.is_stale or allowed.is_stale)

    def for_strangers(self, portal: Portal, ask: AsksForStrangers) -> Offered:
        """The request types that are for everybody, the same for all who ask. Raises JSM's errors where nothing is known.

        Of whom nothing is known no permission is asked for: what is restricted is left out.
        """
        desk = portal.service_desk
        catalogue = self._catalogues.get(desk, lambda: ask(partial(_read_catalogue, desk=desk)))
        usable = self._open.get(desk, lambda: ask(lambda to: open_type_ids(to.client, desk)))
        return Offered(_offered(portal, catalogue.value, usable.value, None), catalogue.is_stale or usable.is_stale)

    def form(self, acting: Acting, type_id: str, *, is_sent: bool = False) -> OfferedForm | None:
        """A request type's form, if this customer may use it; None looks like one that is not there.

        ``is_sent``: JSM is asked anew what the customer may and which organizations they are in, and an old answer is
        not enough. Raises JSM's errors.
        """

        def allowed() -> Cached[frozenset[str] | None]:
            ask = partial(_may_create, acting, (type_id,))
            return Cached(ask()) if is_sent else self._allowed.get((*_who(acting), type_id), ask)

        catalogue: Cached[_Catalogue]
        organizations: Cached[Mapping[str, str]]
        may: Cached[frozenset[str] | None]
        fields: Cached[TypeForm]
        attached: Cached[bool]
        try:
            catalogue, organizations, may, fields, attached = together(
                partial(self._catalogue, acting),
                partial(self._organizations_of, acting, anew=is_sent),
                allowed,
                partial(self._fields, acting, type_id),
                partial(self._attached, acting, type_id),
            )
        except JsmRefused as error:
            if error.status in NOT_THERE:
                return None
            raise
        groups = _offered(acting.portal, catalogue.value, self._usable(acting, may.value), organizations.value)
        found = Offered(groups).type(type_id)
        if found is None:
            return None
        is_stale = catalogue.is_stale or organizations.is_stale or may.is_stale or fields.is_stale
        return OfferedForm(found, fields.value, attached.value, frozenset(organizations.value), is_stale)

    def shown_fields(self, acting: Acting, type_id: str) -> frozenset[str]:
        """Ids of the fields that customers see on a type's form; none where JSM does not tell."""
        try:
            return frozenset(one.id for one in self._fields(acting, type_id).value.fields)
        except JsmFailed:
            return frozenset()

    def known(self, acting: Acting, type_id: str) -> OfferedForm | None:
        """The form as it is known while JSM does not answer, to show once more what was typed; None where it is not."""
        try:
            catalogue, form = self._catalogue(acting).value, self._fields(acting, type_id).value
        except JsmFailed:
            return None
        found = next((one for one in catalogue.types if one.id == type_id and one.group_ids), None)
        return OfferedForm(found, form, False, frozenset(), is_stale=True) if found is not None else None

    def _catalogue(self, acting: Acting) -> Cached[_Catalogue]:
        desk = acting.portal.service_desk
        return self._catalogues.get(desk, partial(_read_catalogue, acting.to, desk=desk))

    def _fields(self, acting: Acting, type_id: str) -> Cached[TypeForm]:
        desk = acting.portal.service_desk
        return self._forms.get((desk, type_id), partial(type_form, acting.to.client, acting.to.site, desk, type_id))

    def _attached(self, acting: Acting, type_id: str) -> Cached[bool]:
        """Whether a Jira form is attached; where that cannot be told it is taken to be none, and JSM refuses what is sent."""
        desk = acting.portal.service_desk
        return self._jira_forms.get((desk, type_id), lambda: has_jira_form(acting.to.client, acting.to.site, desk, type_id) is True)

    def _organizations_of(self, acting: Acting, *, anew: bool = False) -> Cached[Mapping[str, str]]:
        """Names by id. Data Center is asked only where a rule names one: it cannot be asked for a customer's own."""
        to = acting.to
        if not to.site.is_cloud and not _names_organizations(acting.portal):
            return Cached({})
        read = partial(organizations_of, to.client, to.site, acting.account_id)
        if anew:
            return Cached(self._organizations.put(acting.account_id, {one.id: one.name for one in read()}))
        return self._organizations.get(acting.account_id, lambda: {one.id: one.name for one in read()})

    def _usable(self, acting: Acting, allowed: frozenset[str] | None) -> frozenset[str]:
        """The types that JSM lets the customer use; those for everybody where it does not tell."""
        desk = acting.portal.service_desk
        if allowed is not None:
            self._telling.add(desk)
            return allowed
        self._telling.discard(desk)
        self._say(acting)
        return self._open_at(acting).value

    def _foresee(self, acting: Acting) -> None:
        """Where JSM may not tell who may use which types, ask for those for everybody beside the rest, not after it."""
        if acting.portal.service_desk in self._telling:
            return
        try:
            self._open_at(acting)
        except JsmFailed:
            pass  # whoever needs it asks again

    def _open_at(self, acting: Acting) -> Cached[frozenset[str]]:
        desk = acting.portal.service_desk
        return self._open.get(desk, partial(open_type_ids, acting.to.client, desk))

    def _say(self, acting: Acting) -> None:
        if not acting.to.site.is_cloud or self._now() < self._said.get(acting.portal.id, 0.0):
            return
        self._said[acting.portal.id] = self._now() + SAY_SECONDS
        self._deployment.events.write("request_types.unchecked", portal=acting.portal.key, detail=UNCHECKED, hint=UNCHECKED_HINT)


def _who(acting: Acting) -> tuple[str, str]:
    return acting.portal.service_desk, acting.account_id


def _read_catalogue(to: Connection, *, desk: str) -> _Catalogue:
    types, groups = together(partial(request_types, to.client, to.site, desk), partial(type_groups, to.client, to.site, desk))
    return _Catalogue(types, groups)


def _may_create(acting: Acting, type_ids: Sequence[str]) -> frozenset[str] | None:
    return may_create(acting.to.client, acting.to.site, acting.portal.service_desk, acting.account_id, type_ids)


def _offered(
    portal: Portal, catalogue: _Catalogue, usable: frozenset[str], organizations: Mapping[str, str] | None
) -> tuple[OfferedGroup, ...]:
    """The groups that have something for this customer, in the portal's order. A type without a group is in none of them.

    ``organizations`` is None for strangers.
    """
    groups, member_of = [], frozenset(organizations.values()) if organizations is not None else None
    for group in catalogue.groups:
        here = [one for one in catalogue.types if group.id in one.group_ids and one.id in usable]
        names = {one.id: _names_of_groups(one, catalogue) for one in here}
        types = tuple(one for one in here if _is_offered(portal, one, names[one.id], member_of))
        if types:
            groups.append(OfferedGroup(group.id, group.name, types))
    return tuple(groups)


def _names_of_groups(one: RequestType, catalogue: _Catalogue) -> frozenset[str]:
    return frozenset(group.name for group in catalogue.groups if group.id in one.group_ids)


def _is_offered(portal: Portal, one: RequestType, groups: frozenset[str], organizations: frozenset[str] | None) -> bool:
    """``portals[].request_types``: an item of ``allow``, where it is there, and none of ``deny``.

    Which organizations a stranger is in (None) nobody knows: an ``allow`` that names one passes them by, a ``deny`` denies.
    """
    rules = portal.request_types
    if rules is None:
        return True

    def means(item: str | SomeRequestTypes, *, in_doubt: bool) -> bool:
        if isinstance(item, str):
            return item == one.name
        return (
            (item.name is None or one.name in item.name)
            and (item.group is None or not groups.isdisjoint(item.group))
            and (item.organization is None or (in_doubt if organizations is None else not organizations.isdisjoint(item.organization)))
        )

    is_allowed = rules.allow is None or any(means(one, in_doubt=False) for one in rules.allow)
    return is_allowed and not any(means(one, in_doubt=True) for one in rules.deny or ())


def _names_organizations(portal: Portal) -> bool:
    rules = portal.request_types
    items = (*(rules.allow or ()), *(rules.deny or ())) if rules is not None else ()
    return any(not isinstance(item, str) and item.organization is not None for item in items)
