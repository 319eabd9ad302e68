"""``jsmsso serve`` as a process: what it refuses, how it stops, reloads and outlives its workers."""

from __future__ import annotations

import json
import os
import signal
import socket
import ssl
import sys
import threading
import time
from collections.abc import Callable, Iterator
from http.client import HTTPConnection, HTTPSConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pexpect
import pytest
import trustme

from tests.journeys.served import Served, serve, wait_until_answering, write_profile
from tests.oidc.provider import CLIENT_ID, CLIENT_SECRET, Provider, Reply, running
from tests.services.children import Children, installed_script
from tests.services.home import Home, Ran

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

PAGE_LOAD = {"Accept": "text/html"}


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        yield one


@pytest.fixture
def profile(jsmsso_home: Home, provider: Provider, free_port: Callable[[], int]) -> dict[str, Any]:
    (jsmsso_home.work / "client").write_text(CLIENT_SECRET)
    (jsmsso_home.work / "client").chmod(0o600)
    return {
        "public_url": f"http://localhost:{free_port()}",
        "providers": {
            "acme": {
                "type": "oidc",
                "issuer": provider.issuer,
                "client_id": CLIENT_ID,
                "client_secret": "file:client",
                "scopes": ["openid", "email"],
            }
        },
        "portals": [portal("3", "HELP", "IT help")],
    }


def portal(number: str, key: str, name: str) -> dict[str, str]:
    return {
        "id": number,
        "key": key,
        "service_desk": number,
        "name": name,
        "url": f"https://a.example/servicedesk/customer/portal/{number}",
        "mode": "redirect",
    }


@pytest.fixture
def served(start: Children, jsmsso_home: Home, profile: dict[str, Any]) -> Served:
    write_profile(jsmsso_home, profile)
    return serve(start, jsmsso_home, profile["public_url"], "--workers", "2")


# What it refuses ------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "changed, code, said",
    [
        pytest.param({"portals": [portal("3", "HELP", "IT help") | {"mode": "native"}]}, 3, "native is not acted on yet", id="mode native"),
        pytest.param({"portals": [portal("3", "HELP", "IT help") | {"visibility": "jira"}]}, 3, "visibility", id="visibility"),
        pytest.param({"public_url": "https://sso.acme.example", "session": {}}, 3, "session.secret is missing", id="no session secret"),
        pytest.param(
            {"providers": {"a": {"type": "cognito", "domain": "a.example", "client_id": "x"}}}, 3, "test-connection", id="no issuer"
        ),
        pytest.param({"portal": []}, 3, "portals", id="an unknown key"),
        pytest.param({"session": {"secret": "file:none"}}, 6, "none", id="no such secret"),
        pytest.param({"session": {"secret": "env:NOT_SET"}}, 6, "NOT_SET", id="no such variable"),
        pytest.param({"store": "sqlite:////proc/none/state.db"}, 6, "/proc/none/state.db", id="no store"),
        pytest.param({"branding": {"logo": "none.png"}}, 3, "branding.logo", id="no logo"),
    ],
)
def test_it_refuses_with_a_reason(
    jsmsso: Callable[..., Ran], jsmsso_home: Home, profile: dict[str, Any], changed: dict[str, Any], code: int, said: str
) -> None:
    write_profile(jsmsso_home, profile | changed)
    ran = jsmsso("serve")
    assert (ran.code, ran.stdout) == (code, "")
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    "options, code, said",
    [
        (["--bind", "nonsense"], 2, "HOST:PORT"),
        (["--bind", "127.0.0.1:99999"], 2, "HOST:PORT"),
        (["--bind", "127.0.0.1:1", "--unix", "x"], 2, "exclude"),
        (["--tls-cert", "x"], 2, "belong together"),
        (["--tls-cert", "jsmsso.yaml", "--tls-key", "jsmsso.yaml"], 6, "speak TLS"),
        (["--tls-cert", "none.pem", "--tls-key", "none.pem"], 6, "none.pem"),
        (["--unix", "no/such/folder/socket"], 6, "no/such/folder"),
        (["--unix", "jsmsso.yaml"], 6, "no socket"),
        (["--bind", "203.0.113.1:8080"], 6, "203.0.113.1"),
        (["--workers", "65"], 2, "workers"),
    ],
)
def test_options_that_cannot_be_are_told(
    jsmsso: Callable[..., Ran], jsmsso_home: Home, profile: dict[str, Any], options: list[str], code: int, said: str
) -> None:
    write_profile(jsmsso_home, profile)
    ran = jsmsso("serve", *options)
    assert ran.code == code, ran.stderr
    assert said in ran.stderr
    assert "Traceback" not in ran.stderr


def test_a_second_server_on_the_port_is_refused(served: Served, jsmsso: Callable[..., Ran]) -> None:
    ran = jsmsso("serve")
    assert ran.code == 6
    assert "cannot listen on http://127.0.0.1:" in ran.stderr
    assert served.get("/healthz")[0].status == 200


def test_a_port_of_another_program_is_refused(jsmsso: Callable[..., Ran], jsmsso_home: Home, profile: dict[str, Any]) -> None:
    write_profile(jsmsso_home, profile)
    with socket.create_server(("127.0.0.1", urlsplit(profile["public_url"]).port or 0)):
        assert jsmsso("serve").code == 6


# Stopping -------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_stops_it_after_the_requests_under_way(served: Served, provider: Provider, number: signal.Signals) -> None:
    arrived = threading.Event()

    def slowly(_: object) -> Reply | None:
        arrived.set()
        return Reply(503, delay=1.0)

    # A worker that has not asked yet waits for the provider's metadata; one that has answers at once.
    provider.replies["/token"] = slowly  # type: ignore[assignment]
    callback, cookie = started_login(served, provider)
    statuses: list[int] = []
    thread = threading.Thread(target=lambda: statuses.append(served.get(callback, {**PAGE_LOAD, "Cookie": cookie})[0].status))
    thread.start()
    assert arrived.wait(30)
    served.child.signal(number)
    thread.join()
    assert statuses == [502], "answered, not cut"
    assert served.child.wait() == 0
    assert served.log[-1]["event"] == "stopped"
    assert "Traceback" not in served.child.output


def started_login(served: Served, provider: Provider) -> tuple[str, str]:
    """The callback's path with the provider's answer, and the cookie that belongs to it."""
    answer, said = served.get("/portal/HELP", PAGE_LOAD)
    assert answer.status == 302, (said, served.child.output)
    cookie = (answer.getheader("Set-Cookie") or "").partition(";")[0]
    return f"/callback?{provider.follow(answer.getheader('Location') or '')}", cookie


def test_ctrl_c_in_a_terminal_leaves_no_traceback_and_nothing_running(jsmsso_home: Home, profile: dict[str, Any]) -> None:
    write_profile(jsmsso_home, profile)
    terminal = pexpect.spawn(
        str(installed_script("jsmsso")),
        ["serve"],
        env=jsmsso_home.env,
        cwd=str(jsmsso_home.work),
        encoding="utf-8",
        timeout=60,
        use_poll=True,
    )
    terminal.expect("Ctrl-C stops")
    terminal.expect('"serving"')
    port = urlsplit(profile["public_url"]).port
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            break
        except OSError:
            assert terminal.isalive()
    terminal.sendintr()
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0
    assert "Traceback" not in (terminal.before or "")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=5)


def test_workers_end_when_their_parent_is_killed(served: Served) -> None:
    workers = served.workers()
    assert len(workers) == 2
    os.kill(served.child.pid, signal.SIGKILL)
    while any(is_running(pid) for pid in workers):
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


def test_a_killed_worker_comes_back(served: Served) -> None:
    first = served.workers()
    time.sleep(0.5)
    os.kill(first[0], signal.SIGKILL)
    while len(now := [pid for pid in served.workers() if is_running(pid)]) < 2 or first[0] in now:
        assert served.child.running
        time.sleep(0.05)
    for _ in range(20):
        wait_until_answering(served)
    assert served.child.running


# Reload ---------------------------------------------------------------------------------------


def test_a_reload_takes_a_good_profile_and_keeps_sessions(
    served: Served, provider: Provider, jsmsso_home: Home, profile: dict[str, Any]
) -> None:
    provider.claims |= {"iat": int(time.time()), "exp": int(time.time()) + 300}
    callback, cookie = started_login(served, provider)
    answer, _ = served.get(callback, {**PAGE_LOAD, "Cookie": cookie})
    assert answer.status == 303
    session = next(value for name, value in answer.getheaders() if name.lower() == "set-cookie" and value.startswith("jsmsso=")).partition(
        ";"
    )[0]
    assert "IT help" in served.get("/", {"Cookie": session})[1]

    write_profile(jsmsso_home, profile | {"portals": [portal("9", "NEW", "A new one")]})
    served.child.signal(signal.SIGHUP)
    served.child.wait_for('"event":"reload"')
    while "A new one" not in served.get("/", {"Cookie": session})[1]:
        assert served.child.running
    served.child.wait_for('"event":"reload","portals":1')


@pytest.mark.parametrize(
    "text, reason",
    [
        pytest.param("version: 1\nportal: 3\n", "profile_invalid", id="an invalid profile"),
        pytest.param("{", "profile_invalid", id="no YAML"),
        pytest.param('{"session": {"secret": "file:none"}}', "secret_unavailable", id="no secret"),
        pytest.param('{"branding": {"logo": "none.png"}}', "not_ready", id="no logo"),
        pytest.param('{"store": "sqlite:////proc/none/state.db"}', "store_unavailable", id="no store"),
        pytest.param("", "profile_missing", id="no profile"),
    ],
)
def test_a_reload_of_a_bad_profile_changes_nothing(
    served: Served, jsmsso_home: Home, profile: dict[str, Any], text: str, reason: str
) -> None:
    if not text:
        jsmsso_home.profile.unlink()
    elif text.startswith('{"'):
        write_profile(jsmsso_home, profile | json.loads(text))
    else:
        jsmsso_home.profile.write_text(text)
    served.child.signal(signal.SIGHUP)
    served.child.wait_for("reload.refused")
    (line,) = [line for line in served.log if line["event"] == "reload.refused"]
    assert line["reason"] == reason
    for _ in range(20):
        wait_until_answering(served)
    assert served.child.running


# Where it listens -----------------------------------------------------------------------------


def unix_get(path: Path) -> int:
    class Unix(HTTPConnection):
        def connect(self) -> None:
            self.sock = socket.socket(socket.AF_UNIX)
            self.sock.connect(str(path))

    connection = Unix("localhost", timeout=30)
    try:
        connection.request("GET", "/healthz")
        return connection.getresponse().status
    finally:
        connection.close()


def test_a_unix_socket_is_served_and_removed_and_not_shared(
    start: Children, jsmsso: Callable[..., Ran], jsmsso_home: Home, profile: dict[str, Any]
) -> None:
    write_profile(jsmsso_home, profile)
    path = jsmsso_home.work / "s"
    served = serve(start, jsmsso_home, "unix", "--unix", str(path))
    while True:
        try:
            assert unix_get(path) == 200
            break
        except OSError:
            assert served.child.running, served.child.output
    assert oct(path.stat().st_mode & 0o777) == "0o660"
    ran = jsmsso("serve", "--unix", str(path))
    assert ran.code == 6
    assert "Another server" in ran.stderr
    assert unix_get(path) == 200
    served.child.signal(signal.SIGTERM)
    assert served.child.wait() == 0
    assert not path.exists()


def test_a_socket_left_by_a_server_that_died_is_replaced(start: Children, jsmsso_home: Home, profile: dict[str, Any]) -> None:
    write_profile(jsmsso_home, profile)
    path = jsmsso_home.work / "s"
    with socket.socket(socket.AF_UNIX) as left:
        left.bind(str(path))
    served = serve(start, jsmsso_home, "unix", "--unix", str(path))
    while served.child.running:
        try:
            assert unix_get(path) == 200
            break
        except OSError:
            continue
    assert served.child.running


def test_tls_is_spoken_with_a_certificate(start: Children, jsmsso_home: Home, profile: dict[str, Any]) -> None:
    port = urlsplit(profile["public_url"]).port
    write_profile(jsmsso_home, profile | {"public_url": f"https://localhost:{port}"})
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(jsmsso_home.work / "key.pem")
    for part in certificate.cert_chain_pems:
        part.write_to_path(jsmsso_home.work / "cert.pem", append=True)
    served = serve(start, jsmsso_home, f"https://localhost:{port}", "--tls-cert", "cert.pem", "--tls-key", "key.pem")
    context = ssl.create_default_context()
    authority.configure_trust(context)
    while served.child.running:
        try:
            connection = HTTPSConnection("localhost", port, context=context, timeout=30)
            connection.request("GET", "/portal/HELP", headers=PAGE_LOAD)
            answer = connection.getresponse()
            break
        except ConnectionRefusedError:
            continue
    assert answer.status == 302
    assert (answer.getheader("Set-Cookie") or "").startswith("__Host-jsmsso-login-")
    assert answer.getheader("Strict-Transport-Security")
    connection.close()


# What reaches a worker ------------------------------------------------------------------------


def test_secrets_in_the_environment_do_not_stay_in_workers(start: Children, jsmsso_home: Home, profile: dict[str, Any]) -> None:
    write_profile(jsmsso_home, profile | {"session": {"secret": "env:SESSION_SECRET"}})
    secret = "a secret of the environment that is longer than 32 bytes"
    served = serve(start, jsmsso_home, profile["public_url"], env={"SESSION_SECRET": secret, "HTTP_PROXY": "http://127.0.0.1:1"})
    # A client's header "Proxy" reads as HTTP_PROXY in an environ (CVE-2016-5385): the provider is reached all the same.
    assert served.get("/portal/HELP", {**PAGE_LOAD, "Proxy": "http://127.0.0.1:1"})[0].status == 302
    assert secret not in served.child.output


def raw(served: Served, request: bytes, *, seconds: float = 30) -> bytes:
    """What the server answers to these bytes, until it closes."""
    parts = urlsplit(served.url)
    with socket.create_connection(("127.0.0.1", parts.port or 80), timeout=seconds) as connection:
        connection.sendall(request)
        found = b""
        while chunk := connection.recv(65536):
            found += chunk
        return found


@pytest.mark.parametrize(
    "request_, status",
    [
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200", id="good"),
        pytest.param(b"GET /healthz HTTP/1.0\r\n\r\n", b"200", id="HTTP/1.0"),
        pytest.param(b"GET //evil.example HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404", id="two slashes"),
        pytest.param(b"GET /portal/%2e%2e/HELP HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404", id="dots"),
        pytest.param(b"GET /a/../healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404", id="plain dots"),
        pytest.param(b"GET /portal%5cHELP HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404", id="backslash"),
        pytest.param(b"GET /%ff%fe HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404", id="no UTF-8"),
        pytest.param(b"GET /%00 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"404", id="NUL"),
        pytest.param(b"GET http://evil.example/healthz HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"200", id="an absolute address"),
        pytest.param(b"OPTIONS * HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"40", id="asterisk"),
        pytest.param(b"CONNECT evil.example:443 HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"40", id="connect"),
        pytest.param(b"TRACE / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"405", id="trace"),
        pytest.param(b"PROPFIND / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", b"405", id="an unusual method"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 20_000 + b"\r\nConnection: close\r\n\r\n", b"431", id="20 kB"),
        pytest.param(b"GET /healthz HTTP/1.1\r\nHost: x\r\nX: " + b"y" * 200_000 + b"\r\nConnection: close\r\n\r\n", b"431", id="200 kB"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nCookie: a=\xff\xfe\r\nConnection: close\r\n\r\n", b"200", id="a cookie of bytes"),
        pytest.param(b"GET / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n0\r\n\r\n", b"", id="smuggling"),
        pytest.param(b"\x16\x03\x01\x00\xa5\x01\x00\x00", b"400", id="TLS where none is spoken"),
        pytest.param(
            b"POST /logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nTransfer-Encoding: chunked\r\n"
            b"Connection: close\r\n\r\n" + b"5000\r\n" + b"x" * 0x5000 + b"\r\n0\r\n\r\n",
            b"413",
            id="a form without a length",
        ),
    ],
)
def test_raw_requests_get_an_answer_and_do_no_harm(served: Served, request_: bytes, status: bytes) -> None:
    answer = raw(served, request_)
    assert answer.startswith((b"HTTP/1.1 " + status, b"HTTP/1.0 " + status)) or not status, answer[:300]
    assert b" 500 " not in answer.partition(b"\r\n")[0]
    assert served.get("/healthz")[0].status == 200
    assert "Traceback" not in served.child.output


def test_header_bytes_that_come_too_slowly_are_cut_off(served: Served) -> None:
    begun = time.monotonic()
    raw(served, b"GET /healthz HTTP/1.1\r\nHost: x\r\nX-Slow: ", seconds=50)
    assert time.monotonic() - begun < 45
    assert served.get("/healthz")[0].status == 200


def test_forms_that_come_slowly_leave_threads_for_others(served: Served) -> None:
    parts = urlsplit(served.url)
    head = b"POST /logout HTTP/1.1\r\nHost: x\r\nContent-Type: application/x-www-form-urlencoded\r\nContent-Length: 100\r\n\r\ntoken="
    held = [socket.create_connection(("127.0.0.1", parts.port or 80)) for _ in range(60)]
    for one in held:
        one.sendall(head)
    for _ in range(10):
        assert served.get("/healthz")[0].status == 200
        assert served.get("/", PAGE_LOAD)[0].status == 200
    for one in held:
        one.close()


def test_the_log_has_only_lines_of_ours(served: Served) -> None:
    served.get("/nothing?token=secret-in-a-query")
    served.child.wait_for("page.not_found")
    lines = [line for line in served.child.stderr.splitlines() if not line.startswith(("warning:", "Serving "))]
    assert all(json.loads(line)["event"] for line in lines)
    assert "secret-in-a-query" not in served.child.output
    assert served.child.stdout == ""


# Other servers --------------------------------------------------------------------------------


def test_the_standard_librarys_server_runs_the_application(start: Children, jsmsso_home: Home, profile: dict[str, Any]) -> None:
    write_profile(jsmsso_home, profile)
    port = urlsplit(profile["public_url"]).port
    program = (
        "from wsgiref.simple_server import make_server\nfrom wsgiref.validate import validator\n"
        "from jsmsso.runtime import create_application\n"
        f"make_server('127.0.0.1', {port}, validator(create_application())).serve_forever()"
    )
    child = start([sys.executable, "-c", program], env=jsmsso_home.env, cwd=jsmsso_home.work)
    served = Served(child, profile["public_url"], jsmsso_home.profile)
    wait_until_answering(served)
    assert served.get("/portal/HELP", PAGE_LOAD)[0].status == 302
    assert served.get("/")[0].status == 200
    assert served.get("/", method="HEAD")[1] == ""
    assert "AssertionError" not in child.output


def test_gunicorn_runs_the_application(start: Children, jsmsso_home: Home, profile: dict[str, Any]) -> None:
    pytest.importorskip("gunicorn")
    write_profile(jsmsso_home, profile)
    port = urlsplit(profile["public_url"]).port
    command = [installed_script("gunicorn"), "-b", f"127.0.0.1:{port}", "--threads", "4", "-w", "2", "jsmsso.runtime:create_application()"]
    child = start(command, env=jsmsso_home.env, cwd=jsmsso_home.work)
    served = Served(child, profile["public_url"], jsmsso_home.profile)
    wait_until_answering(served)
    assert served.get("/portal/HELP", PAGE_LOAD)[0].status == 302
