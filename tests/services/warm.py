"""The installed command without its start: a process that has imported it, and forks for each run.

Two thirds of what a short command takes is Python's start and its imports, and tests run hundreds of them. Each run is a process of
its own with its own environment, folder and streams, and does from ``main()`` on what the console script does. Journeys, the demo and
the package's tests start the script itself; ``JSMSSO_TESTS_COLD=1`` makes all do so.
"""

from __future__ import annotations

import atexit
import io
import json
import os
import random
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Mapping, Sequence
from contextlib import suppress
from importlib import import_module
from pathlib import Path
from typing import Any, NoReturn

REPOSITORY = Path(__file__).parents[2]
AHEAD = ("jsmsso.jsm.connection", "jsmsso.profile.editing", "jsmsso.profile.reading", "jsmsso.store.opening", "jsmsso.providers.probes")
LIBRARIES = ("keyring", "requests", "rich.console", "rich.table", "rich.progress", "oauthlib.oauth2", "joserfc.jwt", "jmespath", "re2")

_lock = threading.Lock()
_running: list[tuple[subprocess.Popen[bytes], str]] = []


def run(script: Path, arguments: Sequence[str], *, typed: str, env: Mapping[str, str], cwd: Path, patience: float) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of one run. Raises :class:`subprocess.TimeoutExpired`."""
    with tempfile.TemporaryFile() as given, tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        given.write(typed.encode())
        given.seek(0)
        with socket.socket(socket.AF_UNIX) as wire:
            wire.settimeout(patience)
            wire.connect(_address())
            asked = json.dumps({"argv": [str(script), *arguments], "env": dict(env), "cwd": str(cwd)}).encode()
            socket.send_fds(wire, [len(asked).to_bytes(4, "big")], [given.fileno(), out.fileno(), err.fileno()])
            wire.sendall(asked)
            told = wire.makefile("rb")
            pid = int(told.readline())
            try:
                code = int(told.readline())
            except TimeoutError:
                with suppress(ProcessLookupError):
                    os.killpg(pid, signal.SIGKILL)
                raise subprocess.TimeoutExpired([str(script), *arguments], patience) from None
        out.seek(0)
        err.seek(0)
        return code, out.read().decode(), err.read().decode()


def _address() -> str:
    """Where the process of this one listens; started at the first call, and gone with this process."""
    with _lock:
        if not _running:
            folder = tempfile.mkdtemp(prefix="jsmsso-warm-")
            address = f"{folder}/socket"
            child = subprocess.Popen(
                [sys.executable, "-m", "tests.services.warm", address], cwd=REPOSITORY, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
            assert child.stdout is not None
            assert child.stdout.readline() == b"ready\n"
            _running.append((child, address))
            atexit.register(_end, child, folder)
        return _running[0][1]


def _end(child: subprocess.Popen[bytes], folder: str) -> None:
    child.kill()
    child.wait()
    for stream in (child.stdin, child.stdout):
        if stream is not None:
            stream.close()
    for name in os.listdir(folder):
        os.unlink(f"{folder}/{name}")
    os.rmdir(folder)


def main(address: str) -> None:
    """Import everything, then fork for whoever asks, until our parent is gone."""
    from jsmsso.cli.app import COMMANDS

    for name in (*LIBRARIES, *(entry.module for entry in COMMANDS.values()), *AHEAD):
        import_module(name)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    listening = socket.socket(socket.AF_UNIX)
    listening.bind(address)
    listening.listen(64)
    print("ready", flush=True)
    while True:
        wire, _ = listening.accept()
        if os.fork() == 0:
            listening.close()
            _serve(wire)
        wire.close()


def _end_with_parent() -> None:
    sys.stdin.buffer.read()
    os._exit(0)


def _serve(wire: socket.socket) -> NoReturn:
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    head, streams, _, _ = socket.recv_fds(wire, 4, 3)
    size, asked = int.from_bytes(head, "big"), b""
    while len(asked) < size:
        asked += wire.recv(size - len(asked))
    pid = os.fork()
    if pid == 0:
        wire.close()
        _become(json.loads(asked), streams)
    wire.sendall(f"{pid}\n".encode())
    _, status = os.waitpid(pid, 0)
    with suppress(OSError):
        wire.sendall(f"{os.waitstatus_to_exitcode(status)}\n".encode())
    os._exit(0)


def _become(asked: Mapping[str, Any], streams: Sequence[int]) -> NoReturn:
    """The command itself, as Python's start would have left it."""
    os.setsid()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    for number, stream in enumerate(streams):
        os.dup2(stream, number)
        os.close(stream)
    os.environ.clear()
    os.environ.update(asked["env"])
    os.chdir(asked["cwd"])
    sys.argv = list(asked["argv"])
    sys.path[:0] = [one for one in os.environ.get("PYTHONPATH", "").split(os.pathsep) if one]
    sys.stdin = io.TextIOWrapper(os.fdopen(0, "rb", closefd=False), encoding="utf-8", errors="surrogateescape")
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", 0, closefd=False), encoding="utf-8", errors="surrogateescape", write_through=True)
    sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", 0, closefd=False), encoding="utf-8", errors="backslashreplace", write_through=True)
    random.seed()
    code: object = 0
    try:
        from jsmsso.cli.app import main

        main()
    except SystemExit as ended:
        code = ended.code
    except BaseException:
        traceback.print_exc()
        code = 1
    if isinstance(code, str):
        print(code, file=sys.stderr)
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    with suppress(OSError, ValueError):
        sys.stdout.flush()
    os._exit(code if isinstance(code, int) else int(code is not None))


if __name__ == "__main__":
    main(sys.argv[1])
