"""An operator ends sessions and keeps somebody out while ``jsmsso serve`` runs with two workers."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from tests.journeys.served import Served, serve, write_profile
from tests.journeys.signed_in import ENOUGH, keep_secret
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET, Provider, running
from tests.runtime.site import PAGE_LOAD
from tests.services.children import PATIENCE, Children
from tests.services.home import Home, Ran

NATIVE = "https://a.example/servicedesk/customer/portal/4"
Run = Callable[..., Ran]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        one.claims |= {"iat": int(time.time()), "exp": int(time.time()) + 300}
        yield one


@pytest.fixture
def served(start: Children, jsmsso_home: Home, provider: Provider, free_port: Callable[[], int]) -> Served:
    url = f"http://localhost:{free_port()}"
    entry = {"type": "oidc", "issuer": provider.issuer, "client_id": CLIENT_ID, "scopes": ["openid", "email"]}
    entry["client_secret"] = keep_secret(jsmsso_home, "client", CLIENT_SECRET)
    portal = {"id": "4", "key": "HR", "service_desk": "4", "name": "People", "mode": "redirect"}
    portal["url"] = NATIVE
    write_profile(jsmsso_home, {"public_url": url, "providers": {"acme": entry}, "portals": [portal]})
    return serve(start, jsmsso_home, url, "--workers", "2")


def log_in(served: Served, provider: Provider, name: str) -> tuple[int, str]:
    """The callback's status, and the session's cookie where there is one."""
    provider.claims |= {"sub": name, "email": f"{name}@acme.example"}
    provider.userinfo |= {"sub": name, "email": f"{name}@acme.example"}
    answer, _ = served.get("/portal/HR", PAGE_LOAD)
    login = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    back = provider.follow(answer.getheader("Location") or "")
    answer, _ = served.get(f"/callback?{back}", {**PAGE_LOAD, "Cookie": login})
    cookies = [value.partition(";")[0] for key, value in answer.getheaders() if key.lower() == "set-cookie"]
    return answer.status, next((cookie for cookie in cookies if cookie.startswith("jsmsso=") and cookie != "jsmsso="), "")


def statuses(served: Served, cookie: str) -> set[int]:
    """What both workers answer: 200 stands for the way on to the portal, 302 for the way to the provider."""

    def ask(_: int) -> int:
        answer, _ = served.get("/portal/HR", {**PAGE_LOAD, "Cookie": cookie})
        return 200 if answer.getheader("Location") == NATIVE else answer.status

    with ThreadPoolExecutor(8) as threads:
        return set(threads.map(ask, range(ENOUGH)))


def wait_until_over(served: Served, cookie: str) -> None:
    ends = time.monotonic() + PATIENCE
    while statuses(served, cookie) != {302}:
        assert time.monotonic() < ends, served.child.output
        time.sleep(0.1)
    time.sleep(1)  # whoever logged in within the second of the ending is ended too


def test_an_address_s_sessions_end_on_both_workers_and_a_login_afterwards_is_good(served: Served, provider: Provider, jsmsso: Run) -> None:
    _, ann = log_in(served, provider, "ann")
    _, bob = log_in(served, provider, "bob")
    assert statuses(served, ann) == statuses(served, bob) == {200}

    assert jsmsso("sessions", "revoke", "--email", "ann@acme.example").code == 0
    wait_until_over(served, ann)
    assert statuses(served, bob) == {200}
    status, again = log_in(served, provider, "ann")
    assert (status, statuses(served, again)) == (303, {200})
    assert statuses(served, ann) == {302}

    assert jsmsso("sessions", "revoke", "--all", "--yes").code == 0
    wait_until_over(served, again)
    wait_until_over(served, bob)
    status, once_more = log_in(served, provider, "bob")
    assert (status, statuses(served, once_more)) == (303, {200})


def test_whoever_is_revoked_is_out_and_stays_out_until_restored(served: Served, provider: Provider, jsmsso: Run) -> None:
    _, ann = log_in(served, provider, "ann")
    assert jsmsso("customers", "revoke", "ann@acme.example").code == 0
    wait_until_over(served, ann)
    assert log_in(served, provider, "ann") == (403, "")
    assert log_in(served, provider, "bob")[0] == 303
    assert [line["reason"] for line in served.log if line["event"] == "login.refused"] == ["customer_barred"]

    assert jsmsso("customers", "restore", "ann@acme.example").code == 0
    status, again = log_in(served, provider, "ann")
    assert (status, statuses(served, again)) == (303, {200})
