"""A real redis-server as a process: in memory, on a port of its own, with what a test asks of it."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from tests.services.children import Child, Children


@dataclass(slots=True)
class RedisServer:
    """``url`` is ``redis://127.0.0.1:PORT/0``. ``stop`` ends it, and ``start`` starts it again with the same port and files."""

    url: str
    run: Callable[[], Child]
    child: Child

    def stop(self) -> None:
        self.child.stop()

    def start(self) -> None:
        self.child = self.run()


def start_redis(start: Children, port: int, folder: Path, *options: str) -> RedisServer:
    """Start one that keeps nothing on disk unless ``options`` say so (``--appendonly yes``)."""
    folder.mkdir(parents=True, exist_ok=True)
    plain = () if "--port" in options else ("--port", str(port))
    command = ["redis-server", "--bind", "127.0.0.1", *plain, "--save", "", "--dir", folder, *options]

    def run() -> Child:
        return start(command, cwd=folder, ready=r"Ready to accept connections")

    return RedisServer(f"redis://127.0.0.1:{port}/0", run, run())


@lru_cache
def missing_for_redis() -> str:
    """Why Redis cannot run here, as the reason of a skip; empty where it can."""
    return "" if shutil.which("redis-server") else "redis-server is not installed (Debian: apt-get install redis-server)"
