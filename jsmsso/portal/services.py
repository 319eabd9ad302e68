"""What the pages of the hosted portals share. Made once per worker."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING

from jsmsso.identity.customer import Customer
from jsmsso.jsm.customers.recording import Connection
from jsmsso.portal.acting import Acting, Stranger
from jsmsso.portal.budget import Budget
from jsmsso.portal.crowding import ALL_TRANSFERS, MORE_WAITING, PAGES_AT_ONCE, TRANSFERS_AT_ONCE, Crowding
from jsmsso.portal.drafts import Drafts
from jsmsso.portal.files import FilePages
from jsmsso.portal.limits import Limits
from jsmsso.portal.listing import ListPages
from jsmsso.portal.look import Look
from jsmsso.portal.once import Once
from jsmsso.portal.parallel import together
from jsmsso.portal.raising import RaisePages
from jsmsso.portal.recent import Recent
from jsmsso.portal.request_pages import RequestPages
from jsmsso.portal.seeing import Seeing, SeenRequest
from jsmsso.portal.sending import SendingPages
from jsmsso.portal.shown import Shown
from jsmsso.portal.strangers import StrangerPages
from jsmsso.portal.types import Types
from jsmsso.profile.model import Portal
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.forms import form_token, is_form_token
from jsmsso.runtime.pages import Pages
from jsmsso.runtime.replies import Reply
from jsmsso.runtime.sessions import Session

if TYPE_CHECKING:
    from jsmsso.runtime.records import Records

LEARN_SECONDS = 30.0  # what JSM may take of a worker's start, of which nobody waits for anything
MOST_UPLOAD = 100 * 1024 * 1024  # bytes of all files of one form, whatever the site would take


class Services:
    """``records`` knows who a customer is in JSM, ``connect`` gives JSM for so many seconds."""

    def __init__(self, deployment: Deployment, pages: Pages, records: Records, connect: Callable[[float], Connection]) -> None:
        self.deployment = deployment
        self.pages = pages
        self.connect = connect
        self.most_upload = MOST_UPLOAD
        self._records = records
        self.look = Look(deployment, pages)
        self.seeing = Seeing(deployment.now)
        self.pages_at_once = Crowding(PAGES_AT_ONCE, waiting=MORE_WAITING)
        self.transfers = Crowding(TRANSFERS_AT_ONCE, everyone=ALL_TRANSFERS)
        self.budget = Budget(deployment.now)
        self.limits = Limits(self)
        self.once = Once(self)
        self.recent = Recent(self)
        self.types = Types(self)
        self.drafts = Drafts(self)
        self.shown = Shown(self)
        self.listing = ListPages(self)
        self.raising = RaisePages(self)
        self.requests = RequestPages(self)
        self.sending = SendingPages(self)
        self.files = FilePages(self)
        self.strangers = StrangerPages(self)

    def learn(self) -> None:
        """Ask JSM for what every page needs before anybody wants one: the site, its fields, our account, how large files may be.

        Raises JSM's errors; then the first page asks.
        """
        to = self.connect(LEARN_SECONDS)
        together(partial(self.seeing.learn, to), self.files.limit_while_reading)

    def handlers(self) -> Mapping[str, Callable[[Acting, SeenRequest | None], Reply]]:
        """What answers each route by its name. Handlers about a request are given the request that was looked at."""
        return {
            "home": self.listing.home,
            "search": self.listing.search,
            "article": self.listing.article,
            "icon": self.files.icon,
            "form": self.raising.form,
            "raise_request": self.raising.raise_request,
            "sending_request": self.sending.request,
            "request": self.requests.show,
            "updates": self.requests.updates,
            "comment": self.requests.comment,
            "attach": self.requests.attach,
            "transition": self.requests.transition,
            "sending_answer": self.sending.answer,
            "share": self.requests.share,
            "attachment": self.files.attachment,
            "thumbnail": self.files.thumbnail,
        }

    def account_id(self, customer: Customer, seconds: float) -> str:
        """Who the customer is in JSM, found within so many seconds; empty where JSM knows no account.

        Raises JSM's errors and :class:`CustomerRefused`.
        """
        return self._records.account_id(customer, seconds)

    def token(self, acting: Acting, rest: str) -> str:
        """The hidden field ``token`` of a form that is sent to ``rest`` below the portal."""
        deployment = self.deployment
        return form_token(deployment.sealer, _form(acting.portal, rest), acting.session.id, deployment.now())

    def is_token(self, token: str, portal: Portal, rest: str, session: Session) -> bool:
        """Whether :meth:`token` made it, for this form of this session."""
        deployment = self.deployment
        return is_form_token(deployment.sealer, token, _form(portal, rest), session.id, deployment.now())

    def own(self, acting: Acting | Stranger, rest: str = "") -> str:
        """An address below the portal as a browser must ask for it."""
        return self.deployment.own(f"/portal/{acting.portal.key}/{rest}" if rest else f"/portal/{acting.portal.key}")

    def audit(self, event: str, acting: Acting, request: str = "", **fields: object) -> None:
        """A line of the audit trail: in JSM all of this is the service account's."""
        self.deployment.audit.write(
            event,
            email=acting.customer.email,
            provider=acting.customer.provider,
            subject=acting.customer.subject,
            issuer=acting.customer.issuer,
            portal=acting.portal.key,
            request=request,
            client=self.deployment.client_of(acting.visit),
            **fields,
        )


def _form(portal: Portal, rest: str) -> str:
    return f"{portal.id} {rest}"
