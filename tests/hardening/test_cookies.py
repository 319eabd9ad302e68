"""Cookies and form tokens that were changed, exchanged, doubled or buried among others."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.oidc.provider import Provider
from tests.runtime.site import NATIVE, OWN_FORM, PAGE_LOAD, Answer, Browser, Site, portal

SESSION, NEXT, CHOSEN, HINT = "__Host-jsmsso", "__Host-jsmsso-next", "__Host-jsmsso-provider", "__Secure-jsmsso-hint"


def with_cookie(site: Site, cookie: str, address: str = "/portal/HELP", application: Any = None) -> Answer:
    return Browser(site).get(address, {**PAGE_LOAD, "Cookie": cookie}, application=application)


def is_signed_in(answer: Answer) -> bool:
    """Of the portal link's answer."""
    assert answer.status == 302
    return answer.location == f"{NATIVE}/3"


def bent(sealed: str) -> Iterator[str]:
    """Every text that differs from a sealed one in one bit, of the bytes or of the letters, or in its length or spelling."""
    content = urlsafe_b64decode(sealed + "=" * (-len(sealed) % 4))
    for place in range(len(content) * 8):
        changed = bytearray(content)
        changed[place // 8] ^= 1 << place % 8
        yield urlsafe_b64encode(changed).rstrip(b"=").decode()
    for place, letter in enumerate(sealed):
        for bit in range(7):
            other = chr(ord(letter) ^ 1 << bit)
            if other.isalnum() or other in "-_+/=.~":
                yield sealed[:place] + other + sealed[place + 1 :]
    for length in range(len(sealed)):
        yield sealed[:length]
    for added in ("=", "==", "A", "AA", "AAAA", ".", "-", "%00", '"', "\\", sealed):
        yield sealed + added
        yield added + sealed
    yield sealed.replace("-", "+").replace("_", "/") + "="
    yield sealed[::-1]
    yield sealed.swapcase()


def test_no_bit_of_a_session_may_be_another(site: Site, browser: Browser) -> None:
    browser.log_in()
    session = browser.session
    assert session
    assert is_signed_in(with_cookie(site, f"{SESSION}={session}"))
    tried = set(bent(session)) - {session}
    assert len(tried) > 6 * len(session), "each bit and more"
    for changed in tried:
        assert not is_signed_in(with_cookie(site, f"{SESSION}={changed}")), changed


def test_no_bit_of_a_login_may_be_another(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    ((name, value),) = browser.logins.items()
    tried = set(bent(value)) - {value}
    assert len(tried) > 6 * len(value), "each bit and more"
    for changed in tried:
        answer = with_cookie(site, f"{name}={changed}", address)
        assert (answer.status, "answer_unknown") == (400, site.log[-1]["reason"]), changed
    assert provider.calls_to("/token") == []
    assert browser.get(address).status == 303, "untouched it is still good"


def test_no_bit_of_a_forms_token_may_be_another(site: Site, browser: Browser) -> None:
    browser.log_in()
    page = browser.get("/")
    token = page.form("Sign out")[1]["token"]
    kept = dict(browser.cookies)
    for changed in set(bent(token)) - {token}:
        assert browser.submit(page, "Sign out", token=changed).status == 403, changed
        assert browser.cookies == kept
    assert site.events("logout") == []
    assert browser.submit(page, "Sign out").status == 303


def test_no_bit_of_where_somebody_goes_after_a_logout_may_be_another(site: Site) -> None:
    browser = Browser(site)
    assert browser.submit(browser.get("/logout"), then="login", provider="a", return_to="/portal/HR").status == 303
    value = browser.cookies[NEXT]
    assert with_cookie(site, f"{NEXT}={value}", "/logged-out").link("Sign in") == "/portal/HR"
    for changed in set(bent(value)) - {value}:
        assert with_cookie(site, f"{NEXT}={changed}", "/logged-out").link("Sign in") == "/", changed


def test_what_was_sealed_for_one_thing_is_good_for_no_other(site: Site, browser: Browser, provider: Provider) -> None:
    address = browser.start_login()
    ((login_name, login),) = browser.logins.items()
    page = browser.get("/logout")
    form = page.form("Sign out")[1]["token"]
    other = Browser(site)
    other.submit(other.get("/logout"), then="login", provider="a", return_to="/portal/HR")
    browser.get(address)
    assert browser.session
    sealed = {"session": browser.session, "login": login, "form": form, "next": other.cookies[NEXT]}
    for kind, value in sealed.items():
        if kind != "session":
            assert not is_signed_in(with_cookie(site, f"{SESSION}={value}")), kind
        if kind != "login":
            assert with_cookie(site, f"{login_name}={value}", address).status == 400, kind
        if kind != "next":
            assert with_cookie(site, f"{NEXT}={value}", "/logged-out").link("Sign in") == "/", kind
        if kind != "form":
            assert Browser(site).post("/logout", {"token": value}).status == 403, kind
    assert len(provider.calls_to("/token")) == 1


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param({"public_url": "https://other.acme.example"}, id="another host"),
        pytest.param({"public_url": "https://sso.acme.example:8443"}, id="another port"),
        pytest.param({"public_url": "https://sso.acme.example/_sso"}, id="another path"),
        pytest.param({"public_url": "http://localhost:8080"}, id="a machine of one's own"),
    ],
)
def test_nothing_of_another_deployment_counts_even_with_the_same_secret(
    make_site: Callable[..., Site], site: Site, browser: Browser, provider: Provider, changed: dict[str, Any]
) -> None:
    address = browser.start_login()
    login = next(iter(browser.logins.values()))
    token = browser.get("/logout").form("Sign out")[1]["token"]
    browser.get(address)
    elsewhere = make_site(provider, **changed)
    base = Browser(elsewhere).base_path
    prefix = "__Host-" if elsewhere.public_url.startswith("https") else ""
    assert "/authorize" in with_cookie(elsewhere, f"{prefix}jsmsso={browser.session}", f"{base}/portal/HELP").location
    cookies = "; ".join(f"{prefix}jsmsso-login-{slot}={login}" for slot in range(5))
    assert with_cookie(elsewhere, cookies, base + address.partition(site.public_url)[2]).status == 400
    assert Browser(elsewhere).post(f"{base}/logout", {"token": token}).status == 403


def test_of_two_cookies_with_our_name_the_first_counts_and_never_a_mixture(site: Site, provider: Provider) -> None:
    ada, bob = Browser(site), Browser(site)
    ada.log_in()
    provider.claims |= {"sub": "bob", "email": "bob@acme.example"}
    provider.userinfo |= {"sub": "bob", "email": "bob@acme.example"}
    bob.log_in()
    page = with_cookie(site, f"{SESSION}={ada.session}; x=y; {SESSION}={bob.session}", "/")
    assert "ada@acme.example" in page.text
    assert "bob@acme.example" not in page.text
    assert not is_signed_in(with_cookie(site, f"{SESSION}=planted; {SESSION}={ada.session}"))
    token = page.form("Sign out")[1]["token"]
    refused = Browser(site).post("/logout", {"token": token}, {**OWN_FORM, "Cookie": f"{SESSION}={bob.session}; {SESSION}={ada.session}"})
    assert refused.status == 403, "a form of Ada's page does not sign Bob out"


@pytest.mark.parametrize(
    "written",
    [
        "__host-jsmsso={}", "__HOST-JSMSSO={}", "__Host-Jsmsso={}", "__Secure-jsmsso={}", "jsmsso={}", "_Host-jsmsso={}",
        "x__Host-jsmsso={}", "__Host-jsmsso-={}", "__Host-jsmsso_={}", "=__Host-jsmsso={}", "==__Host-jsmsso={}", "$__Host-jsmsso={}",
        '__Host-jsmsso="{}"', "__Host-jsmsso='{}'", "__Host-jsmsso={},a=b", "__Host-jsmsso={} x", "__Host-jsmsso:{}", "__Host%2djsmsso={}",
        "a=b,__Host-jsmsso={}", "a=b __Host-jsmsso={}", '"__Host-jsmsso"={}', "__Host-jsmsso[]={}", "__Host-jsmsso%00={}",
        "\u212a__Host-jsmsso={}", "__Host\u2010jsmsso={}",
    ],
)  # fmt: skip
def test_no_other_spelling_of_a_cookie_is_ours(site: Site, browser: Browser, written: str) -> None:
    browser.log_in()
    header = written.format(browser.session).encode().decode("latin-1")
    assert not is_signed_in(with_cookie(site, header))


@pytest.mark.parametrize(
    "around",
    [
        'a="; {}; b="', 'a="; {}', '{}; b="', 'a="x; {}; b=y"', "a='; {}; b='",
        "a=\\; {}; b=\\", 'a="\\"; {}; b="\\""', "{};", ";{};;", " {} ;",
        "a; {}; b", "=; {}; =", "a=\xff\xfe; {}; b=\xe9", "$Version=1; {}; $Path=/", "a=b=c==; {}; d={{}}", "; ; {}", "a={{{{; {}",
        "__Host-jsmsso-login-0=garbage; {}; __Host-jsmsso-provider=nobody",
    ],
)  # fmt: skip
def test_no_cookie_of_others_hides_or_swallows_ours(site: Site, browser: Browser, around: str) -> None:
    browser.log_in()
    assert is_signed_in(with_cookie(site, around.format(f"{SESSION}={browser.session}")))


def test_a_hundred_cookies_of_others_are_no_hindrance_up_to_the_limit_of_headers(site: Site, browser: Browser) -> None:
    others = "; ".join(f"other{number}={'x' * 120}" for number in range(100))
    address = browser.start_login()
    ((name, value),) = browser.logins.items()
    signed_in = with_cookie(site, f"{others}; {name}={value}", address)
    assert signed_in.status == 303
    session = next(one for one in signed_in.all("Set-Cookie") if one.startswith(f"{SESSION}=")).partition(";")[0]
    assert is_signed_in(with_cookie(site, f"{others}; {session}"))
    assert is_signed_in(with_cookie(site, f"a={'x' * 4090}; b={'x' * 4090}; c={'x' * 4090}; {session}"))
    too_many = with_cookie(site, f"{others}; d={'x' * 4096}; {session}")
    assert too_many.status == 431
    assert "cookies" in too_many.text, "what the person can do"


def test_a_session_of_many_claims_still_leaves_room_for_five_logins(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, access=[{"allow": {"claim": "groups", "any_of": ["staff"]}}])
    provider.claims["groups"] = ["staff"] + [f"group number {number} of a large company" for number in range(300)]
    browser = Browser(site)
    assert browser.log_in().status == 303
    for number in range(8):
        assert browser.get(f"/login?return_to=/portal/HELP/HELP-{number}").status == 302
    assert sum(len(f"{name}={value}; ") for name, value in browser.cookies.items()) < 8192
    assert is_signed_in(browser.get("/portal/HELP"))


@pytest.mark.parametrize("value", ["a", "b", "c", "", "../b", "b\r\nX: y", "b; x=y", "\xff", "a" * 3000, "None", "__proto__"])
def test_a_remembered_provider_is_one_of_the_profile_or_nobody(
    make_site: Callable[..., Site], provider: Provider, another_provider: Provider, value: str
) -> None:
    site = make_site(provider, another_provider, portals=[portal("3", "HELP", "IT help")])
    answer = with_cookie(site, f"{CHOSEN}={value}")
    leads_to = {"a": provider.address, "b": another_provider.address, "b; x=y": another_provider.address}.get(value)
    assert answer.status == (302 if leads_to else 200)
    assert not leads_to or answer.location.startswith(leads_to)


@pytest.mark.parametrize(
    "hint", ["x&post_logout_redirect_uri=https://evil.example", "x#y", "x\r\nLocation: //evil.example", "\xff", "{}", "%00", "x" * 9000]
)
def test_an_id_token_put_into_the_cookie_by_somebody_else_adds_nothing_to_the_logout(
    make_site: Callable[..., Site], provider: Provider, hint: str
) -> None:
    site = make_site(provider)
    entry = site.deployment.profile.model_dump(mode="json", exclude_none=True, exclude_unset=True)["providers"]["a"]
    site.reload(providers={"a": {**entry, "type": "okta", "domain": provider.address}})
    browser = Browser(site)
    browser.log_in("/portal/HR")
    browser.cookies[HINT] = hint
    out = browser.submit(browser.get("/"), "Sign out")
    assert out.status == 303
    assert out.location.startswith(f"{provider.address}/logout?")
    assert out.location.count("post_logout_redirect_uri=") == 1
    assert HINT not in browser.cookies
