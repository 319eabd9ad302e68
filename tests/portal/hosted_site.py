"""A site whose portals jsmsso serves itself, over the local JSM, with customers who are signed in."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from html import unescape
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from jsmsso.runtime.forms import form_token
from jsmsso.runtime.visit import Visit
from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm, Seen
from tests.oidc.provider import Provider
from tests.runtime.site import OWN_FORM, Answer, Browser, Site, portal

SERVICE_ACCOUNT = LocalAccount("sso-bot@example.com", "local-jsm-token", "SSO bot", role="project_administrator")
HELP = portal("1", "HELP", "IT help", mode="hosted")
HR = portal("2", "HR", "People", mode="hosted")

File = tuple[str, str, bytes]
"""Name, type, content."""


@dataclass
class HostedSite:
    """Portals HELP and HR in mode ``hosted``, and two customers of both: Ann in the organization Acme, Ben in Globex.

    Keys of the portal HELP come from ``help``, other keys of the profile from ``changed``.
    """

    folder: Path
    provider: Provider
    jsm: LocalJsm
    help: Mapping[str, Any] = field(default_factory=dict)
    changed: Mapping[str, Any] = field(default_factory=dict)
    public_url: str = "https://sso.acme.example"

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "jsm_token").write_text(self.jsm.account.token)
        jsm = {"url": self.jsm.url, "api_token": f"file:{self.folder}/jsm_token"}
        if self.jsm.site.is_cloud:
            jsm["email"] = self.jsm.account.email
        desks = {key: self._portal(key, one) for key, one in (("HELP", HELP), ("HR", HR))}
        profile = {"jsm": jsm, "portals": [desks["HELP"] | dict(self.help), desks["HR"]]} | dict(self.changed)
        self.site = Site(self.folder, [self.provider], profile, public_url=self.public_url)
        self.site.secrets.add(self.jsm.account.token)
        self.ann = self.customer("ann@acme.example", "Ann Lee", "Acme")
        self.ben = self.customer("ben@globex.example", "Ben Ray", "Globex")

    def _portal(self, key: str, one: dict[str, Any]) -> dict[str, Any]:
        desk = self.jsm.site.desk(key)
        assert desk is not None
        return one | {"id": desk.portal_id, "service_desk": desk.id}

    def customer(self, email: str, name: str, *organizations: str) -> LocalPerson:
        """Another customer of both portals, or the one who is there."""
        known = self.jsm.site.people.with_email(email)
        return known[0] if known else self.jsm.site.add_customer(email, name, desks=("HELP", "HR"), organizations=organizations)

    def signed_in(self, person: LocalPerson, at: str = "HELP", **claims: Any) -> Browser:
        """A browser of this customer's, who has just signed in at a portal."""
        self.provider.claims |= {"sub": f"sub-{person.email}", "email": person.email, "name": person.display_name} | claims
        self.provider.userinfo["sub"] = f"sub-{person.email}"
        browser = Browser(self.site)
        answer = browser.log_in(f"/portal/{at}")
        assert answer.status == 303, answer.text
        return browser

    def request(self, person: LocalPerson | str, summary: str = "Monitor flickers", *, desk: str = "HELP", **more: Any) -> LocalIssue:
        """A request that this customer raised."""
        place = self.jsm.site.desk(desk)
        assert place is not None
        return self.jsm.site.requests.add(desk, more.pop("request_type", place.types[0].id), summary, reporter=person, **more)

    @property
    def agent(self) -> LocalPerson:
        """Grace, who answers."""
        return next((p for p in self.jsm.site.people if p.email == "grace@example.com"), None) or self.jsm.site.add_customer(
            "grace@example.com", "Grace", kind="atlassian", desks=(), organizations=()
        )

    @property
    def bot(self) -> str:
        """The service account's id."""
        return self.jsm.site.id_of(self.jsm.account)

    def audit(self, event: str) -> list[dict[str, Any]]:
        """The lines of the audit trail about one event."""
        return [line for line in self.site.deployment.audit.read() if line["event"] == event]

    def calls_since(self, number: int) -> list[Seen]:
        """What JSM was asked after the first ``number`` calls."""
        return list(self.jsm.seen)[number:]


def form_at(page: Answer, address: str) -> dict[str, str]:
    """The hidden fields of the form that is sent to an address ending so."""
    for tag, form in re.findall(r"(<form[^>]*>)(.*?)</form>", page.text, re.DOTALL):
        action = re.search(r'action="([^"]*)"', tag)
        if action and unescape(action[1]).endswith(address):
            found = re.findall(r'<input type="hidden" name="([^"]*)" value="([^"]*)"', form)
            return {unescape(name): unescape(value) for name, value in found}
    raise AssertionError(f"no form for {address} in {page.text}")


def token_for(hosted: HostedSite, browser: Browser, rest: str, portal: str) -> str:
    """What a customer cannot have: a form of a page that they were never shown."""
    deployment = hosted.site.deployment
    environ: dict[str, Any] = {"REQUEST_METHOD": "GET", "HTTP_COOKIE": "; ".join(f"{n}={v}" for n, v in browser.cookies.items())}
    session = deployment.session_of(Visit(environ, "/"))
    place = deployment.portals.named(portal)
    assert session is not None
    assert place is not None
    return form_token(deployment.sealer, f"{place.id} {rest}", session.id, deployment.now())


def send(browser: Browser, page: Answer, address: str, fields: Mapping[str, str | list[str]], **options: Any) -> Answer:
    """Fill in the form of ``page`` that is sent to ``address``, and send it without files."""
    whole = {**form_at(page, address), **fields}
    return browser.request("POST", address, OWN_FORM, body=urlencode(whole, doseq=True).encode(), **options)


def send_files(
    browser: Browser, page: Answer, address: str, fields: Mapping[str, str], files: list[tuple[str, File]], **options: Any
) -> Answer:
    """The same as a browser sends a form with files: (name of the field, file)."""
    body, content_type = multipart({**form_at(page, address), **fields}, files)
    return browser.request("POST", address, {**OWN_FORM, "Content-Type": content_type}, body=body, **options)


def multipart(fields: Mapping[str, str], files: list[tuple[str, File]]) -> tuple[bytes, str]:
    """A form as ``multipart/form-data`` (RFC 7578), and its content type."""
    boundary = secrets.token_hex(16)
    parts = [f'Content-Disposition: form-data; name="{name}"\r\n\r\n{value}'.encode() for name, value in fields.items()]
    for name, (filename, content_type, content) in files:
        quoted = filename.replace('"', "%22").replace("\r", "%0D").replace("\n", "%0A")
        head = f'Content-Disposition: form-data; name="{name}"; filename="{quoted}"\r\nContent-Type: {content_type}\r\n\r\n'
        parts.append(head.encode() + content)
    body = b"".join(f"--{boundary}\r\n".encode() + part + b"\r\n" for part in parts) + f"--{boundary}--\r\n".encode()
    return body, f"multipart/form-data; boundary={boundary}"


def at(issue: LocalIssue, rest: str = "") -> str:
    """The address of a request at HELP."""
    return f"/portal/HELP/{issue.key}{rest}"


def conversation(page: Answer) -> list[tuple[str, str]]:
    """Who said what, in order; for events nobody."""
    said = []
    for text in re.split(r'<li class="(?=card|event)', page.text)[1:]:
        who = re.search(r"<header><strong[^>]*>(.*?)</strong>", text)
        words = re.search(r'<div class="said-by-others" dir="auto">(.*?)</div>', text, re.DOTALL)
        event = text.partition(">")[2].partition("<time")[0]
        said.append((who[1] if who else "", re.sub(r"<[^>]+>", "", words[1] if words else "" if who else event)))
    return said
