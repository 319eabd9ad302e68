"""What people read: every shown value as text, every dead end with a number, one next step and whom to ask."""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from jsmsso.errors import NotReady
from tests.oidc.provider import Provider, Reply, public_jwk, rsa_key
from tests.runtime.site import Browser, Site, portal

NASTY = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)>{{7*7}}${7*7}&amp;"
SUPPORT = {"text": f"Ask {NASTY}", "email": "help@acme.example", "url": "https://help.acme.example/x"}


@pytest.fixture
def branded(make_site: Callable[..., Site], provider: Provider) -> Site:
    return make_site(
        provider,
        branding={"name": f"Acme {NASTY}"},
        support=SUPPORT,
        portals=[portal("3", "HELP", f"IT {NASTY}"), portal("4", "HR", f"People {NASTY}")],
    )


def is_harmless(text: str) -> None:
    assert "<script>" not in text
    assert "<img src=x" not in text
    assert "&lt;script&gt;" in text
    assert "{{7*7}}" in text, "no template is made of what is shown"


@pytest.mark.parametrize("address", ["/", "/logged-out", "/logout", "/portal/NONE", "/callback?code=x&state=y"])
def test_names_of_the_profile_are_text_on_pages_without_a_session(branded: Site, address: str) -> None:
    is_harmless(Browser(branded).get(address).text)


@pytest.mark.parametrize("address", ["/", "/logout", "/portal/NONE", "/callback?code=x&state=y"])
def test_names_and_claims_are_text_on_pages_with_one(branded: Site, provider: Provider, address: str) -> None:
    provider.claims |= {"given_name": NASTY, "family_name": NASTY, "name": NASTY, "email": "a'b{{7*7}}&@acme.example"}
    provider.userinfo |= provider.claims
    browser = Browser(branded)
    assert browser.log_in("/portal/HR").status == 303
    page = browser.get(address)
    is_harmless(page.text)
    if address == "/":
        assert "&lt;img src=x" in page.text


@pytest.mark.parametrize("error", ["access_denied", "server_error", "invalid_scope", "<b>x</b>", "x" * 500, "\u202eevil"])
def test_what_a_provider_says_is_never_on_a_page(site: Site, browser: Browser, provider: Provider, error: str) -> None:
    away = browser.get("/portal/HELP/HELP-3")
    state = away.location.partition("state=")[2].partition("&")[0]
    description = NASTY + '\r\nSet-Cookie: a=b\n{"event":"forged"}\x1b[31m'
    page = browser.get(f"/callback?error={quote(error)}&error_description={quote(description)}&state={state}&iss={quote(provider.issuer)}")
    assert page.status == (403 if error == "access_denied" else 502)
    assert "alert" not in page.text
    assert "forged" not in page.text
    assert page.link("Try again") == "/portal/HELP/HELP-3"
    (line,) = site.events("login.refused")
    assert line["reference"] == page.reference
    assert line["reason"] == f"authorization_{''.join(c if c.isprintable() else ' ' for c in error[:80]).strip()}"[:60]
    assert "<script>alert(1)" in line["detail"]
    assert "\x1b" not in site.log_text
    assert len(site.log_text.splitlines()) == 1


def test_an_error_without_a_state_of_ours_is_unknown(site: Site, browser: Browser) -> None:
    for query in ("error=access_denied", "error=access_denied&state=", "error=x&state=" + "4" * 48):
        page = browser.get(f"/callback?{query}")
        assert (page.status, page.title) == (400, "This sign-in is not known here")


# A provider in trouble ------------------------------------------------------------------------

TROUBLE = [
    pytest.param("/.well-known/openid-configuration", Reply(503), 502, id="metadata 503"),
    pytest.param("/.well-known/openid-configuration", Reply(404), 502, id="metadata 404"),
    pytest.param("/.well-known/openid-configuration", Reply(200, "<html>a proxy's page</html>"), 502, id="metadata is HTML"),
    pytest.param("/.well-known/openid-configuration", Reply(200, b"{" + b" " * 5_000_000), 502, id="metadata has 5 MB"),
    pytest.param("/.well-known/openid-configuration", Reply(200, {"issuer": "https://evil.example"}), 502, id="metadata of another"),
]


@pytest.mark.parametrize("path, reply, status", TROUBLE)
def test_a_provider_that_is_down_keeps_the_portal_link(
    site: Site, browser: Browser, provider: Provider, path: str, reply: Reply, status: int
) -> None:
    provider.replies[path] = reply
    page = browser.get("/portal/HELP/HELP-12")
    assert page.status == status
    assert page.link("Try again") == "/portal/HELP/HELP-12"
    (line,) = site.log
    assert line["reference"] == page.reference
    assert line["detail"]
    provider.replies.clear()
    assert browser.get(page.link("Try again")).status == 302


def test_a_login_begun_at_a_provider_that_is_down_keeps_where_it_should_lead(browser: Browser, provider: Provider) -> None:
    provider.replies["/.well-known/openid-configuration"] = Reply(503)
    assert browser.get("/login?return_to=/portal/HR/HR-2").link("Try again") == "/portal/HR/HR-2"
    assert browser.get("/login?return_to=//evil.example").link("Try again") == "/"


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a second for a whole answer, where ten are the rule."""
    from jsmsso import http_client

    exchange = http_client.HttpClient._exchange

    def sooner(self: Any, method: Any, url: Any, headers: Any, body: Any, ends: float, *rest: Any) -> Any:
        return exchange(self, method, url, headers, body, ends - http_client.DEADLINE + 0.5, *rest)

    monkeypatch.setattr(http_client.HttpClient, "_exchange", sooner)


@pytest.mark.parametrize("path", ["/.well-known/openid-configuration", "/token"])
def test_a_provider_that_is_slow_is_504(site: Site, browser: Browser, provider: Provider, impatient: None, path: str) -> None:
    provider.replies[path] = Reply(200, {}, delay=3)
    page = browser.get("/portal/HELP") if path != "/token" else browser.log_in()
    assert (page.status, page.title) == (504, "The login service does not answer")
    assert page.link("Try again") == "/portal/HELP"


def refuse(error: str, status: int = 400) -> Reply:
    return Reply(status, {"error": error, "error_description": "said by the provider"})


@pytest.mark.parametrize(
    "path, reply, status, reason",
    [
        pytest.param("/token", refuse("invalid_client", 401), 502, "token_request_refused", id="wrong secret"),
        pytest.param("/token", refuse("invalid_grant"), 400, "token_invalid_grant", id="code refused"),
        pytest.param("/token", Reply(500, "Internal"), 502, "provider_unreachable", id="token endpoint 500"),
        pytest.param("/token", Reply(200, "<html>"), 502, "provider_unreachable", id="token endpoint HTML"),
        pytest.param("/token", Reply(200, b"[" * 900_000), 502, "provider_unreachable", id="token endpoint nested"),
        pytest.param("/token", Reply(200, b"x" * 5_000_000), 502, "provider_unreachable", id="token endpoint 5 MB"),
        pytest.param("/token", Reply(302, b"", {"location": "https://evil.example/token"}), 502, "provider_unreachable", id="redirect"),
        pytest.param("/jwks", Reply(200, {"keys": [public_jwk(rsa_key("other"))]}), 403, "id_token_key", id="another key"),
        pytest.param("/jwks", Reply(503), 502, "provider_unreachable", id="keys 503"),
        pytest.param(
            "/userinfo", Reply(200, {"sub": "somebody else", "email": "x@acme.example"}), 403, "userinfo_refused", id="another's userinfo"
        ),
    ],
)
def test_a_login_that_fails_at_the_provider_is_explained_and_kept(
    site: Site, browser: Browser, provider: Provider, path: str, reply: Reply, status: int, reason: str
) -> None:
    provider.replies[path] = reply
    page = browser.log_in("/portal/HELP/HELP-12")
    (line,) = site.events("login.refused")
    assert (page.status, line["reason"]) == (status, reason)
    assert line["reference"] == page.reference
    assert page.link("Try again") == "/portal/HELP/HELP-12"
    assert browser.session is None
    assert browser.logins == {}


@pytest.mark.parametrize(
    "claims, check",
    [
        ({"aud": "another"}, "aud"),
        ({"iss": "https://evil.example"}, "iss"),
        ({"nonce": "another"}, "nonce"),
        ({"exp": 1}, "exp"),
        ({"sub": ""}, "sub"),
        ({"token_use": "access"}, "token_use"),
    ],
)
def test_an_id_token_that_fails_a_check_is_403(
    site: Site, browser: Browser, provider: Provider, claims: dict[str, Any], check: str
) -> None:
    provider.claims |= claims
    page = browser.log_in()
    assert (page.status, page.title) == (403, "This sign-in cannot be trusted")
    assert site.events("login.refused")[0]["reason"] == f"id_token_{check}"


def test_a_code_that_the_provider_repeats_is_not_logged(site: Site, browser: Browser, provider: Provider) -> None:
    provider.replies["/token"] = lambda call: (
        refuse("invalid_grant")
        if False
        else Reply(400, {"error": "invalid_grant", "error_description": f"code {call.form['code']} is not known"})
    )
    browser.log_in()
    assert "code ... is not known" in site.events("login.refused")[0]["detail"]


def test_a_fault_of_ours_is_a_page_with_a_number_and_the_log_says_where(site: Site, browser: Browser) -> None:
    browser.log_in("/login")
    site.deployment.portals = None  # type: ignore[assignment]
    page = browser.get("/portal/HELP")
    assert (page.status, page.title) == (503, "This did not work")
    (line,) = site.events("fault")
    assert line["reference"] == page.reference
    assert line["detail"] == "AttributeError"
    assert line["where"].startswith("application.py:")
    assert "Traceback" not in page.text + site.log_text


# What holds for pages -------------------------------------------------------------------------


def pages(site: Site, provider: Provider) -> dict[str, str]:
    """One of each kind, as text."""
    stranger, customer = Browser(site), Browser(site)
    found = {
        "sign in": stranger.get("/"),
        "signed out": stranger.get("/logged-out"),
        "sign out": stranger.get("/logout"),
        "not found": stranger.get("/nothing"),
        "unknown answer": stranger.get("/callback?code=x&state=y"),
    }
    customer.log_in("/portal/HR")
    found |= {"portals": customer.get("/"), "sign out of a session": customer.get("/logout")}
    provider.claims["email_verified"] = False
    found["not confirmed"] = Browser(site).log_in()
    return {name: answer.text for name, answer in found.items()}


def test_every_page_has_a_language_a_title_a_main_part_and_headings_in_order(branded: Site, provider: Provider) -> None:
    for name, text in pages(branded, provider).items():
        assert '<html lang="en">' in text, name
        assert re.search(r"<title>[^<]+ - [^<]+</title>", text), name
        assert text.count("<main") == text.count("<h1") == 1, name
        levels = [int(level) for level in re.findall(r"<h([1-6])", text)]
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels)), (name, levels)
        assert 'name="viewport"' in text
        assert all("alt=" in image for image in re.findall(r"<img[^>]*>", text)), name
        assert re.findall(r"<button[^>]*>\s*</button>|<a[^>]*>\s*</a>", text) == [], name


def test_every_dead_end_says_whom_to_ask_and_has_one_number(branded: Site, provider: Provider) -> None:
    found = pages(branded, provider)
    for name in ("not found", "unknown answer", "not confirmed"):
        assert "mailto:help@acme.example" in found[name], name
        assert len(re.findall(r"[0-9A-Z]{4}-[0-9A-Z]{4}", found[name])) == 1, name


def test_numbers_differ_and_hold_nothing_that_is_misread(browser: Browser) -> None:
    numbers = {browser.get("/nothing").reference for _ in range(50)}
    assert len(numbers) == 50
    assert not set("01IO") & set("".join(numbers))


def test_pages_of_the_callback_send_no_referrer_anywhere(browser: Browser) -> None:
    assert browser.get("/callback?code=x&state=y").header("Referrer-Policy") == "no-referrer"
    assert browser.get("/").header("Referrer-Policy") == "same-origin"


def test_the_policy_names_where_forms_may_lead(make_site: Callable[..., Site], provider: Provider, another_provider: Provider) -> None:
    browser = Browser(make_site(provider, another_provider))
    allowed = browser.get("/").header("Content-Security-Policy").partition("form-action ")[2]
    assert allowed.split() == ["'self'", *sorted((provider.address, another_provider.address))]


@pytest.mark.parametrize("address", ["/", "/nothing", "/logged-out", "/logout", "/healthz"])
def test_head_has_the_headers_of_get_and_no_body(browser: Browser, address: str) -> None:
    head, get = browser.request("HEAD", address), browser.get(address)
    assert (head.status, head.body) == (get.status, b"")
    assert [name for name, _ in head.headers] == [name for name, _ in get.headers]


# Style sheet, logo, colours -------------------------------------------------------------------


def linked(text: str, kind: str) -> list[str]:
    return re.findall(rf'<link rel="{kind}" href="([^"]*)"', text)


def test_what_a_page_loads_may_be_kept_and_cannot_run(browser: Browser) -> None:
    text = browser.get("/").text
    for address in [*linked(text, "stylesheet"), *linked(text, "icon")]:
        answer = browser.get(address, {})
        assert answer.status == 200
        assert answer.header("Cache-Control") == "public, max-age=31536000, immutable"
        assert "sandbox" in answer.header("Content-Security-Policy")


def test_own_logo_and_colours_are_served(make_site: Callable[..., Site], provider: Provider, tmp_path: Path) -> None:
    (tmp_path / "site0").mkdir()
    (tmp_path / "site0" / "acme.png").write_bytes(b"\x89PNG not really")
    site = make_site(provider, branding={"logo": "acme.png", "colors": {"accent": "#ffcc00", "accent_dark": "#112233"}})
    browser = Browser(site)
    text = browser.get("/").text
    (icon,) = linked(text, "icon")
    assert browser.get(icon).body == b"\x89PNG not really"
    assert browser.get(icon).header("Content-Type") == "image/png"
    colours = browser.get(linked(text, "stylesheet")[1]).text
    assert "--accent: #ffcc00; --accent-text: #000000" in colours
    assert "--accent: #112233; --accent-text: #ffffff" in colours


@pytest.mark.parametrize(
    "name, content, said",
    [("none.png", None, "cannot be read"), ("logo.html", b"<script>", "no image that is served"), ("big.svg", b"x" * 200_001, "at most")],
)
def test_a_logo_that_cannot_be_served_is_told_at_the_start(
    make_site: Callable[..., Site], provider: Provider, tmp_path: Path, name: str, content: bytes | None, said: str
) -> None:
    (tmp_path / "site0").mkdir()
    if content is not None:
        (tmp_path / "site0" / name).write_bytes(content)
    with pytest.raises(NotReady, match=said):
        make_site(provider, branding={"logo": name})
