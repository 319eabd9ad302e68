"""One site, spoken to as one account: JSON in, JSON out, patient with a busy site, plain about a refusal."""

from __future__ import annotations

import email.utils
import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jsmsso.errors import JsmAnswerInvalid, JsmUnreachable, WireFailed
from jsmsso.jsm.authentication import Authentication
from jsmsso.jsm.refusals import denied_login, refusal

if TYPE_CHECKING:
    import requests

RETRIES = 3
RETRIED_STATUSES = frozenset({429, 502, 503, 504})
RETRIED_FAILURES = frozenset({"connect", "protocol"})  # a mistyped name, a bad certificate and a slow answer do not get better
FIRST_PAUSE = 0.5  # seconds, doubled each time, where JSM does not say how long to wait
LONGEST_PAUSE = 60.0  # seconds; a site that asks for more is told to the person instead
EXPERIMENTAL = {"X-ExperimentalApi": "opt-in"}  # Atlassian answers 412 to its experimental calls without it


@dataclass(frozen=True, slots=True)
class Patience:
    """Time, and whom to tell of a pause. Tests bring their own, so that none waits."""

    now: Callable[[], float] = time.time
    sleep: Callable[[float], None] = time.sleep
    told: Callable[[float, str], None] = lambda seconds, reason: None


PLAIN = Patience()


class JsmClient:
    """Calls Jira Service Management at ``base_url``, whose context path is kept (``https://acme.com/jira``)."""

    def __init__(
        self, session: requests.Session, base_url: str, authentication: Authentication | None = None, patience: Patience = PLAIN
    ) -> None:
        self.base_url = base_url.rstrip("/")
        self.authentication = authentication
        self._session = session
        self._patience = patience

    def get(self, path: str, parameters: Mapping[str, str | int] | None = None, *, needs: str = "", experimental: bool = False) -> Any:
        """The JSON answer to a GET. ``needs`` names the permission whose lack is the likely cause of a 403.

        Tried again three times at most on 429, 502, 503, 504 and a broken connection, waiting as
        ``Retry-After`` says. Raises :class:`JsmUnreachable`, :class:`JsmRefused` or :class:`JsmAnswerInvalid`.
        """
        return self._ask("GET", path, parameters, None, needs, EXPERIMENTAL if experimental else {})

    def ask(self, path: str, question: Mapping[str, Any], *, needs: str = "") -> Any:
        """The JSON answer to a POST that only asks and changes nothing, so that it may be repeated like a GET."""
        headers = {"Content-Type": "application/json"}
        return self._ask("POST", path, None, json.dumps(question).encode(), needs, headers)

    def _ask(
        self, method: str, path: str, parameters: Mapping[str, str | int] | None, body: bytes | None, needs: str, extra: Mapping[str, str]
    ) -> Any:
        import requests  # 300 ms of CPU; whoever gave us a session has paid for it

        headers = {"Accept": "application/json", **extra}
        if self.authentication is not None:
            headers["Authorization"] = self.authentication.header
        for attempt in range(RETRIES + 1):
            last = attempt == RETRIES
            try:
                answer = self._session.request(method, self.base_url + path, params=parameters, data=body, headers=headers)
            except requests.RequestException as error:  # what is not the wire's: too many redirects, an address it cannot use
                address, what = self.base_url + path, type(error).__name__
                raise JsmUnreachable(f"JSM cannot be reached: {address}: {what}", "Look at jsm.url.") from error
            except WireFailed as error:
                if last or error.kind not in RETRIED_FAILURES:
                    raise _wire_error(error) from error
                self._pause(attempt, None, error.detail)
                continue
            if answer.status_code in RETRIED_STATUSES and not last:
                pause = self._asked_pause(answer.headers.get("Retry-After"))
                if pause is None or pause <= LONGEST_PAUSE:
                    self._pause(attempt, pause, f"JSM answered {answer.status_code}")
                    continue
            return self._read(answer, path, needs)
        raise AssertionError("the last attempt returns or raises")

    def _pause(self, attempt: int, asked: float | None, reason: str) -> None:
        seconds = FIRST_PAUSE * 2**attempt if asked is None else asked
        self._patience.told(seconds, reason)
        self._patience.sleep(seconds)

    def _asked_pause(self, retry_after: str | None) -> float | None:
        """Seconds that ``Retry-After`` asks for: a number or a date (RFC 9110 10.2.3); None where it says nothing."""
        if not retry_after:
            return None
        if retry_after.strip().isdigit():
            return float(retry_after)
        try:
            return max(0.0, email.utils.parsedate_to_datetime(retry_after).timestamp() - self._patience.now())
        except ValueError:
            return None

    def _read(self, answer: requests.Response, path: str, needs: str) -> Any:
        if answer.status_code >= 400:
            raise refusal(answer.status_code, answer.headers, answer.content, self.base_url + path, self.authentication, needs)
        if denied_login(answer.headers) and self.authentication is not None:
            # Calls that nobody must log in for answer 200 to wrong credentials too, as if to a stranger.
            raise refusal(401, answer.headers, b"", self.base_url + path, self.authentication, needs)
        try:
            return json.loads(answer.content)
        except ValueError as error:
            raise _no_json(answer, self.base_url + path) from error


def _wire_error(error: WireFailed) -> JsmUnreachable | JsmAnswerInvalid:
    if error.kind == "too_large":
        return JsmAnswerInvalid(f"JSM's answer is too large: {error.address}: {error.detail}", "Something else than JSM answers there.")
    hint = error.hint
    if not hint and error.kind == "resolve":
        hint = "Look at jsm.url: is the site's name right?"
    if not hint and error.kind == "redirect":
        hint = "Look at jsm.url: use the address that the browser shows when you open the site."
    return JsmUnreachable(f"JSM cannot be reached: {error.address}: {error.detail}", hint)


def _no_json(answer: requests.Response, address: str) -> JsmAnswerInvalid:
    if "html" in answer.headers.get("Content-Type", "").lower() or answer.content.lstrip()[:1] == b"<":
        return JsmAnswerInvalid(
            f"JSM answered with a page instead of data: {address}",
            "A login page or a proxy stands before it. Is jsm.url the site's own address, and may this machine reach it without a browser?",
        )
    return JsmAnswerInvalid(f"JSM's answer is no JSON: {address}", "Is jsm.url the address of a Jira site?")
