"""The local JSM's files: uploaded for a while, put onto requests, listed, and handed out (``/rest``, ``/secure``)."""

from __future__ import annotations

import uuid

from werkzeug.datastructures import FileStorage
from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox import jsm_shapes
from jsmsso.sandbox.jsm_call import Call, Refused, answer, dead_link, desk_error, forbidden, invalid, platform_error, unauthenticated
from jsmsso.sandbox.jsm_pictures import icon, thumbnail_of
from jsmsso.sandbox.jsm_request_calls import request_of, visible_attachments
from jsmsso.sandbox.jsm_requests import LocalAttachment, LocalComment, LocalIssue

ELSEWHERE = "https://api.media.atlassian.invalid/file/{id}/binary?token=signed"  # where Cloud redirects to: another host
ANYTHING = "application/octet-stream"


def attach_temporary(call: Call, desk_id: str) -> Response:
    """``POST servicedesk/<id>/attachTemporaryFile``: multipart, each file in a part called ``file``."""
    desk = call.desk(desk_id)
    if call.request.headers.get("X-Atlassian-Token") != "no-check":
        return Response("XSRF check failed", 403, mimetype="text/html")
    if call.request.mimetype != "multipart/form-data":
        return Response(status=415)
    if not call.site.attachments_enabled:
        return forbidden("Attachments are disabled on this site.")
    files = call.request.files.getlist("file")
    if not files:
        return invalid("No files were attached.", "sd.attachment.error.no.files")
    read = [(file, file.read()) for file in files]
    for file, content in read:
        if len(content) > call.site.attachment_limit:
            return desk_error(
                413, f"The file {file.filename} is larger than {call.site.attachment_limit} bytes.", "sd.attachment.error.too.large"
            )
    return answer({"temporaryAttachments": [_kept(call, desk.id, file, content) for file, content in read]}, 201)


def _kept(call: Call, desk_id: str, file: FileStorage, content: bytes) -> dict[str, str]:
    temporary_id, name = f"temp{uuid.uuid4().int % 10**19}", file.filename or "file"
    call.site.requests.temporary[temporary_id] = (desk_id, (name, content, file.mimetype or ANYTHING))
    return {"temporaryAttachmentId": temporary_id, "fileName": name}


def put_onto(
    call: Call, issue: LocalIssue, temporary_ids: object, text: str = "", *, public: bool = True
) -> tuple[LocalComment, list[LocalAttachment]]:
    """Make the temporary files those of a request, carried by a comment of the caller's; each can be used once."""
    kept = call.site.requests.temporary
    if not isinstance(temporary_ids, list) or not temporary_ids:
        raise Refused(invalid("You must specify at least one temporary attachment.", "sd.attachment.error.no.temporary"))
    lost = [one for one in temporary_ids if kept.get(one, ("", None))[0] != issue.desk_id]
    if lost:
        raise Refused(invalid(f"The temporary attachment does not exist: {lost[0]}", "sd.attachment.error.temporary.not.found"))
    files = [kept.pop(one)[1] for one in dict.fromkeys(temporary_ids)]
    words = "\n".join(filter(None, (text, *(f"[^{name}]" for name, _, _ in files))))
    before = len(issue.attachments)
    comment = call.site.requests.add_comment(issue, call.caller_id, words, public=public, files=files)
    return comment, issue.attachments[before:]


def attach(call: Call, key: str) -> Response:
    """``POST request/<key>/attachment``: the files and a comment that carries them."""
    issue = request_of(call, key)
    sent = call.body("temporaryAttachmentIds", "public", "additionalComment")
    text = (sent.get("additionalComment") or {}).get("body", "")
    public = sent.get("public") is not False
    if not public and not call.is_staff(call.site.desk(issue.desk_id)):
        return forbidden("You cannot add an internal attachment.")
    comment, files = put_onto(call, issue, sent.get("temporaryAttachmentIds"), text, public=public)
    path = f"/rest/servicedeskapi/request/{issue.id}/attachment"
    page = call.paged(files, lambda file: jsm_shapes.attachment_of(call, issue, file), path)
    return answer({"comment": jsm_shapes.comment(call, issue, comment), "attachments": page}, 201)


def attachments(call: Call, key: str) -> Response:
    """``GET request/<key>/attachment``: an agent gets all of them, and none says whether it is public."""
    issue = request_of(call, key)
    return call.page(visible_attachments(call, issue), lambda file: jsm_shapes.attachment_of(call, issue, file))


def attachment_of_request(call: Call, key: str, attachment_id: str) -> Response:
    """``GET request/<key>/attachment/<id>``: its content. Of Cloud alone."""
    return _content(_of_request(call, key, attachment_id))


def thumbnail_of_request(call: Call, key: str, attachment_id: str) -> Response:
    """``GET request/<key>/attachment/<id>/thumbnail``. Of Cloud alone."""
    return _thumbnail(_of_request(call, key, attachment_id))


def _of_request(call: Call, key: str, attachment_id: str) -> LocalAttachment:
    if not call.site.is_cloud:
        raise Refused(dead_link())
    found = next((file for file in visible_attachments(call, request_of(call, key)) if file.id == attachment_id), None)
    if found is None:
        raise Refused(desk_error(404, "The attachment does not exist.", "sd.attachment.error.not.found"))
    return found


def meta(call: Call, version: str) -> Response:
    """``GET /rest/api/<version>/attachment/meta``: how large a file may be."""
    if call.account is None:
        return unauthenticated()
    return answer({"enabled": call.site.attachments_enabled, "uploadLimit": call.site.attachment_limit})


def metadata(call: Call, version: str, attachment_id: str) -> Response:
    """``GET /rest/api/<version>/attachment/<id>``."""
    _, file = _by_id(call, attachment_id)
    cloud = call.site.is_cloud
    base = f"{call.base_url}/rest/api/{version}/attachment"
    told = {
        "self": f"{base}/{file.id}",
        "filename": file.filename,
        "author": call.platform_user(file.author_id),
        "created": jsm_shapes.platform_date(file.created),
        "size": len(file.content),
        "mimeType": file.mime_type,
        "content": f"{base}/content/{file.id}" if cloud else f"{call.base_url}/secure/attachment/{file.id}/{file.filename}",
    }
    return answer(told | ({"id": int(file.id)} if cloud else {}))


def content(call: Call, version: str, attachment_id: str) -> Response:
    """``GET /rest/api/3/attachment/content/<id>``: redirects to another host unless ``redirect=false``. Of Cloud alone."""
    if not call.site.is_cloud:
        return dead_link()
    _, file = _by_id(call, attachment_id)
    return _content(file) if call.query.get("redirect") == "false" else _away(file)


def thumbnail(call: Call, version: str, attachment_id: str) -> Response:
    """``GET /rest/api/3/attachment/thumbnail/<id>``: 404 for what is no picture, with ``fallbackToDefault=false``."""
    if not call.site.is_cloud:
        return dead_link()
    _, file = _by_id(call, attachment_id)
    if call.query.get("redirect") != "false":
        return _away(file)
    return _thumbnail(file, default=call.query.get("fallbackToDefault") != "false")


def secure(call: Call, attachment_id: str, name: str) -> Response:
    """``GET /secure/attachment/<id>/<name>``: Data Center's files; on Cloud for browsers with a login alone."""
    if call.site.is_cloud:
        return Response(status=302, headers={"Location": f"{call.base_url}/login.jsp"})
    return _content(_by_id(call, attachment_id)[1])


def secure_thumbnail(call: Call, attachment_id: str, name: str) -> Response:
    """``GET /secure/thumbnail/<id>/<name>``."""
    return dead_link() if call.site.is_cloud else _thumbnail(_by_id(call, attachment_id)[1])


def avatar(call: Call, version: str, kind: str, avatar_id: str) -> Response:
    """``GET /rest/api/3/universal_avatar/view/type/<type>/avatar/<id>``."""
    return _icon(avatar_id) if call.site.is_cloud else dead_link()


def view_avatar(call: Call) -> Response:
    """``GET /secure/viewavatar?avatarType=&avatarId=``."""
    return _icon(call.query.get("avatarId", ""))


def _icon(avatar_id: str) -> Response:
    found = icon(avatar_id)
    return platform_error(404, "The avatar does not exist.") if found is None else Response(found[0], 200, content_type=found[1])


def _by_id(call: Call, attachment_id: str) -> tuple[LocalIssue, LocalAttachment]:
    if call.account is None:
        raise Refused(unauthenticated())
    found = call.site.requests.attachment(attachment_id)
    if found is None or not call.is_staff(call.site.desk(found[0].desk_id)):
        raise Refused(platform_error(404, f"The attachment with id '{attachment_id}' does not exist"))
    return found


def _content(file: LocalAttachment) -> Response:
    """The type and the name are what the sender said."""
    response = Response(file.content, 200, content_type=file.mime_type)
    response.headers.set("Content-Disposition", "attachment", filename=file.filename)
    return response


def _away(file: LocalAttachment) -> Response:
    return Response(status=303, headers={"Location": ELSEWHERE.format(id=file.id)})


def _thumbnail(file: LocalAttachment, *, default: bool = False) -> Response:
    small = thumbnail_of(file.mime_type, default=default)
    return platform_error(404, "The attachment has no thumbnail.") if small is None else Response(small, 200, content_type="image/png")


ATTACHMENT = "/rest/servicedeskapi/request/<key>/attachment"
PLATFORM = "/rest/api/<version>/attachment"
RULES = (
    Rule("/rest/servicedeskapi/servicedesk/<desk_id>/attachTemporaryFile", endpoint=attach_temporary, methods=["POST"]),
    Rule(ATTACHMENT, endpoint=attachments, methods=["GET"]),
    Rule(ATTACHMENT, endpoint=attach, methods=["POST"]),
    Rule(f"{ATTACHMENT}/<attachment_id>", endpoint=attachment_of_request, methods=["GET"]),
    Rule(f"{ATTACHMENT}/<attachment_id>/thumbnail", endpoint=thumbnail_of_request, methods=["GET"]),
    Rule(f"{PLATFORM}/meta", endpoint=meta, methods=["GET"]),
    Rule(f"{PLATFORM}/<attachment_id>", endpoint=metadata, methods=["GET"]),
    Rule(f"{PLATFORM}/content/<attachment_id>", endpoint=content, methods=["GET"]),
    Rule(f"{PLATFORM}/thumbnail/<attachment_id>", endpoint=thumbnail, methods=["GET"]),
    Rule("/secure/attachment/<attachment_id>/<name>", endpoint=secure, methods=["GET"]),
    Rule("/secure/thumbnail/<attachment_id>/<name>", endpoint=secure_thumbnail, methods=["GET"]),
    Rule("/secure/viewavatar", endpoint=view_avatar, methods=["GET"]),
    Rule("/rest/api/<version>/universal_avatar/view/type/<kind>/avatar/<avatar_id>", endpoint=avatar, methods=["GET"]),
)
