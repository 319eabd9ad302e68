"""How a page is made: its language, its headers, and of a dead end the number that its line in the log has too."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from functools import partial
from typing import Any

from jinja2 import Environment, PackageLoader

from jsmsso.errors import JsmssoError
from jsmsso.identity.customer import Customer
from jsmsso.portal.languages import LANGUAGES, language_of, translated, translations
from jsmsso.profile.addresses import origin_of
from jsmsso.profile.model import Portal
from jsmsso.runtime.assets import Assets
from jsmsso.runtime.deployment import Deployment, ServedProvider
from jsmsso.runtime.failures import Failure
from jsmsso.runtime.forms import form_token
from jsmsso.runtime.replies import Header, Reply
from jsmsso.runtime.sessions import Session
from jsmsso.runtime.visit import Visit

_ALPHABET = "23456789ABCDEFGHJKLMNPQRSTUVWXYZ"  # nothing that is misread on the telephone


class Rendering:
    """What every page stands on; :class:`jsmsso.runtime.pages.Pages` says which there are."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self.assets = Assets(deployment.profile.branding, deployment.folder, deployment.base_path)
        environment = Environment(
            loader=PackageLoader("jsmsso.runtime"), autoescape=True, trim_blocks=True, lstrip_blocks=True, extensions=["jinja2.ext.i18n"]
        )
        self.common = {
            "brand": {
                "name": deployment.profile.branding.name or "Customer portals",
                "style": self.assets.style,
                "script": self.assets.script,
                "logo": self.assets.logo,
                "colors": self.assets.colors,
            },
            "support": deployment.profile.support,
            "own": deployment.own,
        }
        environment.globals |= self.common
        self._environment = environment
        self._said_in = {language: _said_in(language) for language in LANGUAGES}

    def _render(
        self, visit: Visit, template: str, status: int, cookies: Sequence[Header] = (), *, no_referrer: bool = False, **values: Any
    ) -> Reply:
        language = language_of(visit.environ.get("HTTP_ACCEPT_LANGUAGE", ""))
        body = self._environment.get_template(template).render(values | self._said_in[language]).encode()
        return self._deployment.headers.content(
            status,
            body,
            "text/html; charset=utf-8",
            self.policy(),
            extra=tuple(cookies),
            referrer="no-referrer" if no_referrer else "same-origin",
        )

    def policy(self, *, scripts: bool = False) -> str:
        """Our own style and images, and our own script where ``scripts``; forms to us, whose answers may redirect to the providers."""
        # Browsers ask this list again at every redirect that follows a form, as far as the page after the logout.
        providers = self._deployment.providers.values()
        origins = {origin for one in providers for origin in (*_origins(one), one.sign_out_origin)} - {self._deployment.profile.origin}
        form_action = " ".join(["'self'", *sorted(origins)])
        own = "style-src 'self'; img-src 'self'" + ("; script-src 'self'; connect-src 'self'" if scripts else "")
        return f"default-src 'none'; {own}; base-uri 'none'; frame-ancestors 'none'; form-action {form_action}"

    def logout_token(self, session: Session | None) -> str:
        """For the button that signs out, which every page of a session has."""
        return form_token(self._deployment.sealer, "logout", session.id if session else "", self._deployment.now())

    def _dead_end(
        self,
        visit: Visit,
        failure: Failure,
        *,
        session: Session | None = None,
        email: str = "",
        provider: str = "",
        portal: Portal | None = None,
        step: dict[str, str] | None = None,
        cookies: Sequence[Header] = (),
        error: JsmssoError | None = None,
        return_to: str | None = None,
        where: str = "",
        rules: Sequence[str] = (),
        customer: Customer | None = None,
    ) -> Reply:
        reference = "-".join("".join(secrets.choice(_ALPHABET) for _ in range(4)) for _ in range(2))
        email = email or (session.customer.email if session else "")
        self._deployment.events.write(
            failure.event,
            reference=reference,
            status=failure.status,
            reason=failure.reason,
            detail=failure.detail or (error.message if error else ""),
            hint=error.hint if error else "",
            claims=getattr(error, "claims", None) or None,
            provider=provider,
            email=email,
            portal=portal.key if portal else None,
            path=visit.logged_path,
            client=self._deployment.client_of(visit),
            where=where,
            rules=rules or None,
        )
        customer = customer or (session.customer if session else None)
        self._count(visit, failure, provider, is_known=session is not None)
        if failure.event == "login.refused" and (email or provider):  # else nothing is known of whom, and anybody can ask for it
            self._deployment.audit.write(
                "login.refused" if visit.path.startswith("/callback") else "access.denied",
                email=email,
                subject=customer and customer.subject,
                issuer=customer and customer.issuer,
                provider=provider or (customer and customer.provider),
                portal=portal and portal.key,
                reason=failure.reason,
                **{"rule" if failure.reason == "access_denied" else "detail": failure.detail},
                reference=reference,
                client=self._deployment.client_of(visit),
            )
        return self._render(
            visit,
            "dead_end.html",
            failure.status,
            cookies,
            no_referrer=visit.path.startswith("/callback"),
            title=failure.title,
            lead=failure.lead,
            note=failure.note,
            signed_in_as=email,
            another_account=failure.another_account,
            step=step,
            reference=reference,
            provider=provider,
            return_to=self._deployment.own(return_to or (f"/portal/{portal.key}" if portal else "/")),
            token=self.logout_token(session),
        )

    def _count(self, visit: Visit, failure: Failure, provider: str, *, is_known: bool) -> None:
        metrics = self._deployment.metrics
        if failure.reason == "fault":
            metrics.fault()
        answered = self._deployment.by_callback.get(visit.path)
        if answered is not None:
            metrics.login(provider or answered.name, failure.reason)
        elif failure.status == 403 and is_known:
            metrics.denied()

    def _signed_in(self, visit: Visit, template: str, session: Session, cookies: Sequence[Header], **values: Any) -> Reply:
        return self._render(visit, template, 200, cookies, customer=session.customer, token=self.logout_token(session), **values)


def _said_in(language: str) -> dict[str, Any]:
    """What templates say things with, in one language."""
    texts = translations(language)
    return {"lang": language, "gettext": texts.gettext, "ngettext": texts.ngettext, "said": partial(translated, language=language)}


def _origins(provider: ServedProvider) -> frozenset[str]:
    metadata = provider.party.known_metadata
    places = (metadata.authorization_endpoint, metadata.end_session_endpoint) if metadata else ()
    return frozenset(origin_of(one) for one in places if one) or provider.origins
