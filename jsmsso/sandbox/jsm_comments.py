"""The local JSM's comments: public and internal ones, and the properties that apps keep on them."""

from __future__ import annotations

import json
from typing import Any

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox import jsm_shapes
from jsmsso.sandbox.jsm_call import Call, Refused, answer, dead_link, desk_error, invalid, nothing, platform_error, unauthenticated
from jsmsso.sandbox.jsm_request_calls import request_of, sees
from jsmsso.sandbox.jsm_requests import LocalComment, LocalIssue

LONGEST = 32_767  # characters of a comment (Jira's own limit)
LISTED = 1000  # ids at most in one call of comment/list
LONGEST_KEY = 255  # characters of a property's key
LARGEST_VALUE = 32_768  # characters of a property's value


def comments(call: Call, key: str) -> Response:
    """``GET request/<key>/comment?public=&internal=``: both kinds for agents, unless they say no; oldest first.

    Who may not see the request gets an empty page.
    """
    issue = call.site.requests.get(key)
    if issue is not None and call.account is not None and not sees(call, issue):
        return call.page([], lambda none: none)
    issue = request_of(call, key)
    staff = call.is_staff(call.site.desk(issue.desk_id))
    public, internal = _yes(call, "public"), _yes(call, "internal") and staff
    listed = [comment for comment in issue.comments if (public if comment.public else internal)]
    return call.page(listed, lambda comment: jsm_shapes.comment(call, issue, comment, call.expand))


def _yes(call: Call, name: str) -> bool:
    return str(call.query.get(name, "true")).lower() != "false"


def comment(call: Call, key: str, comment_id: str) -> Response:
    """``GET request/<key>/comment/<id>``: an agent gets internal ones too."""
    issue, found = _comment_of(call, key, comment_id)
    return answer(jsm_shapes.comment(call, issue, found, call.expand))


def comment_attachments(call: Call, key: str, comment_id: str) -> Response:
    """``GET request/<key>/comment/<id>/attachment``."""
    issue, found = _comment_of(call, key, comment_id)
    carried = [file for file in issue.attachments if file.comment_id == found.id]
    return call.page(carried, lambda file: jsm_shapes.attachment_of(call, issue, file))


def _comment_of(call: Call, key: str, comment_id: str) -> tuple[LocalIssue, LocalComment]:
    issue = request_of(call, key)
    found = next((one for one in issue.comments if one.id == comment_id), None)
    if found is None or not (found.public or call.is_staff(call.site.desk(issue.desk_id))):
        raise Refused(desk_error(404, "The comment does not exist.", "sd.comment.error.not.found"))
    return issue, found


def add_comment(call: Call, key: str) -> Response:
    """``POST request/<key>/comment``: its author is the caller; customers can only say something in public."""
    issue = request_of(call, key)
    sent = call.body("body", "public")
    text = sent.get("body")
    if not isinstance(text, str) or not text.strip():
        return invalid("Comment body can not be empty.", "sd.comment.error.body.empty")
    if len(text) > LONGEST:
        return invalid(f"The entered text is too long. It exceeds the allowed limit of {LONGEST} characters.", "sd.comment.error.too.long")
    public = sent.get("public") is not False
    if not public and not call.is_staff(call.site.desk(issue.desk_id)):
        return invalid("You cannot add an internal comment.", "sd.comment.error.internal")
    made = call.site.requests.add_comment(issue, call.caller_id, text, public=public)
    return answer(jsm_shapes.comment(call, issue, made), 201)


def listed(call: Call, version: str) -> Response:
    """``POST /rest/api/3/comment/list``, of Cloud alone: those of these ids that the caller may see, internal ones too."""
    if not call.site.is_cloud:
        return dead_link()
    sent = call.request.get_json(silent=True)
    ids = sent.get("ids") if isinstance(sent, dict) else None
    if not isinstance(ids, list) or not all(isinstance(one, int) for one in ids) or len(ids) > LISTED:
        return platform_error(400, "Invalid request payload. Refer to the REST API documentation and try again.")
    found = [pair for one in ids for pair in [call.site.requests.comment(str(one))] if pair and _browses(call, pair[0])]
    values = [_platform_comment(call, issue, comment, version) for issue, comment in found]
    return answer({"isLast": True, "maxResults": LISTED, "startAt": 0, "total": len(values), "values": values})


def _platform_comment(call: Call, issue: LocalIssue, comment: LocalComment, version: str) -> dict[str, Any]:
    text = {"type": "text", "text": comment.body}
    body: Any = {"type": "doc", "version": 1, "content": [{"type": "paragraph", "content": [text]}]} if version == "3" else comment.body
    author, when = call.platform_user(comment.author_id), jsm_shapes.platform_date(comment.created)
    shape = {
        "self": f"{call.base_url}/rest/api/{version}/issue/{issue.id}/comment/{comment.id}",
        "id": comment.id,
        "author": author,
        "updateAuthor": author,
        "body": body,
        "created": when,
        "updated": when,
        "jsdPublic": comment.public,
    }
    if "properties" in call.expand:
        shape["properties"] = [{"key": key, "value": value} for key, value in comment.properties.items()]
    return shape


def property_keys(call: Call, version: str, comment_id: str) -> Response:
    """``GET /rest/api/<version>/comment/<id>/properties``."""
    own = f"{call.base_url}/rest/api/{version}/comment/{comment_id}/properties"
    return answer({"keys": [{"key": key, "self": f"{own}/{key}"} for key in _by_id(call, comment_id).properties]})


def read_property(call: Call, version: str, comment_id: str, key: str) -> Response:
    """``GET /rest/api/<version>/comment/<id>/properties/<key>``."""
    properties = _by_id(call, comment_id).properties
    if key not in properties:
        return platform_error(404, f"The property with the key '{key}' does not exist.")
    return answer({"key": key, "value": properties[key]})


def write_property(call: Call, version: str, comment_id: str, key: str) -> Response:
    """``PUT /rest/api/<version>/comment/<id>/properties/<key>``: 201 where it is new. The body is the value."""
    comment = _by_id(call, comment_id)
    text = call.request.get_data(as_text=True)
    if len(key) > LONGEST_KEY or len(text) > LARGEST_VALUE:
        return platform_error(400, "The property key or value is too long.")
    try:
        value = json.loads(text)
    except ValueError:
        return platform_error(400, "The property value is not valid JSON.")
    new = key not in comment.properties
    comment.properties[key] = value
    return Response(status=201 if new else 200, content_type="application/json;charset=UTF-8")


def delete_property(call: Call, version: str, comment_id: str, key: str) -> Response:
    """``DELETE /rest/api/<version>/comment/<id>/properties/<key>``."""
    comment = _by_id(call, comment_id)
    if comment.properties.pop(key, None) is None:
        return platform_error(404, f"The property with the key '{key}' does not exist.")
    return nothing()


def _by_id(call: Call, comment_id: str) -> LocalComment:
    if call.account is None:
        raise Refused(unauthenticated())
    found = call.site.requests.comment(comment_id)
    if found is None or not _browses(call, found[0]):
        raise Refused(platform_error(404, f"Can not find a comment for the id: {comment_id}."))
    return found[1]


def _browses(call: Call, issue: LocalIssue) -> bool:
    return call.is_staff(call.site.desk(issue.desk_id))


COMMENTS = "/rest/servicedeskapi/request/<key>/comment"
PROPERTIES = "/rest/api/<version>/comment/<comment_id>/properties"
RULES = (
    Rule(COMMENTS, endpoint=comments, methods=["GET"]),
    Rule(COMMENTS, endpoint=add_comment, methods=["POST"]),
    Rule(f"{COMMENTS}/<comment_id>", endpoint=comment, methods=["GET"]),
    Rule(f"{COMMENTS}/<comment_id>/attachment", endpoint=comment_attachments, methods=["GET"]),
    Rule("/rest/api/<version>/comment/list", endpoint=listed, methods=["POST"]),
    Rule(PROPERTIES, endpoint=property_keys, methods=["GET"]),
    Rule(f"{PROPERTIES}/<key>", endpoint=read_property, methods=["GET"]),
    Rule(f"{PROPERTIES}/<key>", endpoint=write_property, methods=["PUT"]),
    Rule(f"{PROPERTIES}/<key>", endpoint=delete_property, methods=["DELETE"]),
)
