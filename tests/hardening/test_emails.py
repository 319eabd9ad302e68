"""Addresses that are nearly somebody else's."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.oidc.provider import Provider
from tests.runtime.site import Browser, Site

NOT_ADAS = [
    "ada@evil.example@acme.example", "ada@acme.example@evil.example", "@acme.example", "ada@", "ada", "ada@@acme.example", " @acme.example",
    '"ada@evil.example"@acme.example', '"ada"@acme.example', "ada@acme.example,eve@evil.example", "ada@acme.example eve@evil.example",
    "ada@acme.example\n", "ada@acme.example\r\nBcc: x@evil.example", "ada@acme.example\x00", "ada\x00@acme.example", " ada@acme.example",
    "ada@acme.example ", "\tada@acme.example", "<ada@acme.example>", "Ada <ada@acme.example>", "ada@acme.example.", "ada@.acme.example",
    "ada@acme..example", "ada@-acme.example", "ada@[127.0.0.1]", "ada@[acme.example]", "ada@acme.example/x", "ada@acme.example?x",
    "ada@acme.example#x", "ada@acme.example;x", "ada(x)@acme.example", "ada@acme.example(x)",
    "ada@acme\u3002example", "ada@acme\uff0eexample",
    "ada@\u0430cme.example", "ada@acme.ex\u0430mple", "ada@acme\u200b.example", "ada@acme\u00ad.example", "ada@a\u212ame.example",
    "ada@\uff41cme.example", "\u0430da@acme.example", "ad\u00e1@acme.example", "\uff41da@acme.example", "ada\u202e@acme.example",
    "\u202eada@acme.example", "ada\uff20acme.example", "ada\ufe6bacme.example",
    "ada@evil.example\uff20acme.example", "ada@xn--acme.example",
    "ada@evil.example\x85@acme.example", "ada@acme.example\u2028", "a" * 65 + "@acme.example", f"ada@{'a' * 250}.acme.example",
    "ada%40evil.example", "ada\\@evil.example@acme.example", "ada@sub.acme.example", "ada@notacme.example", "ada@acme.example.evil.example",
    "ada@acme.exampl\u0435", "ada@ACME.EXAMPLE.", "\ud800@acme.example", "ada@\udfff.example",
]  # fmt: skip


@pytest.mark.parametrize("email", NOT_ADAS, ids=ascii)
def test_no_odd_address_passes_for_one_of_the_company(make_site: Callable[..., Site], provider: Provider, email: str) -> None:
    site = make_site(provider, access=[{"allow": {"email_domain": "acme.example"}}])
    provider.claims["email"] = email
    browser = Browser(site)
    page = browser.log_in()
    assert page.status == 403
    assert browser.session is None
    (line,) = site.log
    assert line["reason"] in ("email_malformed", "access_denied", "id_token_form", "id_token_email", "id_token_claims"), line["reason"]
    assert site.log_text.isprintable() or site.log_text.strip("\n").isprintable()


@pytest.mark.parametrize("email", ["ADA@ACME.EXAMPLE", "Ada@Acme.Example", "ada@acme.example"])
def test_case_alone_makes_no_other_person(site: Site, browser: Browser, provider: Provider, email: str) -> None:
    provider.claims["email"] = email
    browser.log_in()
    assert "ada@acme.example" in browser.get("/").text


def test_what_is_odd_but_allowed_in_an_address_is_text_everywhere(site: Site, browser: Browser, provider: Provider) -> None:
    provider.claims["email"] = "o'brien+{{7*7}}=%0d%0a|`$x&y*@acme.example"
    browser.log_in()
    assert "o&#39;brien+{{7*7}}=%0d%0a|`$x&amp;y*@acme.example" in browser.get("/").text
    assert site.events("login.ok")[0]["email"] == provider.claims["email"]
