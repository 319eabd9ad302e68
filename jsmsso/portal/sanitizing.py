"""HTML from JSM rebuilt from an allow-list: nothing of it runs, looks like a part of our pages, or asks another host."""

from __future__ import annotations

import html
import re
from collections.abc import Callable

import nh3

TEXT = {"p", "br", "div", "blockquote", "pre", "hr", "ul", "ol", "li", "dl", "dt", "dd"}
WORDS = {"b", "strong", "i", "em", "u", "s", "del", "ins", "sub", "sup", "code", "kbd", "samp", "q", "cite"}
TABLES = {"table", "thead", "tbody", "tfoot", "tr", "th", "td", "caption"}
HEADINGS = {"h1", "h2", "h3", "h4", "h5", "h6"}
TAGS = TEXT | WORDS | TABLES | HEADINGS | {"a", "img"}
# Left out with all that stands in them; of other tags the text stays.
WITH_CONTENT = {"script", "style", "template", "noscript", "iframe", "object", "svg", "math", "title", "textarea", "select", "xmp"}
ATTRIBUTES = {"a": {"href"}, "img": {"src", "alt"}, "ol": {"start"}, "th": {"colspan", "rowspan"}, "td": {"colspan", "rowspan"}}
LINK = re.compile(r"(?:https?://|mailto:)[^\s\x00-\x1f\\]+", re.IGNORECASE)
ISSUE = re.compile(r"(?:https?://[^/?#]+)?(?:/[^/?#]+)*/browse/[A-Z][A-Z0-9_]*-[0-9]+/?(?:[?#].*)?", re.IGNORECASE)
REL = "noopener nofollow ugc"
NUMBER = re.compile(r"[0-9]{1,3}")
LONGEST = 1_000_000  # characters; Jira's own limit of a text is 32,767

_NO_IMAGE = re.compile(r'<img(?: alt="([^"]*)")?>')
_SOLVED = re.compile(rf'<a rel="{REL}">\s*<(del|s)>([^<]*)</\1>\s*</a>')
_HEADING = re.compile(r"<(/?)h[1-6]>")
_TAGS = re.compile(r"<[^>]*>")


def sanitized(text: str, image: Callable[[str], str] = lambda src: "") -> str:
    """HTML with the tags above and nothing else. ``image`` says where we have the picture that ``src`` means.

    A picture that we do not have becomes the words it is described with, a heading a bold line, since pages have their
    own. No style, class, id or name of theirs is left. Jira makes links of the keys of issues, for our account, which sees
    them all: with the summary as the title, and struck through where it is solved. The key alone is left.
    """

    def kept(tag: str, name: str, value: str) -> str | None:
        if name not in ATTRIBUTES.get(tag, ()) and name != "rel":  # nh3 lets some through on any tag; rel is its own
            return None
        if name == "href":
            return value if LINK.fullmatch(value.strip()) and not ISSUE.fullmatch(value.strip()) else None
        if name == "src":
            return image(value) or None
        if name in ("colspan", "rowspan", "start"):
            return value if NUMBER.fullmatch(value) else None
        return value

    clean = nh3.clean(
        text[:LONGEST],
        tags=TAGS,
        clean_content_tags=WITH_CONTENT,
        attributes=ATTRIBUTES,
        attribute_filter=kept,
        url_schemes={"http", "https", "mailto"},
        link_rel=REL,
        strip_comments=True,
    )
    # What nh3 writes is regular: of these tags none has an attribute left.
    clean = _SOLVED.sub(r"\2", clean)
    clean = _NO_IMAGE.sub(lambda found: html.escape(html.unescape(found[1] or "")), clean)
    return _HEADING.sub(lambda found: "</strong></p>" if found[1] else "<p><strong>", clean)


def text_in(text: str) -> str:
    """The words of HTML, in one line."""
    words = nh3.clean(text[:LONGEST], tags=TAGS - {"img"}, clean_content_tags=WITH_CONTENT, attributes={}, link_rel=None)
    return " ".join(html.unescape(_TAGS.sub(" ", words)).split())
