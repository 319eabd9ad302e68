"""Requests made up by hypothesis: never a fault, never a secret in the log, never a session that nobody logged in to.

A run of some seconds as a rule; ``JSMSSO_FUZZ_EXAMPLES`` sets how many visits are made up in place of 60.
"""

from __future__ import annotations

import io
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.hardening.as_a_browser import addresses_in, origin_at
from tests.hardening.open_redirects import CORPUS
from tests.oidc.provider import Provider, running
from tests.runtime.site import NATIVE, Answer, Browser, Site, called, check_what_holds_for_all, portal

EXAMPLES = int(os.environ.get("JSMSSO_FUZZ_EXAMPLES", "60"))
STEPS = 25  # requests of one visit, at most

METHODS = st.sampled_from(
    ["GET"] * 8 + ["POST"] * 4 + ["HEAD", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE", "CONNECT", "PROPFIND", "get", "", "G\u00c9T"]
)
PATHS = st.sampled_from(
    ["/", "", "*", "/portal/HELP", "/portal/HR", "/portal/3", "/portal/HELP/HELP-12", "/portal/", "/portal", "/login",
     "/logout", "/logged-out", "/callback", "/callback/b", "/servicedesk/customer", "/servicedesk/customer/portals",
     "/servicedesk/customer/portal/3/create/10", "/servicedesk/customer/user/login", "/servicedesk", "/backchannel-logout/a",
     "/backchannel-logout/", "/frontchannel-logout/a", "/assets/x", "/healthz", "/readyz", "/auth", "/auth/redirect",
     "/requests", "/saml/sso", "/portal/HELP/create/1", "/nothing", "/_sso/"]
)  # fmt: skip
LETTERS = st.one_of(  # as a server hands bytes over (PEP 3333)
    st.binary(max_size=30).map(lambda content: content.decode("latin-1")),
    st.text(alphabet="/.\\%:;?#@&=+~ \t\r\n\x00aA0-_", max_size=30),
    st.sampled_from([text.encode("utf-8", "surrogatepass").decode("latin-1") for text in CORPUS]),
)
NAMES = st.sampled_from(
    ["return_to", "provider", "choose", "prompt", "code", "state", "iss", "error", "error_description", "destination", "token", "then",
     "email", "logout_token", "sid", "q", "page", "login_hint"]
)  # fmt: skip
PAIRS = st.lists(st.tuples(NAMES, LETTERS).map("=".join), max_size=4).map("&".join)
HEADERS = st.dictionaries(
    st.sampled_from(
        ["HTTP_ACCEPT", "HTTP_HOST", "HTTP_SEC_FETCH_MODE", "HTTP_SEC_FETCH_SITE", "HTTP_SEC_FETCH_DEST", "HTTP_SEC_PURPOSE",
         "HTTP_USER_AGENT", "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_URI", "HTTP_X_FORWARDED_METHOD", "HTTP_X_FORWARDED_PROTO",
         "HTTP_X_FORWARDED_HOST", "HTTP_X_ORIGINAL_URL", "HTTP_X_ORIGINAL_METHOD", "HTTP_REFERER", "HTTP_ORIGIN",
         "HTTP_AUTHORIZATION", "HTTP_RANGE", "HTTP_EXPECT", "HTTP_IF_NONE_MATCH", "HTTP_ACCEPT_LANGUAGE",
         "HTTP_TRANSFER_ENCODING", "CONTENT_TYPE", "REMOTE_ADDR", "CONTENT_LENGTH"]
    ),
    st.one_of(
        LETTERS,
        st.sampled_from(
            ["text/html", "navigate", "document", "same-origin", "cross-site", "none", "prefetch", "https", "GET", "jira.acme.example",
             "https://jira.acme.example/browse/X-1", "/servicedesk/customer/portal/3", "192.0.2.7", "203.0.113.9", "", "chunked", "-1",
             "99999999999", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "text/plain"]
        ),
    ),
    max_size=6,
)  # fmt: skip
PAGE_LOAD = {
    "HTTP_ACCEPT": "text/html",
    "HTTP_SEC_FETCH_MODE": "navigate",
    "HTTP_SEC_FETCH_DEST": "document",
    "HTTP_SEC_FETCH_SITE": "none",
}
FORM = {"CONTENT_TYPE": "application/x-www-form-urlencoded", "HTTP_SEC_FETCH_SITE": "same-origin"}
PLACES = st.integers(0, 1000)
BENDS = st.tuples(PLACES, st.integers(0, 8), st.one_of(st.just(""), LETTERS))
"""Where something is taken out, how much, and what is put in its place."""


def bent(text: str, bend: tuple[int, int, str] | None) -> str:
    """What is drawn never depends on what is bent: hypothesis could not do it again, since cookies differ each time."""
    if bend is None:
        return text
    place = bend[0] % (len(text) + 1)
    return text[:place] + bend[2] + text[place + bend[1] :]


class Visiting(RuleBasedStateMachine):
    """A browser, and what holds for every answer that it gets."""

    site: Site
    provider: Provider
    base = "/_sso"
    sent = 0

    def begin(self) -> None:
        self.browser = Browser(self.site)
        self.allowed = {
            f"{urlsplit(one).scheme}://{urlsplit(one).netloc}" for one in (self.site.public_url, NATIVE, self.provider.address)
        } | {"mailto:"}

    def _ask(self, method: str, path: str, query: str, headers: dict[str, str], body: bytes) -> Answer:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": method, "PATH_INFO": path, "QUERY_STRING": query, "REMOTE_ADDR": "192.0.2.7", "wsgi.url_scheme": "http",
            "SERVER_NAME": "x", "SERVER_PORT": "1", "SERVER_PROTOCOL": "HTTP/1.1", "wsgi.input": io.BytesIO(body),
            "wsgi.input_terminated": True, "CONTENT_LENGTH": str(len(body)),
            "HTTP_COOKIE": "; ".join(f"{name}={value}" for name, value in self.browser.cookies.items()),
        } | headers  # fmt: skip
        log = self.site._log
        begin = log.tell()
        answer = called(self.site.application, environ)
        type(self).sent += 1
        check_what_holds_for_all(answer, self.site, may_be_framed="/frontchannel-logout/" in path)
        log.seek(begin)
        said = log.read()
        assert '"fault"' not in said, said
        assert not any(secret in said for secret in self.site.secrets), said
        assert answer.status in (200, 302, 303, 400, 401, 403, 404, 405, 408, 413, 414, 429, 431, 502, 503), answer.status
        for one in answer.all("Location") + (addresses_in(answer.text) if answer.body[:9] == b"<!doctype" else []):
            assert origin_at(one, f"{self.site.public_url}/callback") in self.allowed, one
        if "/callback" not in path:
            assert not any(one.startswith("__Host-jsmsso=") and len(one) > 120 for one in answer.all("Set-Cookie")) or self.browser.session
        return answer


class Visits(Visiting):
    """A browser that logs in now and then, and in between sends whatever hypothesis thinks of, with real cookies bent."""

    @initialize()
    def begin(self) -> None:
        super().begin()
        self.seen: list[str] = []

    @rule(login=st.sampled_from(["/portal/HELP", "/portal/HR", "/login"]))
    def go_to_the_provider(self, login: str) -> None:
        answer = self.browser.get(self.base + login)
        if answer.status == 302 and answer.location.startswith(self.provider.address):
            self.seen.append(self.browser.at_provider(answer.location))

    @rule(which=PLACES, bend=st.one_of(st.none(), BENDS), how=st.sampled_from(["a browser's", "a browser's", "a mail program's"]))
    def come_back(self, which: int, bend: tuple[int, int, str] | None, how: str) -> None:
        if self.seen:
            path, _, query = self.seen[which % len(self.seen)].partition(urlsplit(self.site.public_url).netloc)[2].partition("?")
            if how == "a mail program's":
                path, query = f"{path}?{query}", ""
            self.browser._keep(self._ask("GET", path, bent(query, bend), PAGE_LOAD, b""))

    @rule(
        method=METHODS,
        below=st.sampled_from([True, True, True, False]),
        path=st.one_of(PATHS, st.tuples(PATHS, LETTERS).map("".join), LETTERS),
        query=st.one_of(st.just(""), LETTERS, PAIRS),
        usual=st.sampled_from([{}, PAGE_LOAD, FORM]),
        headers=HEADERS,
        cookies=st.one_of(st.none(), st.lists(st.tuples(PLACES, st.one_of(st.none(), BENDS, LETTERS)), max_size=6)),
        body=st.one_of(st.just(b""), st.binary(max_size=60), PAIRS.map(lambda text: text.encode("latin-1"))),
    )
    def send(
        self, method: str, below: bool, path: str, query: str, usual: dict[str, str], headers: dict[str, str], cookies: Any, body: bytes
    ) -> None:
        given = {**usual, **headers}
        if cookies is not None:
            real = [f"{name}={value}" for name, value in self.browser.cookies.items()] or ["__Host-jsmsso=x"]
            chosen = [how if isinstance(how, str) else bent(real[which % len(real)], how) for which, how in cookies]
            given["HTTP_COOKIE"] = "; ".join(chosen)
        self._ask(method, (self.base if below else "") + path, query, given, body)

    @rule(where=st.sampled_from(["/logout", "/", "/nothing"]), field=NAMES, value=LETTERS, bend=BENDS)
    def submit(self, where: str, field: str, value: str, bend: tuple[int, int, str]) -> None:
        """A real form of ours with one field bent."""
        page = self.browser.get(self.base + where)
        if "<form" in page.text:
            address, fields = page.form()
            fields[field] = bent(fields[field], bend) if field in fields else value
            body = "&".join(f"{name}={one}" for name, one in fields.items()).encode("latin-1")
            self.browser._keep(self._ask("POST", address, "", {**PAGE_LOAD, **FORM}, body))


@contextmanager
def visited() -> Iterator[type[Visits]]:
    """The state machine on a site of its own, which all visits share."""
    folder = Path(tempfile.mkdtemp(prefix="jsmsso-fuzz-"))
    with running() as provider:
        site = Site(
            folder,
            [provider],
            {
                "trusted_proxies": ["192.0.2.0/24"],
                "forward_auth": {"other_paths": "allow"},
                "portals": [
                    portal("3", "HELP", "IT help"),
                    portal("4", "HR", "People", access=[{"allow": {"email_domain": "acme.example"}}]),
                ],
                "log": {"audit_folder": str(folder / "audit")},
            },
            public_url="https://jira.acme.example/_sso",
        )
        try:
            yield type("TheseVisits", (Visits,), {"site": site, "provider": provider, "sent": 0})
            site.close()
        finally:
            shutil.rmtree(folder, ignore_errors=True)


def test_no_request_is_a_fault_or_tells_a_secret() -> None:
    from hypothesis.stateful import run_state_machine_as_test

    with visited() as machine:
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=EXAMPLES, stateful_step_count=STEPS, suppress_health_check=list(HealthCheck), deadline=None, database=None
            ),
        )
        assert machine.sent > EXAMPLES
        print(f"{machine.sent} requests")
