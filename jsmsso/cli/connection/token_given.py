"""A token from standard input: as it stands there, after ``Bearer``, or in what ``token get --show --json`` printed."""

from __future__ import annotations

import json
import os
import select
import stat
import sys

from jsmsso.errors import UsageError
from jsmsso.oidc.signature import MAX_TOKEN

MAX_INPUT = 4 * MAX_TOKEN  # bytes: a document may hold three tokens
PATIENCE = 1.0  # seconds for the first byte, where nobody said that there is one


def token_given(*, access: bool, certainly: bool) -> str:
    """The token on standard input, of two that stand there the ID token unless ``access``; empty where nothing is piped.

    ``certainly``: wait for it as long as it takes; else a pipe on which nothing comes is taken for none.
    Raises :class:`UsageError` for what can be no token.
    """
    if not certainly and not _piped():
        return ""
    content = sys.stdin.buffer.read(MAX_INPUT + 1) if sys.stdin else b""
    if len(content) > MAX_INPUT:
        raise UsageError(f"there is more on standard input than a token: over {MAX_INPUT} bytes", "Pipe the token alone.")
    try:
        text = content.decode("utf-8-sig").strip()
    except UnicodeDecodeError:
        text = "\0"
    if not text.isprintable() and not text.startswith("{"):  # raised out here: the error in there would carry the bytes
        raise UsageError("what came on standard input is no token: it is not one line of text", "Pipe the token alone.")
    if text.startswith("{"):
        text = _of_document(text, "access_token" if access else "id_token")
    text = text.strip("\"'")
    text = text[7:].strip() if text[:7].lower() == "bearer " else text
    if certainly and not text:
        raise UsageError("there is no token on standard input", "Pipe one in: jsmsso token inspect --stdin < token.txt")
    return text


def _piped() -> bool:
    """Whether something comes on standard input. A terminal is not read, nor a pipe that somebody only left open."""
    try:
        mode = os.fstat(0).st_mode
        if stat.S_ISREG(mode):
            return True
        return (stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode)) and bool(select.select([0], [], [], PATIENCE)[0])
    except (OSError, ValueError):  # closed before we started
        return False


def _of_document(text: str, kind: str) -> str:
    try:
        found = json.loads(text).get(kind)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, str):
        raise UsageError(f"what came on standard input is a document without {kind}", "Pipe the token alone.")
    return found
