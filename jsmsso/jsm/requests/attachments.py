"""Files on requests. REST marks none of them as public: which of them a customer may have is decided by the caller."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any
from urllib.parse import quote

from jsmsso.errors import JsmAnswerInvalid
from jsmsso.http_uploads import OutgoingFile
from jsmsso.jsm.answers import in_path, text_of
from jsmsso.jsm.client import JsmClient, OpenFile
from jsmsso.jsm.paging import each_item
from jsmsso.jsm.requests.reading import dict_of, dicts_of, linked_id, time_of
from jsmsso.jsm.site import Site
from jsmsso.jsm.users import user_id_of

NEEDS = "Add attachments on the service desk's project"
NEEDS_READ = "Browse projects on the service desk's project"
LONGEST_NAME = 200  # characters; most file systems take 255 bytes
UNSAFE_IN_A_NAME = re.compile(r'[\x00-\x1f\x7f-\x9f"\\/:*?<>|\u200b-\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff]+')
MIME_TYPE = re.compile(r"[a-z0-9][a-z0-9!#$&^_.+-]{0,60}/[a-z0-9][a-z0-9!#$&^_.+-]{0,60}")
ICON_OF = "SD_REQTYPE"  # an avatar's type, for request types (as the links in their answers have it)
ANYTHING = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file of a request, as it was named by whoever sent it. ``size`` in bytes; ``mime_type`` is that person's word, too."""

    id: str
    filename: str
    size: int
    mime_type: str
    author_id: str
    created: datetime


def attachments(client: JsmClient, site: Site, key: str) -> tuple[Attachment, ...]:
    """All files of a request, those of internal comments too (Atlassian: ``GET .../request/<key>/attachment``)."""
    path = f"/rest/servicedeskapi/request/{in_path(key)}/attachment"
    return read_attachments(each_item(client, path, identity=identity_of, needs=NEEDS_READ), site)


def attachment_limit(client: JsmClient, site: Site) -> int:
    """Bytes that a file may have; 0 where attachments are switched off (Atlassian: ``GET .../attachment/meta``)."""
    told = dict_of(client.get(f"{site.api}/attachment/meta", needs="access to Jira"))
    limit = told.get("uploadLimit")
    if told.get("enabled") is not True or not isinstance(limit, int) or isinstance(limit, bool):
        return 0
    return max(0, limit)


def upload_temporary(client: JsmClient, site: Site, desk_id: str, files: Sequence[OutgoingFile]) -> tuple[str, ...]:
    """Ids of files that JSM keeps for a while, until they are attached to a request.

    Atlassian: ``POST .../servicedesk/<id>/attachTemporaryFile``, multipart. The ids are in the order of the files.
    """
    tidy = [replace(file, name=safe_name(file.name), mime_type=safe_type(file.mime_type)) for file in files]
    path = f"/rest/servicedeskapi/servicedesk/{in_path(desk_id)}/attachTemporaryFile"
    told = dicts_of(dict_of(client.upload(path, tidy, needs=NEEDS)).get("temporaryAttachments"))
    ids = tuple(filter(None, (text_of(item.get("temporaryAttachmentId")) for item in told)))
    if len(ids) != len(files):
        raise JsmAnswerInvalid(f"JSM took {len(ids)} of {len(files)} files", "Try again with fewer or smaller files.")
    return ids


def attach(client: JsmClient, site: Site, key: str, temporary_ids: Sequence[str]) -> tuple[Attachment, ...]:
    """Put files that were uploaded onto a request, in public. Never repeated when it may have worked."""
    return read_attachments(send_attachments(client, key, temporary_ids).get("attachments"), site)


def send_attachments(client: JsmClient, key: str, temporary_ids: Sequence[str], comment: str = "") -> dict[str, Any]:
    """``POST .../request/<key>/attachment``: JSM makes a comment that carries the files, with these words or with none."""
    body: dict[str, Any] = {"temporaryAttachmentIds": list(temporary_ids), "public": True}
    if comment:
        body["additionalComment"] = {"body": comment}
    path = f"/rest/servicedeskapi/request/{in_path(key)}/attachment"
    return dict_of(client.send("POST", path, body, needs=NEEDS, idempotent=False))


def open_attachment(client: JsmClient, site: Site, attachment_id: str) -> OpenFile:
    """The file itself, to be read and closed (Atlassian: ``GET /rest/api/3/attachment/content/<id>``, by the site and not by another host).

    Data Center has it below ``/secure`` only, under its name, which is asked for first.
    """
    if site.is_cloud:
        path = f"{site.api}/attachment/content/{in_path(attachment_id)}"
        return client.open_file(path, {"redirect": "false"}, needs=NEEDS_READ)
    name = text_of(dict_of(client.get(f"{site.api}/attachment/{in_path(attachment_id)}", needs=NEEDS_READ)).get("filename"))
    return client.open_file(f"/secure/attachment/{attachment_id}/{quote(name or 'file', safe='')}", needs=NEEDS_READ)


def thumbnail(client: JsmClient, site: Site, attachment_id: str) -> bytes:
    """A small picture of an attached one (Atlassian: ``GET /rest/api/3/attachment/thumbnail/<id>``)."""
    if site.is_cloud:
        path = f"{site.api}/attachment/thumbnail/{in_path(attachment_id)}"
        return client.file(path, {"redirect": "false", "fallbackToDefault": "false"}, needs=NEEDS_READ).content
    return client.file(f"/secure/thumbnail/{in_path(attachment_id)}/_thumb_{attachment_id}.png", needs=NEEDS_READ).content


def icon(client: JsmClient, site: Site, icon_id: str) -> tuple[bytes, str]:
    """The picture of a request type and what it is said to be, which may be SVG.

    Atlassian: ``GET /rest/api/3/universal_avatar/view/type/<type>/avatar/<id>``; Data Center has ``/secure/viewavatar``.
    """
    if site.is_cloud:
        answer = client.file(f"{site.api}/universal_avatar/view/type/{ICON_OF}/avatar/{in_path(icon_id)}", {"size": "large"})
    else:
        answer = client.file("/secure/viewavatar", {"avatarType": ICON_OF, "size": "large", "avatarId": in_path(icon_id)})
    return answer.content, safe_type(answer.content_type)


def read_attachments(told: Any, site: Site) -> tuple[Attachment, ...]:
    """The attachments in an answer, a list or a page of them; what has no id or no time cannot be shown."""
    items = told.get("values") if isinstance(told, dict) else told
    return tuple(_attachments(dicts_of(list(items) if isinstance(items, Iterator) else items), site))


def identity_of(item: dict[str, Any]) -> str:
    """What tells an attachment from the others, which have no field ``id``."""
    return id_of_attachment(item) or f"{text_of(item.get('filename'))} {dict_of(item.get('created')).get('epochMillis')}"


def id_of_attachment(item: dict[str, Any]) -> str:
    """The number at the end of its own address; empty where there is none."""
    return linked_id(item, "self", "jiraRest")


def safe_name(name: str) -> str:
    """A file's name that may stand in a header, and be saved: one line, no folders, no quotes, no tricks with direction."""
    tidy = UNSAFE_IN_A_NAME.sub("_", name.replace("\\", "/").rpartition("/")[2]).strip(" .")
    if len(tidy) > LONGEST_NAME:
        stem, dot, suffix = tidy.rpartition(".")
        tidy = f"{stem[: LONGEST_NAME - len(suffix) - 1]}.{suffix}" if dot and len(suffix) <= 10 else tidy[:LONGEST_NAME]
    return tidy or "file"


def safe_type(mime_type: str) -> str:
    """A media type without its parameters; ``application/octet-stream`` for what is none."""
    tidy = mime_type.partition(";")[0].strip().lower()
    return tidy if MIME_TYPE.fullmatch(tidy) else ANYTHING


def _attachments(items: Iterator[dict[str, Any]], site: Site) -> Iterator[Attachment]:
    for item in items:
        attachment_id, created = id_of_attachment(item), time_of(item.get("created"))
        size = item.get("size")
        if attachment_id and created:
            yield Attachment(
                attachment_id,
                text_of(item.get("filename")) or "file",
                size if isinstance(size, int) and not isinstance(size, bool) else 0,
                safe_type(text_of(item.get("mimeType"))),
                user_id_of(dict_of(item.get("author")), site),
                created,
            )
