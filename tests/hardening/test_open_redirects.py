"""No text, in whatever place of a request, leads a browser anywhere but to us, to the provider or to a configured portal."""

from __future__ import annotations

from collections.abc import Callable
from itertools import product
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urlsplit

import pytest

from tests.hardening.as_a_browser import addresses_in, origin_at
from tests.hardening.open_redirects import CORPUS, PUBLISHED
from tests.oidc.provider import Provider
from tests.runtime.site import NATIVE, OWN_FORM, PAGE_LOAD, PUBLIC_URL, Answer, Browser, Site, portal

if TYPE_CHECKING:
    from playwright.sync_api import Page

BASES = [
    pytest.param({}, id="a host of its own"),
    pytest.param({"public_url": "https://jira.acme.example/_sso"}, id="a path on Jira's host"),
    pytest.param(
        {
            "public_url": "https://jira.acme.example/_sso",
            "trusted_proxies": ["192.0.2.0/24"],
            "forward_auth": {"other_paths": "allow"},
        },
        id="forward auth",
    ),
]


def origin_of(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"


class Watched(Browser):
    """A browser in whose every answer all addresses are looked at."""

    def request(self, method: str, address: str, *arguments: Any, **options: Any) -> Answer:
        answer = super().request(method, address, *arguments, **options)
        self.check(answer, address)
        return answer

    def check(self, answer: Answer, asked: Any) -> None:
        allowed = {origin_of(one) for one in (self.site.public_url, NATIVE, *(one.address for one in self.site.providers))}
        found = answer.all("Location") + [value.partition("=")[2] for value in answer.all("Refresh")]
        found += addresses_in(answer.text) if answer.body[:15] == b"<!doctype html>" else []
        for one in found:
            assert origin_at(one, f"{self.site.public_url}/callback") in allowed | {"mailto:"}, (asked, one)
            assert one.isascii(), (asked, one)
            assert one.isprintable(), (asked, one)


def test_the_corpus_is_as_long_as_promised_and_would_work_where_nobody_checks() -> None:
    away = [text for text in CORPUS if origin_at(text, f"{PUBLIC_URL}/callback") != PUBLIC_URL]
    assert len(CORPUS) >= 200
    assert len(away) >= 100
    assert all(len(texts) >= 5 for texts in PUBLISHED.values())


def test_a_browser_reads_these_addresses_as_these_tests_do(page: Page) -> None:
    script = """([texts, base]) => texts.map(text => {
        try {
            const url = new URL(text, base);
            return ['http:', 'https:', 'ws:', 'wss:', 'ftp:'].includes(url.protocol) ? url.origin : url.protocol;
        } catch (error) { return ''; }
    })"""
    for base in (f"{PUBLIC_URL}/callback", "http://localhost:8080/portal/HELP/"):
        read = page.evaluate(script, [list(CORPUS), base])
        assert dict(zip(CORPUS, read, strict=True)) == {text: origin_at(text, base) for text in CORPUS}


@pytest.mark.parametrize("base", BASES)
def test_a_login_leads_nowhere_else(make_site: Callable[..., Site], provider: Provider, base: dict[str, Any]) -> None:
    site = make_site(provider, **base)
    for text in CORPUS:
        browser = Watched(site)
        away = browser.get(f"{browser.base_path}/login?return_to={quote(text, safe='')}")
        assert away.status == 302
        back = browser.get(browser.at_provider(away.location))
        assert back.status == 303, text
        browser.get(back.location)


def test_a_typed_address_and_its_form_lead_nowhere_else(
    make_site: Callable[..., Site], provider: Provider, another_provider: Provider
) -> None:
    entries = make_site(provider, another_provider).deployment.profile.model_dump(mode="json", exclude_none=True, exclude_unset=True)
    by_domain = {name: {**one, "any_email": False, "email_domains": [f"{name}.example"]} for name, one in entries["providers"].items()}
    site = make_site(provider, another_provider, login={"mode": "ask_address"}, providers=by_domain)
    browser = Watched(site)
    page = browser.get("/login")
    for text in CORPUS:
        again = browser.submit(page, email="nobody", return_to=text)
        assert again.status == 400
        assert browser.submit(again, email="somebody@elsewhere.example").status == 200
        away = browser.submit(page, email="x@b.example", return_to=text)
        assert away.location.startswith(another_provider.address)
        assert browser.get(browser.at_provider(away.location)).status == 403, "Ada's address is another domain's"


@pytest.mark.parametrize("base", BASES)
def test_the_way_back_after_a_logout_leads_nowhere_else(make_site: Callable[..., Site], provider: Provider, base: dict[str, Any]) -> None:
    for end_session in (f"{provider.address}/logout", None):
        provider.metadata["end_session_endpoint"] = end_session
        site = make_site(provider, **base)
        site.deployment.providers["a"].party.warm()
        browser = Watched(site)
        page = browser.get(f"{browser.base_path}/logout")
        for text in CORPUS:
            out = browser.submit(page, then="login", provider="a", return_to=text)
            assert out.status == 303
            after = browser.get(f"{browser.base_path}/logged-out")
            browser.get(after.link("Sign in"))


PREFIXES = ["", "/", "/portal/", "/portal/HELP/", "/servicedesk/customer/", "/servicedesk/customer/portal/3/", "/login/", "/logout/",
            "/callback/", "/logged-out/", "/assets/", "/frontchannel-logout/", "/auth/redirect/"]  # fmt: skip
QUERIES = ["/?return_to=", "/portal/HELP?return_to=", "/portal/HELP?provider=", "/logout?return_to=", "/logged-out?return_to=",
           "/logged-out?state=", "/login?provider=", "/login?choose=&return_to=", "/login?provider=none&return_to=",
           "/servicedesk/customer/user/login?destination=", "/servicedesk/customer/user/login?os_destination=",
           "/callback?error=x&error_uri=", "/callback?code=x&state=", "/nothing?url="]  # fmt: skip


@pytest.mark.parametrize("signed_in", [False, True], ids=["nobody", "somebody"])
def test_no_path_of_ours_leads_anywhere_else(site: Site, signed_in: bool) -> None:
    browser = Watched(site)
    if signed_in:
        browser.log_in()
    kept = dict(browser.cookies)
    for prefix, text in product(PREFIXES, CORPUS):
        browser.cookies = dict(kept)
        browser.get(prefix + text.replace("?", "%3F"))
    for prefix, text in product(QUERIES, CORPUS):
        browser.cookies = dict(kept)
        browser.get(prefix + quote(text, safe=""))


def test_no_method_and_no_form_field_leads_anywhere_else(site: Site) -> None:
    browser = Watched(site)
    for text in CORPUS:
        for method in ("HEAD", "POST"):
            browser.request(method, "/" + text.replace("?", "%3F"))
        fields = dict.fromkeys(("return_to", "provider", "then", "next", "url", "logout_token"), text)
        for path in ("/logout", "/login", "/backchannel-logout/a"):
            browser.post(path, fields, {**OWN_FORM, "Referer": text if text.isprintable() else ""})


@pytest.mark.parametrize("header", ["X-Original-Url", "X-Forwarded-Uri"])
def test_the_address_that_a_proxy_asks_about_leads_nowhere_else(make_site: Callable[..., Site], provider: Provider, header: str) -> None:
    site = make_site(
        provider,
        public_url="https://jira.acme.example/_sso",
        trusted_proxies=["192.0.2.0/24"],
        forward_auth={"other_paths": "allow"},
        portals=[portal("3", "HELP", "IT help")],
    )
    browser = Watched(site)
    for text in CORPUS:
        for asked in (text, f"/{text}", f"/servicedesk/customer/portal/3{text}", f"/browse/X?a={text}"):
            browser.cookies.clear()
            told = (
                {header: f"https://jira.acme.example{asked}"}
                if header == "X-Original-Url"
                else {header: asked, "X-Forwarded-Method": "GET", "X-Forwarded-Proto": "https", "X-Forwarded-Host": "jira.acme.example"}
            )
            answer = browser.get("/_sso/auth/redirect", PAGE_LOAD | told)
            assert answer.status in (302, 401, 403), (asked, answer.status)
            if answer.status == 302:
                back = browser.get(browser.at_provider(answer.location))
                assert origin_at(back.location, "https://jira.acme.example/_sso/callback") == "https://jira.acme.example"


def test_a_provider_cannot_send_a_browser_elsewhere_by_its_answer(site: Site, provider: Provider) -> None:
    for text in CORPUS:
        browser = Watched(site)
        away = browser.get("/portal/HELP")
        state = away.location.partition("state=")[2].partition("&")[0]
        said = {"error": text, "error_description": text, "error_uri": text, "iss": provider.issuer, "state": state, "return_to": text}
        assert browser.get(f"/callback?{urlencode(said)}").status in (400, 403, 502)
