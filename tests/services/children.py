"""Programs that tests start: output captured while they run, ended whatever happens."""

from __future__ import annotations

import os
import re
import select
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO

PATIENCE = 60.0  # seconds for anything that is waited for: a guard against hanging, no measure of speed


class Child:
    """A running program. ``stdout``, ``stderr`` and ``output`` (both, as they came) are what it has said so far."""

    def __init__(self, command: Sequence[str | Path], env: Mapping[str, str] | None, cwd: Path | None, stdin: str | None) -> None:
        self.command = [str(part) for part in command]
        self._said: list[tuple[str, str]] = []
        self._news = threading.Condition()
        self._process = subprocess.Popen(
            self.command,
            env=dict(env) if env is not None else None,
            cwd=cwd,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            start_new_session=True,  # so that its own children can be ended with it
        )
        self.pid = self._process.pid
        self._readers = [threading.Thread(target=self._read, args=(name,), daemon=True) for name in ("stdout", "stderr")]
        for reader in self._readers:
            reader.start()
        if stdin is not None:
            self.write(stdin)

    @property
    def stdout(self) -> str:
        return self._text("stdout")

    @property
    def stderr(self) -> str:
        return self._text("stderr")

    @property
    def output(self) -> str:
        return self._text("stdout", "stderr")

    @property
    def running(self) -> bool:
        return self._process.poll() is None

    def write(self, text: str, *, close: bool = False) -> None:
        """Type into its standard input; ``close`` ends it."""
        assert self._process.stdin
        self._process.stdin.write(text.encode())
        self._process.stdin.flush()
        if close:
            self._process.stdin.close()

    def wait_for(self, pattern: str) -> re.Match[str]:
        """The first place in its output that fits the regular expression; fails when the program ends without."""
        deadline = time.monotonic() + PATIENCE
        with self._news:
            while not (found := re.search(pattern, self.output, re.MULTILINE)) and not self._silent() and time.monotonic() < deadline:
                self._news.wait(0.2)
        assert found, f"{self.command} never said {pattern!r}; it said:\n{self.output}"
        return found

    def wait(self) -> int:
        """Its exit code, once it ends by itself; negative for a signal."""
        try:
            code = self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.command} does not end; it said:\n{self.output}") from None
        for reader in self._readers:
            reader.join(PATIENCE)
        return code

    def signal(self, number: signal.Signals) -> None:
        """Send a signal to the program alone, as ``kill`` does; Ctrl-C in a terminal reaches its children too."""
        self._process.send_signal(number)

    def stop(self) -> int:
        """End it and everything it started; returns its exit code."""
        if self.running:
            self._process.terminate()
            try:
                self._process.wait(10)
            except subprocess.TimeoutExpired:
                pass
        try:
            os.killpg(self.pid, signal.SIGKILL)
        except (ProcessLookupError, PermissionError):  # macOS says the second for a group that has only zombies
            pass
        code = self.wait()
        for pipe in (self._process.stdin, self._process.stdout, self._process.stderr):
            if pipe:
                try:
                    pipe.close()
                except BrokenPipeError:
                    pass
        return code

    def _read(self, name: str) -> None:
        stream: IO[bytes] = getattr(self._process, name)
        while self._take(name, stream, PATIENCE):
            pass

    def _take(self, name: str, stream: IO[bytes], seconds: float) -> bool:
        """Whether more may come: what the pipe holds now is kept, after waiting so long for it to hold something."""
        if not _holds(stream, seconds):
            return True
        with self._news:
            if not _holds(stream, 0):
                return True  # another thread took it
            chunk = os.read(stream.fileno(), 65536)
            self._said.append((name, chunk.decode(errors="replace")))
            self._news.notify_all()
        return bool(chunk)

    def _silent(self) -> bool:
        return not self.running and not any(reader.is_alive() for reader in self._readers)

    def _text(self, *names: str) -> str:
        with self._news:  # a line that was written before an answer was sent is seen by whoever read the answer
            for name in names:
                stream: IO[bytes] = getattr(self._process, name)
                if not stream.closed and self.running:
                    self._take(name, stream, 0)
        return "".join(text for name, text in self._said if name in names)


class Children:
    """Starts programs and remembers them."""

    def __init__(self) -> None:
        self._children: list[Child] = []

    def __call__(
        self,
        command: Sequence[str | Path],
        *,
        env: Mapping[str, str] | None = None,
        cwd: Path | None = None,
        ready: str | None = None,
        stdin: str | None = None,
    ) -> Child:
        """Start ``command``; with ``ready`` return only when its output fits that regular expression."""
        child = Child(command, env, cwd, stdin)
        self._children.append(child)
        if ready is not None:
            child.wait_for(ready)
        return child


def _holds(stream: IO[bytes], seconds: float) -> bool:
    """Whether the pipe has something to read, or has ended."""
    poll = select.poll()  # select() itself takes no descriptor above 1,023
    poll.register(stream, select.POLLIN)
    return bool(poll.poll(seconds * 1000))


@contextmanager
def children() -> Iterator[Children]:
    """A block in which programs can be started; all of them have ended after it."""
    started = Children()
    try:
        yield started
    finally:
        for child in reversed(started._children):
            child.stop()


def installed_script(name: str) -> Path:
    """A console script of the environment that runs the tests."""
    return Path(sys.executable).parent / name
