"""The languages of our own texts, and which of them a browser asks for."""

from __future__ import annotations

import gettext
import re
from functools import lru_cache
from importlib.resources import files

LANGUAGES = ("en", "de", "fr", "es", "ja")
SOURCE = "en"  # what the templates are written in
LONGEST = 500  # characters of a header that are looked at; browsers send some fifty
_RANGE = re.compile(r"\s*([A-Za-z]{1,8}|\*)(?:-[A-Za-z0-9]{1,8}){0,4}\s*(?:;\s*q\s*=\s*([01](?:\.[0-9]{0,3})?)\s*)?")


@lru_cache(maxsize=256)
def language_of(accepted: str) -> str:
    """The language of ours that ``Accept-Language`` likes best; English where it names none (RFC 9110 12.5.4, RFC 4647 3.4)."""
    best, weight = SOURCE, 0.0
    for part in accepted[:LONGEST].split(","):
        found = _RANGE.fullmatch(part)
        if found is None:
            continue
        name, liked = found[1].lower(), float(found[2] or 1)
        if liked > weight and (name in LANGUAGES or name == "*"):
            best, weight = SOURCE if name == "*" else name, liked
    return best


@lru_cache(maxsize=len(LANGUAGES))
def translations(language: str) -> gettext.NullTranslations:
    """The catalogue of one of :data:`LANGUAGES`; a text that it does not have stays English."""
    if language == SOURCE:
        return gettext.NullTranslations()
    with (files("jsmsso.portal") / "locale" / language / "LC_MESSAGES" / "portal.mo").open("rb") as catalogue:
        return gettext.GNUTranslations(catalogue)


def N_(text: str) -> str:  # noqa: N802 - gettext's name for it
    """The text itself, for the catalogues: it is translated where it is shown."""
    return text


class Named(str):
    """A sentence with a name in it: the text with the name, and what is translated (``%(name)s stays closed.``)."""

    __slots__ = ("name", "sentence")
    sentence: str
    name: str

    def __new__(cls, sentence: str, name: str) -> Named:
        made = super().__new__(cls, sentence % {"name": name})
        made.sentence, made.name = sentence, name
        return made


def translated(text: str, language: str) -> str:
    """One of our own sentences in this language."""
    if isinstance(text, Named):
        return translations(language).gettext(text.sentence) % {"name": text.name}
    return translations(language).gettext(text) if text else ""
