"""The pages of the hosted portals: templates, and what every page has."""

from __future__ import annotations

from typing import Any

from jinja2 import ChoiceLoader, Environment, PackageLoader

from jsmsso.portal.acting import Acting
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.pages import Pages
from jsmsso.runtime.replies import Reply


class Look:
    """Renders pages for a customer. Templates of the runtime (frame, support) are there beside the portal's own."""

    def __init__(self, deployment: Deployment, pages: Pages) -> None:
        self._deployment = deployment
        self._pages = pages
        self._environment = Environment(
            loader=ChoiceLoader([PackageLoader("jsmsso.portal"), PackageLoader("jsmsso.runtime")]),
            autoescape=True,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._environment.globals |= pages.common

    def page(self, acting: Acting, template: str, status: int = 200, **values: Any) -> Reply:
        """A whole page for this customer; ``values`` are the template's."""
        body = self._render(acting, template, values)
        return self._deployment.headers.content(
            status, body, "text/html; charset=utf-8", self._pages.policy(scripts=True), extra=acting.cookies
        )

    def _render(self, acting: Acting, template: str, values: dict[str, Any]) -> bytes:
        common = {"customer": acting.customer, "portal": acting.portal, "logout_token": self._pages.logout_token(acting.session)}
        return self._environment.get_template(template).render(common | values).encode()
