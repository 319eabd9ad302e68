"""What operators rely on while it serves: metrics and checks on an address of their own, workers that come back, secrets
that are read again, a stop that is announced."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import trustme
from prometheus_client.parser import text_string_to_metric_families

from tests.journeys.served import Served, serve, wait_until_answering, write_profile
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET, Provider, Reply, running
from tests.services.children import Children
from tests.services.home import Home, Ran

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PAGE_LOAD = {"Accept": "text/html"}
SBIN = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        one.claims |= {"iat": int(time.time()), "exp": int(time.time()) + 300}
        yield one


@pytest.fixture
def profile(jsmsso_home: Home, provider: Provider, free_port: Callable[[], int]) -> dict[str, Any]:
    (jsmsso_home.work / "client").write_text(CLIENT_SECRET)
    entry = {
        "type": "oidc",
        "issuer": provider.issuer,
        "client_id": CLIENT_ID,
        "client_secret": "file:client",
        "scopes": ["openid", "email"],
    }
    native = {"url": "https://a.example/servicedesk/customer/portal/3", "mode": "redirect"}
    return {
        "public_url": f"http://localhost:{free_port()}",
        "providers": {"acme": entry},
        "access": [{"allow": {"email_domain": ["acme.example"]}}],
        "portals": [{"id": "3", "key": "HELP", "service_desk": "3", "name": "IT help", **native}],
    }


class Operated:
    """A running server, and its address for operators."""

    def __init__(self, served: Served, port: int) -> None:
        self.served = served
        self.port = port

    def get(self, path: str, method: str = "GET") -> tuple[int, str, str]:
        """Status, content type and text of an answer to operators."""
        connection = HTTPConnection("127.0.0.1", self.port, timeout=30)
        try:
            connection.request(method, path)
            answer = connection.getresponse()
            return answer.status, answer.getheader("Content-Type") or "", answer.read().decode()
        finally:
            connection.close()

    def readiness(self) -> tuple[int, dict[str, Any]]:
        status, _, text = self.get("/readyz")
        return status, json.loads(text)

    def checks(self, name: str) -> dict[str, Any]:
        found: dict[str, Any] = self.readiness()[1]["checks"][name]
        return found

    def metric(self, name: str, **labels: str) -> float | None:
        for family in text_string_to_metric_families(self.get("/metrics")[2]):
            for sample in family.samples:
                if sample.name == name and labels.items() <= sample.labels.items():
                    return sample.value
        return None

    def log_in(self, provider: Provider) -> str:
        """The session's cookie."""
        answer, said = self.served.get("/portal/HELP", PAGE_LOAD)
        assert answer.status == 302, (said, self.served.child.output)
        cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
        answer, said = self.served.get(f"/callback?{provider.follow(answer.getheader('Location') or '')}", {**PAGE_LOAD, "Cookie": cookie})
        assert answer.status in (303, 403, 502), said
        cookies = [value for name, value in answer.getheaders() if name.lower() == "set-cookie" and value.startswith("jsmsso=")]
        return cookies[0].partition(";")[0] if cookies else ""


@pytest.fixture
def operate(start: Children, jsmsso_home: Home, profile: dict[str, Any], free_port: Callable[[], int]) -> Callable[..., Operated]:
    def begin(*options: str, **changed: Any) -> Operated:
        write_profile(jsmsso_home, profile | changed)
        port = free_port()
        options = ("--workers", "2", "--ops-bind", f"127.0.0.1:{port}", *options)
        return Operated(serve(start, jsmsso_home, profile["public_url"], *options), port)

    return begin


def until(true: Callable[[], object], served: Served) -> None:
    while not true():
        assert served.child.running, served.child.output
        time.sleep(0.05)


# Metrics and checks ---------------------------------------------------------------------------


def test_metrics_add_up_what_all_workers_did_also_those_that_are_gone(operate: Callable[..., Operated], provider: Provider) -> None:
    operated = operate()
    session = operated.log_in(provider)
    provider.claims["email"] = "bob@elsewhere.example"
    operated.log_in(provider)
    for _ in range(20):  # each a connection of its own, which either worker may take
        assert operated.served.get("/portal/HELP", {"Cookie": session})[0].status == 302
    assert operated.served.get("/portal/HELP", {"Cookie": "jsmsso=forged"})[0].status == 401

    def counted() -> dict[str, float | None]:
        return {
            "ok": operated.metric("jsmsso_logins_total", provider="acme", outcome="ok"),
            "refused": operated.metric("jsmsso_logins_total", outcome="refused", reason="access_rule"),
            "redirects": operated.metric("jsmsso_login_redirects_total", provider="acme"),
            "living": operated.metric("jsmsso_session_requests_total", session="living"),
            "over": operated.metric("jsmsso_session_requests_total", session="over"),
            "tokens": operated.metric("jsmsso_provider_request_seconds_count", endpoint="token"),
            "all": operated.metric("jsmsso_provider_request_seconds_bucket", endpoint="token", le="+Inf"),
        }

    expected = {"ok": 1, "refused": 1, "redirects": 2, "living": 20, "over": 1, "tokens": 2, "all": 2}
    assert counted() == expected
    assert operated.metric("jsmsso_workers") == 2
    assert operated.metric("jsmsso_store_up") == 1
    assert operated.metric("jsmsso_build_info") == 1

    first = operated.served.workers()
    for pid in first:
        os.kill(pid, signal.SIGKILL)
    until(lambda: operated.checks("workers")["restarts"] == 2 and operated.checks("workers")["status"] == "ok", operated.served)
    assert counted() == expected
    assert operated.metric("jsmsso_worker_restarts_total") == 2
    operated.served.child.signal(signal.SIGHUP)
    operated.served.child.wait_for('"event":"reload"')
    until(lambda: operated.metric("jsmsso_reloads_total", outcome="ok") == 1, operated.served)
    assert counted() == expected


def test_nothing_of_it_is_on_the_public_address_and_none_of_it_is_about_people(
    operate: Callable[..., Operated], provider: Provider
) -> None:
    operated = operate()
    operated.log_in(provider)
    for path in ("/metrics", "/metrics/", "/readyz/details", "/debug"):
        answer, text = operated.served.get(path)
        assert answer.status == 404
        assert "jsmsso_logins" not in text
    answer, text = operated.served.get("/readyz")
    assert (answer.status, text) == (200, "ready\n")
    status, content_type, text = operated.get("/metrics")
    assert (status, content_type.partition(";")[0]) == (200, "text/plain")
    shown = text + operated.get("/readyz")[2]
    for secret in ("ada@", "acme.example", CLIENT_SECRET, "127.0.0.1"):
        assert secret not in shown
    assert [operated.get(path)[0] for path in ("/", "/portal/HELP", "/metrics/x", "/callback")] == [404] * 4
    assert operated.get("/healthz")[:1] == (200,)
    assert operated.get("/metrics", "POST")[0] == 501
    assert operated.get("/metrics", "HEAD")[2] == ""


def test_the_checks_tell_what_is_wrong_beside_us_and_that_we_serve_all_the_same(
    operate: Callable[..., Operated], provider: Provider, jsmsso_home: Home, profile: dict[str, Any]
) -> None:
    today = datetime.now(UTC).date()
    operated = operate(
        jsm={
            "url": "https://acme.atlassian.example",
            "email": "b@acme.example",
            "api_token": "env:T",
            "api_token_expires": str(today + timedelta(days=5)),
        }
    )
    operated.log_in(provider)
    status, document = operated.readiness()
    assert (status, document["status"]) == (200, "degraded"), document
    assert document["checks"]["expiry"]["jsm"]["status"] == "soon"
    assert document["checks"]["providers"]["acme"]["status"] == "ok"
    assert {document["checks"][name]["status"] for name in ("profile", "secrets", "store", "workers")} == {"ok"}
    operated.served.child.wait_for('"event":"token.ends".*the JSM token ends in 5 days')
    ends = datetime.combine(today + timedelta(days=6), datetime.min.time(), UTC).timestamp()
    assert operated.metric("jsmsso_token_expiry_timestamp_seconds", token="jsm") == ends

    provider.replies["/token"] = Reply(503)
    operated.log_in(provider)
    assert operated.checks("providers")["acme"]["status"] == "failing"
    assert operated.metric("jsmsso_provider_failures_total", provider="acme", endpoint="token") == 1
    assert operated.metric("jsmsso_logins_total", outcome="failed", reason="provider") == 1
    until(lambda: operated.served.get("/readyz")[1] == "degraded\n", operated.served)

    jsmsso_home.profile.write_text("version: 1\nportal: 3\n")
    operated.served.child.signal(signal.SIGHUP)
    operated.served.child.wait_for("reload.refused")
    until(lambda: operated.metric("jsmsso_reloads_total", outcome="refused") == 1, operated.served)
    assert operated.checks("profile")["reason"] == "profile_invalid"
    assert operated.metric("jsmsso_profile_refused") == 1
    (jsmsso_home.work / "client").unlink()
    assert operated.checks("secrets") == {"status": "missing", "missing": ["file:client"]}
    assert operated.readiness()[0] == 200


@pytest.mark.parametrize(
    "options, code, said",
    [
        pytest.param(["--ops-bind", "nonsense"], 2, "--ops-bind", id="no address"),
        pytest.param(["--bind", "127.0.0.1:18111", "--ops-bind", "127.0.0.1:18111"], 2, "customers", id="the public address"),
        pytest.param(["--ops-bind", "203.0.113.1:9464"], 6, "203.0.113.1:9464", id="an address of another machine"),
        pytest.param(["--drain", "-1"], 2, "drain", id="a negative time"),
    ],
)
def test_an_address_that_cannot_be_is_told(
    jsmsso: Callable[..., Ran], jsmsso_home: Home, profile: dict[str, Any], options: list[str], code: int, said: str
) -> None:
    write_profile(jsmsso_home, profile)
    ran = jsmsso("serve", *options)
    assert (ran.code, "Traceback" in ran.stderr) == (code, False), ran.stderr
    assert said in ran.stderr


# Workers --------------------------------------------------------------------------------------


def test_a_worker_that_dies_again_and_again_does_not_take_the_others_along(operate: Callable[..., Operated]) -> None:
    operated = operate()
    served = operated.served
    steady = served.workers()[1]
    for restarts in (1, 2, 3):
        victim = next(pid for pid in served.workers() if pid != steady)
        os.kill(victim, signal.SIGKILL)
        until(lambda n=restarts: operated.checks("workers")["restarts"] == n, served)  # type: ignore[misc]
        wait_until_answering(served)
        until(lambda v=victim: len(served.workers()) == 2 and v not in served.workers(), served)  # type: ignore[misc]
    assert [line["next_start_in"] for line in served.log if line["event"] == "worker.died"] == [0.0, 1.0, 2.0]
    assert {line["signal"] for line in served.log if line["event"] == "worker.died"} == {"SIGKILL"}
    assert steady in served.workers()


# Secrets and stopping -------------------------------------------------------------------------


def test_a_secret_that_changes_on_disk_is_read_by_itself(operate: Callable[..., Operated], provider: Provider, jsmsso_home: Home) -> None:
    """As Kubernetes does it: a folder of files behind a link that is swapped."""
    old, new = jsmsso_home.work / "..old", jsmsso_home.work / "..new"
    for folder, secret in ((old, CLIENT_SECRET), (new, "another secret of the client")):
        folder.mkdir()
        (folder / "client").write_text(secret)
    (jsmsso_home.work / "client").unlink()
    (jsmsso_home.work / "data").symlink_to(old)
    (jsmsso_home.work / "client").symlink_to("data/client")
    operated = operate()
    session = operated.log_in(provider)
    provider.client_secret = "another secret of the client"
    assert not operated.log_in(provider)
    (jsmsso_home.work / "fresh").symlink_to(new)
    os.replace(jsmsso_home.work / "fresh", jsmsso_home.work / "data")
    operated.served.child.wait_for('"event":"reload"')
    changed = next(line for line in operated.served.log if line["event"] == "secrets.changed")
    assert [Path(path).name for path in changed["files"]] == ["client"]
    until(lambda: operated.log_in(provider), operated.served)
    assert operated.served.get("/portal/HELP", {"Cookie": session})[0].status == 302, "nobody is signed out by it"


def test_a_certificate_that_changes_on_disk_is_served_and_a_bad_one_reaches_no_worker(
    start: Children, jsmsso_home: Home, profile: dict[str, Any]
) -> None:
    port = urlsplit(profile["public_url"]).port or 0
    authority = trustme.CA()
    write_profile(jsmsso_home, profile | {"public_url": f"https://localhost:{port}"})

    def put(name: str) -> None:
        made = authority.issue_cert("localhost", organization_name=name)
        made.private_key_pem.write_to_path(jsmsso_home.work / "key.pem")
        made.cert_chain_pems[0].write_to_path(jsmsso_home.work / "cert.pem")

    def served_name() -> str:
        context = ssl.create_default_context()
        authority.configure_trust(context)
        try:
            with socket.create_connection(("localhost", port), 30) as plain, context.wrap_socket(plain, server_hostname="localhost") as tls:
                return str(dict(part[0] for part in (tls.getpeercert() or {})["subject"])["organizationName"])
        except OSError:
            return ""

    put("one")
    served = serve(start, jsmsso_home, f"https://localhost:{port}", "--workers", "1", "--tls-cert", "cert.pem", "--tls-key", "key.pem")
    until(lambda: served_name() == "one", served)
    (jsmsso_home.work / "key.pem").write_text("no key")
    served.child.wait_for("reload.refused.*cannot speak TLS")
    assert served_name() == "one"
    put("another")
    until(lambda: served_name() == "another", served)


def test_a_stop_is_announced_before_it_happens(operate: Callable[..., Operated], provider: Provider) -> None:
    operated = operate("--drain", "60")
    served = operated.served
    session = operated.log_in(provider)
    served.child.signal(signal.SIGTERM)
    until(lambda: served.get("/readyz")[0].status == 503, served)
    assert served.get("/readyz")[1] == "stopping\n"
    assert served.get("/healthz")[0].status == 200
    assert served.get("/portal/HELP", {"Cookie": session})[0].status == 302
    status, document = operated.readiness()
    assert (status, document["status"]) == (503, "stopping")
    served.child.signal(signal.SIGTERM)
    assert served.child.wait() == 0
    assert [line["event"] for line in served.log if line["event"] in ("stopping", "stopped")] == ["stopping", "stopped"]


def test_a_worker_that_is_told_to_stop_comes_back_and_one_that_ends_with_us_does_not(operate: Callable[..., Operated]) -> None:
    operated = operate("--drain", "60")
    served = operated.served
    first = served.workers()
    os.kill(first[0], signal.SIGTERM)
    until(lambda: first[0] not in served.workers() and len(served.workers()) == 2, served)
    for pid in (served.child.pid, *served.workers()):  # as systemd does by default, and Ctrl-C in a terminal
        os.kill(pid, signal.SIGTERM)
    assert served.child.wait() == 0
    assert len([line for line in served.log if line["event"] == "worker.died"]) == 1


# The audit trail ------------------------------------------------------------------------------


def test_logins_stand_in_the_audit_trail_until_they_are_too_old(
    operate: Callable[..., Operated], provider: Provider, jsmsso: Callable[..., Ran], jsmsso_home: Home
) -> None:
    folder = jsmsso_home.work / "audit"
    folder.mkdir()
    yesterday, long_ago = datetime.now(UTC) - timedelta(days=1), datetime.now(UTC) - timedelta(days=40)
    for day in (yesterday, long_ago):
        line = {"time": f"{day:%Y-%m-%d}T00:00:00.000Z", "event": "login.ok", "email": "old@acme.example"}
        (folder / f"audit-{day:%Y-%m-%d}.jsonl").write_text(json.dumps(line) + "\n")
    operated = operate(retention={"audit": "30d"})
    until(lambda: not (folder / f"audit-{long_ago:%Y-%m-%d}.jsonl").exists(), operated.served)
    operated.log_in(provider)
    provider.claims["email"] = "bob@elsewhere.example"
    operated.log_in(provider)
    found = jsmsso("audit", "--json").json()
    assert [(one["event"], one["email"]) for one in found] == [
        ("login.ok", "old@acme.example"),
        ("login.ok", "ada@acme.example"),
        ("login.refused", "bob@elsewhere.example"),
    ]
    assert found[1] | {"time": ""} == {
        "time": "",
        "event": "login.ok",
        "email": "ada@acme.example",
        "issuer": provider.issuer,
        "subject": "ada",
        "provider": "acme",
        "portal": "HELP",
        "rule": found[1]["rule"],
        "client": "127.0.0.1",
    }
    assert found[2]["reason"] == "access_denied"
    assert "no rule" in found[2]["rule"]
    assert urlsplit(provider.issuer).netloc not in str(found[0])


# The log in a file ----------------------------------------------------------------------------


@pytest.mark.skipif(shutil.which("logrotate", path=SBIN) is None, reason="logrotate is not installed")
def test_a_log_in_a_file_is_rotated_while_it_is_written(start: Children, tmp_path: Path) -> None:
    tmp_path.chmod(0o755)  # logrotate refuses a folder that others may write
    example = (Path(__file__).parents[2] / "examples" / "logrotate-jsmsso").read_text()
    (tmp_path / "logrotate").write_text(example.replace("/var/log/jsmsso", str(tmp_path)))
    (tmp_path / "logrotate").chmod(0o644)
    log = tmp_path / "jsmsso.log"
    writes = "import sys; from jsmsso.runtime.event_log import EventLog\nfor line in sys.stdin: EventLog('json').write(line.strip())"
    child = start(["sh", "-c", f'exec "$0" -c "$1" 2>>{log}', sys.executable, writes], stdin="before\n")
    wait_for_line(log, "before")
    command = [shutil.which("logrotate", path=SBIN) or "", "--force", "--state", str(tmp_path / "state"), str(tmp_path / "logrotate")]
    subprocess.run(command, check=True)
    child.write("after\n", close=True)
    assert child.wait() == 0
    assert [json.loads(line)["event"] for line in (tmp_path / "jsmsso.log.1").read_text().splitlines()] == ["before"]
    assert [json.loads(line)["event"] for line in log.read_text().splitlines()] == ["after"]


def wait_for_line(log: Path, text: str) -> None:
    while text not in (log.read_text() if log.exists() else ""):
        time.sleep(0.02)
