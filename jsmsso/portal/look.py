"""The pages of the hosted portals: templates, and what every page has."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChoiceLoader, Environment, PackageLoader

from jsmsso.portal.acting import Acting, Stranger
from jsmsso.portal.languages import language_of, translations
from jsmsso.portal.times import Times, zone_named
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.pages import Pages
from jsmsso.runtime.replies import Reply
from jsmsso.runtime.visit import Visit

# What waits for the customer, in the words of JSM's own workflows and their translations.
WAITING = frozenset(
    ("waiting for customer", "warten auf kunden", "warten auf kunde", "en attente du client", "esperando al cliente", "お客様の対応待ち")
)


@dataclass(frozen=True, slots=True)
class Reader:
    """Whom a page is rendered for, as far as its texts and times go."""

    language: str
    times: Times

    def gettext(self, text: str) -> str:
        return translations(self.language).gettext(text)

    def ngettext(self, one: str, many: str, number: int) -> str:
        return translations(self.language).ngettext(one, many, number)


_reader: ContextVar[Reader] = ContextVar("reader")


class Look:
    """Renders pages for a customer, or a stranger. Templates of the runtime (base, support) are there beside the portal's own.

    Every template has ``m`` (macros.html), ``_`` and ``{% trans %}``, ``times``, ``customer`` (None: a stranger), ``portal``,
    ``token`` (for the button that signs out), ``log_in`` (where a stranger does that), ``lang``, ``brand``, ``support``, ``own``. A
    page may be given ``at`` ("portals" or "requests": where in the navigation it is) and ``stale_since`` (a datetime: JSM does
    not answer, and this is from then).
    """

    def __init__(self, deployment: Deployment, pages: Pages) -> None:
        self._deployment = deployment
        self._pages = pages
        environment = Environment(
            loader=ChoiceLoader([PackageLoader("jsmsso.portal"), PackageLoader("jsmsso.runtime")]),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
            extensions=["jinja2.ext.i18n"],
        )
        environment.install_gettext_callables(  # type: ignore[attr-defined]  # the extension's
            lambda text: _reader.get().gettext(text), lambda one, many, number: _reader.get().ngettext(one, many, number), newstyle=True
        )
        environment.globals |= pages.common
        environment.globals["status_of"] = status_of
        environment.globals["times"] = _TimesOfReader()
        environment.globals["m"] = environment.get_template("macros.html").module
        self._environment = environment

    def page(self, acting: Acting, template: str, status: int = 200, **values: Any) -> Reply:
        """A whole page for this customer; ``values`` are the template's."""
        body = self.fragment(acting, template, **values)
        return self._deployment.headers.content(
            status,
            body,
            "text/html; charset=utf-8",
            self._pages.policy(scripts=True),
            extra=acting.cookies,
        )

    def fragment(self, acting: Acting, template: str, **values: Any) -> bytes:
        """A part of a page, in the customer's language."""
        common = {
            "customer": acting.customer,
            "portal": acting.portal,
            "token": self._pages.logout_token(acting.session),
        }
        return self._rendered(self.reader(acting), template, common | values)

    def page_for_stranger(self, stranger: Stranger, template: str, log_in: str, **values: Any) -> Reply:
        """A whole page that names nobody; it is stored nowhere, as the same address has another one for customers."""
        body = self.fragment_for_stranger(stranger, template, log_in=log_in, **values)
        return self._deployment.headers.content(200, body, "text/html; charset=utf-8", self._pages.policy(scripts=True))

    def fragment_for_stranger(self, stranger: Stranger, template: str, **values: Any) -> bytes:
        """A part of a page, in the language that the browser asks for."""
        common = {"customer": None, "portal": stranger.portal}
        return self._rendered(self._read_by(stranger.visit, None), template, common | values)

    def _rendered(self, reader: Reader, template: str, values: Mapping[str, Any]) -> bytes:
        common = {"lang": reader.language, "guessed_zone": reader.times.is_guess}
        before = _reader.set(reader)
        try:
            return self._environment.get_template(template).render({**common, **values}).encode("utf-8", "replace")
        finally:
            _reader.reset(before)

    def reader(self, acting: Acting) -> Reader:
        """The language that the browser asks for, and the zone of the claim ``zoneinfo``, else the profile's."""
        return self._read_by(acting.visit, zone_named(_hashable(acting.session.claims, "zoneinfo")))

    def _read_by(self, visit: Visit, told: ZoneInfo | None) -> Reader:
        language = language_of(visit.environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        zone = told or zone_named(self._deployment.profile.branding.time_zone) or UTC
        now = datetime.fromtimestamp(self._deployment.now(), UTC)
        return Reader(language, Times(zone, language, now, translations(language).gettext, is_guess=told is None))


def is_waiting(status: str) -> bool:
    """Whether a request of that status waits for its customer."""
    return status.strip().casefold() in WAITING


def status_of(name: str, category: str) -> tuple[str, str]:
    """A status as customers read it, and how it is marked: ``good``, ``wait`` or not at all."""
    if is_waiting(name):
        return _reader.get().gettext("Waiting for you"), "wait"
    return name, "good" if category == "done" else ""


class _TimesOfReader:
    """``times`` in templates: those of whom the page is for. Macros are made once, for all readers."""

    def __getattr__(self, name: str) -> Any:
        return getattr(_reader.get().times, name)


def _hashable(claims: Mapping[str, Any], name: str) -> str:
    value = claims.get(name)
    return value if isinstance(value, str) else ""
