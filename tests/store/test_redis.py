"""What only a server on the network can do to us: go away, come back, ask for a password, speak TLS, be somebody else's."""

from __future__ import annotations

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import trustme

from jsmsso.errors import StoreUnavailable
from jsmsso.store import redis_server
from jsmsso.store.opening import open_store
from jsmsso.store.records import Account, Ending
from tests.services.redis_server import RedisServer

NOW = 1_900_000_000.0
LATER = NOW + 600


def test_deployments_on_one_server_do_not_meet(redis_server: RedisServer) -> None:
    one, other = (open_store(redis_server.url, namespace=f"https://{name}.acme.com") for name in ("sso", "login"))
    one.remember(Account("https://i.example", "ada", "p", "ada@acme.com", "5b10", first_seen=NOW, last_seen=NOW))
    one.use_login(b"a", now=NOW, expires=LATER)

    assert other.account("https://i.example", "ada") is None
    assert other.use_login(b"a", now=NOW, expires=LATER)
    assert sum(other.inspect().rows.values()) == 1
    one.close()
    other.close()


def test_a_server_that_restarts_is_found_again_and_has_kept_what_it_wrote_down(start_redis_server: Callable[..., RedisServer]) -> None:
    server = start_redis_server("--appendonly", "yes", "--appendfsync", "always")
    store = open_store(server.url)
    store.use_login(b"a", now=NOW, expires=LATER)
    store.bar("email:ada@acme.com", email="ada@acme.com", at=NOW)
    server.stop()
    server.start()

    assert not store.use_login(b"a", now=NOW, expires=LATER)
    assert store.is_barred("email:ada@acme.com")
    assert not store.health.reads.is_failing
    store.close()


def test_a_restart_within_a_second_is_waited_for(start_redis_server: Callable[..., RedisServer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server, "RETRY_SECONDS", 30.0)  # of a busy machine, not of what is promised
    server = start_redis_server()
    store = open_store(server.url)
    store.check()
    server.stop()
    starting = threading.Timer(0.3, server.start)
    starting.start()

    assert store.use_login(b"a", now=NOW, expires=LATER)
    starting.join()
    store.close()


def test_while_nobody_answers_calls_fail_in_words(start_redis_server: Callable[..., RedisServer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis_server, "RETRY_SECONDS", 0.1)
    server = start_redis_server()
    store = open_store(server.url)
    store.check()
    server.stop()

    with pytest.raises(StoreUnavailable, match=r"127\.0\.0\.1.*[Rr]efused") as caught:
        store.use_login(b"a", now=NOW, expires=LATER)
    assert "store check" in caught.value.hint
    with pytest.raises(StoreUnavailable):
        store.account("i", "s")
    server.start()
    monkeypatch.undo()
    store.check()
    store.close()


def test_a_server_that_hangs_fails_a_call_and_not_a_thread(
    start_redis_server: Callable[..., RedisServer], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_server, "ANSWER_SECONDS", 0.2)
    server = start_redis_server()
    store = open_store(server.url)
    store.check()
    server.child.signal(signal.SIGSTOP)
    try:
        with pytest.raises(StoreUnavailable, match=r"[Tt]imeout"):
            store.login_was_used(b"a")
    finally:
        server.child.signal(signal.SIGCONT)

    assert not store.login_was_used(b"a")
    store.close()


def test_endings_written_after_the_server_lost_its_memory_are_read(start_redis_server: Callable[..., RedisServer]) -> None:
    server = start_redis_server()
    store = open_store(server.url)
    for value in ("1", "2"):
        store.end(Ending("session", "", value, NOW, LATER), now=NOW)
    number, _ = store.endings_after(0)
    server.stop()
    server.start()
    store.end(Ending("session", "", "3", NOW, LATER), now=NOW)

    assert [ending.value for ending in store.endings_after(number)[1]] == ["3"]
    store.close()


@pytest.mark.parametrize("given", [pytest.param(None, id="none"), pytest.param("wrong", id="another")])
def test_a_wrong_password_says_where_to_look_and_is_not_repeated(start_redis_server: Callable[..., RedisServer], given: str | None) -> None:
    server = start_redis_server("--requirepass", "right")
    right, wrong = open_store(server.url, password="right"), open_store(server.url, password=given)
    right.check()

    with pytest.raises(StoreUnavailable) as caught:
        wrong.check()
    assert "store.password" in caught.value.hint
    assert "wrong" not in caught.value.message.lower().replace("wrongpass", "")
    right.close()
    wrong.close()


@pytest.fixture
def authority(tmp_path: Path) -> tuple[trustme.CA, str]:
    """A private CA, and the file that names it."""
    ca = trustme.CA()
    file = tmp_path / "ca.pem"
    ca.cert_pem.write_to_path(file)
    return ca, str(file)


@pytest.fixture
def tls_server(
    start_redis_server: Callable[..., RedisServer], authority: tuple[trustme.CA, str], tmp_path: Path, free_port: Callable[[], int]
) -> str:
    """The ``rediss://`` address of a server with a certificate of that CA."""
    ca, file = authority
    certificate = ca.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "key.pem")
    for number, blob in enumerate(certificate.cert_chain_pems):
        blob.write_to_path(tmp_path / "cert.pem", append=number > 0)
    port = free_port()
    start_redis_server(
        "--port", "0", "--tls-port", str(port), "--tls-cert-file", str(tmp_path / "cert.pem"), "--tls-key-file", str(tmp_path / "key.pem"),
        "--tls-ca-cert-file", file, "--tls-auth-clients", "no",
    )  # fmt: skip
    return f"rediss://localhost:{port}/0"


def test_tls_with_a_private_authority(tls_server: str, authority: tuple[trustme.CA, str]) -> None:
    store = open_store(tls_server, ca_bundle=authority[1])
    store.use_login(b"a", now=NOW, expires=LATER)

    assert store.login_was_used(b"a")
    assert store.inspect().facts["tls"] is True
    store.close()


def test_a_certificate_that_nobody_vouches_for_names_the_key_to_set(tls_server: str) -> None:
    store = open_store(tls_server)

    with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED") as caught:
        store.check()
    assert "http.ca_bundle" in caught.value.hint
    store.close()


def test_a_certificate_of_another_host_is_refused(tls_server: str, authority: tuple[trustme.CA, str]) -> None:
    store = open_store(tls_server.replace("localhost", "127.0.0.1"), ca_bundle=authority[1])

    with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        store.check()
    store.close()


def test_with_a_ca_bundle_the_system_vouches_for_nobody(
    tls_server: str, authority: tuple[trustme.CA, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", authority[1])  # the system trusts the server's authority
    trustme.CA().cert_pem.write_to_path(tmp_path / "another.pem")
    trusting, other = open_store(tls_server), open_store(tls_server, ca_bundle=str(tmp_path / "another.pem"))
    trusting.check()

    with pytest.raises(StoreUnavailable, match="CERTIFICATE_VERIFY_FAILED"):
        other.check()
    trusting.close()
    other.close()


def test_a_ca_bundle_that_is_not_there_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable, match=r"none\.pem") as caught:
        open_store("rediss://localhost:1/0", ca_bundle=str(tmp_path / "none.pem"))
    assert "http.ca_bundle" in caught.value.hint


def test_a_replica_is_down_for_writing_alone(start_redis_server: Callable[..., RedisServer]) -> None:
    primary = start_redis_server()
    replica = start_redis_server("--replicaof", "127.0.0.1", primary.url.rpartition(":")[2].removesuffix("/0"))
    store, of_primary = open_store(replica.url), open_store(primary.url)
    of_primary.use_login(b"a", now=NOW, expires=LATER)
    with pytest.raises(StoreUnavailable, match=r"READONLY|read only") as caught:
        store.use_login(b"b", now=NOW, expires=LATER)

    assert "primary" in caught.value.hint
    assert store.health.writes.is_failing
    assert not store.login_was_used(b"b")
    assert not store.health.reads.is_failing
    assert store.inspect().problems == ("it is a replica, to which nothing can be written",)
    store.close()
    of_primary.close()


def test_a_full_memory_says_so(start_redis_server: Callable[..., RedisServer]) -> None:
    server = start_redis_server("--maxmemory", "2mb", "--maxmemory-policy", "noeviction")
    store = open_store(server.url)

    with pytest.raises(StoreUnavailable) as caught:  # noqa: PT012
        for number in range(100):
            store.put("draft", str(number), b"x" * 100_000, expires=LATER)
    assert "maxmemory" in caught.value.message + caught.value.hint
    store.close()


def test_what_expired_leaves_the_server_by_itself(redis_server: RedisServer) -> None:
    store = open_store(redis_server.url, namespace="expiring")
    long_ago = time.time() - 3600
    store.put("session", "a", b"sealed", expires=long_ago, owner="ada@acme.com")
    store.put("session", "b", b"sealed", expires=time.time() + 60, owner="bob@acme.com")
    store.lease("refresh", "a", "w", now=long_ago, until=long_ago)

    assert [one["key"] for one in store.about("bob@acme.com")["records"]] == ["b"]
    assert store.about("ada@acme.com")["records"] == []
    assert store.inspect().rows["leases"] == 0
    assert store.clean(now=time.time(), accounts_before=0, queue_before=0)["records"] == 0
    assert store.inspect().rows["records"] == 1
    store.close()


def test_a_store_of_a_newer_version_is_refused(redis_server: RedisServer) -> None:
    import redis

    open_store(redis_server.url, namespace="newer").check()
    client = redis.Redis.from_url(redis_server.url)
    (key,) = [key for key in client.scan_iter("jsmsso:*:version") if client.get(key) and key.startswith(_prefix("newer"))]
    client.set(key, 99)
    client.close()

    store = open_store(redis_server.url, namespace="newer")
    for _ in range(2):
        with pytest.raises(StoreUnavailable, match="newer jsmsso") as caught:
            store.check()
    assert "Upgrade" in caught.value.hint
    store.close()


def _prefix(namespace: str) -> bytes:
    import hashlib

    return f"jsmsso:{{{hashlib.sha256(namespace.encode()).hexdigest()[:16]}}}:".encode()


def test_without_the_package_it_names_the_extra(tmp_path: Path) -> None:
    asked = "import sys; sys.modules['redis'] = None\nfrom jsmsso.store.opening import open_store\nopen_store('redis://localhost')"
    ran = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, cwd=tmp_path)

    assert "NotReady" in ran.stderr
    assert "needs the Python package redis" in ran.stderr


def test_sqlite_does_without_the_package(tmp_path: Path) -> None:
    asked = f"import sys; sys.modules['redis'] = None\nfrom jsmsso.store.opening import open_store\nopen_store('sqlite:///{tmp_path}/a.db').check()"
    assert subprocess.run([sys.executable, "-c", asked], cwd=tmp_path).returncode == 0


@pytest.mark.parametrize(
    ("options", "problem"),
    [
        pytest.param((), "nothing is kept on disk", id="no persistence"),
        pytest.param(("--save", "60 1"), "", id="snapshots"),
        pytest.param(("--appendonly", "yes"), "", id="append-only file"),
        pytest.param(("--appendonly", "yes", "--maxmemory-policy", "allkeys-lru"), "maxmemory-policy is allkeys-lru", id="eviction"),
        pytest.param(("--rename-command", "CONFIG", ""), "cannot be told", id="its settings are not ours to read"),
    ],
)
def test_settings_that_lose_what_must_stay_are_warned_about(
    start_redis_server: Callable[..., RedisServer], options: tuple[str, ...], problem: str
) -> None:
    store = open_store(start_redis_server(*options).url)
    found = store.inspect()

    assert [problem in warning for warning in found.warnings] == ([True] if problem else [])
    assert found.problems == ()
    assert found.facts["maxmemory_policy"] in ("noeviction", "allkeys-lru")
    store.close()


def test_many_threads_share_a_store(redis_server: RedisServer) -> None:
    store = open_store(redis_server.url, namespace="threads")
    failed: list[BaseException] = []

    def work(name: str) -> None:
        try:
            for number in range(50):
                store.put("session", f"{name}-{number}", name.encode(), expires=LATER)
                assert store.get("session", f"{name}-{number}", now=NOW) == name.encode()
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=work, args=(f"t{number}",)) for number in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert store.count("session", now=NOW) == 800
    store.close()
