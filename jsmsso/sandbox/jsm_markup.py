"""Jira's text markup as HTML, as far as something of it takes effect in what customers write."""

from __future__ import annotations

import html
import re
from typing import Any

BACKSLASHED = re.compile(r"\\([\\\[\]{}!*_~|^+?#@-])")
ENTITY = re.compile(r"&amp;(#[0-9]{1,6}|[A-Za-z]{2,8});")  # Jira puts a text's own entities into its pages as they are
MARKS = re.compile(r"[\\\[\]{}!*_~|^]")
EFFECTS = (
    (re.compile(r"\[~(?:accountid:)?([^\]\s]+)\]"), r'<a class="user-hover" rel="\1" href="/secure/ViewProfile.jspa?name=\1">\1</a>'),
    (re.compile(r"\[([^\]|\n]+)\|([^\]\s]+)\]"), r'<a href="\2" class="external-link" rel="nofollow noreferrer">\1</a>'),
    (re.compile(r"\[((?:https?|mailto|file):[^\]\s]+)\]"), r'<a href="\1" class="external-link" rel="nofollow noreferrer">\1</a>'),
    (re.compile(r"(?<![\"'>=/\w])(https?://[^\s<]+)"), r'<a href="\1" class="external-link" rel="nofollow noreferrer">\1</a>'),
    (re.compile(r"!([^!\s|]+\.\w+)(?:\|[^!]*)?!"), r'<span class="image-wrap"><img src="\1" style="border: 0px solid black" /></span>'),
    (re.compile(r"\{(?:code|noformat|quote|panel|color)[^}]*\}"), r'<span class="macro"></span>'),
    (re.compile(r"^h([1-6])\. (.*)$", re.MULTILINE), r"<h\1>\2</h\1>"),
    (re.compile(r"(?<!\w)\*(\S[^*\n]*)\*(?!\w)"), r"<b>\1</b>"),
    (re.compile(r"(?<!\w)_(\S[^_\n]*)_(?!\w)"), r"<em>\1</em>"),
)


def html_of(text: str) -> str:
    """What Jira shows for a text: mentions, links, images and some macros, unless a backslash stands before them."""
    kept = BACKSLASHED.sub(lambda found: f"\ue000{ord(found[1])}\ue001", text.replace("\r\n", "\n"))
    shown = ENTITY.sub(r"&\1;", html.escape(kept, quote=False))
    for pattern, effect in EFFECTS:
        shown = pattern.sub(effect, shown)
    shown = re.sub("\ue000(\\d+)\ue001", lambda found: f"&#{found[1]};", shown)
    return "\n".join(f"<p>{part.replace(chr(10), '<br/>' + chr(10))}</p>" for part in re.split(r"\n{2,}", shown) if part)


def markup_of_document(node: Any) -> str:
    """A document in Atlassian's document format as Jira's markup: its words stay words, whatever characters they have."""
    if not isinstance(node, dict):
        return ""
    if node.get("type") == "text":
        return MARKS.sub(r"\\\g<0>", str(node.get("text", "")))
    if node.get("type") == "hardBreak":
        return "\n"
    parts = [markup_of_document(child) for child in node.get("content", [])]
    return ("\n\n" if node.get("type") == "doc" else "").join(parts)
