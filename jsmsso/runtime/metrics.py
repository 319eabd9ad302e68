"""What a worker counts. Every label has a few values that are known from the start; none is about a person."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from jsmsso.http_client import Observe
from jsmsso.oidc.discovery import ProviderMetadata
from jsmsso.runtime.shared_counts import Counts, Key

SECONDS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)  # a histogram's upper bounds; calls end after ten seconds
ENDPOINTS = ("token", "userinfo", "jwks", "metadata", "other")


@dataclass(frozen=True, slots=True)
class Family:
    """A metric as Prometheus sees it. ``last`` is a time of which the latest counts, and is not shown."""

    name: str
    kind: Literal["counter", "histogram", "last"]
    help: str
    labels: tuple[str, ...] = ()


FAMILIES = {
    family.name: family
    for family in (
        Family("jsmsso_logins", "counter", "Answers of a provider, by what became of the login.", ("provider", "outcome", "reason")),
        Family("jsmsso_login_redirects", "counter", "Browsers sent to a provider to log in.", ("provider",)),
        Family("jsmsso_session_requests", "counter", "Requests that asked for a session, by what was found.", ("session",)),
        Family("jsmsso_access_denied", "counter", "Requests with a session that may not open the portal."),
        Family("jsmsso_logouts", "counter", "Sessions ended before their time, by whom.", ("by",)),
        Family("jsmsso_responses", "counter", "Answers of the public address, by class of status.", ("status",)),
        Family("jsmsso_provider_request_seconds", "histogram", "Time that a provider's endpoint took.", ("provider", "endpoint")),
        Family("jsmsso_provider_failures", "counter", "Calls to a provider without a usable answer.", ("provider", "endpoint")),
        Family("jsmsso_jsm_request_seconds", "histogram", "Time that JSM took.", ("kind",)),
        Family("jsmsso_jsm_failures", "counter", "Calls to JSM without a usable answer.", ("kind",)),
        Family("jsmsso_audit_lines_lost", "counter", "Lines of the audit trail that could not be written."),
        Family("jsmsso_faults", "counter", "Faults of jsmsso itself."),
        Family("provider_answered", "last", "When a provider answered last.", ("provider",)),
        Family("provider_failed", "last", "When a provider failed last.", ("provider",)),
        Family("jsm_answered", "last", "When JSM answered last."),
        Family("jsm_failed", "last", "When JSM failed last."),
    )
}

# The provider's answers (RFC 6749 4.1.2.1, Core 3.1.2.6) that are about the person; all others are a provider that fails.
_SAID_NO = (
    "access_denied",
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
    "unmet_authentication_requirements",
)
# A dead end's reason begins with -> outcome and class. The first that fits counts.
_REASONS = (
    ("access_denied", "refused", "access_rule"),
    ("email_", "refused", "email"),
    ("too_large", "refused", "claims_too_large"),
    ("answer_", "refused", "answer"),
    ("token_invalid_grant", "refused", "code"),
    ("id_token_", "refused", "id_token"),
    ("userinfo_", "refused", "id_token"),
    *((f"authorization_{error}", "refused", "provider_said_no") for error in _SAID_NO),
    ("customer_not_written", "failed", "jsm"),
    ("customer_", "refused", "customer"),
    ("account_", "refused", "customer"),
    ("store_", "failed", "store"),
    ("too_busy", "failed", "busy"),
    ("fault", "failed", "fault"),
    ("", "failed", "provider"),
)
OK, OTHER_REASON = ("ok", ""), ("failed", "provider")
OUTCOMES = (OK, *dict.fromkeys((outcome, reason) for _, outcome, reason in _REASONS))
SESSIONS = ("living", "none", "over")
ENDED_BY = ("person", "provider")
STATUSES = ("other", "1xx", "2xx", "3xx", "4xx", "5xx")
JSM_KINDS = ("read", "write")


class Metrics:
    """One per worker. A name that is not known from the start is counted nowhere: no label grows with what people send."""

    def __init__(self, providers: Iterable[str], folder: Path | None = None, *, now: Callable[[], float] = time.time) -> None:
        keys = list(_keys(tuple(providers)))
        self._place = {key: place for place, key in enumerate(keys)}
        self._counts = Counts(keys, folder)
        self._now = now
        self._statuses = [self._place["jsmsso_responses", status] for status in STATUSES]

    def login(self, provider: str, reason: str = "") -> None:
        """An answer of a provider came; ``reason`` as on the page and in the log, empty for a good login."""
        self._add("jsmsso_logins", provider, *(login_outcome(reason) if reason else OK))

    def redirect(self, provider: str) -> None:
        """A browser goes to a provider."""
        self._add("jsmsso_login_redirects", provider)

    def session(self, found: Literal["living", "none", "over"]) -> None:
        """A request asked for its session."""
        self._add("jsmsso_session_requests", found)

    def denied(self) -> None:
        """Somebody with a session may not go on."""
        self._add("jsmsso_access_denied")

    def logout(self, by: Literal["person", "provider"]) -> None:
        """A session ended before its time."""
        self._add("jsmsso_logouts", by)

    def response(self, status: int) -> None:
        """An answer of the public address."""
        self._counts.add(self._statuses[status // 100 if 100 <= status < 600 else 0])

    def audit_lost(self, lines: int) -> None:
        """So many lines of the audit trail are lost since this worker's start."""
        self._counts.set(self._place["jsmsso_audit_lines_lost",], lines)

    def fault(self) -> None:
        """A fault of ours, which a person saw as a page."""
        self._add("jsmsso_faults")

    def provider_call(self, provider: str, endpoint: str, status: int, seconds: float) -> None:
        """A call to a provider ended; ``status`` is 0 where there was no answer."""
        self._observe("jsmsso_provider_request_seconds", (provider, endpoint), seconds)
        self._note("provider", (provider,), status)
        if not _is_usable(status):
            self._add("jsmsso_provider_failures", provider, endpoint)

    def calls_to(self, provider: str, known_metadata: Callable[[], ProviderMetadata | None]) -> Observe:
        """What :meth:`HttpClient.observed` tells of calls to a provider."""

        def observe(method: str, url: str, status: int, seconds: float) -> None:
            self.provider_call(provider, _endpoint(url, known_metadata()), status, seconds)

        return observe

    def jsm_call(self, method: str, url: str, status: int, seconds: float) -> None:
        """A call to JSM ended; ``status`` is 0 where there was no answer."""
        kind = "read" if method in ("GET", "HEAD") else "write"
        self._observe("jsmsso_jsm_request_seconds", (kind,), seconds)
        self._note("jsm", (), status)
        if not _is_usable(status):
            self._add("jsmsso_jsm_failures", kind)

    def is_failing(self, what: Literal["provider", "jsm"], name: str = "") -> bool:
        """Whether the last call of this worker to a provider or to JSM failed."""
        labels = (name,) if name else ()
        failed, answered = (self._place.get((f"{what}_{word}", *labels)) for word in ("failed", "answered"))
        return failed is not None and answered is not None and self._counts.get(failed) > self._counts.get(answered)

    def _add(self, *key: str) -> None:
        place = self._place.get(key)
        if place is not None:
            self._counts.add(place)

    def _observe(self, name: str, labels: Key, seconds: float) -> None:
        bound = next((str(bound) for bound in SECONDS if seconds <= bound), "+Inf")
        self._add(name, *labels, bound)
        place = self._place.get((name, *labels, "sum"))
        if place is not None:
            self._counts.add(place, seconds)

    def _note(self, what: str, labels: Key, status: int) -> None:
        place = self._place.get((f"{what}_{'answered' if _is_usable(status) else 'failed'}", *labels))
        if place is not None:
            self._counts.set(place, self._now())


def login_outcome(reason: str) -> tuple[str, str]:
    """The outcome and the class of a reason in the log."""
    return next(((outcome, class_) for beginning, outcome, class_ in _REASONS if reason.startswith(beginning)), OTHER_REASON)


def _endpoint(url: str, metadata: ProviderMetadata | None) -> str:
    if url.endswith(("/.well-known/openid-configuration", "/.well-known/oauth-authorization-server")):
        return "metadata"
    if metadata is None:
        return "other"
    return {metadata.token_endpoint: "token", metadata.jwks_uri: "jwks", metadata.userinfo_endpoint: "userinfo"}.get(url, "other")


def _is_usable(status: int) -> bool:
    """Whether an answer is one: a refusal is, a server's failure and ``Too Many Requests`` are not."""
    return 0 < status < 500 and status != 429


def join(key: Key, one: float, another: float) -> float:
    """What the numbers of two processes make."""
    family = FAMILIES.get(key[0])
    return max(one, another) if family is not None and family.kind == "last" else one + another


def _keys(providers: tuple[str, ...]) -> Iterator[Key]:
    values: dict[str, tuple[str, ...]] = {
        "provider": providers,
        "endpoint": ENDPOINTS,
        "session": SESSIONS,
        "by": ENDED_BY,
        "status": STATUSES,
        "kind": JSM_KINDS,
    }
    for family in FAMILIES.values():
        if family.name == "jsmsso_logins":
            yield from ((family.name, provider, *outcome) for provider in providers for outcome in OUTCOMES)
            continue
        combinations: list[Key] = [()]
        for label in family.labels:
            combinations = [(*before, value) for before in combinations for value in values[label]]
        for labels in combinations:
            if family.kind == "histogram":
                yield from ((family.name, *labels, part) for part in (*map(str, SECONDS), "+Inf", "sum"))
            else:
                yield (family.name, *labels)
