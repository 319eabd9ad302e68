"""``jsmsso demo``: the whole path, and that nothing of it stays behind."""

from __future__ import annotations

import json
import re
import signal
import socket
import sys
from urllib.parse import urlsplit

import pytest

from jsmsso.sandbox.browsing import Browsing
from jsmsso.sandbox.cognito import log_in

JSMSSO = [sys.executable, "-m", "jsmsso"]


def test_the_check_walks_the_whole_path(start, jsmsso_home):
    child = start([*JSMSSO, "demo", "--check"], env=jsmsso_home.env)
    assert child.wait() == 0, child.output
    assert "The whole path works." in child.stdout
    assert "fail" not in child.stdout


def test_the_check_as_json_is_one_document(start, jsmsso_home, free_port):
    child = start([*JSMSSO, "demo", "--check", "--json", "--port", str(free_port())], env=jsmsso_home.env)
    assert child.wait() == 0, child.output
    steps = json.loads(child.stdout)
    assert [step["result"] for step in steps] == ["ok"] * len(steps)
    assert steps[-1]["step"] == "portal link, afterwards"


@pytest.mark.parametrize("sent", [signal.SIGINT, signal.SIGTERM], ids=["Ctrl-C", "SIGTERM"])
def test_a_person_logs_in_with_what_it_prints_and_a_signal_stops_all_of_it(sent, start, jsmsso_home, free_port):
    child = start([*JSMSSO, "demo", "--port", str(free_port())], env=jsmsso_home.env, ready="Ctrl-C stops all of it")
    printed = child.stdout
    link = re.search(r"Open +(\S+)", printed)[1]
    email, password = re.search(r"Log in +(\S+)\s+(\S+)", printed).groups()
    browser = Browsing()
    signed_in = browser.get(log_in(browser.get(link).location, email, password))
    landed = browser.get(signed_in.location)
    assert landed.status == 200
    assert "IT help" in landed.text

    child.signal(sent)
    child.wait()
    ports = {urlsplit(address).port for address in re.findall(r"http://(?:127\.0\.0\.1|localhost):\d+", printed)}
    ports.discard(None)
    assert len(ports) == 3
    assert not [port for port in ports if is_open(port)]
    assert "Traceback" not in child.output


def test_the_portals_are_served_at_the_port_that_was_asked_for(start, jsmsso_home, free_port):
    port = free_port()
    child = start([*JSMSSO, "demo", "--port", str(port)], env=jsmsso_home.env, ready="Ctrl-C stops all of it")
    assert f"Open     http://localhost:{port}/portal/HELP" in child.stdout

    second = start([*JSMSSO, "demo", "--port", str(port)], env=jsmsso_home.env)
    assert second.wait() == 6
    assert f"port {port} cannot be listened on" in second.stderr

    typed = re.search(r"^ +(\S*jsmsso --profile \S+ audit)$", child.stdout, re.MULTILINE)[1]
    assert start(typed.split(), env=jsmsso_home.env).wait() == 0
    child.signal(signal.SIGINT)
    child.wait()


def is_open(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
