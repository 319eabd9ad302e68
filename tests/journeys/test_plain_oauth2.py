"""A login at GitHub, Discord and Facebook through ``jsmsso serve``: providers without ID tokens, played on this machine."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest

from tests.journeys.served import serve, write_profile
from tests.providers.plain import CODE, RECORDED, Played
from tests.providers.played import playing
from tests.services.children import Children
from tests.services.home import Home

PAGE_LOAD = {"Accept": "text/html", "Sec-Fetch-Mode": "navigate"}
NATIVE = "https://acme.atlassian.net/servicedesk/customer/portal/3"


@pytest.fixture
def play(free_port: Callable[[], int]) -> Iterator[Callable[..., str]]:
    with ExitStack() as stack:
        yield lambda answer: stack.enter_context(playing(answer, free_port()))


@pytest.mark.parametrize("name", RECORDED)
@pytest.mark.parametrize("allowed", [True, False], ids=["let in", "refused by a rule"])
def test_a_login_ends_where_the_rules_say(
    name: str, allowed: bool, play: Callable[..., str], start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    provider = Played(name, play)
    port = free_port()
    url = f"http://localhost:{port}"
    entry: dict[str, Any] = {**RECORDED[name]["entry"], "type": name, "issuer": provider.issuer, "client_id": "x", "client_secret": "env:S"}
    portal = {"id": "3", "key": "HELP", "service_desk": "3", "name": "IT", "url": NATIVE, "mode": "redirect"}
    access = [{"allow": {"email_domain": ["acme.com" if allowed else "acme.de"]}}]
    write_profile(jsmsso_home, {"public_url": url, "providers": {"one": entry}, "portals": [portal], "access": access})
    served = serve(start, jsmsso_home, url, "--bind", f"127.0.0.1:{port}", env={"S": "s"})

    begun, _ = served.get("/portal/HELP", PAGE_LOAD)
    assert begun.status == 302, served.child.output
    query = parse_qs(urlsplit(begun.headers["Location"]).query)
    answer = {"code": CODE, "state": query["state"][0]} | ({"iss": provider.issuer} if "answer_iss" in RECORDED[name] else {})
    cookie = begun.headers["Set-Cookie"].partition(";")[0]
    ended, page = served.get(f"/callback?{urlencode(answer)}", PAGE_LOAD | {"Cookie": cookie})

    assert ended.status == (303 if allowed else 403), page
    if allowed:
        served.child.wait_for(r'"event":"login\.ok"')
        (event,) = [line for line in served.log if line.get("event") == "login.ok"]
        assert (event["provider"], event["email"]) == ("one", "ada@acme.com")
        session = next(one.partition(";")[0] for one in ended.headers.get_all("Set-Cookie") if one.startswith("jsmsso="))
        opened, _ = served.get("/portal/HELP", PAGE_LOAD | {"Cookie": session})
        assert (opened.status, opened.headers["Location"]) == (302, NATIVE)
