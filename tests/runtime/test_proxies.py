"""Where a request came from, behind proxies that are trusted and others, and what the log keeps of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jsmsso.runtime.proxies import Proxies, logged_address
from tests.oidc.provider import Provider
from tests.runtime.site import Browser, Site

PEER = "10.0.0.1"
CLIENT = "203.0.113.9"


@pytest.mark.parametrize(
    "trusted, peer, forwarded, client",
    [
        pytest.param([], CLIENT, None, CLIENT, id="no proxy"),
        pytest.param([], PEER, CLIENT, PEER, id="nobody is trusted"),
        pytest.param(["192.0.2.0/24"], PEER, CLIENT, PEER, id="another is trusted"),
        pytest.param([PEER], PEER, None, PEER, id="a trusted peer that says nothing"),
        pytest.param([PEER], PEER, "", PEER, id="an empty header"),
        pytest.param([PEER], PEER, CLIENT, CLIENT, id="one proxy"),
        pytest.param(["10.0.0.0/8"], PEER, CLIENT, CLIENT, id="a network"),
        pytest.param([PEER], PEER, f"192.0.2.1, {CLIENT}", CLIENT, id="what the client wrote itself"),
        pytest.param([PEER], PEER, f"{PEER},{CLIENT}", CLIENT, id="a client that calls itself a proxy"),
        pytest.param(["10.0.0.0/8"], PEER, f"192.0.2.1, {CLIENT}, 10.9.9.9", CLIENT, id="two proxies"),
        pytest.param(["10.0.0.0/8"], PEER, "10.1.1.1, 10.2.2.2", "10.1.1.1", id="all are trusted: a client inside"),
        pytest.param([PEER], PEER, f"{CLIENT},", PEER, id="ends with nothing"),
        pytest.param([PEER], PEER, f"{CLIENT}, unknown", PEER, id="ends with a name"),
        pytest.param([PEER], PEER, f"unknown, {CLIENT}", CLIENT, id="a name further left"),
        pytest.param(["10.0.0.0/8"], PEER, "unknown, 10.2.2.2", "10.2.2.2", id="a name behind a proxy"),
        pytest.param([PEER], PEER, f"{CLIENT}:4711", CLIENT, id="with its port"),
        pytest.param([PEER], PEER, "[2001:db8::9]:4711", "2001:db8::9", id="IPv6 with its port"),
        pytest.param([PEER], PEER, "2001:DB8:0::9", "2001:db8::9", id="IPv6 in capitals"),
        pytest.param([PEER], "::ffff:10.0.0.1", CLIENT, CLIENT, id="a peer that is IPv4 in IPv6"),
        pytest.param(["::1"], "::1", "::ffff:203.0.113.9", CLIENT, id="a client that is IPv4 in IPv6"),
        pytest.param(["0.0.0.0/0"], "2001:db8::1", CLIENT, "2001:db8::1", id="all of IPv4 is none of IPv6"),
        pytest.param(["unix"], "", CLIENT, CLIENT, id="a unix socket"),
        pytest.param(["unix"], "", None, "", id="a unix socket that says nothing"),
        pytest.param([PEER], "", CLIENT, "", id="a unix socket that nobody trusts"),
        pytest.param(["unix"], PEER, CLIENT, PEER, id="only the unix socket is trusted"),
        pytest.param(["unix", "127.0.0.1"], "", f"{CLIENT}, 127.0.0.1", CLIENT, id="a unix socket behind another proxy"),
        pytest.param([PEER], PEER, "1" * 15000, PEER, id="far too long"),
        pytest.param([PEER], PEER, "203.0.113.9\x00", PEER, id="control characters"),
        pytest.param([PEER], PEER, "0xcb.0.113.9", PEER, id="not in decimals"),
    ],
)
def test_the_client_is_read_from_the_right_past_trusted_hops(trusted: list[str], peer: str, forwarded: str | None, client: str) -> None:
    environ = {"REMOTE_ADDR": peer} | ({} if forwarded is None else {"HTTP_X_FORWARDED_FOR": forwarded})
    assert Proxies(trusted).client_of(environ) == client


@pytest.mark.parametrize("header", ["HTTP_FORWARDED", "HTTP_X_REAL_IP", "HTTP_CLIENT_IP", "HTTP_X_CLIENT_IP", "HTTP_TRUE_CLIENT_IP"])
def test_no_other_header_says_where_a_request_came_from(header: str) -> None:
    assert Proxies([PEER]).client_of({"REMOTE_ADDR": PEER, header: f"for={CLIENT}" if "FORWARDED" in header else CLIENT}) == PEER


def test_a_server_that_names_no_peer_is_not_a_unix_socket() -> None:
    assert not Proxies(["unix", "0.0.0.0/0", "::/0"]).are_trusted({"HTTP_X_FORWARDED_FOR": CLIENT})
    assert Proxies(["unix"]).client_of({"HTTP_X_FORWARDED_FOR": CLIENT}) == ""


@pytest.mark.parametrize(
    "address, how, kept",
    [
        (CLIENT, "full", CLIENT),
        (CLIENT, "truncated", "203.0.113.0/24"),
        (CLIENT, "none", ""),
        ("2001:db8:1:2::9", "full", "2001:db8:1:2::9"),
        ("2001:db8:1:2::9", "truncated", "2001:db8:1::/48"),
        ("2001:db8:1:2::9", "none", ""),
        ("", "truncated", ""),
    ],
)
def test_the_log_keeps_as_much_as_it_is_told(address: str, how: Any, kept: str) -> None:
    assert logged_address(address, how) == kept


@pytest.mark.parametrize("how, kept", [("full", CLIENT), ("truncated", "203.0.113.0/24"), ("none", None)])
def test_every_line_of_a_login_keeps_the_same(make_site: Callable[..., Site], provider: Provider, how: str, kept: str | None) -> None:
    site = make_site(provider, log={"client_address": how}, trusted_proxies=["192.0.2.7"])
    browser = Browser(site)
    browser.headers["X-Forwarded-For"] = f"198.51.100.1, {CLIENT}"
    browser.log_in()
    browser.get("/nothing")
    browser.get("/callback?state=x&code=y")
    assert [line["event"] for line in site.log] == ["login.ok", "page.not_found", "login.refused"]
    assert [line.get("client") for line in site.log] == [kept] * 3
    assert how == "full" or CLIENT not in site.log_text
    assert "198.51.100.1" not in site.log_text


def test_what_a_stranger_forwards_is_ignored(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, trusted_proxies=["192.0.2.8", "unix"])
    browser = Browser(site)
    browser.get("/nothing", {**browser.headers, "X-Forwarded-For": CLIENT})
    assert site.log[-1]["client"] == "192.0.2.7"


def test_over_a_unix_socket_the_proxy_says_who_it_is(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, trusted_proxies=["unix"])
    browser = Browser(site)
    browser.get("/nothing", {**browser.headers, "X-Forwarded-For": CLIENT}, environ={"REMOTE_ADDR": ""})
    browser.get("/nothing", environ={"REMOTE_ADDR": ""})
    assert [line.get("client") for line in site.log] == [CLIENT, None]
