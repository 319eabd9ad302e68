"""The loop around the workers, where no worker lives."""

from __future__ import annotations

import sys
from collections.abc import Callable

from tests.services.children import Children

STILLBORN = """
import os, sys
from granian.constants import HTTPModes, Interfaces
from granian.log import LogLevels
from jsmsso.runtime.supervising import Supervisor, Watching

def load():
    os._exit(3)

server = Supervisor("x", address="127.0.0.1", port=int(sys.argv[1]), interface=Interfaces.WSGI, http=HTTPModes.http1,
                    websockets=False, workers=2, log_level=LogLevels.critical)
died = lambda worker, code, pause: print("died", worker, code, pause, flush=True)
server.watch(Watching(tick=lambda: False, has_started=lambda pid: False, died=died, stopping=lambda: print("stopping", flush=True)))
server.serve(target_loader=load, wrap_loader=False)
print("never started" if server.never_started else "started")
"""


def test_a_server_none_of_whose_workers_ever_lived_gives_up(start: Children, free_port: Callable[[], int]) -> None:
    child = start([sys.executable, "-c", STILLBORN, str(free_port())])
    assert child.wait() == 0, child.output
    said = child.stdout.splitlines()
    assert said[-2:] == ["stopping", "never started"]
    assert said.count("died 1 3 0.0") == 1
    assert len([line for line in said if line.startswith("died")]) == 6
