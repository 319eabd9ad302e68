"""A customer's words as the body of a comment: Jira's wiki markup in them takes no effect, and they can be read back exactly.

Jira takes comments as wiki markup (Atlassian: Text Formatting Notation). Signs that always mean something get a
backslash, those that mean something at the edge of a word get one there, and what a backslash does not stop is
written as an HTML entity, which Jira puts into its pages as it is.
"""

from __future__ import annotations

import re

LONGEST = 32_767  # characters of a comment (Jira's own limit)
WROTE = "wrote in the customer portal:"
SENT = "sent files in the customer portal:"
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
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def tidy(text: str) -> str:
    """What was typed, with plain line ends and without characters that Jira would refuse."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


def escaped(text: str) -> str:
    """``text`` as wiki markup that shows exactly it: no mention, link, image, macro or format."""
    return _ESCAPED.sub(_escape, text)


def unescaped(markup: str) -> str:
    """The words that :func:`escaped` made ``markup`` of."""
    return _WRITTEN.sub(_unescape, markup)


def body(text: str, name: str, email: str, *, wrote: str = WROTE) -> str:
    """A whole comment: a first line for agents that says whose words these are, then the words. Its author is the service account."""
    who = " ".join(f"{name} ({email})".split()) if name and name != email else email
    return f"{escaped(who)} {wrote}\n\n{escaped(text)}".rstrip()


def words_of(markup: str) -> str:
    """The customer's words in what :func:`body` made, also with what JSM wrote behind them for the files it carries."""
    first, _, rest = markup.partition("\n")
    if first.rstrip().endswith((WROTE, SENT)):
        markup = rest
    return unescaped(_FILES.sub("", markup)).strip()


# Written by JSM behind the words of a comment that carries files; a customer's own brackets and marks are escaped.
_FILES = re.compile(r"(?<!\\)\[\^[^\]\n]*\]|(?<!\\)![^!\n\\][^!\n]*!")


def _escape(found: re.Match[str]) -> str:
    one = found[0]
    if found["entity"]:
        return "&amp;" if one == "&" else f"&#{ord(one)};"
    return f"\\{one}"


def _unescape(found: re.Match[str]) -> str:
    if found["and"]:
        return "&"
    return chr(int(found["code"])) if found["code"] else found["sign"]
