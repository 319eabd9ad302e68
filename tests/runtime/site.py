"""A profile on disk made into the application, and browsers that visit it.

:class:`Site` goes the way ``jsmsso serve`` goes (:func:`prepare`), but with a clock that tests turn and a log
that they read; :class:`Browser` keeps cookies as browsers do. Both check on every answer what holds for all
answers, and remember every secret that passes, so that the log can be searched for them at the end.
"""

from __future__ import annotations

import io
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from html.parser import HTMLParser
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, parse_qsl, unquote_to_bytes, urlencode, urlsplit

from jsmsso.runtime.application import Application
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.event_log import EventLog
from jsmsso.runtime.preparing import prepare
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET, NOW, Provider

PUBLIC_URL = "https://sso.acme.example"
SESSION_SECRET = "the session secret of these tests, longer than 32 bytes"
NATIVE = "https://acme.atlassian.example/servicedesk/customer/portal"

PAGE_LOAD = {
    "Accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-Site": "none",
}
OWN_FORM = {**PAGE_LOAD, "Sec-Fetch-Site": "same-origin", "Content-Type": "application/x-www-form-urlencoded"}


class Clock:
    """Seconds since the epoch that stand still until a test moves them."""

    def __init__(self, seconds: float = NOW) -> None:
        self.seconds = seconds

    def __call__(self) -> float:
        return self.seconds

    def advance(self, seconds: float) -> None:
        self.seconds += seconds


@dataclass(frozen=True)
class Answer:
    """What a browser got."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    @property
    def location(self) -> str:
        return self.header("Location")

    @property
    def reference(self) -> str:
        """The number on a page where a person cannot go on."""
        found = re.search(r"<strong>([0-9A-Z]{4}-[0-9A-Z]{4})</strong>", self.text)
        assert found, self.text
        return found[1]

    @property
    def title(self) -> str:
        found = re.search(r"<h1[^>]*>(.*?)</h1>", self.text)
        assert found, self.text
        return unescape(found[1])

    def header(self, name: str) -> str:
        found = self.all(name)
        assert len(found) == 1, (name, self.status, self.headers)
        return found[0]

    def all(self, name: str) -> list[str]:
        return [value for given, value in self.headers if given.lower() == name.lower()]

    def form(self, button: str = "") -> tuple[str, dict[str, str]]:
        """Address and fields of the form with this button (default: the first)."""
        for form in re.findall(r"<form.*?</form>", self.text, re.DOTALL):
            if button in form:
                fields = {unescape(n): unescape(v) for n, v in re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)}
                found = re.search(r'action="([^"]*)"', form)
                assert found
                return unescape(found[1]), fields
        raise AssertionError(f"no form with {button!r} in {self.text}")

    def link(self, text: str) -> str:
        """Where the link with this text leads."""
        for href, inner in re.findall(r'<a[^>]*href="([^"]*)"[^>]*>(.*?)</a>', self.text, re.DOTALL):
            if text in unescape(inner):
                return unescape(href)
        raise AssertionError(f"no link {text!r} in {self.text}")


@dataclass
class Site:
    """The application of one profile. ``changed`` replaces keys of the profile; ``providers`` are named a, b, ..."""

    folder: Path
    providers: list[Provider]
    changed: dict[str, Any] = field(default_factory=dict)
    clock: Clock = field(default_factory=Clock)
    public_url: str = PUBLIC_URL

    def __post_init__(self) -> None:
        self.secrets = {SESSION_SECRET, CLIENT_SECRET}
        self._log = io.StringIO()
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "session").write_text(SESSION_SECRET)
        (self.folder / "client").write_text(CLIENT_SECRET)
        self.application = self.another_worker()

    def another_worker(self, **changed: Any) -> Application:
        """A second application on the same profile (with ``changed`` keys), store and log."""
        path = self.folder / "jsmsso.yaml"
        path.write_text(json.dumps(profile(self.providers, self.folder) | {"public_url": self.public_url} | self.changed | changed))
        prepared = prepare(str(path))
        self.deployment = Deployment(prepared.profile, prepared.secrets, prepared.path, now=self.clock)
        self.deployment.events = EventLog(prepared.profile.log.format, self._log, now=self.clock)
        return Application(self.deployment)

    def reload(self, **changed: Any) -> None:
        """As after SIGHUP: the profile with other keys, everything else as it was."""
        self.application = self.another_worker(**changed)

    @property
    def log_text(self) -> str:
        return self._log.getvalue()

    @property
    def log(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.log_text.splitlines()]

    def events(self, name: str) -> list[dict[str, Any]]:
        return [event for event in self.log if event["event"] == name]

    def close(self) -> None:
        self.application.close()
        for secret in self.secrets:
            assert secret not in self.log_text, f"the log holds a secret: {secret}"


class Browser:
    """One person's browser at a site."""

    def __init__(self, site: Site, headers: Mapping[str, str] = PAGE_LOAD) -> None:
        self.site = site
        self.headers = dict(headers)
        self.cookies: dict[str, str] = {}
        self.base_path = urlsplit(site.public_url).path

    def get(self, address: str, headers: Mapping[str, str] | None = None, **options: Any) -> Answer:
        """A page load, or with ``headers`` any other GET. ``address`` is a path as a link writes it (percent-encoded)."""
        return self.request("GET", address, headers, **options)

    def post(self, address: str, form: Mapping[str, str], headers: Mapping[str, str] = OWN_FORM, **options: Any) -> Answer:
        return self.request("POST", address, headers, body=urlencode(form).encode(), **options)

    def submit(self, page: Answer, button: str = "", headers: Mapping[str, str] = OWN_FORM, **changed: str) -> Answer:
        """Press a form's button."""
        address, fields = page.form(button)
        return self.post(address, fields | changed, headers)

    def request(
        self,
        method: str,
        address: str,
        headers: Mapping[str, str] | None = None,
        *,
        body: bytes = b"",
        application: Application | None = None,
        environ: Mapping[str, Any] | None = None,
    ) -> Answer:
        whole = address.removeprefix(self.site.public_url.removesuffix(self.base_path)).partition("#")[0]
        path, _, query = whole.partition("?")
        given = self.headers if headers is None else headers
        call: dict[str, Any] = {
            "REQUEST_METHOD": method,
            "SCRIPT_NAME": "",
            "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
            "QUERY_STRING": query,
            "SERVER_NAME": "backend",
            "SERVER_PORT": "8080",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "REMOTE_ADDR": "192.0.2.7",
            "wsgi.url_scheme": "http",
            "wsgi.input": io.BytesIO(body),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_HOST": "sso.acme.example",
        }
        for name, value in given.items():
            call["CONTENT_TYPE" if name == "Content-Type" else f"HTTP_{name.upper().replace('-', '_')}"] = value
        if self.cookies and "Cookie" not in given:
            call["HTTP_COOKIE"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        call |= environ or {}
        answer = called(application or self.site.application, call)
        check_what_holds_for_all(answer, self.site, may_be_framed=path.startswith(f"{self.base_path}/frontchannel-logout/"))
        self._keep(answer)
        return answer

    def at_provider(self, location: str) -> str:
        """What happens at the provider for somebody who is signed in there: the address that they come back to."""
        parts = urlsplit(location)
        self.site.secrets |= {value for name, value in parse_qsl(parts.query) if name in ("state", "nonce", "code_challenge")}
        connection = HTTPConnection(parts.netloc, timeout=30)
        try:
            connection.request("GET", f"{parts.path}?{parts.query}")
            reply = connection.getresponse()
            said = reply.read()
            assert reply.status == 302, said
            back = reply.headers["Location"]
        finally:
            connection.close()
        self.site.secrets |= {value for name, value in parse_qsl(urlsplit(back).query) if name == "code" and value}
        return back

    def start_login(self, address: str = "/portal/HELP") -> str:
        """Open a portal link; returns the callback's address with the provider's answer, not opened yet."""
        answer = self.get(self.base_path + address)
        assert answer.status == 302, (answer.status, answer.text)
        return self.at_provider(answer.location)

    def log_in(self, address: str = "/portal/HELP") -> Answer:
        """The whole way; returns the callback's answer."""
        return self.get(self.start_login(address))

    @property
    def session(self) -> str | None:
        return self.cookies.get("__Host-jsmsso", self.cookies.get("jsmsso"))

    @property
    def logins(self) -> dict[str, str]:
        return {name: value for name, value in self.cookies.items() if "login" in name}

    def _keep(self, answer: Answer) -> None:
        for cookie in answer.all("Set-Cookie"):
            pair, *attributes = cookie.split("; ")
            name, _, value = pair.partition("=")
            if value and not name.endswith("jsmsso-provider"):  # which stands in the log, and is no secret
                self.site.secrets.add(value)
            if "Max-Age=0" in attributes:
                self.cookies.pop(name, None)
            else:
                self.cookies[name] = value


def called(application: Application, environ: dict[str, Any]) -> Answer:
    """One call of a WSGI application."""
    started: list[Any] = []

    def start_response(status: str, headers: list[tuple[str, str]], *_: object) -> None:
        started.extend((status, headers))

    body = b"".join(application(environ, start_response))
    return Answer(int(started[0][:3]), started[1], body)


def check_what_holds_for_all(answer: Answer, site: Site, *, may_be_framed: bool = False) -> None:
    assert answer.status != 500
    names = [name.lower() for name, _ in answer.headers]
    assert sorted(set(names) - {"set-cookie"}) == sorted(name for name in names if name != "set-cookie"), "a header twice"
    for name, value in answer.headers:
        assert value.isascii(), (name, value)
        assert value.isprintable(), (name, value)
    policy = answer.header("Content-Security-Policy")
    assert "default-src 'none'" in policy
    assert "frame-ancestors 'none'" in policy or may_be_framed
    assert "unsafe-inline" not in policy or "sandbox" in policy
    assert answer.header("X-Content-Type-Options") == "nosniff"
    assert answer.header("Referrer-Policy") in ("same-origin", "no-referrer")
    secure = site.public_url.startswith("https")
    assert bool(answer.all("Strict-Transport-Security")) == secure
    for cookie in answer.all("Set-Cookie"):
        name, *attributes = cookie.split("; ")
        hint = "jsmsso-hint=" in name  # the one exception to __Host- and Path=/
        assert name.startswith((("__Secure-" if hint else "__Host-") if secure else "") + "jsmsso")
        path = f"{urlsplit(site.public_url).path}/logout" if hint else "/"
        assert {"HttpOnly", "SameSite=Lax", f"Path={path}"} <= set(attributes)
        assert ("Secure" in attributes) == secure
        assert not any(attribute.startswith("Domain") for attribute in attributes)
        assert answer.header("Cache-Control") == "no-store"
    if answer.body:
        assert int(answer.header("Content-Length")) == len(answer.body)
    if "text/html" in "".join(answer.all("Content-Type")):
        assert answer.header("Cache-Control") == "no-store"
        _HasNothingThatRuns().feed(answer.text)


class _HasNothingThatRuns(HTMLParser):
    """Looks at tags as a browser does: whatever was put into a page's text must have stayed text."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag not in ("style", "iframe", "object", "embed", "base"), tag
        assert tag != "script" or [name for name, _ in attrs] == ["src", "defer"], attrs
        for name, value in attrs:
            assert not name.startswith("on"), (tag, name)
            assert name != "style", tag
            if name in ("href", "src", "action"):
                assert not (value or "").strip().lower().startswith(("javascript:", "data:", "//")), value
                assert tag not in ("img", "script") or (value or "").startswith("/"), value
                assert tag != "script" or "/assets/" in (value or ""), value


def profile(providers: list[Provider], folder: Path) -> dict[str, Any]:
    """A profile as JSON (which is YAML): providers a, b, ...; portals HELP (3) and HR (4), both redirect."""
    names = "abcdefgh"[: len(providers)]
    return {
        "version": 1,
        "providers": {
            name: {
                "type": "oidc",
                "issuer": provider.issuer,
                "client_id": CLIENT_ID,
                "client_secret": "file:client",
                "scopes": ["openid", "email"],
                **({"any_email": True} if len(providers) > 1 else {}),
            }
            for name, provider in zip(names, providers, strict=True)
        },
        "portals": [portal("3", "HELP", "IT help"), portal("4", "HR", "People")],
        "session": {"secret": "file:session"},
        "store": f"sqlite:///{folder / 'state.db'}",
    }


def portal(number: str, key: str, name: str, mode: str = "redirect", **more: Any) -> dict[str, Any]:
    return {"id": number, "key": key, "service_desk": number, "name": name, "url": f"{NATIVE}/{number}", "mode": mode, **more}


def query_of(address: str) -> dict[str, str]:
    return {name: values[0] for name, values in parse_qs(urlsplit(address).query, keep_blank_values=True).items()}
