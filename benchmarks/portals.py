"""``portals sync`` against a site whose every answer takes its time, with few service desks and with many."""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from jsmsso.sandbox.jsm_site import LocalSite, default_desks
from jsmsso.sandbox.local_jsm import LocalJsm

ALLOWED = 1.3  # times the sum of the pages' own latency
FEW, MANY = 50, 5_000  # service desks
PAGES = ("/rest/servicedeskapi/servicedesk", "/rest/servicedeskapi/requesttype")
PROFILE = "version: 1\npublic_url: https://sso.example.com\njsm: {{url: {url}, email: {email}, api_token: env:JSM_TOKEN}}\n"


@dataclass(frozen=True, slots=True)
class Run:
    """One synchronization. Seconds by the clock; ``memory`` is the process's largest resident size in bytes."""

    name: str
    desks: int
    pages: int
    other_calls: int
    latency: float
    taken: float
    memory: int

    @property
    def waited(self) -> float:
        """Seconds that the pages alone take, one after the other."""
        return self.pages * self.latency

    @property
    def ratio(self) -> float:
        return self.taken / self.waited


def measure(latency: float) -> tuple[Run, ...]:
    """The first synchronization, one that finds nothing new, and one that finds ten names changed; few desks for comparison."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "jsmsso.yaml"
        return (
            _run("first", FEW, latency, path, _fresh),
            _run("first", MANY, latency, path, _fresh),
            _run("the same", MANY, latency, path, _synchronized),
            _run("ten renamed", MANY, latency, path, _renamed),
        )


Prepare = Callable[[LocalJsm, Path], None]


def _run(name: str, desks: int, latency: float, path: Path, prepare: Prepare) -> Run:
    site = LocalSite("Cloud", default_desks(desks))
    with LocalJsm(site) as jsm:
        prepare(jsm, path)
        site.latency["/rest/"] = latency
        jsm.seen.clear()
        taken, memory = _synchronize(jsm, path)
        calls = [call.path for call in jsm.seen]
    pages = sum(path in PAGES for path in calls)
    return Run(name, desks, pages, len(calls) - pages, latency, taken, memory)


def _fresh(jsm: LocalJsm, path: Path) -> None:
    path.write_text(PROFILE.format(url=jsm.url, email=jsm.account.email))


def _synchronized(jsm: LocalJsm, path: Path) -> None:
    _fresh(jsm, path)
    _synchronize(jsm, path)


def _renamed(jsm: LocalJsm, path: Path) -> None:
    _synchronized(jsm, path)
    text = path.read_text()
    for number in range(500, 5_000, 500):
        text = text.replace(f"name: Desk {number}\n", f"name: Desk {number} as it was called before\n")
    path.write_text(text)


def _synchronize(jsm: LocalJsm, path: Path) -> tuple[float, int]:
    """Seconds from start to end of the command, and its largest resident size in bytes."""
    command = [str(Path(sys.executable).with_name("jsmsso")), "portals", "sync", "--profile", str(path)]
    environment = {**os.environ, "JSM_TOKEN": jsm.account.token}
    begun = time.perf_counter()
    with open(path.with_suffix(".said"), "wb") as said:
        actions = [(os.POSIX_SPAWN_DUP2, said.fileno(), 1), (os.POSIX_SPAWN_DUP2, said.fileno(), 2)]
        child = os.posix_spawn(command[0], command, environment, file_actions=actions)
        _, status, used = os.wait4(child, 0)
    taken = time.perf_counter() - begun
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"jsmsso portals sync failed: {path.with_suffix('.said').read_text()[-1000:]}")
    return taken, used.ru_maxrss * (1 if sys.platform == "darwin" else 1024)
