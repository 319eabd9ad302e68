"""The local JSM's native portal pages: they show where a customer landed, and say what they do not know."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from jsmsso.sandbox.jsm_site import LocalDesk, LocalSite

ROUTES = Map(
    [
        Rule("/", endpoint="portals"),
        Rule("/servicedesk/customer/portals", endpoint="portals"),
        Rule("/servicedesk/customer/portal/<portal_id>", endpoint="portal"),
        Rule("/servicedesk/customer/portal/<portal_id>/<request_key>", endpoint="portal"),
        Rule("/servicedesk/customer/portal/<portal_id>/group/<group_id>", endpoint="portal"),
        Rule("/servicedesk/customer/portal/<portal_id>/group/<group_id>/create/<type_id>", endpoint="portal"),
        Rule("/servicedesk/customer/portal/<portal_id>/create/<type_id>", endpoint="portal"),
        Rule("/servicedesk/customer/user/requests", endpoint="requests"),
        Rule("/servicedesk/customer/user/login", endpoint="login"),
        Rule("/servicedesk/customer/portal/<portal_id>/user/login", endpoint="login"),
    ],
    strict_slashes=False,
)

NOT_KNOWN = (
    "This page does not know who you are: it is a stand-in, and the native portal has a login of its own. "
    "After a redirect a real Cloud site shows Atlassian's login page here."
)

STYLE = """
body{font:16px/1.5 system-ui,sans-serif;margin:0;background:#f7f8fa;color:#172b4d}
main{max-width:42rem;margin:3rem auto;padding:0 1rem}
.card{background:#fff;border:1px solid #dfe1e6;border-radius:8px;padding:1rem 1.25rem;margin:.75rem 0}
.note{color:#505f79;font-size:.9rem}
code{background:#ebecf0;padding:.1em .3em;border-radius:3px}
@media (prefers-color-scheme:dark){body{background:#161a1d;color:#dee4ea}.card{background:#22272b;border-color:#454f59}
.note{color:#9fadbc}code{background:#2c333a}a{color:#85b8ff}}
"""


def portal_page(site: LocalSite, request: Request) -> Response:
    """The page at ``request.path``; 404 for a portal that the site does not have."""
    try:
        endpoint, arguments = ROUTES.bind_to_environ(request.environ).match()
    except HTTPException:
        return _page(404, "No such page", f"<p>There is nothing at <code>{escape(request.path)}</code>.</p>")
    if endpoint == "portals":
        cards = "".join(
            f'<p class="card"><a href="{_link(site, desk)}">{escape(desk.name)}</a> <code>{escape(desk.key)}</code></p>'
            for desk in site.desks[:200]
        )
        return _page(200, "Help center", cards)
    if endpoint == "requests":
        return _page(200, "Requests", '<p class="card">Your requests would be here.</p>')
    if endpoint == "login":
        return _page(200, "Log in", '<p class="card">The native login would be here.</p>')
    desk = site.desk_of_portal(arguments["portal_id"])
    if desk is None:
        return _page(404, "No such portal", f"<p>No portal has the id <code>{escape(arguments['portal_id'])}</code>.</p>")
    return _page(200, desk.name, _landed(desk, arguments))


def _landed(desk: LocalDesk, arguments: Mapping[str, str]) -> str:
    parts = [f'<p class="card" data-portal="{escape(desk.portal_id)}">You landed on the portal <strong>{escape(desk.name)}</strong> ']
    parts.append(f"<code>{escape(desk.key)}</code>, portal {escape(desk.portal_id)}.</p>")
    if "request_key" in arguments:
        key = escape(arguments["request_key"])
        parts.append(f'<p class="card" data-request="{key}">The link asked for the request <strong>{key}</strong>.</p>')
    if "type_id" in arguments:
        wanted = next((t.name for t in desk.types if t.id == arguments["type_id"]), arguments["type_id"])
        parts.append(
            f'<p class="card" data-type="{escape(arguments["type_id"])}">The link asked to raise: <strong>{escape(wanted)}</strong>.</p>'
        )
    names = "".join(f"<li>{escape(request_type.name)}</li>" for request_type in desk.types)
    return "".join(parts) + f'<div class="card"><p>What can be raised here:</p><ul>{names}</ul></div>'


def _link(site: LocalSite, desk: LocalDesk) -> str:
    return f"{site.context_path}/servicedesk/customer/portal/{escape(desk.portal_id)}"


def _page(status: int, title: str, body: str) -> Response:
    title = escape(title)
    head = f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title} - local JSM</title><style>{STYLE}</style></head>'
    page = f'{head}<body><main><h1>{title}</h1>{body}<p class="note">{NOT_KNOWN}</p></main></body></html>'
    return Response(page, status, mimetype="text/html", headers={"Cache-Control": "no-store"})
