"""Starts what is measured, each on a free port of loopback, and ends all of it."""

from __future__ import annotations

import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from benchmarks.acts import NATIVE_PORTAL, Gateway, Kind
from benchmarks.cpu import descendants
from benchmarks.stub_provider import CLIENT_ID

ROOT = Path(__file__).parent.parent
APACHE_MODULES = Path("/usr/lib/apache2/modules")  # Debian's place
WORKERS = 2
PATIENCE = 30.0  # seconds until a server listens


@dataclass(frozen=True, slots=True)
class Site:
    """What every gateway is told: the provider, its own port and a folder of its own."""

    origin: str
    issuer_path: str
    port: int
    folder: Path
    client_secret: str
    session_secret: str

    @property
    def issuer(self) -> str:
        return self.origin + self.issuer_path

    @property
    def environment(self) -> dict[str, str]:
        return os.environ | {
            "BENCH_PORT": str(self.port),
            "BENCH_FOLDER": str(self.folder),
            "BENCH_MODULES": str(APACHE_MODULES),
            "BENCH_ISSUER": self.issuer,
            "BENCH_DISCOVERY": f"{self.issuer}/.well-known/openid-configuration",
            "BENCH_CLIENT_ID": CLIENT_ID,
            "BENCH_CLIENT_SECRET": self.client_secret,
            "BENCH_SESSION_SECRET": self.session_secret,
            "BENCH_NATIVE_PORTAL": NATIVE_PORTAL,
        }


def jsmsso_command(site: Site, more: Mapping[str, object] = MappingProxyType({})) -> list[str]:
    """`jsmsso serve` with a profile as an administrator would have it: rules, a portal in mode redirect, secrets in files.

    ``more`` are further keys of the profile.
    """
    (site.folder / "client_secret").write_text(site.client_secret)
    (site.folder / "session_secret").write_text(site.session_secret)
    for name in ("client_secret", "session_secret"):
        (site.folder / name).chmod(0o600)
    profile = {
        "version": 1,
        "public_url": f"http://127.0.0.1:{site.port}",
        "providers": {
            "stub": {
                "type": "oidc",
                "issuer": site.issuer,
                "client_id": CLIENT_ID,
                "client_secret": "file:client_secret",
                "callback": "/callback",
                "scopes": ["openid", "profile", "email"],
            }
        },
        "access": [
            {"deny": {"email": "*@contractor.acme.com"}},
            {"allow": {"claim": "groups", "any_of": ["customers", "partners"]}},
            {"deny": "everyone"},
        ],
        "portals": [
            {"id": "3", "key": "HELP", "service_desk": "3", "name": "IT help", "url": NATIVE_PORTAL, "mode": "redirect"},
            {"id": "4", "key": "HR", "service_desk": "4", "name": "HR", "url": f"{NATIVE_PORTAL[:-1]}4", "mode": "redirect"},
        ],
        "session": {"secret": "file:session_secret"},
        "store": f"sqlite:///{site.folder / 'state.db'}",
        **more,
    }
    (site.folder / "jsmsso.yaml").write_text(json.dumps(profile, indent=2))  # JSON is YAML
    command = str(Path(sys.executable).with_name("jsmsso"))
    return [command, "--profile", str(site.folder / "jsmsso.yaml"), "serve", "--workers", str(WORKERS)]


@contextmanager
def stub_provider(folder: Path) -> Iterator[str]:
    """The provider's origin while it runs."""
    with running([sys.executable, "-m", "benchmarks.stub_provider"], dict(os.environ), folder / "stub.log") as process:
        yield first_line(process, folder / "stub.log")


@contextmanager
def gateway(
    name: str,
    command: Callable[[Site], list[str]],
    origin: str,
    issuer_path: str,
    folder: Path,
    *,
    processes: int = WORKERS + 1,
    kind: Kind | None = None,
) -> Iterator[Gateway]:
    """A gateway while it runs; it listens. ``processes``: how many it has then. Raises RuntimeError when it does not start."""
    folder.mkdir()
    folder.chmod(0o755)  # Apache's workers are another user when it is started as root
    site = Site(origin, issuer_path, _free_port(), folder, secrets.token_urlsafe(24), secrets.token_urlsafe(36))
    log = folder / "log"
    with running(command(site), site.environment, log) as process:
        # A parent may listen before its workers are there.
        _wait(process, lambda: _listens(site.port) and len(descendants(process.pid)) >= processes, log)
        yield Gateway(name, site.port, process.pid, f"{site.issuer}/authorize", kind or Kind())


@contextmanager
def running(command: list[str], environment: Mapping[str, str], log: Path) -> Iterator[subprocess.Popen[bytes]]:
    """A process and what it starts, until the end; its output goes to ``log``."""
    with log.open("wb") as stream:
        process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=stream, stderr=stream, start_new_session=True)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            pass
        try:
            os.killpg(process.pid, signal.SIGKILL)  # whatever it left behind would share the machine with the next
        except ProcessLookupError:
            pass
        process.wait()


def first_line(process: subprocess.Popen[bytes], log: Path) -> str:
    """What a process that :func:`running` started says when it is ready."""
    _wait(process, lambda: "\n" in log.read_text(), log)
    return log.read_text().partition("\n")[0]


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{process.args} does not start:\n{log.read_text(errors='replace')}")
        time.sleep(0.05)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex(("127.0.0.1", port)) == 0
