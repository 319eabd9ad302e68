"""Forward auth: a proxy in front of a Data Center site asks, before each request, whether it may pass and whose it is."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal
from urllib.parse import quote

from jsmsso.errors import JsmssoError
from jsmsso.identity.access import Decision
from jsmsso.profile.model import Portal
from jsmsso.runtime import logins
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.gate import Gate
from jsmsso.runtime.original_request import NotTold, OriginalRequest, host_of, read_original
from jsmsso.runtime.pages import Pages
from jsmsso.runtime.replies import NOTHING, Header, Reply
from jsmsso.runtime.return_to import SITE, own_path, site_path
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.site_paths import Place, SitePaths
from jsmsso.runtime.visit import Visit

_SAFE = "!#$&'()*+-./:;<=>?@[]^_`{|}~"  # printable ASCII but space, quotation mark, backslash, `%` and the comma between groups
REMEMBERED = 4096  # values that were encoded, since each request of a person has the same ones
_UNCHANGED = re.compile(r"[A-Za-z0-9@._+-]*")


@dataclass(frozen=True, slots=True)
class Verdict:
    """``session`` is there where it was let in; ``decision`` where rules said no."""

    kind: Literal["pass", "login", "denied", "unknown_to_jira", "closed"]
    portal: Portal | None = None
    session: Session | None = None
    decision: Decision | None = None


class ForwardAuth:
    """``GET /auth`` and ``GET /auth/redirect``. A 2xx lets a request pass: nothing but a verdict may end in one."""

    def __init__(self, deployment: Deployment, pages: Pages, gate: Gate, site: SitePaths) -> None:
        self._deployment = deployment
        self._pages = pages
        self._gate = gate
        self._site = site
        profile = deployment.profile
        self._others_may = profile.forward_auth is not None and profile.forward_auth.other_paths == "allow"
        self._has_public = any(portal.leads_strangers_on for portal in deployment.portals.all)
        self._host = host_of(profile.public_url)
        plain = deployment.headers.content(200, b"", "text/plain; charset=utf-8", NOTHING).headers
        # No browser sees a 200 of ours, and each header costs the server a microsecond of the 40 that all of it takes.
        self._always = tuple(header for header in plain if not header[0].startswith("Cross-Origin-"))

    def check(self, visit: Visit) -> Reply:
        """For nginx: 200 with who it is, 401 or 403."""
        original = self._original(visit)
        if isinstance(original, Reply):
            return original
        verdict = self._verdict(visit, original)
        if verdict.kind == "pass":
            return self._passed(verdict)
        return self._unsigned() if verdict.kind == "login" else self._refused(visit, verdict)

    def redirect(self, visit: Visit) -> Reply:
        """For Traefik, Caddy and nginx's error pages: the same, but a page load is led to the login, or shown why not."""
        original = self._original(visit)
        if isinstance(original, Reply):
            return original
        verdict = self._verdict(visit, original)
        if verdict.kind == "pass":
            return self._passed(verdict)
        if original.method != "GET" or not visit.is_page_load:
            return self._unsigned() if verdict.kind == "login" else self._refused(visit, verdict)
        return_to = self._return_to(original)
        if verdict.kind == "login":
            return self._to_login(visit, verdict.portal, return_to)
        return self._refusal_page(visit, verdict, return_to)

    def _original(self, visit: Visit) -> OriginalRequest | Reply:
        """The request that is asked about, or the answer to a question that cannot be trusted."""
        deployment = self._deployment
        reason: str = "untrusted_proxy"
        if deployment.proxies.are_trusted(visit.environ):
            try:
                original = read_original(visit.environ, self._host)
            except NotTold as error:
                reason = error.reason
            else:
                base = deployment.base_path
                if not base or (original.path != base and not original.path.startswith(base + "/")):
                    visit.path = SITE + original.path  # which the log tells of, in place of our own
                    return original
                reason = "own_path"
        self._log(visit, reason, detail=SENTENCES[reason])
        return deployment.headers.plain(403, f"Forward auth: {SENTENCES[reason]}")

    def _verdict(self, visit: Visit, original: OriginalRequest) -> Verdict:
        deployment = self._deployment
        place = self._site.place_of(original.path)
        if place.kind == "strange" or (place.kind == "other" and not self._others_may):
            return Verdict("closed", session=deployment.session_of(visit))
        portal = place.portal
        session = deployment.session_of(visit)
        if self._is_public(place):
            # Whoever it is may pass; who it is, is only said of somebody whom the rules let in.
            known = session is not None and deployment.admission.decision_on(session, portal).allowed
            return Verdict("pass", portal, session if known else None)
        if session is None or (portal is not None and portal.provider not in (None, session.customer.provider)):
            return Verdict("login", portal)
        decision = deployment.admission.decision_on(session, portal)
        if not decision.allowed:
            return Verdict("denied", portal, session, decision)
        if portal is not None and portal.visibility == "jira" and not deployment.admission.is_known_to_jira(session, portal):
            return Verdict("unknown_to_jira", portal, session)
        return Verdict("pass", portal, session)

    def _is_public(self, place: Place) -> bool:
        return self._has_public and (place.kind == "shared" or (place.portal is not None and place.portal.leads_strangers_on))

    def _passed(self, verdict: Verdict) -> Reply:
        """All five headers, always: a proxy would let a client's own through in place of one that is missing."""
        session = verdict.session
        renewal: tuple[Header, ...] = ()
        user = email = groups = name = ""
        if session is not None:
            customer = session.customer
            user, email = encoded(customer.subject), encoded(customer.email)
            groups = ",".join(map(encoded, customer.organizations))
            name = encoded(customer.display_name or f"{customer.first_name} {customer.last_name}".strip())
            renewal = self._deployment.renewal_of(session)
        return Reply(
            200,
            [
                ("X-Auth-Request-User", user),
                ("X-Auth-Request-Email", email),
                ("X-Auth-Request-Groups", groups),
                ("X-Auth-Request-Name", name),
                ("X-Auth-Request-Portal", verdict.portal.key if verdict.portal else ""),
                *renewal,
                *self._always,
            ],
        )

    def _unsigned(self) -> Reply:
        return self._deployment.headers.plain(401, "Sign in first: open this address in a browser.")

    def _refused(self, visit: Visit, verdict: Verdict) -> Reply:
        """403 for a program; its line in the log says why."""
        reason = {"denied": "access_denied", "unknown_to_jira": "not_known_to_jira"}.get(verdict.kind, "other_path")
        customer = verdict.session.customer if verdict.session is not None else None
        self._log(
            visit,
            reason,
            detail=str(verdict.decision or ""),
            email=customer.email if customer else "",
            provider=customer.provider if customer else "",
            portal=verdict.portal.key if verdict.portal else "",
        )
        return self._deployment.headers.plain(403, "This is not open to you.")

    def _refusal_page(self, visit: Visit, verdict: Verdict, return_to: str) -> Reply:
        session, portal = verdict.session, verdict.portal
        if session is not None and verdict.decision is not None:
            return self._pages.not_allowed(visit, session, portal, verdict.decision, return_to)
        if session is not None and portal is not None:
            return self._pages.not_known_to_jira(visit, session, portal, return_to)
        return self._pages.path_not_open(visit, session)

    def _to_login(self, visit: Visit, portal: Portal | None, return_to: str) -> Reply:
        """To the provider itself where nobody need be asked which; never our own page, whose 200 would let the request pass."""
        deployment = self._deployment
        provider = deployment.chosen_for(visit, portal)
        if provider is None:
            path = quote(deployment.own(return_to), safe="/")
            return deployment.headers.redirect(f"{deployment.profile.public_url}/login?return_to={path}")
        if not logins.fits(provider.name, return_to):
            return_to = return_to.partition("?")[0]
        try:
            return self._gate.begin_login(visit, provider, return_to, portal)
        except JsmssoError as error:
            return self._pages.unavailable(visit, error, return_to)

    def _return_to(self, original: OriginalRequest) -> str:
        target = f"{original.raw_path}?{original.query}" if original.query else original.raw_path
        base = self._deployment.base_path
        return site_path(target, base) if base else own_path(target)

    def _log(self, visit: Visit, reason: str, **more: str) -> None:
        self._deployment.events.write(
            "auth.refused", reason=reason, path=visit.logged_path, client=self._deployment.client_of(visit), **more
        )


SENTENCES = {
    "untrusted_proxy": "trusted_proxies does not name whoever asks.",
    "no_address": "the proxy does not say which address was asked for.",
    "doubled_address": "the address that was asked for is there twice.",
    "conflicting_addresses": "two addresses that were asked for differ.",
    "other_host": "the address is on another host than public_url.",
    "strange_path": "the path can be read in more than one way.",
    "own_path": "the path is jsmsso's own; the proxy must send it there without asking.",
}


@lru_cache(maxsize=REMEMBERED)
def encoded(value: str) -> str:
    """A header's value: UTF-8, percent-encoded but for printable ASCII that needs no quoting."""
    return value if _UNCHANGED.fullmatch(value) else quote(value, safe=_SAFE)
