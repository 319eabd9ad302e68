"""Somebody's words as Jira's wiki markup: nothing of it takes effect in them, and they can be read back exactly.

Data Center takes long texts and comments as wiki markup, Cloud comments (Atlassian: Text Formatting Notation). Signs that always
mean something get a backslash, those that mean something at the edge of a word get one there, and what a backslash does not stop
is written as an HTML entity, which Jira puts into its pages as it is.
"""

from __future__ import annotations

import re

_ALWAYS = r"[\[\]{}!|^~]"
_AT_AN_EDGE = r"(?<![^\W_])[*_+\-?#@%]"  # *bold*, _emphasis_, lists, rulers; none begins within a word
_ENTITIES = (
    r"\\"  # two of them are a line break, one before a sign would stop what stops it
    r"|&(?=#?\w+;)"  # an entity of the customer's own
    r"|(?<=\bh[1-6])\.(?=\s)|(?<=\bbq)\.(?=\s)"  # headings, quotations
    r"|(?<=[A-Za-z]):(?=//|\\\\)"  # addresses, which Jira makes links of
    r"|(?<=\bmailto):|(?<=\bfile):|(?<=\btel):|(?<=\bskype):|(?<=\bcallto):|(?<=\bjavascript):|(?<=\bdata):"
    r"|[:;](?=[()PpDd])"  # :) and its like are pictures
    r"|\((?=(?:[yni/x!+\-?*]|on|off|\*[rgby]|flag|flagoff)\))"
)
_ESCAPED = re.compile(f"(?P<entity>{_ENTITIES})|(?P<sign>{_ALWAYS}|{_AT_AN_EDGE})", re.IGNORECASE)
_WRITTEN = re.compile(r"\\(?P<sign>[\[\]{}!|^~*_+\-?#@%])|&#(?P<code>40|46|58|59|92);|(?P<and>&amp;)")


def escaped(text: str) -> str:
    """``text`` as wiki markup that shows exactly it: no mention, link, image, macro or format."""
    return _ESCAPED.sub(_escape, text)


def unescaped(markup: str) -> str:
    """The words that :func:`escaped` made ``markup`` of."""
    return _WRITTEN.sub(_unescape, markup)


def _escape(found: re.Match[str]) -> str:
    one = found[0]
    if found["entity"]:
        return "&amp;" if one == "&" else f"&#{ord(one)};"
    return f"\\{one}"


def _unescape(found: re.Match[str]) -> str:
    if found["and"]:
        return "&"
    return chr(int(found["code"])) if found["code"] else found["sign"]
