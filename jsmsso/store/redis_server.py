"""The connection to a Redis server: keys under the deployment's own name, bounded calls, and what it says when it fails."""

from __future__ import annotations

import hashlib
import ipaddress
import ssl
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from jsmsso.errors import NotReady, StoreUnavailable
from jsmsso.store.watching import StoreHealth, Watch

if TYPE_CHECKING:
    from redis import Redis

VERSION = 1  # of what the keys mean; raised only by a change that the release before cannot live with
CONNECT_SECONDS = 2.0
ANSWER_SECONDS = 2.0  # for each reading of the wire
RETRY_SECONDS = 1.0  # how long a first call goes on trying to connect: a restarted Redis is back by then
CLOCKS_DIFFER_SECONDS = 300  # Redis deletes what expired that much later by its own clock; until then ours decides


class RedisServer:
    """What the parts of :class:`RedisStore` stand on. Connects at its first call, and again by itself."""

    def __init__(self, url: str, *, password: str | None = None, namespace: str = "", ca_bundle: str | None = None) -> None:
        library = _library()
        self.health = StoreHealth()
        self._url = url
        # In braces, so that a cluster keeps all keys of a deployment together and the scripts work there too.
        self._prefix = f"jsmsso:{{{hashlib.sha256(namespace.encode()).hexdigest()[:16]}}}:"
        self._knows_version = False
        self._errors = library.exceptions
        self._redis: Redis = library.Redis(connection_pool=_pool(library, url, password, ca_bundle))
        self._scripts: dict[str, Callable[..., Any]] = {}

    def check(self) -> None:
        """Raise :class:`StoreUnavailable` unless the store can be read and written now."""
        self._write(lambda redis: redis.set(self._key("check"), b"1", ex=60))

    def close(self) -> None:
        """Close this process's connections, such as before a fork."""
        self._redis.close()
        self._redis.connection_pool.disconnect()

    def _key(self, *parts: str) -> str:
        return self._prefix + ":".join(parts)

    def _read(self, act: Callable[[Redis], Any]) -> Any:
        return self._call(self.health.reads, act)

    def _write(self, act: Callable[[Redis], Any]) -> Any:
        return self._call(self.health.writes, act)

    def _script(self, text: str, *values: str | bytes | float) -> Any:
        """Run a Lua script, which happens as a whole. Its first argument is the prefix of all keys."""
        script = self._scripts.get(text)
        if script is None:
            script = self._scripts[text] = self._redis.register_script(text)
        return self._write(lambda _: script(args=(self._prefix, *values)))

    def _pipeline(self, fill: Callable[[Any], object], *, writing: bool = False) -> list[Any]:
        """Several commands as a whole; their answers."""

        def act(redis: Redis) -> list[Any]:
            with redis.pipeline(transaction=True) as pipeline:
                fill(pipeline)
                return list(pipeline.execute())

        return list(self._call(self.health.writes if writing else self.health.reads, act))

    def _call(self, watch: Watch, act: Callable[[Redis], Any]) -> Any:
        began = watch.begin()
        while True:
            try:
                self._see_version()
                answer = act(self._redis)
            except self._errors.RedisError as error:
                # Only what was never carried out is tried again: a second SET NX would find the first one's key.
                if _never_ran(error, self._errors) and not watch.is_failing and time.monotonic() < began + RETRY_SECONDS:
                    time.sleep(0.05)
                    continue
                said = self._unavailable(error)
                watch.failed(began, said)
                raise said from error
            watch.worked()
            return answer

    def _see_version(self) -> None:
        if self._knows_version:
            return
        version = text(self._redis.get(self._key("version")))
        if not version:
            with suppress(self._errors.ReadOnlyError):  # whoever writes to a replica is told
                self._redis.setnx(self._key("version"), VERSION)
        elif int(version) > VERSION:
            raise StoreUnavailable(
                f"the store at {self._url} was made by a newer jsmsso (version {version})", "Upgrade jsmsso, or name another store."
            )
        self._knows_version = True

    def _unavailable(self, error: Exception) -> StoreUnavailable:
        said = str(error).rstrip(".")
        hint = "See that Redis runs and is reached from here: jsmsso store check."
        if isinstance(error, (self._errors.AuthenticationError, self._errors.NoPermissionError)) or "NOAUTH" in said:
            hint = "See store.password in the profile."
        elif "CERTIFICATE_VERIFY_FAILED" in said:
            hint = "Name the file of your certificate authority as http.ca_bundle in the profile."
        elif isinstance(error, self._errors.ReadOnlyError):
            hint = "It is a replica. Name the primary as store."
        elif isinstance(error, self._errors.OutOfMemoryError):
            hint = "Its memory is full. Raise maxmemory."
        return StoreUnavailable(f"the store at {self._url} does not work: {said}", hint)


def _library() -> Any:
    try:
        import redis
    except ImportError as error:
        raise NotReady("store: Redis needs the Python package redis, which is not installed", "pip install 'jsmsso[redis]'") from error
    return redis


def _pool(library: Any, url: str, password: str | None, ca_bundle: str | None) -> Any:
    from redis.backoff import NoBackoff
    from redis.retry import Retry

    parts = urlsplit(url)
    options: dict[str, Any] = {
        "host": parts.hostname,
        "port": parts.port or 6379,
        "db": int(parts.path.strip("/") or 0),
        "password": password or None,
        "socket_connect_timeout": CONNECT_SECONDS,
        "socket_timeout": ANSWER_SECONDS,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
    }
    if parts.scheme == "rediss":
        options |= {"connection_class": _tls_connection(library, ca_bundle), "ssl_ca_certs": ca_bundle}

    class Pool(library.ConnectionPool):  # type: ignore[misc]
        """Says of a call that it failed before anything was sent."""

        def get_connection(self, *arguments: Any, **options: Any) -> Any:
            try:
                return super().get_connection(*arguments, **options)
            except library.exceptions.AuthenticationError:
                raise
            except library.exceptions.ConnectionError as error:
                error.was_never_sent = not isinstance(error.__context__, ssl.SSLError)  # a certificate is not better a moment later
                raise

    return Pool(**options)


def _tls_connection(library: Any, ca_bundle: str | None) -> Any:
    """redis-py itself would go on trusting the system's authorities beside those of ``ca_bundle``."""
    try:
        context = ssl.create_default_context(cafile=ca_bundle)
    except (OSError, ssl.SSLError) as error:
        raise StoreUnavailable(f"{ca_bundle or 'the trust store'} cannot be read: {error}", "See http.ca_bundle.") from error

    class TlsConnection(library.SSLConnection):  # type: ignore[misc]
        def _wrap_socket_with_ssl(self, sock: Any) -> ssl.SSLSocket:
            return context.wrap_socket(sock, server_hostname=self.host)

    return TlsConnection


def _never_ran(error: Exception, errors: Any) -> bool:
    return getattr(error, "was_never_sent", False) or isinstance(error, errors.BusyLoadingError)


def text(value: Any) -> str:
    """A Redis string as text; empty where there is none."""
    return "" if value is None else bytes(value).decode() if isinstance(value, (bytes, bytearray)) else str(value)


def texts(values: Iterable[Any]) -> list[str]:
    """Redis strings as texts."""
    return [text(value) for value in values]


def fields(answer: Any) -> dict[str, str]:
    """A Redis hash as texts: as redis-py gives it, or the flat list that a script returns."""
    pairs = answer.items() if isinstance(answer, dict) else zip(answer[::2], answer[1::2], strict=True)
    return {text(name): text(value) for name, value in pairs}


def is_loopback(host: str) -> bool:
    """Whether ``host`` is this machine."""
    try:
        return host.lower() == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
