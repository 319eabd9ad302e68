"""The store on one machine: one winner, whoever asks at once, and plain words where it cannot work."""

from __future__ import annotations

import multiprocessing
import os
import sqlite3
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from jsmsso.errors import NotReady, StoreUnavailable
from jsmsso.store import sqlite_file
from jsmsso.store.opening import default_path, open_store
from jsmsso.store.sqlite import CLEAN_EVERY, SqliteStore
from jsmsso.store.sqlite_schema import VERSION

NOW = 1_800_000_000.0
LATER = NOW + 600


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "state.db"


def rows(path: Path) -> set[bytes]:
    connection = sqlite3.connect(path)
    try:
        return {row[0] for row in connection.execute("SELECT state_hash FROM used_logins")}
    finally:
        connection.close()


def test_a_login_is_used_once(path: Path) -> None:
    store = SqliteStore(path)

    assert [store.use_login(b"a", now=NOW, expires=LATER) for _ in range(3)] == [True, False, False]
    assert store.use_login(b"b", now=NOW, expires=LATER)


def test_a_used_login_stays_used_after_a_restart(path: Path) -> None:
    SqliteStore(path).use_login(b"a", now=NOW, expires=LATER)

    assert not SqliteStore(path).use_login(b"a", now=NOW, expires=LATER)


def test_of_fifty_threads_one_wins(path: Path) -> None:
    store = SqliteStore(path)
    together = threading.Barrier(50)

    def use(_: int) -> list[bool]:
        together.wait()
        return [store.use_login(bytes([login]), now=NOW, expires=LATER) for login in range(20)]

    with ThreadPoolExecutor(50) as pool:
        results = list(pool.map(use, range(50)))

    assert [sum(column) for column in zip(*results, strict=True)] == [1] * 20


def use_in_process(path: Path, start: multiprocessing.synchronize.Event, wins: multiprocessing.Queue[object]) -> None:
    start.wait()
    try:
        store = SqliteStore(path)  # opened at once too: the first start of all workers
        wins.put([store.use_login(bytes([login]), now=NOW, expires=LATER) for login in range(20)])
    except BaseException as error:
        wins.put(repr(error))


def test_of_eight_processes_that_start_at_once_one_wins(path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    start, wins = spawn.Event(), spawn.Queue()
    processes = [spawn.Process(target=use_in_process, args=(path, start, wins)) for _ in range(8)]
    for process in processes:
        process.start()
    start.set()
    results = [wins.get(timeout=60) for _ in processes]
    for process in processes:
        process.join()

    assert [result for result in results if isinstance(result, str)] == []
    assert [sum(column) for column in zip(*results, strict=True)] == [1] * 20


def test_a_forked_child_shares_the_store(path: Path) -> None:
    store = SqliteStore(path)
    store.use_login(b"parent", now=NOW, expires=LATER)
    of_the_parent = store._connection()
    child = os.fork()
    if child == 0:
        code = 9
        try:
            code = int(store.use_login(b"parent", now=NOW, expires=LATER)) + 2 * int(store.use_login(b"child", now=NOW, expires=LATER))
            code += 4 * int(store._connection() is of_the_parent)  # what SQLite forbids
        finally:
            os._exit(code)

    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 2
    assert not store.use_login(b"child", now=NOW, expires=LATER)
    assert store.use_login(b"after", now=NOW, expires=LATER)


def test_expired_logins_are_cleaned_up_and_others_stay(path: Path) -> None:
    store = SqliteStore(path)
    store.use_login(b"expired", now=NOW, expires=NOW + 1)
    store.use_login(b"fresh", now=NOW, expires=NOW + 10_000)
    for number in range(CLEAN_EVERY):
        store.use_login(number.to_bytes(4, "big"), now=NOW + 2, expires=NOW + 2000)

    assert b"expired" not in rows(path)
    assert b"fresh" in rows(path)
    assert not store.use_login(b"fresh", now=NOW + 2, expires=NOW + 10_000)


def test_the_file_and_its_folder_are_ours_alone(path: Path) -> None:
    store = SqliteStore(path)
    store.use_login(b"a", now=NOW, expires=LATER)

    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()} == {0o600}


def test_a_store_of_a_newer_version_is_refused_and_left_alone(path: Path) -> None:
    SqliteStore(path).use_login(b"a", now=NOW, expires=LATER)
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {VERSION + 1}")
    connection.close()

    with pytest.raises(StoreUnavailable, match="newer") as caught:
        SqliteStore(path)

    assert "Upgrade" in caught.value.hint
    connection = sqlite3.connect(path)
    assert connection.execute("PRAGMA user_version").fetchone() == (VERSION + 1,)
    connection.close()


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_that_is_not_ours_to_write_says_so(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)

    with pytest.raises(StoreUnavailable, match="Permission denied"):
        SqliteStore(tmp_path / "state.db")


@pytest.mark.parametrize("place", ["/proc/state.db", "/dev/null/state.db"])
def test_a_place_where_nothing_can_be_written_says_so(place: str) -> None:
    with pytest.raises(StoreUnavailable) as caught:
        SqliteStore(Path(place))

    assert place in caught.value.message
    assert caught.value.hint


@pytest.mark.parametrize("content", [b"no database at all, but long enough to be one" * 100, b"SQLite format 3\x00" + b"\xff" * 4096])
def test_a_file_that_is_no_database_says_so_and_is_left_alone(path: Path, content: bytes) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(StoreUnavailable):
        SqliteStore(path)

    assert path.read_bytes() == content


def test_a_folder_in_its_place_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreUnavailable):
        SqliteStore(tmp_path)


def test_a_store_that_somebody_holds_locked_is_down_until_they_let_go(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sqlite_file, "BUSY_SECONDS", 0.05)
    store = SqliteStore(path)
    store.check()
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(StoreUnavailable, match="locked"):
        store.check()
    with pytest.raises(StoreUnavailable, match="locked"):
        store.use_login(b"a", now=NOW, expires=LATER)

    other.execute("ROLLBACK")
    other.close()
    store.check()
    assert store.use_login(b"a", now=NOW, expires=LATER)


def test_a_writer_waits_for_another_that_is_quick(path: Path) -> None:
    store = SqliteStore(path)
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2, lambda: other.execute("COMMIT")).start()

    assert store.use_login(b"a", now=NOW, expires=LATER)
    other.close()


def test_a_first_start_waits_for_another_worker_that_makes_the_file(path: Path) -> None:
    path.parent.mkdir()
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE made (a)")
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.2, lambda: other.execute("COMMIT")).start()

    assert SqliteStore(path).use_login(b"a", now=NOW, expires=LATER)
    other.close()


@pytest.mark.parametrize(
    ("address", "place"),
    [
        pytest.param("sqlite:///{tmp}/a.db", "a.db", id="absolute, as SQLAlchemy writes it"),
        pytest.param("sqlite:///{tmp}/a%20b.db", "a b.db", id="with an escape"),
        pytest.param("sqlite:///c.db", "c.db", id="relative to where we stand"),
    ],
)
def test_where_an_address_leads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, address: str, place: str) -> None:
    monkeypatch.chdir(tmp_path)
    open_store(address.format(tmp=tmp_path)).check()

    assert (tmp_path / place).is_file()


@pytest.mark.parametrize("address", ["postgresql://x", "/var/lib/state.db"])
def test_an_address_of_another_kind_is_not_served(address: str) -> None:
    with pytest.raises(NotReady):
        open_store(address)


@pytest.mark.parametrize("address", ["sqlite://", "sqlite:", "sqlite:///", "sqlite://state.db", "sqlite://host/state.db"])
def test_an_address_that_names_no_file_is_refused(address: str) -> None:
    with pytest.raises(NotReady):
        open_store(address)


def test_without_an_address_it_is_the_users_state_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    monkeypatch.setenv("HOME", str(tmp_path))

    open_store(None).check()
    assert default_path().is_relative_to(tmp_path)
    assert default_path().is_file()
