"""Where a login leads back to: a path of ours, whatever was asked for."""

from __future__ import annotations

import re
from urllib.parse import quote, urljoin, urlsplit

import pytest

from jsmsso.runtime.return_to import own_path
from tests.runtime.site import Browser

KEPT = [
    "/portal/HELP", "/portal/HELP/", "/portal/HELP/HELP-12", "/portal/3", "/servicedesk/customer/portals",
    "/servicedesk/customer/portal/3/create/10",
    "/requests", "/requests?show=open&page=2", "/servicedesk/customer/portal/3?q=a+b", "/servicedesk/customer/portal/3?q=a.b~c%20d&page=2",
]  # fmt: skip
# Published ways around such checks: OWASP, PortSwigger, PayloadsAllTheThings (Open Redirect), advisories of
# oauth2-proxy (CVE-2020-5233, CVE-2020-11053, CVE-2021-21291), mod_auth_openidc (CVE-2019-14857, CVE-2021-32786,
# CVE-2022-23527), Flask-Security, Django's url_has_allowed_host_and_scheme.
BYPASSES = [
    "", " ", "https://evil.example", "http://evil.example", "//evil.example", "///evil.example", "////evil.example", "/\\evil.example",
    "\\/evil.example", "\\\\evil.example", "/\\/evil.example", "/\\\\evil.example", "https:evil.example", "https:/evil.example",
    "https:///evil.example", "http:\\\\evil.example", "//evil.example/portal/HELP", "/portal//evil.example", "/portal/..//evil.example",
    "/portal/../../evil.example", "/portal/../\\evil.example", "/portal/HELP/..//evil.example", "/./evil.example", "/.//evil.example",
    "/..//evil.example",
    "/.evil.example", "/%2f/evil.example", "/%2fevil.example", "/%5cevil.example", "/%5c/evil.example", "/portal/%2e%2e//evil.example",
    "/portal/%2f%2fevil.example", "/%09/evil.example", "/\t/evil.example", "/\n/evil.example", "/\r\n/evil.example", "\t//evil.example",
    "\n//evil.example", " //evil.example", "/ /evil.example", "/portal/HELP\t", "/portal/HELP\r\nSet-Cookie: a=b", "/portal/HELP%0d%0aX: y",
    "/portal/HELP\x00", "javascript:alert(1)", "JaVaScRiPt:alert(1)", "java\nscript:alert(1)", "data:text/html,x", "vbscript:x",
    "mailto:a@b.example",
    "@evil.example", "//sso.acme.example@evil.example", "https://sso.acme.example", "https://sso.acme.example/portal/HELP",
    "https://sso.acme.example@evil.example/portal/HELP", "https://sso.acme.example.evil.example", "https://evil.example#/portal/HELP",
    "https://evil.example?/portal/HELP", "/portal/HELP#https://evil.example", "/portal/HELP#", "/portal/HELP/@evil.example",
    "/portal/HELP;@evil.example",
    "/portal/HELP:80", "//\u3002evil.example", "/\u2215evil.example", "//evil\u3002example", "/portal/\uff0f\uff0fevil.example",
    "/portal/H\u00e9", "〱evil.example",
    "//0x7f.1", "//[::1]", "//2130706433", "/<>//evil.example", "//%5cevil.example", "///evil.example/%2e%2e", "/portal", "/", "/login",
    "/logout",
    "/callback?code=x", "/assets/x", "/requests/x", "/requestsx", "/portalx/HELP", "portal/HELP", "?x", "#x", "/servicedesk/agent",
    "/servicedesk/customer/..",
    "/servicedesk/customer/portal/3?q=<script>", "/servicedesk/customer/portal/3?q=a?b=//evil.example",
    "/portal/HELP?next=https://evil.example",
    "/portal/" + "A" * 600, "1", "null", "None", "\ufeff/portal/HELP", "/portal/HELP\u2028",
]  # fmt: skip


def test_the_table_is_as_long_as_promised() -> None:
    assert len(set(BYPASSES)) == len(BYPASSES) >= 60


@pytest.mark.parametrize("text", KEPT)
def test_a_path_of_a_portal_is_kept(text: str) -> None:
    assert own_path(text) == text
    assert own_path("/_sso" + text, "/_sso") == text
    assert own_path(text, "/_sso") == text


@pytest.mark.parametrize("text", BYPASSES)
def test_everything_else_is_ignored(text: str) -> None:
    assert own_path(text) == "/"
    assert own_path("/_sso" + text, "/_sso") == "/"
    assert own_path(text, "/_sso") == "/"


SITE_PATHS = [
    "/servicedesk/customer/portal/3", "/servicedesk/customer/portal/3/create/10?summary=a%20b&x=(y)", "/browse/HELP-1", "/a/b/", "/_ssox",
    "/secure/attachment/1/My%20File%20(1).pdf", "/s/a-CDN/_/download/x,-y.z:q/batch.css?locale=en-US", "/issues/?jql=project%20%3D%20HELP",
    "/jira/plugins/servlet/x?to=https://jira.example/y", "/J%C3%BCrgen", "/~ada", "/x~y", "/@evil.example", "/evil.example",
]  # fmt: skip


@pytest.mark.parametrize("text", SITE_PATHS)
def test_with_forward_auth_a_path_of_the_same_host_is_kept(text: str) -> None:
    assert own_path(text, "/_sso", site=True) == f"~{text}"
    assert own_path(text, "", site=True) in (text, "/"), "without a path of ours nothing lies outside it"


@pytest.mark.parametrize("text", BYPASSES)
def test_with_forward_auth_no_other_host_is(text: str) -> None:
    kept = own_path(text, "/_sso", site=True)
    leads_to = urljoin("https://jira.acme.example/_sso/callback", kept.removeprefix("~"))
    assert urlsplit(leads_to).netloc == "jira.acme.example"
    assert kept == "/" or re.fullmatch(r"~/[!-~]*", kept), "what stands in a Location is plain"
    assert "\\" not in kept
    assert not kept.startswith(("~//", "~/%2f", "~/%5c"))
    assert own_path("/_sso" + text, "/_sso", site=True) == "/" or not text.startswith("/")


@pytest.mark.parametrize(
    "text",
    ["/_sso", "/_sso/", "/_sso/logout", "/_sso/login", "/_sso/auth/redirect", "/%5fsso/logout", "/_sso?x", "~/browse/X", "~//evil.example"],
)
def test_with_forward_auth_our_own_addresses_are_no_targets(text: str) -> None:
    assert own_path(text, "/_sso", site=True) == "/"


@pytest.mark.parametrize(
    "text, kept",
    [
        ("/a?token=x&b=1&%74oken=2&JWT=3&sda_source=y", "~/a?b=1"),
        ("/a?os_username=u&os_password=p", "~/a"),
        ("/a?b=<script>", "~/a"),
        ("/a?b=1#c", "~/a"),
        ("/a?b=\u00e4", "~/a"),
        ("/a?b=%zz", "~/a"),
        ("/a?" + "b" * 600, "~/a"),
        ("/" + "a" * 600, "/"),
    ],
)
def test_of_a_query_only_what_is_plain_and_no_credential_is_kept(text: str, kept: str) -> None:
    assert own_path(text, "/_sso", site=True) == kept


def test_a_login_leads_to_no_other_place(browser: Browser) -> None:
    for text in BYPASSES:
        browser.cookies.clear()
        away = browser.get(f"/login?return_to={quote(text, safe='')}")
        assert browser.get(browser.at_provider(away.location)).location == "/", text


def test_the_last_of_several_counts_and_is_checked(browser: Browser) -> None:
    away = browser.get("/login?return_to=/portal/HR&return_to=//evil.example")
    assert browser.get(browser.at_provider(away.location)).location == "/"
