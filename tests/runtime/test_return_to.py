"""Where a login leads back to: a path of ours, whatever was asked for."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from jsmsso.runtime.return_to import own_path
from tests.runtime.site import Browser

KEPT = [
    "/portal/HELP", "/portal/HELP/", "/portal/HELP/HELP-12", "/portal/3", "/servicedesk/customer/portals",
    "/servicedesk/customer/portal/3/create/10",
    "/servicedesk/customer/portal/3?q=a+b", "/servicedesk/customer/portal/3?q=a.b~c%20d&page=2",
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
    "/callback?code=x", "/assets/x", "/requests", "/portalx/HELP", "portal/HELP", "?x", "#x", "/servicedesk/agent",
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


def test_a_login_leads_to_no_other_place(browser: Browser) -> None:
    for text in BYPASSES:
        browser.cookies.clear()
        away = browser.get(f"/login?return_to={quote(text, safe='')}")
        assert browser.get(browser.at_provider(away.location)).location == "/", text


def test_the_last_of_several_counts_and_is_checked(browser: Browser) -> None:
    away = browser.get("/login?return_to=/portal/HR&return_to=//evil.example")
    assert browser.get(browser.at_provider(away.location)).location == "/"
