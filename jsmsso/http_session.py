"""``requests.Session`` through our own door to the network, for what speaks requests. Importing requests takes 300 ms of CPU."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from http.cookiejar import DefaultCookiePolicy
from io import BytesIO
from typing import Any, cast

import requests
import urllib3
from requests.adapters import HTTPAdapter

from jsmsso.errors import WireFailed
from jsmsso.http_addresses import same_origin_redirect, without_query
from jsmsso.http_calls import Incoming, unpacked
from jsmsso.http_exchange import WireAnswer

LARGEST_REFUSAL = 1_000_000  # bytes of an answer that says no to a call whose body was to come as it is read

Whole = Callable[[str, str, Mapping[str, str], Any, float, int, bool], WireAnswer]
Begun = Callable[[str, str, Mapping[str, str], Any, float, int, bool], Incoming]
"""Makes a call: method, address, headers, body, when it ends (monotonic), most bytes of the answer, whether it may be sent again."""


def open_session(whole: Whole, begin: Begun, *, deadline: float, max_bytes: int) -> requests.Session:
    """A session whose calls are made by ``whole``, or with ``stream`` by ``begin``. It keeps no cookies and reads no ``.netrc``."""
    session = _Session()
    session.trust_env = False  # no .netrc: it would replace our Authorization header
    session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=()))
    session.headers["accept-encoding"] = "gzip"
    adapter = _Adapter(whole, begin, deadline, max_bytes)
    session.mount("https://", adapter)
    session.mount("http://", adapter)
    return session


class _Session(requests.Session):
    def send(self, request: requests.PreparedRequest, **options: Any) -> requests.Response:
        try:
            return super().send(request, **options)
        except requests.TooManyRedirects:
            raise WireFailed("redirect", without_query(cast(str, request.url)), "too many redirects") from None

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        target = super().get_redirect_target(resp)
        return same_origin_redirect(resp.url, target) if target else None


class _Adapter(HTTPAdapter):
    def __init__(self, whole: Whole, begin: Begun, deadline: float, max_bytes: int) -> None:
        super().__init__()
        self._whole = whole
        self._begin = begin
        self._deadline = deadline
        self._max_bytes = max_bytes

    def send(self, request: requests.PreparedRequest, stream: bool = False, *_: Any, timeout: Any = None, **__: Any) -> requests.Response:
        method, url = cast(str, request.method), cast(str, request.url)
        ends = time.monotonic() + (self._deadline if timeout is None else min(self._deadline, timeout))
        headers = cast(Mapping[str, str], request.headers)
        rest = (method, url, headers, request.body, ends, self._max_bytes, method in ("GET", "HEAD"))
        if not stream:
            answer = self._whole(*rest)
            return self._built(request, answer.status, answer.headers, answer.body)
        begun = self._begin(*rest)
        coming = unpacked(begun, begun.headers, self._max_bytes, without_query(url))
        if begun.status >= 300:  # a refusal is short, or none that could be read
            try:
                return self._built(request, begun.status, begun.headers, _short(coming, url))
            finally:
                begun.close()
        response = self.build_response(request, begun)  # type: ignore[arg-type]
        response.raw = _Readable(begun, coming)
        return response

    def _built(self, request: requests.PreparedRequest, status: int, headers: Mapping[str, str], body: bytes) -> requests.Response:
        raw = urllib3.HTTPResponse(BytesIO(body), headers, status, preload_content=False, decode_content=False)
        response = self.build_response(request, raw)
        response._content = body
        return response


class _Readable:
    """A body as requests reads it."""

    def __init__(self, begun: Incoming, coming: Iterator[bytes]) -> None:
        self._begun = begun
        self._coming = coming

    def read(self, size: int = 0) -> bytes:
        return next(self._coming, b"")

    def close(self) -> None:
        self._begun.close()


def _short(coming: Iterator[bytes], url: str) -> bytes:
    parts, size = [], 0
    for part in coming:
        size += len(part)
        if size > LARGEST_REFUSAL:
            raise WireFailed("too_large", without_query(url), f"the answer is larger than {LARGEST_REFUSAL} bytes")
        parts.append(part)
    return b"".join(parts)
