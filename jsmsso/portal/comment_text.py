"""A customer's words as the body of a comment, which says whose words these are."""

from __future__ import annotations

import re

from jsmsso.jsm.requests.wiki_markup import escaped, unescaped

LONGEST = 32_767  # characters of a comment (Jira's own limit)
WROTE = "wrote in the customer portal:"
SENT = "sent files in the customer portal:"
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


def tidy(text: str) -> str:
    """What was typed, with plain line ends and without characters that Jira would refuse."""
    return _CONTROL.sub("", text.replace("\r\n", "\n").replace("\r", "\n")).strip()


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
