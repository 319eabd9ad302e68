"""What JSM does for nobody but the account that calls: feedback, subscriptions, approvals. And its knowledge base, for that account."""

from __future__ import annotations

import html
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox.jsm_articles import LocalArticle
from jsmsso.sandbox.jsm_call import Call, answer, desk_error, forbidden, invalid, nothing
from jsmsso.sandbox.jsm_request_calls import request_of
from jsmsso.sandbox.jsm_requests import LocalIssue

FRAME = "<!doctype html><html><head><title>{title}</title></head><body>{body}</body></html>"


def feedback(call: Call, key: str) -> Response:
    """``GET, POST, DELETE request/<key>/feedback``: the reporter's rating."""
    issue = _noted(call, key)
    if call.caller_id != issue.reporter_id:
        return forbidden("Only the reporter can rate a request.")
    if call.request.method == "DELETE":
        return nothing()
    rating = call.body("type", "rating", "comment") if call.request.method == "POST" else {"type": "csat", "rating": 4}
    return answer(rating, 201 if call.request.method == "POST" else 200)


def notification(call: Call, key: str) -> Response:
    """``GET, PUT, DELETE request/<key>/notification``: whether the caller is told of news."""
    _noted(call, key)
    return answer({"subscribed": True}) if call.request.method == "GET" else nothing()


def approvals(call: Call, key: str) -> Response:
    """``GET request/<key>/approval``."""
    issue = _noted(call, key)
    return call.page([issue] if issue.approvers else [], lambda one: _approval(call, one))


def approval(call: Call, key: str, approval_id: str) -> Response:
    """``GET, POST request/<key>/approval/<id>``: the caller's own answer."""
    issue = _noted(call, key)
    if not issue.approvers or approval_id != "1":
        return desk_error(404, "The approval does not exist.", "sd.approval.error.not.found")
    if call.request.method == "POST":
        if call.body("decision").get("decision") not in ("approve", "decline"):
            return invalid("The decision has to be approve or decline.")
        if call.caller_id not in issue.approvers:
            return forbidden("You are not an approver of this request.")
    return answer(_approval(call, issue))


def _approval(call: Call, issue: LocalIssue) -> dict[str, Any]:
    approvers = [{"approver": call.somebody(person), "approverDecision": "pending"} for person in issue.approvers]
    own = f"{call.base_url}/rest/servicedeskapi/request/{issue.id}/approval/1"
    may = call.caller_id in issue.approvers
    shape = {"id": "1", "name": "Waiting for approval", "finalDecision": "pending", "canAnswerApproval": may, "approvers": approvers}
    return shape | {"_links": {"self": own}}


def _noted(call: Call, key: str) -> LocalIssue:
    call.site.answered_for_the_caller.append((call.request.method, call.request.path))
    return request_of(call, key)


def articles(call: Call, desk_id: str = "") -> Response:
    """``GET [servicedesk/<id>/]knowledgebase/article?query=``: what the *caller* may read, found by any of the words."""
    call.caller()
    if desk_id and not call.site.is_cloud:
        call.needs_opt_in()
    key = call.desk(desk_id).key if desk_id else ""
    words = call.query.get("query", "").lower().split()
    if not words:
        return invalid("The query must not be empty.")
    found = [
        one
        for one in call.site.articles
        if any(word in f"{one.title} {one.excerpt}".lower() for word in words) and (not key or not one.desks or key in one.desks)
    ]
    return call.page(found, lambda one: _article(call, one, words))


def _article(call: Call, one: LocalArticle, words: list[str]) -> dict[str, Any]:
    excerpt = one.excerpt
    if call.query.get("highlight") == "true":
        excerpt = " ".join(f"@@@hl@@@{word}@@@endhl@@@" if word.lower() in words else word for word in excerpt.split(" "))
    source = {"type": "confluence", "pageId": one.id, "spaceKey": one.space}
    view = f"{call.base_url}/rest/servicedeskapi/knowledgebase/article/view/{one.id}"
    return {"title": one.title, "excerpt": excerpt, "source": source, "content": {"iframeSrc": view}}


def article_page(call: Call, page_id: str) -> Response:
    """``GET knowledgebase/article/view/<id>``: the article as a page for a frame."""
    call.caller()
    found = next((one for one in call.site.articles if one.id == page_id), None)
    if found is None:
        return desk_error(404, "The article does not exist.", "sd.kb.error.not.found")
    return Response(FRAME.format(title=html.escape(found.title), body=found.html), 200, content_type="text/html;charset=UTF-8")


REQUEST = "/rest/servicedeskapi/request/<key>"
RULES = (
    Rule(f"{REQUEST}/feedback", endpoint=feedback, methods=["GET", "POST", "DELETE"]),
    Rule(f"{REQUEST}/notification", endpoint=notification, methods=["GET", "PUT", "DELETE"]),
    Rule(f"{REQUEST}/approval", endpoint=approvals, methods=["GET"]),
    Rule(f"{REQUEST}/approval/<approval_id>", endpoint=approval, methods=["GET", "POST"]),
    Rule("/rest/servicedeskapi/knowledgebase/article", endpoint=articles, methods=["GET"]),
    Rule("/rest/servicedeskapi/servicedesk/<desk_id>/knowledgebase/article", endpoint=articles, methods=["GET"]),
    Rule("/rest/servicedeskapi/knowledgebase/article/view/<page_id>", endpoint=article_page, methods=["GET"]),
)
