"""One site, spoken to as one account: JSON in, JSON out, patient with a busy site, plain about a refusal."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from jsmsso.errors import JsmAnswerInvalid, JsmUnreachable, WireFailed
from jsmsso.http_uploads import FileForm, OutgoingFile
from jsmsso.jsm.authentication import Authentication
from jsmsso.jsm.calm import LONGEST_CALM, Calm, asked_pause
from jsmsso.jsm.refusals import denied_login, refusal, still_busy

if TYPE_CHECKING:
    import requests

RETRIES = 3
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
RETRIED_FAILURES = frozenset({"connect", "protocol"})  # a mistyped name, a bad certificate and a slow answer do not get better
UNSENT_FAILURES = frozenset({"connect"})  # there was no connection, so nothing can have happened
FIRST_PAUSE = 0.5  # seconds, doubled each time, where JSM does not say how long to wait
LONGEST_PAUSE = 60.0  # seconds; a site that asks for more is told to the person instead
EXPERIMENTAL = {"X-ExperimentalApi": "opt-in"}  # Atlassian answers 412 to its experimental calls without it
NO_BROWSER = {"X-Atlassian-Token": "no-check"}  # no form of a page can send this header (Atlassian: attachTemporaryFile)
REDIRECT_HINT = "Look at jsm.url: use the address that the browser shows when you open the site."
MOST_WHOLE = 2 * 1024 * 1024  # bytes of a file that is read whole, unless the caller says otherwise
PIECE = 65536  # bytes of a file at a time
ABOUT_ONE_ISSUE = "jira-per-issue-on-write"  # a 429 that says nothing about other calls (Atlassian: Rate limiting)


@dataclass(frozen=True, slots=True)
class Patience:
    """Time, and whom to tell of a pause. Tests bring their own, so that none waits.

    ``now`` is in seconds since 1970, ``monotonic`` on a clock that nobody sets.
    """

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    told: Callable[[float, str], None] = lambda seconds, reason: None
    monotonic: Callable[[], float] = time.monotonic


PLAIN = Patience()


@dataclass(frozen=True, slots=True)
class Download:
    """A file as it came, and what it is said to be; empty where nothing is said. Neither is to be trusted."""

    content: bytes = field(repr=False)
    content_type: str


class OpenFile:
    """A file on its way, at least 32 kB a second, to be read to its end or closed. ``size`` is None where JSM does not say it."""

    def __init__(self, answer: requests.Response) -> None:
        length = answer.headers.get("Content-Length", "")
        is_plain = "Content-Encoding" not in answer.headers
        self.size = int(length) if is_plain and length.isascii() and length.isdecimal() else None
        self.content_type = answer.headers.get("Content-Type", "")
        self._address = answer.url
        self._answer = answer

    def __iter__(self) -> Iterator[bytes]:
        """Raises :class:`JsmUnreachable` and :class:`JsmAnswerInvalid`."""
        try:
            yield from self._answer.iter_content(PIECE)
        except WireFailed as error:
            raise _wire_error(error) from error

    def whole(self, most: int) -> bytes:
        """All of it. Raises :class:`JsmAnswerInvalid` where that is more than ``most`` bytes."""
        parts, size = [], 0
        for part in self:
            parts.append(part)
            size += len(part)
            if size > most:
                raise JsmAnswerInvalid(f"JSM's file is too large: {self._address}: more than {most} bytes", "")
        return b"".join(parts)

    def close(self) -> None:
        """Let go of it; the connection stays for the next call where it was read to its end."""
        self._answer.close()


class JsmClient:
    """Calls Jira Service Management at ``base_url``, whose context path is kept (``https://acme.com/jira``).

    May be used by many threads at once, with a session of :class:`~jsmsso.http_client.HttpClient`. ``api_url`` is
    where the calls go, where that is not the site's own address (Atlassian's gateway). ``files`` is a session that takes
    larger answers and more time, for what is no JSON. A 429 seen here holds back everybody who has the same ``calm``.
    """

    def __init__(
        self,
        session: requests.Session,
        base_url: str,
        authentication: Authentication | None = None,
        patience: Patience = PLAIN,
        *,
        calm: Calm | None = None,
        api_url: str = "",
        files: requests.Session | None = None,
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.api_url = api_url.rstrip("/") or self.base_url
        self.authentication = authentication
        self._session = session
        self._files = files or session
        self._patience = patience
        self._calm = calm or Calm()
        self._ends: float | None = None

    def within(self, seconds: float) -> JsmClient:
        """The same client, whose calls and pauses from now on take ``seconds`` together at most.

        A call after that time, or under way at its end, raises :class:`JsmUnreachable`.
        """
        ends = self._patience.monotonic() + seconds
        return self._like(self.authentication, self.api_url, ends if self._ends is None else min(ends, self._ends))

    @property
    def seconds_left(self) -> float | None:
        """What is left of :meth:`within`, at least 0; None where nothing limits it."""
        return None if self._ends is None else max(0.0, self._ends - self._patience.monotonic())

    def as_stranger(self) -> JsmClient:
        """The same site at its own address, without a login."""
        return self._like(None, "", self._ends)

    def at(self, api_url: str) -> JsmClient:
        """The same account at another address of Atlassian's: its login goes there."""
        return self._like(self.authentication, api_url, self._ends)

    def get(self, path: str, parameters: Mapping[str, str | int] | None = None, *, needs: str = "", experimental: bool = False) -> Any:
        """The JSON answer to a GET. ``needs`` names the permission whose lack is the likely cause of a 403.

        Tried again three times at most on 429, 502, 503, 504 and a broken connection, waiting as ``Retry-After``
        or ``X-RateLimit-Reset`` says. Raises :class:`JsmUnreachable`, :class:`JsmRefused` or :class:`JsmAnswerInvalid`.
        """
        return self._ask(_Call("GET", path, parameters, None, needs, experimental))

    def ask(
        self,
        path: str,
        question: Mapping[str, Any],
        *,
        needs: str = "",
        parameters: Mapping[str, str | int] | None = None,
        experimental: bool = False,
    ) -> Any:
        """The JSON answer to a POST that only asks and changes nothing, so that it may be repeated like a GET."""
        return self._ask(_Call("POST", path, parameters, question, needs, experimental))

    def open_file(self, path: str, parameters: Mapping[str, str | int] | None = None, *, needs: str = "") -> OpenFile:
        """What a GET answers, whatever it is, within what the session for files lets through. Raises as :meth:`get` does.

        :meth:`within` counts until it begins to come.
        """
        opened: OpenFile = self._ask(_Call("GET", path, parameters, None, needs, is_file=True))
        return opened

    def file(self, path: str, parameters: Mapping[str, str | int] | None = None, *, needs: str = "", most: int = MOST_WHOLE) -> Download:
        """The same, read whole: at most ``most`` bytes."""
        with closing(self.open_file(path, parameters, needs=needs)) as opened:
            return Download(opened.whole(most), opened.content_type)

    def upload(self, path: str, files: Sequence[OutgoingFile], *, needs: str = "") -> Any:
        """The JSON answer to a POST of files as a form's field ``file``, each read from its start as it is sent.

        It may be repeated, as JSM forgets what nobody takes up. Raises as :meth:`get` does.
        """
        return self._ask(_Call("POST", path, None, None, needs, experimental=True, is_file=True, files=tuple(files)))

    def send(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any],
        *,
        needs: str = "",
        idempotent: bool,
        experimental: bool = False,
        parameters: Mapping[str, str | int] | None = None,
    ) -> Any | None:
        """The JSON answer to a call that changes something; None where there is none (204).

        What JSM says it did not do (429, 503 with ``Retry-After``) and what never reached it is tried again. What
        may have worked (502, 504, a connection that broke) is only where ``idempotent`` says that a second time
        changes nothing more. Raises as :meth:`get` does.
        """
        return self._ask(_Call(method, path, parameters, body, needs, experimental, idempotent, changes=True))

    def _like(self, authentication: Authentication | None, api_url: str, ends: float | None) -> JsmClient:
        session, files = self._session, self._files
        other = JsmClient(session, self.base_url, authentication, self._patience, calm=self._calm, api_url=api_url, files=files)
        other._ends = ends
        return other

    def _ask(self, call: _Call) -> Any:
        address = self.api_url + call.path
        for attempt in range(RETRIES + 1):
            last = attempt == RETRIES
            self._keep_calm(address)
            try:
                answer = self._request(call, address)
            except WireFailed as error:
                retried = RETRIED_FAILURES if call.idempotent else UNSENT_FAILURES
                pause = FIRST_PAUSE * 2**attempt
                if last or error.kind not in retried or not self._has_time(pause):
                    raise _wire_error(error) from error
                self._pause(pause, error.detail)
                continue
            if answer.status_code in RETRIED_STATUSES:
                asked = asked_pause(answer.headers, self._patience.now())
                pause = FIRST_PAUSE * 2**attempt if asked is None else asked
                self._note(answer, pause)
                undone = answer.status_code == 429 or (answer.status_code == 503 and asked is not None)
                if not last and (undone or call.idempotent) and pause <= LONGEST_PAUSE and self._has_time(pause):
                    self._pause(pause, f"JSM answered {answer.status_code}")
                    continue
            return self._read(answer, address, call)
        raise AssertionError("the last attempt returns or raises")

    def _keep_calm(self, address: str) -> None:
        """Wait where the site has asked somebody to; raises :class:`JsmRefused` where that is too long."""
        seconds = self._calm.until() - self._patience.now()
        if seconds <= 0:
            return
        if seconds > LONGEST_PAUSE or not self._has_time(seconds):
            raise still_busy(seconds, address)
        self._pause(seconds, "JSM was too busy a moment ago")

    def _request(self, call: _Call, address: str) -> requests.Response:
        import requests  # 300 ms of CPU; whoever gave us a session has paid for it

        headers = {"Accept": "application/json", **(EXPERIMENTAL if call.experimental else {})}
        body: bytes | FileForm | None = None
        if call.files:
            body = FileForm("file", call.files)
            headers |= {**NO_BROWSER, "Content-Type": body.content_type}
        elif call.body is not None:
            headers["Content-Type"] = "application/json"
            body = json.dumps(call.body).encode()
        elif call.is_file:
            headers |= {"Accept": "*/*", "Accept-Encoding": "identity"}  # so that its length is known
        if self.authentication is not None:
            headers["Authorization"] = self.authentication.header
        get = call.method == "GET"  # a redirected POST would become a GET, and look as if it had worked
        rest = self._rest(address)
        session = self._files if call.is_file else self._session
        try:
            return session.request(
                call.method,
                address,
                params=call.parameters,
                data=body,
                headers=headers,
                timeout=rest,
                allow_redirects=get,
                stream=call.is_file and get,
            )
        except requests.RequestException as error:  # what is not the wire's: too many redirects, an address it cannot use
            raise JsmUnreachable(f"JSM cannot be reached: {address}: {type(error).__name__}", "Look at jsm.url.") from error

    def _rest(self, address: str) -> float | None:
        """Seconds that are left for a call; None where nothing but the session's own deadline counts."""
        if self._ends is None:
            return None
        rest = self._ends - self._patience.monotonic()
        if rest <= 0:
            raise JsmUnreachable(f"JSM took too long: there is no time left for {address}", "It is slow now; try again later.")
        return rest

    def _has_time(self, pause: float) -> bool:
        return self._ends is None or self._patience.monotonic() + pause < self._ends

    def _note(self, answer: requests.Response, pause: float) -> None:
        if answer.status_code == 429 and answer.headers.get("RateLimit-Reason") != ABOUT_ONE_ISSUE:
            self._calm.note(self._patience.now() + min(pause, LONGEST_CALM))

    def _pause(self, seconds: float, reason: str) -> None:
        self._patience.told(seconds, reason)
        self._patience.sleep(seconds)

    def _read(self, answer: requests.Response, address: str, call: _Call) -> Any:
        if answer.status_code >= 400:
            raise refusal(answer.status_code, answer.headers, answer.content, address, self.authentication, call.needs)
        if denied_login(answer.headers) and self.authentication is not None:
            # Calls that nobody must log in for answer 200 to wrong credentials too, as if to a stranger.
            answer.close()
            raise refusal(401, answer.headers, b"", address, self.authentication, call.needs)
        if 300 <= answer.status_code < 400:
            raise JsmAnswerInvalid(f"JSM answered with a redirect instead of data: {address}", REDIRECT_HINT)
        if call.is_file and call.method == "GET":
            return OpenFile(answer)
        if call.changes and not answer.content:
            return None
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise _no_json(answer, address) from error


@dataclass(frozen=True, slots=True)
class _Call:
    """One call, whatever the number of attempts. ``idempotent``: a second time does no harm where the first one worked."""

    method: str
    path: str
    parameters: Mapping[str, str | int] | None
    body: Mapping[str, Any] | None
    needs: str
    experimental: bool = False
    idempotent: bool = True
    changes: bool = False
    is_file: bool = False
    files: tuple[OutgoingFile, ...] = field(default=(), repr=False)


def _wire_error(error: WireFailed) -> JsmUnreachable | JsmAnswerInvalid:
    if error.kind == "too_large":
        return JsmAnswerInvalid(f"JSM's answer is too large: {error.address}: {error.detail}", "Something else than JSM answers there.")
    hint = error.hint
    if not hint and error.kind == "resolve":
        hint = "Look at jsm.url: is the site's name right?"
    if not hint and error.kind == "redirect":
        hint = REDIRECT_HINT
    return JsmUnreachable(f"JSM cannot be reached: {error.address}: {error.detail}", hint)


def _no_json(answer: requests.Response, address: str) -> JsmAnswerInvalid:
    if "html" in answer.headers.get("Content-Type", "").lower() or answer.content.lstrip()[:1] == b"<":
        return JsmAnswerInvalid(
            f"JSM answered with a page instead of data: {address}",
            "A login page or a proxy stands before it. Is jsm.url the site's own address, and may this machine reach it without a browser?",
        )
    return JsmAnswerInvalid(f"JSM's answer is no JSON: {address}", "Is jsm.url the address of a Jira site?")
