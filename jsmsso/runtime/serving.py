"""The server: granian's workers around the WSGI application, one parent that holds the profile and its secrets."""

from __future__ import annotations

import logging
import os
import shutil
import signal
import ssl
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

from granian.constants import HTTPModes, Interfaces
from granian.errors import ConfigurationError
from granian.http import HTTP1Settings
from granian.log import LogLevels

from jsmsso.errors import JsmssoError, MachineFailed, StoreUnavailable
from jsmsso.runtime import stop_signals
from jsmsso.runtime.application import Application
from jsmsso.runtime.connections import allow_connections, cut_stalled_ones
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.event_log import EventLog
from jsmsso.runtime.expiry import expiries
from jsmsso.runtime.instance import Instance
from jsmsso.runtime.listening import Listening, check_free
from jsmsso.runtime.metrics import join
from jsmsso.runtime.preparing import Prepared, prepare
from jsmsso.runtime.shared_counts import Totals
from jsmsso.runtime.supervising import STOP_SECONDS, Supervisor, Watching
from jsmsso.runtime.upkeep import ChangedFiles, Upkeep, files_of

THREADS = 16  # a worker; granian's default is hundreds, each of which may wait for a provider
BACKLOG = 1024
KEEP_FROM_ENVIRONMENT = ("PATH", "HOME", "LANG", "LC_ALL", "TZ", "TMPDIR", "SSL_CERT_FILE", "SSL_CERT_DIR", "XDG_STATE_HOME")
PROXY_VARIABLES = ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY", "no_proxy", "NO_PROXY")
PARENT_LOOK_SECONDS = 1.0
HEADER_READ_MILLISECONDS = 10_000
HEADER_BUFFER = 32 * 1024  # bytes; the application answers 431 from 16 kB on, granian cuts off above this


class _Loader:
    """What a worker calls to get its application. The parent replaces ``prepared`` at a reload."""

    def __init__(self, prepared: Prepared) -> None:
        self.prepared = prepared
        self._parent = os.getpid()

    def __call__(self) -> Any:
        stop_signals.hear()
        _empty_environment()
        _end_with(self._parent)
        application = self.prepared.application()
        cut_stalled_ones(application.overdue_peers)
        if self.prepared.shared is not None:
            (self.prepared.shared / f"{os.getpid()}.started").touch()
        return application


def serve(
    prepared: Prepared, listening: Listening, profile_path: str = "", *, operations: tuple[str, int] | None = None, drain: float = 0.0
) -> None:
    """Serve until a signal: SIGTERM and SIGINT stop gracefully, SIGHUP reloads the profile.

    ``operations`` is the address for operators; ``drain`` the seconds from a signal to stop until no more connections
    are taken. Raises :class:`PortTaken` or :class:`MachineFailed` before anything is served, and :class:`MachineFailed`
    when no worker lives.
    """
    check_free(listening)
    listener = None
    if operations is not None:
        from jsmsso.runtime.operations import Operations

        listener = Operations(*operations)
    shared = _shared_folder(is_needed=operations is not None)
    try:
        parent = _Parent(replace(prepared, shared=shared), listening, profile_path)
        server = _server(listening, prepared.profile.log.format)
        parent.take_over(server, listener, drain)
        try:
            server.serve(target_loader=parent.loader, wrap_loader=False)
        except RuntimeError as error:  # granian's, from the moment between our look at the address and its own listening
            raise MachineFailed(f"cannot listen on {listening}: {error}") from error
        if server.never_started:
            raise MachineFailed("no worker of the server lives", "The log says what they died of.")
    finally:
        if listener is not None:
            listener.stop()
        if shared is not None:
            shutil.rmtree(shared, ignore_errors=True)


class _Parent:
    """What goes on in the parent: it holds the profile, hands it to workers, and looks after them."""

    def __init__(self, prepared: Prepared, listening: Listening, profile_path: str) -> None:
        self._listening = listening
        self._profile_path = profile_path
        self._shared = prepared.shared
        _check_tls(listening)
        deployment = _tried(prepared)
        self.loader = _Loader(prepared)
        ends = expiries(prepared.profile, prepared.path.parent, listening.tls_certificate)
        self._upkeep = Upkeep(deployment, self._files(prepared), ends, time.monotonic)
        totals = Totals(self._shared, join).read if self._shared is not None else dict
        self._instance = Instance(deployment, ends, listening.workers, lambda: 0, totals, deployment.now())
        # The log's form stays what it was at the start, as its readers rely on it.
        self._events = EventLog(prepared.profile.log.format)

    def take_over(self, server: Supervisor, listener: Any, drain: float) -> None:
        """Have ``server`` call this parent; ``listener`` is the operators', or None."""
        instance = self._instance
        instance.living_workers = lambda: server.living
        stop_signals.keep_across_forks()
        server.on_reload(self._reload)
        server.on_startup(
            lambda: self._events.write("serving", address=str(self._listening), public_url=self.loader.prepared.profile.public_url)
        )
        server.on_shutdown(lambda: self._events.write("stopped"))
        server.watch(
            Watching(
                tick=self._tick,
                has_started=self._has_started,
                died=self._died,
                started=lambda: listener.start(instance) if listener is not None else None,
                stopping=self._stopping,
                forking=instance.quiet,
                drain=drain,
            )
        )

    def _reload(self) -> None:
        instance = self._instance
        try:
            fresh = replace(prepare(self._profile_path, same_secrets_as=self.loader.prepared), shared=self._shared)
            _check_tls(self._listening)
            deployment = _tried(fresh)
        except JsmssoError as error:
            self._events.write("reload.refused", reason=error.code, detail=error.message, hint=error.hint)
            instance.refused = error
        except Exception as error:  # the edge: a server that runs goes on running
            self._events.write("reload.refused", reason="fault", detail=type(error).__name__)
            instance.refused = JsmssoError(f"a fault in jsmsso: {type(error).__name__}")
        else:
            self.loader.prepared = fresh
            ends = expiries(fresh.profile, fresh.path.parent, self._listening.tls_certificate)
            self._upkeep.replace(deployment, self._files(fresh), ends)
            instance.deployment, instance.expiries, instance.read_at, instance.refused = deployment, ends, deployment.now(), None
            instance.reloads += 1
            self._events.write("reload", portals=len(fresh.profile.portals))
            return
        instance.refused_at = instance.deployment.now()
        instance.refused_reloads += 1

    def _files(self, prepared: Prepared) -> ChangedFiles:
        listening = self._listening
        return ChangedFiles(files_of(prepared.profile, prepared.path.parent, listening.tls_certificate, listening.tls_key))

    def _tick(self) -> bool:
        try:
            with self._instance.quiet:
                return self._upkeep.tick()
        except Exception as error:  # the edge: the chore is for later, the server goes on
            self._events.write("fault", where="upkeep", reason=type(error).__name__)
            return False

    def _has_started(self, pid: int) -> bool:
        return self._shared is not None and (self._shared / f"{pid}.started").exists()

    def _died(self, worker: int, code: int, pause: float) -> None:
        self._instance.restarts += 1
        name = signal.Signals(-code).name if -code in {one.value for one in signal.Signals} else ""
        self._events.write("worker.died", worker=worker, signal=name, code=None if name else code, next_start_in=round(pause, 1))

    def _stopping(self) -> None:
        self._instance.is_stopping = True
        if self._shared is not None:
            (self._shared / "stopping").touch()
        self._events.write("stopping")


def _tried(prepared: Prepared) -> Deployment:
    """Whatever a worker would fail with, this fails with."""
    deployment = prepared.deployment()
    deployment.audit.check()
    try:
        deployment.store.check()
    except StoreUnavailable as error:
        if not deployment.store.health.is_failing:  # a newer release's; else it may come later than we
            raise
        deployment.events.write("store.unavailable", reason=error.code, detail=error.message, hint=error.hint)
    Application(deployment).close()
    return deployment


def _shared_folder(*, is_needed: bool) -> Path | None:
    """Where workers leave their numbers for the parent. Without one they are served all the same, unless it is needed."""
    try:
        return Path(tempfile.mkdtemp(prefix="jsmsso-"))
    except OSError as error:
        if is_needed:
            raise MachineFailed(f"there is no folder for the metrics: {error}", "Name one that is ours to write as TMPDIR.") from error
        return None


def _server(listening: Listening, log_format: str) -> Supervisor:
    try:
        return Supervisor(
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
            backpressure=allow_connections(),
            websockets=False,
            http1_settings=HTTP1Settings(header_read_timeout=HEADER_READ_MILLISECONDS, max_buffer_size=HEADER_BUFFER),
            ssl_cert=listening.tls_certificate,
            ssl_key=listening.tls_key,
            respawn_failed_workers=True,
            workers_kill_timeout=int(STOP_SECONDS),
            log_level=LogLevels.error,
            log_dictconfig=_logging(log_format),
        )
    except ConfigurationError as error:
        raise MachineFailed(f"cannot serve on {listening}: {error}") from error


def _check_tls(listening: Listening) -> None:
    """Raise :class:`MachineFailed` where the certificate and the key cannot be used together."""
    if listening.tls_certificate is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(listening.tls_certificate, listening.tls_key)
    except (OSError, ssl.SSLError) as error:
        files = f"{listening.tls_certificate} and {listening.tls_key}"
        raise MachineFailed(f"cannot speak TLS with {files}: {error}", "See --tls-cert and --tls-key.") from error


class ServerLog(logging.Handler):
    """granian's own warnings as lines of our log."""

    def __init__(self, format: str) -> None:  # noqa: A002
        super().__init__()
        self._events = EventLog("human" if format == "human" else "json")

    def emit(self, record: logging.LogRecord) -> None:
        if record.getMessage().startswith("Unexpected exit from worker"):
            return  # worker.died says more; and this comes from a thread that may write while a worker is forked
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
