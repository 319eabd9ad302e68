from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from tests.services.children import Children

WORKER = """
import os, signal, sys, threading
from jsmsso.runtime import stop_signals

stop_signals.keep_across_forks()
signal.signal(signal.SIGTERM, lambda number, frame: print("the parent heard it", flush=True))
worker = os.fork()
if worker:
    print(f"pid {worker}.", flush=True)
    print("ended with", os.waitpid(worker, 0)[1], flush=True)
    sys.exit()
%s
"""

SLOW_TO_START = """
stop_signals.hear()
print("starts", flush=True)
sys.stdin.readline()
heard = threading.Event()
signal.signal(signal.SIGTERM, lambda number, frame: (print("heard", flush=True), heard.set()))
heard.wait()
sys.stdin.readline()
"""

BEFORE_IT_HEARS = """
print("starts", flush=True)
sys.stdin.readline()
"""


def test_a_stop_that_comes_before_the_worker_has_a_handler_is_heard_once_it_has(start: Children) -> None:
    child = start([sys.executable, "-c", WORKER % SLOW_TO_START], cwd=Path(__file__).parents[2], ready="starts")
    worker = int(child.wait_for(r"pid (\d+)\.")[1])
    for _ in range(3):
        os.kill(worker, signal.SIGTERM)
    child.write("on\n")
    child.wait_for("heard")
    child.write("on\n")
    assert child.wait() == 0
    assert child.output.count("heard") == 1, "granian's worker hangs when it is told again"
    assert "ended with 0" in child.output


def test_a_worker_in_its_first_moments_does_not_take_its_parent_s_handler_for_its_own(start: Children) -> None:
    child = start([sys.executable, "-c", WORKER % BEFORE_IT_HEARS], cwd=Path(__file__).parents[2], ready="starts")
    os.kill(int(child.wait_for(r"pid (\d+)\.")[1]), signal.SIGTERM)
    assert child.wait() == 0
    assert f"ended with {signal.SIGTERM.value}" in child.output
    assert "the parent heard it" not in child.output
