"""A profile about a local JSM, its store, and the people that a test puts there."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from jsmsso.cli.people.opening import Books, open_books
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from jsmsso.store.audit import Audit
from jsmsso.store.interface import Store
from jsmsso.store.opening import open_store
from jsmsso.store.records import Account
from tests.services.home import Home

ISSUER = "https://idp.example"
EMAIL = "ann@acme.example"
AT = 1_790_000_000.0
ADMINISTRATOR = LocalAccount("sso-bot@example.com", "local-jsm-token", role="administrator")
ALL_ON = {"create": True, "add_to_service_desk": True, "organizations": "add"}


@dataclass(frozen=True)
class Stage:
    """``jsm`` is None for a profile without a site."""

    home: Home
    jsm: LocalJsm | None
    store: Store
    audit: Audit

    def events(self, email: str = EMAIL) -> list[str]:
        """What the audit trail has about somebody."""
        return [line["event"] for line in self.audit.about(email)]

    def books(self) -> Books:
        """What commands stand on, opened in this process."""
        return open_books(str(self.home.profile))

    def remember(self, email: str = EMAIL, account_id: str = "", subject: str = "ann", **more: Any) -> Account:
        """Somebody who logged in."""
        values: dict[str, Any] = {"issuer": ISSUER, "provider": "acme", "first_seen": AT, "last_seen": AT, **more}
        account = Account(subject=subject, email=email, account_id=account_id, **values)
        self.store.remember(account, allow_shared=True)
        return account


def make_stage(home: Home, jsm: LocalJsm | None, customers: Mapping[str, Any] | None = None, **changed: Any) -> Stage:
    """A profile in ``home`` with a provider ``acme``, the site's portals and a store beside it; ``changed`` replaces keys."""
    profile: dict[str, Any] = {
        "version": 1,
        "public_url": "https://sso.acme.example",
        "providers": {"acme": {"type": "oidc", "issuer": ISSUER, "client_id": "portal"}},
        "store": f"sqlite:///{home.work / 'state.db'}",
    }
    if jsm is not None:
        (home.work / "token").write_text(jsm.account.token)
        profile["jsm"] = {"url": jsm.url, "email": jsm.account.email, "api_token": "file:token", "customers": dict(customers or {})}
        profile["portals"] = [portal(desk.portal_id, desk.key, desk.id, jsm.url) for desk in jsm.site.desks]
        if not jsm.site.is_cloud:
            del profile["jsm"]["email"]
    home.profile.write_text(json.dumps(profile | changed))
    return Stage(home, jsm, open_store(profile["store"]), Audit(home.work / "audit"))


def portal(number: str, key: str, desk: str, url: str, **more: Any) -> dict[str, Any]:
    """As ``portals sync`` writes it."""
    address = f"{url}/servicedesk/customer/portal/{number}"
    return {"id": number, "key": key, "service_desk": desk, "name": key.title(), "url": address, "mode": "hosted", **more}
