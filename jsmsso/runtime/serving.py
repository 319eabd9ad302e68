"""The server: granian's workers around the WSGI application, one parent that holds the profile and its secrets."""

from __future__ import annotations

import logging
import os
import signal
import socket
import ssl
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.errors import ConfigurationError
from granian.http import HTTP1Settings
from granian.log import LogLevels
from granian.server import Server

from jsmsso.errors import JsmssoError, MachineFailed, PortTaken
from jsmsso.runtime.event_log import EventLog
from jsmsso.runtime.preparing import Prepared, prepare

THREADS = 16  # a worker; granian's default is hundreds, each of which may wait for a provider
BACKLOG = 1024
KEEP_FROM_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_STATE_HOME")
PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
PARENT_LOOK_SECONDS = 1.0
HEADER_READ_MILLISECONDS = 10_000
HEADER_BUFFER = 32 * 1024  # bytes; the application answers 431 from 16 kB on, granian cuts off above this


@dataclass(frozen=True, slots=True)
class Listening:
    """Where to listen: an address and port, or a unix socket; with a certificate, over TLS."""

    host: str = "127.0.0.1"
    port: int = 8080
    unix: Path | None = None
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    workers: int = 2

    def __str__(self) -> str:
        if self.unix is not None:
            return f"unix:{self.unix}"
        scheme = "https" if self.tls_certificate else "http"
        return f"{scheme}://{f'[{self.host}]' if ':' in self.host else self.host}:{self.port}"


class _Loader:
    """What a worker calls to get its application. The parent replaces ``prepared`` at a reload."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._parent = os.getpid()

    def __call__(self) -> Any:
        _empty_environment()
        _end_with(self._parent)
        return self.prepared.application()


def serve(prepared: Prepared, listening: Listening, profile_path: str = "") -> None:
    """Serve until a signal: SIGTERM and SIGINT stop gracefully, SIGHUP reloads the profile.

    Raises :class:`PortTaken` or :class:`MachineFailed` before anything is served.
    """
    events = EventLog(prepared.profile.log.format)
    check_free(listening)
    prepared.application(warm=False).close()  # whatever a worker would fail with, it fails with here
    loader = _Loader(prepared)
    try:
        server = Server(
            "jsmsso",
            address=listening.host,
            port=listening.port,
            uds=listening.unix,
            uds_permissions=0o660 if listening.unix else None,
            interface=Interfaces.WSGI,
            http=HTTPModes.http1,
            workers=listening.workers,
            blocking_threads=THREADS,
            backlog=BACKLOG,
            backpressure=THREADS * 4,
            websockets=False,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_MILLISECONDS, max_buffer_size=HEADER_BUFFER),
            ssl_cert=listening.tls_certificate,
            ssl_key=listening.tls_key,
            respawn_failed_workers=True,
            workers_kill_timeout=15,
            log_level=LogLevels.error,
            log_dictconfig=_logging(prepared.profile.log.format),
        )
    except (ConfigurationError, OSError, ssl.SSLError) as error:
        files = f"{listening.tls_certificate} and {listening.tls_key}"
        raise MachineFailed(f"cannot speak TLS with {files}: {error}", "See --tls-cert and --tls-key.") from error

    def reload() -> None:
        try:
            fresh = prepare(profile_path, same_secrets_as=loader.prepared)
            fresh.application(warm=False).close()
        except JsmssoError as error:
            events.write("reload.refused", reason=error.code, detail=error.message, hint=error.hint)
        except Exception as error:  # the edge: a server that runs goes on running
            events.write("reload.refused", reason="fault", detail=type(error).__name__)
        else:
            loader.prepared = fresh
            events.write("reload", portals=len(fresh.profile.portals))

    server.on_reload(reload)
    server.on_startup(lambda: events.write("serving", address=str(listening), public_url=prepared.profile.public_url))
    server.on_shutdown(lambda: events.write("stopped"))
    try:
        server.serve(target_loader=loader, wrap_loader=False)
    except RuntimeError as error:  # granian's, from the moment between our look at the address and its own listening
        raise MachineFailed(f"cannot listen on {listening}: {error}") from error


def check_free(listening: Listening) -> None:
    """Raise :class:`PortTaken` unless nobody listens there: granian would share the port with a forgotten server."""
    if listening.unix is not None:
        _free_socket(listening.unix)
        return
    family = socket.AF_INET6 if ":" in listening.host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((listening.host, listening.port))
            probe.listen(1)
        except OSError as error:
            raise PortTaken(
                f"cannot listen on {listening}: {error.strerror}", "Another server may listen there. Choose another with --bind HOST:PORT."
            ) from error


def _free_socket(path: Path) -> None:
    """Remove a socket that a server which died has left; raise :class:`PortTaken` for one that answers, and for a file."""
    taken = f"cannot listen on unix:{path}"
    if not path.parent.is_dir() or not os.access(path.parent, os.W_OK):
        raise PortTaken(f"{taken}: its folder is not there, or not ours to write", "Make it first, or choose another with --unix PATH.")
    if not path.exists():
        return
    if not path.is_socket():
        raise PortTaken(f"{taken}: there is a file that is no socket", "Choose another with --unix PATH.")
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        try:
            probe.connect(str(path))
        except ConnectionRefusedError:
            path.unlink(missing_ok=True)
            return
        except OSError as error:
            raise PortTaken(f"{taken}: {error.strerror}", "Choose another with --unix PATH.") from error
    raise PortTaken(f"{taken}: it is in use", "Another server listens there. Choose another with --unix PATH.")


class ServerLog(logging.Handler):
    """granian's own warnings as lines of our log."""

    def __init__(self, format: str) -> None:  # noqa: A002
        super().__init__()
        self._events = EventLog("human" if format == "human" else "json")

    def emit(self, record: logging.LogRecord) -> None:
        self._events.write("server", level=record.levelname.lower(), detail=record.getMessage())


def _logging(format: str) -> dict[str, Any]:  # noqa: A002
    handler = {"()": ServerLog, "format": format}
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {"generic": {"format": "%(message)s"}, "access": {"format": "%(message)s"}},
        "handlers": {"console": handler, "access": handler},
        "loggers": {name: {"handlers": ["console"], "level": "ERROR", "propagate": False} for name in ("_granian", "granian.access")},
    }


def _end_with(parent: int) -> None:
    """End this worker when its parent is gone, which granian's workers outlive: they would hold the port."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(PARENT_LOOK_SECONDS)
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=watch, name="jsmsso-parent", daemon=True).start()


def _empty_environment() -> None:
    """Leave a worker no more of the environment than it needs.

    granian copies the environment into every request's: a secret would lie there, and HTTP_PROXY would read
    as a client's header (CVE-2016-5385, httpoxy).
    """
    for name in list(os.environ):
        if name not in KEEP_FROM_ENVIRONMENT and name not in PROXY_VARIABLES:
            del os.environ[name]
