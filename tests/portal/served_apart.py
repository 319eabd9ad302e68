"""A hosted site's worker in a process of its own, as it is served: what it holds in memory and in threads is its alone."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path

from granian import Granian
from granian.constants import Interfaces

from jsmsso.runtime.application import Application
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.preparing import prepare
from jsmsso.runtime.serving import THREADS
from tests.oidc.provider import NOW
from tests.portal.hosted_site import HostedSite, form_at, token_for
from tests.runtime.site import OWN_FORM, PAGE_LOAD, Browser
from tests.services.children import PATIENCE, children

PIECE = 65536
BOUNDARY = "a boundary that no file here has".replace(" ", "-")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Apart:
    """One worker on a port of loopback."""

    hosted: HostedSite
    port: int
    pid: int

    def open(self, browser: Browser, path: str, headers: Mapping[str, str] = PAGE_LOAD) -> tuple[HTTPConnection, HTTPResponse]:
        """An answer of which only the headers are read."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("GET", path, headers={**headers, "Cookie": cookie_of(browser)})
        return connection, connection.getresponse()

    def status(self, browser: Browser, path: str, headers: Mapping[str, str] = PAGE_LOAD) -> int:
        connection, answer = self.open(browser, path, headers)
        answer.read()
        connection.close()
        return answer.status

    def upload(self, browser: Browser, address: str, fields: Mapping[str, str], size: int) -> HTTPResponse:
        """The answer to a form with one file of so many bytes."""
        head = "".join(f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{k}"\r\n\r\n{v}\r\n' for k, v in fields.items())
        head += f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="files"; filename="large.bin"\r\n\r\n'
        end = f"\r\n--{BOUNDARY}--\r\n".encode()

        def body() -> Iterator[bytes]:
            yield head.encode()
            yield from (bytes(min(PIECE, size - sent)) for sent in range(0, size, PIECE))
            yield end

        headers = {**OWN_FORM, "Content-Type": f"multipart/form-data; boundary={BOUNDARY}", "Cookie": cookie_of(browser)}
        connection = HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        connection.request("POST", address, body=body(), headers=headers | {"Content-Length": str(len(head.encode()) + size + len(end))})
        answer = connection.getresponse()
        answer.read()
        connection.close()
        return answer

    def comment_form(self, browser: Browser, key: str) -> dict[str, str]:
        """The hidden fields of the form for a comment."""
        here = f"/portal/HELP/{key}"
        return {**form_at(browser.get(here), f"{here}/comment"), "token": token_for(self.hosted, browser, f"{key}/comment", "HELP")}

    def forget_peak(self) -> None:
        """From now on the peak is what is reached from now on (Linux)."""
        Path(f"/proc/{self.pid}/clear_refs").write_text("5")

    @property
    def peak(self) -> float:
        """The most megabytes of memory that the worker had at once (Linux)."""
        return self._status("VmHWM") / 1024

    @property
    def memory(self) -> float:
        """Megabytes of memory that the worker has now (Linux)."""
        return self._status("VmRSS") / 1024

    @property
    def open_files(self) -> list[str]:
        """Where the worker's file descriptors lead (Linux)."""
        folder = Path(f"/proc/{self.pid}/fd")
        found = []
        for name in os.listdir(folder):
            try:
                found.append(os.readlink(folder / name))
            except OSError:
                continue
        return found

    def _status(self, name: str) -> int:
        lines = Path(f"/proc/{self.pid}/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith(f"{name}:")).split()[1])


def cookie_of(browser: Browser) -> str:
    return "; ".join(f"{name}={value}" for name, value in browser.cookies.items())


@contextmanager
def served_apart(hosted: HostedSite, port: int) -> Iterator[Apart]:
    """The same profile, store and clock as ``hosted`` has, so that who is signed in there is signed in here."""
    with children() as start:
        child = start([sys.executable, "-m", "tests.portal.served_apart", str(hosted.folder), str(port)], cwd=ROOT, env=dict(os.environ))
        below = Path(f"/proc/{child.pid}/task/{child.pid}/children")
        until(lambda: not child.running or (below.read_text() and _answers(port)))
        assert child.running, child.output
        yield Apart(hosted, port, int(below.read_text().split()[-1]))


def until(so: Callable[[], object]) -> None:
    """Wait for it; fails where it does not come to that."""
    ends = time.monotonic() + PATIENCE
    while not so():
        assert time.monotonic() < ends
        time.sleep(0.02)


def _answers(port: int) -> bool:
    connection = HTTPConnection("127.0.0.1", port, timeout=1)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status == 200
    except OSError:
        return False
    finally:
        connection.close()


def main(folder: str, port: str) -> None:
    def load() -> Application:
        prepared = prepare(f"{folder}/jsmsso.yaml")
        return Application(Deployment(prepared.profile, prepared.secrets, prepared.path, now=lambda: float(NOW)))

    server = Granian("worker", address="127.0.0.1", port=int(port), interface=Interfaces.WSGI, workers=1, blocking_threads=THREADS)
    server.serve(target_loader=load, wrap_loader=False)


if __name__ == "__main__":
    main(*sys.argv[1:])
