"""One login in somebody's browser, and its answer: by the loopback listener, or by the final address pasted back."""

from __future__ import annotations

import hmac
import os
import queue
import subprocess
import sys
import threading
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import urlsplit

from jsmsso.cli.loopback import DONE, Page, listening
from jsmsso.errors import AnswerRefused, UsageError
from jsmsso.oidc.authorization import AuthorizationAnswer, printable, read_answer

Say = Callable[[str], None]

_OTHER = Page(400, "Not this login", "This answer belongs to another login. jsmsso goes on waiting for its own.")
_USED = Page(400, "Answered already", "This login has had its answer. You can close this window.")
_REFUSED = Page(200, "Not signed in", "The provider refused the login. The terminal says why. You can close this window.")


def await_answer(
    *, redirect_uri: str, state: str, port: int | None, pasted: bool, seconds: int, begin: Callable[[], None], say: Say
) -> AuthorizationAnswer:
    """The answer that carries ``state``; everything else is ignored and waited past.

    ``port`` None: nothing is listened on. ``pasted``: the final address is also taken from standard input.
    ``begin`` is called once answers can come. Raises :class:`PortTaken`, and :class:`AnswerRefused` (``late``).
    """
    inbox = _Inbox(state, say)
    with ExitStack() as stack:
        if port is not None:
            stack.enter_context(listening(port, inbox.receive))
        if pasted:
            reader = threading.Thread(target=_read_pasted, args=(inbox, redirect_uri, port is None), daemon=True)
            reader.start()
        begin()
        try:
            found = inbox.answers.get(timeout=seconds)
        except queue.Empty:
            raise AnswerRefused(
                "late",
                f"no answer came within {seconds} s",
                "If the browser shows an error page of the provider, its words say why (redirect_mismatch: the callback is not\n"
                "registered). To have more time: --timeout SECONDS.",
            ) from None
    if isinstance(found, UsageError):
        raise found
    return found


class _Inbox:
    """Takes the first answer that is this login's."""

    def __init__(self, state: str, say: Say) -> None:
        self.answers: queue.Queue[AuthorizationAnswer | UsageError] = queue.Queue()
        self.say = say
        self._state = state
        self._lock = threading.Lock()
        self._taken = False

    def receive(self, query: str) -> Page:
        try:
            answer = read_answer(query)
        except AnswerRefused as error:
            self.say(f"Ignored what is no answer: {error.message}.")
            return _OTHER
        if not hmac.compare_digest(answer.state.encode(), self._state.encode()):
            told = f" ({printable(answer.error, 80)}: {printable(answer.error_description, 200)})" if answer.error else ""
            self.say(f"Ignored an answer that belongs to another login{told}.")
            return _OTHER
        with self._lock:
            if self._taken:
                return _USED
            self._taken = True
        self.answers.put(answer)
        return _REFUSED if answer.error else DONE


def _read_pasted(inbox: _Inbox, redirect_uri: str, only_way: bool) -> None:
    # os.read, not sys.stdin: a thread that holds its lock would end the interpreter with a fatal error.
    rest = b""
    while chunk := _read_chunk():
        *lines, rest = (rest + chunk).split(b"\n")
        for line in lines:
            _paste(line.decode(errors="replace"), inbox, redirect_uri)
    _paste(rest.decode(errors="replace"), inbox, redirect_uri)
    if only_way:
        inbox.answers.put(
            UsageError(
                "standard input ended before the final address was pasted",
                "Run it on a terminal, pipe the address in, or register the loopback callback at the provider.",
            )
        )


def _read_chunk() -> bytes:
    try:
        return os.read(0, 65536)
    except OSError:  # closed before we started, or a terminal that went away
        return b""


def _paste(line: str, inbox: _Inbox, redirect_uri: str) -> None:
    text = line.strip().strip("\"'<>")
    if not text:
        return
    address, _, query = text.partition("#")[0].partition("?")
    if address.rstrip("/") != redirect_uri.rstrip("/"):
        inbox.say(f"That is not the final address: it begins with {redirect_uri}?")
    elif inbox.receive(query) is _OTHER:
        inbox.say("Open the address above anew, and paste the one that the browser ends at.")


def can_open_browser() -> bool:
    """Whether somebody sits before this terminal with a browser that has a window."""
    if not sys.stderr.isatty():
        return False
    return sys.platform in ("darwin", "win32") or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))


def open_browser(url: str) -> None:
    """Open ``url`` in the person's browser, in a process of its own: what browsers print must not get into our output."""
    assert urlsplit(url).scheme in ("http", "https")
    silent = subprocess.DEVNULL
    try:
        subprocess.Popen(
            [sys.executable, "-I", "-m", "webbrowser", url], stdin=silent, stdout=silent, stderr=silent, start_new_session=True
        )
    except OSError:
        pass  # the address is printed too
