"""JSM in every kind of trouble during a login: somebody has a session and their record is written or waits, or neither is so."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path
from typing import Any, get_args

import pytest

from jsmsso.sandbox.jsm_faults import Fault, Kind
from jsmsso.sandbox.jsm_site import LocalAccount, LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.oidc.provider import Provider
from tests.runtime.site import Browser, Site, portal

EMAIL = "ann@acme.example"
ADMINISTRATOR = LocalAccount(email="sso-bot@example.com", token="local-jsm-token", role="administrator")
STATUSES = [204, 302, 400, 401, 403, 404, 409, 412, 418, 500, 503, 599]
KINDS = [kind for kind in get_args(Kind) if kind not in ("status", "slow", "busy")]
PATHS = [
    "/rest/",
    "/rest/api/3/user",
    "/rest/servicedeskapi/customer",
    "/rest/servicedeskapi/servicedesk",
    "/rest/servicedeskapi/organization",
]
FAULTS = [
    *(Fault("status", path, status=status) for status, path in product(STATUSES, PATHS)),
    *(Fault(kind, path) for kind, path in product(KINDS, PATHS[1:])),
    *(
        Fault("status", path, status=400, body=body)
        for path in PATHS
        for body in ("", "null", "[]", '{"errorMessage": "x\\r\\ny"}', "<b>no</b>")
    ),
    *(Fault("busy", path, seconds=120) for path in PATHS[:3]),
    *(Fault("status", after=number, status=503) for number in range(1, 8)),
    *(Fault("lost", after=number, times=1) for number in range(8)),
    *(Fault("dropped", after=number, times=1) for number in range(8)),
]


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with LocalJsm(LocalSite(accounts=(ADMINISTRATOR,))) as one:
        yield one


@pytest.fixture
def make(make_site: Callable[..., Site], provider: Provider, jsm: LocalJsm, tmp_path: Path) -> Callable[..., Site]:
    """``make(required=True)``: a site that writes customers, their desk and their organizations to the local JSM."""
    (tmp_path / "jsm_token").write_text(ADMINISTRATOR.token)

    def site(**customers: Any) -> Site:
        settings = {"create": True, "add_to_service_desk": True, "organizations": "sync", "create_organizations": True} | customers
        return make_site(
            provider,
            attributes={"organizations": "orgs"},
            jsm={"url": jsm.url, "email": jsm.account.email, "api_token": f"file:{tmp_path}/jsm_token", "customers": settings},
            portals=[portal("1", "HELP", "IT help"), portal("2", "HR", "People")],
        )

    return site


def log_in(site: Site, provider: Provider, number: int) -> tuple[Browser, int]:
    """Somebody who was never there before."""
    provider.claims |= {"sub": f"person {number}", "email": f"person{number}@acme.example", "orgs": ["Acme"]}
    provider.userinfo["sub"] = f"person {number}"
    browser = Browser(site)
    return browser, browser.log_in("/portal/HELP").status


def quickly(monkeypatch: pytest.MonkeyPatch) -> None:
    """JSM's retries wait for less; everything else is as it is."""
    monkeypatch.setattr("jsmsso.runtime.records.LOGIN_SECONDS", 0.3)


@pytest.mark.parametrize("required", [False, True], ids=["written when it can be", "required"])
def test_no_trouble_at_jsm_leaves_a_login_half_done(
    make: Callable[..., Site], provider: Provider, jsm: LocalJsm, monkeypatch: pytest.MonkeyPatch, required: bool
) -> None:
    quickly(monkeypatch)
    site = make(required=required)
    jsm.site.add_organization("Acme")
    store = site.deployment.store
    assert site.deployment.records is not None
    for number, fault in enumerate(FAULTS if not required else FAULTS[::3]):
        jsm.break_with(fault)
        browser, status = log_in(site, provider, number)
        jsm.faults.clear()
        email = f"person{number}@acme.example"
        lines = [line["event"] for line in site.log if line.get("email") == email]
        waits = [write for write in store.writes() if write.email == email]
        told = (fault, status, lines)
        assert (status == 303) == (browser.session is not None) == ("login.ok" in lines), told
        assert ("login.ok" in lines) != ("login.refused" in lines), told
        assert status in (303, 403, 503), told
        assert "fault" not in [line["event"] for line in site.log], told
        if status == 303 and not required:
            made = jsm.site.people.with_email(email)
            desk = jsm.site.desk("HELP")
            assert desk is not None
            assert waits or (made and made[0].id in desk.customers) or "customer.missing" in lines, told
        if status == 403:
            assert not waits, told
        # Whatever waits is done when JSM is well again, and once.
        site.clock.advance(700)
        later(provider, site)
        while site.deployment.records.work_once():
            pass
        assert not [write for write in store.writes() if write.email == email and write.failing], told
        assert len(jsm.site.people.with_email(email)) <= 1, told
    assert store.writes() == []


def later(provider: Provider, site: Site) -> None:
    """The provider's clock goes with the site's."""
    provider.claims |= {"iat": int(site.clock()), "exp": int(site.clock()) + 300}


def test_a_login_after_the_trouble_is_as_any_other(
    make: Callable[..., Site], provider: Provider, jsm: LocalJsm, monkeypatch: pytest.MonkeyPatch
) -> None:
    quickly(monkeypatch)
    site = make()
    jsm.break_with(Fault("status", status=500))
    log_in(site, provider, 1)
    jsm.faults.clear()
    site.clock.advance(700)
    later(provider, site)
    assert site.deployment.records is not None
    while site.deployment.records.work_once():
        pass
    browser, status = log_in(site, provider, 1)
    assert status == 303
    assert browser.get("/portal/HELP").status == 302
    [made] = jsm.site.people.with_email("person1@acme.example")
    assert made.id in jsm.site.desk("HELP").customers  # type: ignore[union-attr]
    assert site.deployment.store.writes() == []


@pytest.mark.parametrize(
    "name",
    [
        "Ann\r\nX-Injected: 1",
        "\u202eann",
        "\x00",
        "x" * 5_000,
        "<script>",
        '"},{"x":"',
        "${jndi:ldap://x}",
        "' OR 1=1 --",
        "\ud83d",
        "../../x",
    ],
    ids=ascii,
)
def test_no_name_makes_more_of_a_call_than_a_value(make: Callable[..., Site], provider: Provider, jsm: LocalJsm, name: str) -> None:
    site = make()
    provider.claims |= {"name": name, "given_name": name, "family_name": name, "orgs": [name, f"{name}/../y?z#w"]}
    provider.userinfo = {}
    status = Browser(site).log_in("/portal/HELP").status
    assert status == 303
    assert {one.path.split("/")[2] for one in jsm.seen} <= {"servicedeskapi", "api"}
    assert all(one.path.isprintable() and ".." not in one.path for one in jsm.seen)
    assert all("x-injected" not in one.headers for one in jsm.seen)
    assert "fault" not in [line["event"] for line in site.log]
