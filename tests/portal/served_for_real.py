"""``jsmsso serve`` with two workers and hosted portals, a certified provider with its own pages, and customers in Chromium."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.journeys.served import Served, serve, write_profile
from tests.journeys.signed_in import keep_secret, portals_of, statuses
from tests.jsm.checked_site import checked_jsm
from tests.portal.desks import desks, type_id
from tests.portal.hosted_site import SERVICE_ACCOUNT
from tests.services.children import PATIENCE, children
from tests.services.home import Home, make_home, run_jsmsso
from tests.services.oidc_provider import Account, OidcProvider

if TYPE_CHECKING:
    from playwright.sync_api import Browser, BrowserContext, Page

EXPECTED = re.compile(r"Failed to load resource: the server responded with a status of (400|401|404|409|429|503)")


@dataclass
class Customer:
    """Somebody with an account at the provider and at JSM, and a browser of their own."""

    person: LocalPerson
    account: Account
    page: Page

    @property
    def context(self) -> BrowserContext:
        return self.page.context


@dataclass
class RealSite:
    """``customer`` opens a browser; all of them are closed, and what they complained of is told, by :meth:`close_browsers`."""

    served: Served
    home: Home
    provider: OidcProvider
    jsm: LocalJsm
    browser: Browser
    _customers: int = 0
    _contexts: list[BrowserContext] = field(default_factory=list)
    _complaints: list[str] = field(default_factory=list)

    def customer(self, name: str, *organizations: str, **options: Any) -> Customer:
        """A new customer of the portals HELP and HR; ``options`` are those of a browser's context."""
        self._customers += 1
        email = f"{name.lower()}{self._customers}@acme.example"
        person = self.jsm.add_customer(email, f"{name} Lee", desks=("HELP", "HR"), organizations=organizations)
        account = self.provider.add_account(email, given_name=name, family_name="Lee")
        return Customer(person, account, self.tab(**options))

    def tab(self, **options: Any) -> Page:
        """A tab of a browser without cookies, in which a violated policy, a script's error or a missing file is complained of."""
        context = self.browser.new_context(base_url=self.served.url, **({"locale": "en-GB"} | options))
        self._contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: self._complaints.append(message.text) if message.type in ("error", "warning") else None)
        page.on("pageerror", lambda error: self._complaints.append(str(error)))
        return page

    def signed_in(self, name: str, *organizations: str, **options: Any) -> Customer:
        """The same, past the provider's pages and at the portal."""
        customer = self.customer(name, *organizations, **options)
        customer.page.goto("/portal/HELP")
        sign_in(customer.page, customer.account)
        customer.page.get_by_role("heading", name="IT help", level=1).wait_for()
        return customer

    def form(self, request_type: str) -> str:
        """Where a request type's form is."""
        return f"/portal/HELP/create/{type_id(self.jsm, request_type)}"

    def requests_of(self, customer: Customer) -> list[LocalIssue]:
        """What JSM has of this customer's, oldest first."""
        return [issue for issue in self.jsm.site.requests if issue.reporter_id == customer.person.id]

    def end_session(self, customer: Customer) -> None:
        """It is over, and no worker takes it any more; the browser does not know."""
        assert run_jsmsso(self.home, "sessions", "revoke", "--email", customer.account.email).code == 0
        ends = time.monotonic() + PATIENCE
        while statuses(self.served, customer.context) != {302}:
            assert time.monotonic() < ends, self.served.child.output
        time.sleep(1)  # whoever logged in within the second of the ending is ended too

    def close_browsers(self) -> None:
        for context in self._contexts:
            context.close()
        complaints, self._contexts, self._complaints = self._complaints, [], []
        assert [text for text in complaints if not EXPECTED.search(text)] == [], complaints


def sign_in(page: Page, account: Account) -> None:
    """At the provider: its login page, then its consent."""
    page.fill("input[name=email]", account.email)
    page.fill("input[name=password]", account.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()


@contextmanager
def served_for_real(folder: Path, provider: OidcProvider, browser: Browser, free_port: Callable[[], int]) -> Iterator[RealSite]:
    """Portals HELP (with every kind of request type) and HR, both hosted; JSM's searches lag by half a minute."""
    home = make_home(folder / "home")
    url = f"http://localhost:{free_port()}"
    client = provider.add_client([f"{url}/callback"], [f"{url}/logged-out"])
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks()) as jsm, children() as start:
        jsm.site.requests.search_lag = 30.0
        site = {"url": jsm.url, "email": jsm.account.email, "api_token": keep_secret(home, "jsm_token", jsm.account.token)}
        entry = {"type": "oidc", "issuer": provider.issuer, "client_id": client.client_id, "scopes": ["openid", "email", "profile"]}
        entry["client_secret"] = keep_secret(home, "client", client.client_secret)
        hosted = [{**one, "mode": "hosted"} for one in portals_of(jsm) if one["key"] in ("HELP", "HR")]
        hosted[0]["customer_transitions"] = ["Resolve this issue", "Close"]
        branding = {"name": "Acme support", "time_zone": "Europe/Berlin"}
        write_profile(home, {"public_url": url, "providers": {"acme": entry}, "jsm": site, "portals": hosted, "branding": branding})
        yield RealSite(serve(start, home, url, "--workers", "2"), home, provider, jsm, browser)
