"""Answers and their headers. What never changes between requests is made once."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Protocol, TypeAlias

Header: TypeAlias = tuple[str, str]

NOTHING = "default-src 'none'; frame-ancestors 'none'"  # the Content-Security-Policy of an answer that shows nothing
STATUS_LINES = {status.value: f"{status.value} {status.phrase}" for status in HTTPStatus}


class Stream(Protocol):
    """What WSGI takes as a body: pieces, and ``close``."""

    def __iter__(self) -> Iterator[bytes]: ...

    def close(self) -> None: ...


@dataclass(frozen=True, slots=True)
class Reply:
    """An answer, whole; or with ``stream`` in place of ``body`` one that is made as it is sent, and closed whatever happens."""

    status: int
    headers: list[Header]
    body: bytes = b""
    stream: Stream | None = None


@dataclass(frozen=True, slots=True)
class Headers:
    """Our answers' headers for one deployment."""

    secure: bool
    always: tuple[Header, ...] = field(init=False)

    def __post_init__(self) -> None:
        always = [
            ("X-Content-Type-Options", "nosniff"),
            ("Cross-Origin-Opener-Policy", "same-origin"),
            ("Cross-Origin-Resource-Policy", "same-origin"),
        ]
        if self.secure:
            # Without includeSubDomains: what else lies below this host's name is not ours to decide.
            always.append(("Strict-Transport-Security", "max-age=63072000"))
        object.__setattr__(self, "always", tuple(always))

    def redirect(self, location: str, cookies: Iterable[Header] = (), *, status: int = 302, referrer: str = "same-origin") -> Reply:
        """To ``location``, an absolute address or a path of ours. Never cached: it is personal, or sets a cookie."""
        return Reply(
            status,
            [
                ("Location", location),
                *cookies,
                ("Cache-Control", "no-store"),
                ("Content-Security-Policy", NOTHING),
                ("Referrer-Policy", referrer),
                ("Content-Length", "0"),
                ("Content-Type", "text/plain; charset=utf-8"),  # wsgiref's validator wants one
                *self.always,
            ],
        )

    def plain(self, status: int, text: str, extra: Sequence[Header] = ()) -> Reply:
        """A short text, for programs."""
        return self.content(status, text.encode() + b"\n", "text/plain; charset=utf-8", NOTHING, extra=extra)

    def content(
        self,
        status: int,
        body: bytes,
        content_type: str,
        policy: str,
        *,
        extra: Sequence[Header] = (),
        cache: str = "no-store",
        referrer: str = "same-origin",
    ) -> Reply:
        """Any body with its headers; ``policy`` is the Content-Security-Policy."""
        return self._with_length(status, len(body), content_type, policy, extra, cache, referrer, body)

    def stream(self, stream: Stream, size: int, content_type: str, policy: str, *, extra: Sequence[Header] = ()) -> Reply:
        """A body of ``size`` bytes that is made as it is sent."""
        return replace(self._with_length(200, size, content_type, policy, extra), stream=stream)

    def _with_length(
        self,
        status: int,
        size: int,
        content_type: str,
        policy: str,
        extra: Sequence[Header],
        cache: str = "no-store",
        referrer: str = "same-origin",
        body: bytes = b"",
    ) -> Reply:
        return Reply(
            status,
            [
                ("Content-Type", content_type),
                ("Content-Length", str(size)),
                ("Cache-Control", cache),
                ("Content-Security-Policy", policy),
                ("Referrer-Policy", referrer),
                *extra,
                *self.always,
            ],
            body,
        )
