"""Public comments of a request, and whose words they are. Internal ones are neither asked for nor let through."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from jsmsso.errors import JsmAnswerInvalid, JsmRefused
from jsmsso.jsm.answers import PLAIN_ID, in_path, text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.paging import each_item
from jsmsso.jsm.requests.attachments import Attachment, id_of_attachment, identity_of, read_attachments, send_attachments
from jsmsso.jsm.requests.reading import dict_of, dicts_of, time_of
from jsmsso.jsm.site import Site
from jsmsso.jsm.users import user_id_of

NEEDS = "Service project agent (role Service Desk Team of the project)"
NEEDS_ADD = "Add comments on the service desk's project (role Service Desk Team)"
NEEDS_PROPERTY = "Edit own comments on the service desk's project"
AUTHOR_PROPERTY = "jsmsso.author"
MOST_LISTED = 1000  # comments of one question (Atlassian: POST /rest/api/3/comment/list)
EXPAND = {"expand": "renderedBody,attachment"}


@dataclass(frozen=True, slots=True)
class Comment:
    """A public comment. ``html`` is Jira's rendering of ``body`` (not to be trusted); empty where it was not asked for.

    The author is whoever wrote it to JSM: our own account, for what a customer wrote here.
    """

    id: str
    author_id: str
    author_name: str
    created: datetime
    html: str
    body: str
    attachment_ids: tuple[str, ...]


def public_comments(client: JsmClient, site: Site, key: str) -> tuple[Comment, ...]:
    """All public comments in JSM's order (Atlassian: ``GET .../request/<key>/comment``). What does not say so is dropped."""
    question = {"public": "true", "internal": "false", **EXPAND}
    items = each_item(client, f"{_comments(key)}", question, needs=NEEDS)
    return tuple(comment for item in items if (comment := _public(client, site, key, item)) is not None)


def public_comment(client: JsmClient, site: Site, key: str, comment_id: str) -> Comment | None:
    """The comment of this id on this request (``GET .../comment/<id>``); None where there is none, or an internal one."""
    if not (PLAIN_ID.fullmatch(key) and comment_id.isascii() and comment_id.isdecimal()):
        return None
    try:
        answer = client.get(f"{_comments(key)}/{comment_id}", EXPAND, needs=NEEDS)
    except JsmRefused as error:
        if error.status in (403, 404):
            return None
        raise
    comment = _public(client, site, key, dict_of(answer))
    return comment if comment is not None and comment.id == comment_id else None


def add_comment(client: JsmClient, site: Site, key: str, body: str) -> Comment:
    """A public comment by our account (``POST .../comment``). Never repeated when it may have worked."""
    return _made(client.send("POST", _comments(key), {"body": body, "public": True}, needs=NEEDS_ADD, idempotent=False), site)


def add_comment_with_files(
    client: JsmClient, site: Site, key: str, body: str, temporary_ids: Sequence[str]
) -> tuple[Comment, tuple[Attachment, ...]]:
    """The same with files that were uploaded, which the comment carries. Never repeated when it may have worked."""
    answer = send_attachments(client, key, temporary_ids, body)
    carried = read_attachments(answer.get("attachments"), site)
    return replace(_made(answer.get("comment"), site), attachment_ids=tuple(file.id for file in carried)), carried


def comment_authors(client: JsmClient, site: Site, comment_ids: Collection[str]) -> dict[str, str]:
    """Comment id -> account id, for those comments that :func:`set_author` was called for.

    Cloud is asked once for 1,000 comments (``POST /rest/api/3/comment/list``), Data Center for each.
    """
    wanted = [comment_id for comment_id in dict.fromkeys(comment_ids) if comment_id.isascii() and comment_id.isdecimal()]
    if not site.is_cloud:
        return {comment_id: author for comment_id in wanted if (author := _author_of(client, site, comment_id))}
    authors: dict[str, str] = {}
    for first in range(0, len(wanted), MOST_LISTED):
        question = {"ids": [int(comment_id) for comment_id in wanted[first : first + MOST_LISTED]]}
        answer = client.ask(f"{site.api}/comment/list", question, needs=NEEDS, parameters={"expand": "properties"})
        for item in dicts_of(dict_of(answer).get("values")):
            for one in dicts_of(item.get("properties")):
                author = text_of(dict_of(one.get("value")).get("accountId"))
                if one.get("key") == AUTHOR_PROPERTY and author:
                    authors[text_of(item.get("id"))] = author
    return {comment_id: authors[comment_id] for comment_id in wanted if comment_id in authors}


def set_author(client: JsmClient, site: Site, comment_id: str, account_id: str) -> None:
    """Keep with a comment whose words it has (Atlassian: ``PUT /rest/api/3/comment/<id>/properties/<key>``)."""
    client.send("PUT", _property(site, comment_id), {"accountId": account_id}, needs=NEEDS_PROPERTY, idempotent=True)


def _comments(key: str) -> str:
    return f"/rest/servicedeskapi/request/{in_path(key)}/comment"


def _public(client: JsmClient, site: Site, key: str, item: dict[str, Any]) -> Comment | None:
    """The comment in an answer; None where it does not say that it is public, or cannot be read."""
    if item.get("public") is not True:
        return None
    return _comment(item, site, tuple(_attachment_ids(client, key, item)))


def _comment(item: dict[str, Any], site: Site, attachment_ids: tuple[str, ...]) -> Comment | None:
    comment_id, created, author = text_of(item.get("id")), time_of(item.get("created")), dict_of(item.get("author"))
    if not comment_id or created is None:
        return None
    html = text_of(dict_of(item.get("renderedBody")).get("html"))
    name = text_of(author.get("displayName"))
    return Comment(comment_id, user_id_of(author, site), name, created, html, text_of(item.get("body")), attachment_ids)


def _attachment_ids(client: JsmClient, key: str, item: dict[str, Any]) -> Iterator[str]:
    """Those that the comment carries: in the answer where all of them are in it, else asked for."""
    told = dict_of(item.get("attachments"))
    files = dicts_of(told.get("values"))
    if told.get("isLastPage") is False and (comment_id := text_of(item.get("id"))):
        path = f"{_comments(key)}/{in_path(comment_id)}/attachment"
        files = each_item(client, path, identity=identity_of, needs=NEEDS, experimental=True)
    return (attachment_id for file in files if (attachment_id := id_of_attachment(file)))


def _made(answer: Any, site: Site) -> Comment:
    told = dict_of(answer)
    comment = _comment(told, site, ())
    if comment is None:
        raise JsmAnswerInvalid("JSM does not say which comment it made", "Look at the request in JSM before trying again.")
    return comment


def _author_of(client: JsmClient, site: Site, comment_id: str) -> str:
    try:
        answer = client.get(_property(site, comment_id), needs=NEEDS)
    except JsmRefused as error:
        if error.status in (403, 404):
            return ""
        raise
    return text_of(dict_of(dict_of(answer).get("value")).get("accountId"))


def _property(site: Site, comment_id: str) -> str:
    return f"{site.api}/comment/{in_path(comment_id)}/properties/{AUTHOR_PROPERTY}"
