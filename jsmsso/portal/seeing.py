"""Whether a customer may see a request. Asked before anything of it is loaded for display, for every address that names one."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import TypeVar

from jsmsso.errors import JsmFailed
from jsmsso.jsm.account import who_am_i
from jsmsso.jsm.customers.recording import Connection
from jsmsso.jsm.organizations import organizations_among, organizations_of
from jsmsso.jsm.requests.fields import IssueFields, issue_fields
from jsmsso.jsm.requests.issues import IssueFacts, read_issue
from jsmsso.portal.acting import Acting
from jsmsso.portal.caching import Cache
from jsmsso.portal.parallel import beside, together

FIELDS_SECONDS = 3600.0  # a site's custom fields, and who we are there
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class SeenRequest:
    """A request that this customer may see, and why: what JSM said of it a moment ago."""

    facts: IssueFacts
    organization_ids: frozenset[str]
    """The customer's own organizations; on Data Center those among them that the request is shared with."""
    organization_names: Mapping[str, str] = field(default_factory=dict)
    """Their names by id; empty on Data Center."""
    asked_at: float = 0.0
    """When JSM was asked (seconds since the epoch)."""


def may_see(facts: IssueFacts, account_id: str, organization_ids: Collection[str]) -> bool:
    """Reporter, participant, approver, or member of an organization that the request is shared with; and it is a request at all."""
    if not facts.request_type_id or not account_id:
        return False
    people = {facts.reporter_id} | facts.participant_ids | facts.approver_ids
    return account_id in people or not facts.organization_ids.isdisjoint(organization_ids)


class Seeing:
    """Asks JSM each time: who may see a request changes, and an old answer could show it to somebody who no longer may."""

    def __init__(self, now: Callable[[], float]) -> None:
        self._now = now
        # Ids of fields are never given to another field, and the account is the profile's: older answers tell nobody too much.
        age = partial(Cache, now, max_age=FIELDS_SECONDS, max_stale=24 * FIELDS_SECONDS, beside=beside)
        self._fields: Cache[IssueFields] = age()
        self._ourselves: Cache[str] = age()

    def learn(self, to: Connection) -> None:
        """Ask beforehand for what is the same for everybody. Raises JSM's errors."""
        together(partial(self._fields_at, to), partial(self._our_id_at, to))

    def fields(self, acting: Acting) -> IssueFields:
        """The site's custom fields that tell who a request is shared with."""
        return self._fields_at(acting.to)

    def our_id(self, acting: Acting) -> str:
        """The service account's own account id: whose comments are ours."""
        return self._our_id_at(acting.to)

    def request(self, acting: Acting, key: str) -> SeenRequest | None:
        """The request of that key, if it is of this portal and this customer may see it. Unknown and forbidden look alike.

        Raises JSM's errors.
        """
        client, site, asked_at = acting.to.client, acting.to.site, self._now()
        if not site.is_cloud:
            return self._of_data_center(acting, key, asked_at)
        fields = self.fields(acting)
        facts, organizations = together(
            partial(read_issue, client, site, fields, key), partial(_or_error, partial(organizations_of, client, site, acting.account_id))
        )
        if facts is None or not _is_of_portal(facts, acting, key):
            return None  # a no, whatever became of the other question
        if isinstance(organizations, JsmFailed):
            raise organizations
        names = {one.id: one.name for one in organizations}
        if not may_see(facts, acting.account_id, names):
            return None
        return SeenRequest(facts, frozenset(names), names, asked_at)

    def _fields_at(self, to: Connection) -> IssueFields:
        return self._fields.get("fields", partial(issue_fields, to.client, to.site)).value

    def _our_id_at(self, to: Connection) -> str:
        return self._ourselves.get("account", lambda: who_am_i(to.client, to.site).id).value

    def _of_data_center(self, acting: Acting, key: str, asked_at: float) -> SeenRequest | None:
        """Data Center cannot be asked for somebody's organizations: those that the request is shared with are looked through."""
        client, site = acting.to.client, acting.to.site
        facts = read_issue(client, site, self.fields(acting), key)
        if facts is None or not _is_of_portal(facts, acting, key):
            return None
        if may_see(facts, acting.account_id, ()):
            return SeenRequest(facts, frozenset(), asked_at=asked_at)
        mine = frozenset(organizations_among(client, site, facts.organization_ids, acting.account_id))
        return SeenRequest(facts, mine, asked_at=asked_at) if may_see(facts, acting.account_id, mine) else None


def _or_error(ask: Callable[[], T]) -> T | JsmFailed:
    try:
        return ask()
    except JsmFailed as error:
        return error


def _is_of_portal(facts: IssueFacts, acting: Acting, key: str) -> bool:
    # A request that was moved answers to its old key as well: it belongs to another portal now.
    return facts.key == key and facts.project_key == acting.portal.key
