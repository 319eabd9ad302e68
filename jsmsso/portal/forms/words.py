"""What is said of an answer that needs another look, for the catalogues: ``N_`` is what Babel looks for (``babel.messages``)."""

from __future__ import annotations

from jsmsso.jsm.requests import values


def N_(text: str) -> str:  # noqa: N802 - gettext's name for it
    """The text itself: it is translated where it is shown."""
    return text


NO_EMAIL = N_("Please enter a whole email address, such as ada@example.com.")
NOBODY = N_("Nobody with this address can be chosen here.")
TOO_MANY_PEOPLE = N_("Please name at most 10 people.")
ONE_PERSON = N_("Please name one person only.")
TOO_MANY_FILES = N_("Please choose at most 30 files.")
FILE_TOO_LARGE = N_("One of the files is larger than this portal takes.")
NO_FILES = N_("This portal takes no files.")

OF_VALUES = (
    N_("Please fill this in."),
    N_("Please choose one of the values offered."),
    N_("Please enter a number, such as 3 or 2.5."),
    N_("Please enter a date as YYYY-MM-DD."),
    N_("Please enter a date and a time with its time zone."),
    N_("Please enter a web address that begins with https:// or http://."),
    N_("A label has no spaces in it and at most 255 characters."),
    N_("Please use one line of at most 255 characters."),
    N_("Please use at most 32,767 characters."),
    N_("This field cannot be filled in here."),
)
"""The sentences of :mod:`jsmsso.jsm.requests.values`, which knows no languages."""

REQUIRED = values.REQUIRED
NO_MOMENT = values.NO_MOMENT
