"""The only door to the network: trust store, proxy, deadlines, limits, kept connections.

Every call verifies TLS, has one deadline for the whole answer and a size limit, follows redirects on
the same origin only, and never reads ``.netrc``. Plain ``http://`` goes to loopback addresses alone.
"""

from __future__ import annotations

import json
import os
import ssl
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from io import BytesIO
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import unquote, urlsplit

import urllib3
from urllib3.exceptions import HTTPError

from jsmsso import __version__
from jsmsso.errors import WireFailed
from jsmsso.http_addresses import same_origin_redirect, split_address, without_query
from jsmsso.http_calls import WIRE_ERRORS, Incoming, begun_answer, unpacked, whole_answer
from jsmsso.http_connections import Connections
from jsmsso.http_deadlines import Call, watch
from jsmsso.http_exchange import NoWholeAnswer, Pieces, WireAnswer, request_bytes
from jsmsso.http_failures import EvidentSocket, wire_failure

if TYPE_CHECKING:
    import requests

DEADLINE = 10.0  # seconds for a whole answer
MAX_BYTES = 1_000_000  # of an answer's body
MAX_REDIRECTS = 3
USER_AGENT = f"jsmsso/{__version__}"


Observe = Callable[[str, str, int, float], None]
"""Told of a call that ended: method, address, status (0 without an answer), seconds."""


@dataclass(frozen=True, slots=True)
class HttpSettings:
    """The profile's ``http:``; without it the usual proxy variables and the system's trust store count."""

    proxy: str | None = None
    no_proxy: tuple[str, ...] = ()
    ca_bundle: str | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """An HTTP answer, read whole. ``headers`` by their names in lower case; ``body`` has at most the call's ``max_bytes``."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    url: str

    def json(self) -> Any:
        """The body as JSON. Raises ValueError; numbers like NaN are no JSON."""
        return json.loads(self.body, parse_constant=_no_constant)


class HttpClient:
    """Calls out, from many threads at once. One per process: it owns the connections."""

    def __init__(self, settings: HttpSettings = HttpSettings()) -> None:
        self._settings = settings
        self._origins: dict[str, Connections] = {}
        self._lock = threading.Lock()
        self._trust: ssl.SSLContext | None = None

    def fetch(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        deadline: float = DEADLINE,
        max_bytes: int = MAX_BYTES,
        replay: bool | None = None,
        follow: bool = True,
    ) -> Answer:
        """One call; any status is an answer. Redirects are followed for GET, on the same origin; with ``follow`` False never.

        ``replay`` says that the request may be sent again when a kept-alive connection turns out to have
        been closed before a byte of the answer came (default: only for GET). Raises :class:`WireFailed`.
        """
        ends = time.monotonic() + deadline
        sent = {"user-agent": USER_AGENT, "accept-encoding": "identity", **(headers or {})}
        may_replay = method == "GET" if replay is None else replay
        for _ in range(MAX_REDIRECTS + 1):
            response = self._exchange(method, url, sent, body, ends, max_bytes, may_replay)
            status, location = response.status, response.headers.get("location")
            if not follow or method != "GET" or location is None or status not in (301, 302, 303, 307, 308):
                return Answer(status, response.headers, _unpacked(response, max_bytes, url), url)
            url = same_origin_redirect(url, location)
        raise WireFailed("redirect", without_query(url), "too many redirects")

    def observed(self, observe: Observe) -> HttpClient:
        """The same connections under the same rules; ``observe`` hears of each call, and must neither fail nor wait."""
        return _Observed(self, observe)

    def session(self, *, deadline: float = DEADLINE, max_bytes: int = MAX_BYTES) -> requests.Session:
        """A ``requests.Session`` under the same rules; its calls raise :class:`WireFailed` for the wire's failures.

        Threads may share it, for it keeps no cookies. A single call's ``timeout`` shortens the deadline, in seconds. With
        ``stream`` it is the deadline for a good answer's headers; the body comes as it is read, and must be read to its end
        or closed. A body that is sent may be :class:`Pieces`.
        """
        from jsmsso.http_session import open_session  # 300 ms of CPU that the login's path and most commands do without

        session = open_session(self._whole, self._begin, deadline=deadline, max_bytes=max_bytes)
        session.max_redirects = MAX_REDIRECTS
        session.headers["user-agent"] = USER_AGENT
        return session

    def _whole(self, method: str, url: str, headers: Mapping[str, str], body: Any, ends: float, max_bytes: int, replay: bool) -> WireAnswer:
        answer = self._exchange(method, url, headers, body, ends, max_bytes, replay)
        return replace(answer, body=_unpacked(answer, max_bytes, url))

    def _exchange(
        self, method: str, url: str, headers: Mapping[str, str], body: Any, ends: float, max_bytes: int, replay: bool
    ) -> WireAnswer:
        origin, target, loopback = split_address(url)
        connections = self._origin(url, origin, loopback)
        call = Call(ends)
        watch.add(call)
        try:
            pieces, size = (body, body.size) if hasattr(body, "size") else ((), None)
            request = request_bytes(method, target, origin.partition("://")[2], headers, None if pieces else body, size=size)
            return whole_answer(connections, call, request, cast(Pieces, pieces), max_bytes, replay)
        except WIRE_ERRORS as error:
            raise self._failure(call, url, origin, loopback, error) from error
        finally:
            watch.remove(call)

    def _begin(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | str | None, ends: float, max_bytes: int, replay: bool
    ) -> Incoming:
        origin, target, loopback = split_address(url)
        connections = self._origin(url, origin, loopback)
        call = Call(ends)
        watch.add(call)
        failure = partial(self._failure, call, url, origin, loopback)
        try:
            request = request_bytes(method, target, origin.partition("://")[2], headers, body)
            return begun_answer(connections, call, request, max_bytes, replay, failure)
        except WIRE_ERRORS as error:
            watch.remove(call)
            raise failure(error) from error
        except BaseException:
            watch.remove(call)
            raise

    def _origin(self, url: str, origin: str, loopback: bool) -> Connections:
        if origin.startswith("http://") and not loopback:
            raise WireFailed("insecure", without_query(url), "plain http is for loopback addresses only", "Use https://.")
        return self._origins.get(origin) or self._open_origin(origin, loopback)

    def _failure(self, call: Call, url: str, origin: str, loopback: bool, error: Exception) -> Exception:
        if call.expired or time.monotonic() >= call.ends:
            return WireFailed("timeout", without_query(url), "no whole answer in time")
        if isinstance(error, NoWholeAnswer):
            return WireFailed(error.kind, without_query(url), str(error))
        if isinstance(error, AttributeError):
            return error
        proxy = None if loopback else self._proxy_for(origin)
        return wire_failure(error, url, without_query(url), proxy=proxy, ca_bundle=self._settings.ca_bundle)

    def _open_origin(self, origin: str, loopback: bool) -> Connections:
        with self._lock:
            if origin in self._origins:
                return self._origins[origin]
            parts = urlsplit(origin)
            proxy = None if loopback else self._proxy_for(origin)
            options: dict[str, Any] = {"ssl_context": self._trust_store()} if parts.scheme == "https" else {}
            pool: urllib3.HTTPConnectionPool
            if proxy is not None:
                pool = _proxied(proxy, self._trust_store(), options).connection_from_url(origin)
            else:
                pool_class = urllib3.HTTPSConnectionPool if parts.scheme == "https" else urllib3.HTTPConnectionPool
                pool = pool_class(cast(str, parts.hostname), parts.port, **options)
            self._origins[origin] = Connections(pool)
            return self._origins[origin]

    def _proxy_for(self, origin: str) -> str | None:
        environment = urllib.request.getproxies_environment()
        proxy = self._settings.proxy or environment.get("https") or environment.get("all")
        if not proxy:
            return None
        from requests.utils import should_bypass_proxies

        no_proxy = ",".join(self._settings.no_proxy) or environment.get("no")
        return None if should_bypass_proxies(origin, no_proxy) else proxy

    def _trust_store(self) -> ssl.SSLContext:
        if self._trust is None:
            bundle = self._settings.ca_bundle
            try:
                context = ssl.create_default_context(cafile=bundle)
            except (OSError, ssl.SSLError) as error:
                raise WireFailed("tls", bundle or "the system's trust store", f"cannot be read: {error}", "See http.ca_bundle.") from error
            if bundle is None and not context.cert_store_stats()["x509_ca"] and not _has_certificate_folder():
                import certifi  # a Python without a system trust store (python.org's for macOS)

                context.load_verify_locations(certifi.where())
            context.set_alpn_protocols(["http/1.1"])
            context.sslsocket_class = EvidentSocket
            self._trust = context
        return self._trust


class _Observed(HttpClient):
    """Somebody's view of a client."""

    def __init__(self, client: HttpClient, observe: Observe) -> None:
        self._client = client
        self._observe = observe

    def _exchange(self, method: str, url: str, *rest: Any) -> WireAnswer:
        with self._told_of(method, url) as told:
            answer = self._client._exchange(method, url, *rest)
            told.append(answer.status)
        return answer

    def _begin(self, method: str, url: str, *rest: Any) -> Incoming:
        with self._told_of(method, url) as told:
            answer = self._client._begin(method, url, *rest)
            told.append(answer.status)
        return answer

    @contextmanager
    def _told_of(self, method: str, url: str) -> Iterator[list[int]]:
        begun, told = time.monotonic(), [0]
        try:
            yield told
        finally:
            self._observe(method, url, told[-1], time.monotonic() - begun)


def _proxied(proxy: str, trust: ssl.SSLContext, options: Mapping[str, Any]) -> urllib3.ProxyManager:
    """Pools that go through a proxy: ``[http[s]://][user:password@]host[:port]``."""
    address = proxy if "://" in proxy else f"http://{proxy}"
    user, _, place = address.partition("://")[2].rpartition("@")
    headers = urllib3.make_headers(proxy_basic_auth=unquote(user)) if user else None
    try:
        scheme = address.partition("://")[0]
        return urllib3.ProxyManager(f"{scheme}://{place}", proxy_headers=headers, proxy_ssl_context=trust, **options)
    except (HTTPError, ValueError, AssertionError) as error:
        detail = f"its address cannot be used: {type(error).__name__}"  # no more: it may hold a password
        raise WireFailed("proxy", "the proxy", detail, "See http.proxy or HTTPS_PROXY.") from None


def _unpacked(answer: WireAnswer, max_bytes: int, url: str) -> bytes:
    if "content-encoding" not in answer.headers:
        return answer.body
    return b"".join(unpacked(BytesIO(answer.body), answer.headers, max_bytes, without_query(url)))


def _has_certificate_folder() -> bool:
    folder = ssl.get_default_verify_paths().capath
    return folder is not None and os.path.isdir(folder) and bool(os.listdir(folder))


def _no_constant(name: str) -> Any:
    raise ValueError(f"{name} is no JSON")
