"""The audit trail: each event is a line, whatever happens around it, and can be found again."""

from __future__ import annotations

import gc
import gzip
import json
import multiprocessing
import os
import threading
from pathlib import Path
from typing import Any

import pytest

from jsmsso.errors import MachineFailed
from jsmsso.store.audit import DAY, Audit, audit_folder

NOON = 1_800_014_400.0  # 2027-01-15T12:00:00Z


class Clock:
    def __init__(self) -> None:
        self.seconds = NOON

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def audit(tmp_path: Path, clock: Clock) -> Audit:
    return Audit(tmp_path / "audit", now=clock)


def events(audit: Audit, **wanted: Any) -> list[str]:
    return [record["event"] for record in audit.read(**wanted)]


def test_an_event_is_a_line_of_json_in_the_days_file(audit: Audit) -> None:
    assert audit.write("login.ok", email="ada@acme.example", portal="HELP", rule=None, provider="")
    (path,) = audit.folder.iterdir()
    assert path.name == "audit-2027-01-15.jsonl"
    assert json.loads(path.read_text()) == {
        "time": "2027-01-15T12:00:00.000Z",
        "event": "login.ok",
        "email": "ada@acme.example",
        "portal": "HELP",
    }


def test_nobody_else_may_read_it(audit: Audit) -> None:
    audit.write("login.ok")
    (path,) = audit.folder.iterdir()
    assert (oct(path.stat().st_mode & 0o777), oct(audit.folder.stat().st_mode & 0o777)) == ("0o600", "0o700")


def test_a_day_ends_at_midnight_utc(audit: Audit, clock: Clock) -> None:
    for seconds in (NOON + 12 * 3600 - 0.001, NOON + 12 * 3600):
        clock.seconds = seconds
        audit.write("login.ok")
    assert sorted(path.name for path in audit.folder.iterdir()) == ["audit-2027-01-15.jsonl", "audit-2027-01-16.jsonl"]


def test_what_is_there_is_never_written_over(audit: Audit, clock: Clock) -> None:
    audit.write("login.ok")
    Audit(audit.folder, now=clock).write("logout")
    assert events(audit) == ["login.ok", "logout"]


@pytest.mark.parametrize("value", ["a\nb", "a\r\nb", "a\x00b", "a\x1b[2Jb", "a\u2028b", "a\u202eb", "a\x85b", "a\ud800b", '"}\n{"time":"x'])
def test_no_value_makes_a_second_line(audit: Audit, value: str) -> None:
    audit.write("login.refused", email=value, reason=value, values=[value])
    (path,) = audit.folder.iterdir()
    assert len(path.read_bytes().splitlines()) == 1
    (record,) = audit.read()
    assert record["event"] == "login.refused"
    assert record["email"].isprintable()


def _write_many(folder: Path, name: str) -> None:
    audit = Audit(folder)
    threads = [threading.Thread(target=lambda: [audit.write("x", by=name, text="y" * 500, more=["z" * 500] * 20) for _ in range(50)])] * 1
    threads += [threading.Thread(target=lambda: [audit.write("x", by=name) for _ in range(50)]) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_lines_of_many_workers_do_not_mix_however_long(tmp_path: Path) -> None:
    spawn = multiprocessing.get_context("spawn")
    workers = [spawn.Process(target=_write_many, args=(tmp_path, str(number))) for number in range(3)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    skipped: list[Path] = []
    assert len(list(Audit(tmp_path).read(skipped=skipped.append))) == 3 * 4 * 50
    assert not skipped
    assert any(len(line) > 8192 for path in tmp_path.iterdir() for line in path.read_bytes().splitlines())  # above PIPE_BUF


def test_a_file_that_somebody_moved_away_is_begun_anew(audit: Audit) -> None:
    audit.write("login.ok")
    next(audit.folder.iterdir()).unlink()
    audit.write("logout")
    assert events(audit) == ["logout"]


# A disk that takes nothing --------------------------------------------------------------------


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_a_full_disk_is_counted_and_told(audit: Audit, clock: Clock) -> None:
    audit.folder.mkdir()
    complaints: list[tuple[str, int]] = []
    full = Audit(audit.folder, now=clock, on_loss=lambda reason, lost: complaints.append((reason, lost)))
    audit.write("login.ok")
    full.write("login.ok")
    os.dup2(os.open("/dev/full", os.O_WRONLY), full._file)
    assert [full.write("login.ok"), full._day] == [False, -1]
    full.close()
    assert (full.lost, complaints) == (1, [("No space left on device", 1)])
    assert full.write("logout"), "goes on once there is space"
    assert events(audit) == ["login.ok", "login.ok", "logout"]


def test_a_folder_that_cannot_be_made_stops_nobody_and_is_told_at_the_start(tmp_path: Path, clock: Clock) -> None:
    (tmp_path / "file").write_text("")
    complaints: list[tuple[str, int]] = []
    audit = Audit(tmp_path / "file" / "audit", now=clock, on_loss=lambda reason, lost: complaints.append((reason, lost)))
    assert [audit.write("login.ok"), audit.write("login.ok")] == [False, False]
    assert [lost for _, lost in complaints] == [1, 2]
    with pytest.raises(MachineFailed, match="audit trail"):
        audit.check()


def test_a_torn_line_costs_itself_alone(audit: Audit) -> None:
    audit.write("login.ok")
    (path,) = audit.folder.iterdir()
    with path.open("a") as file:
        file.write('{"time":"2027-01-15T12:00:00.000Z","event":"log')  # where the disk was full
    audit.write("logout", email="ada@acme.example")
    with path.open("ab") as file:
        file.write(b"\xff\xfe no JSON\n\n")
    audit.write("login.ok")
    skipped: list[Path] = []
    assert [record["event"] for record in audit.read(skipped=skipped.append)] == ["login.ok", "logout", "login.ok"]
    assert skipped == [path]


# Finding --------------------------------------------------------------------------------------


@pytest.fixture
def filled(audit: Audit, clock: Clock) -> Audit:
    for day, event, email, portal in (
        (0, "login.ok", "ada@acme.example", "HELP"),
        (1, "login.refused", "bob@acme.example", "HELP"),
        (2, "login.ok", "ada@acme.example", "HR"),
        (2, "logout", "Ada@acme.example", ""),
    ):
        clock.seconds = NOON + day * DAY
        audit.write(event, email=email, portal=portal)
    return audit


@pytest.mark.parametrize(
    "wanted, expected",
    [
        pytest.param({}, ["login.ok", "login.refused", "login.ok", "logout"], id="all"),
        pytest.param({"email": "ada@acme.example"}, ["login.ok", "login.ok", "logout"], id="a person, however written"),
        pytest.param({"email": "ADA@acme.example"}, ["login.ok", "login.ok", "logout"], id="asked for in capitals"),
        pytest.param({"email": "da@acme.example"}, [], id="no part of an address"),
        pytest.param({"portal": "HELP"}, ["login.ok", "login.refused"], id="a portal"),
        pytest.param({"event": "login.refused"}, ["login.refused"], id="an event"),
        pytest.param({"since": NOON + DAY}, ["login.refused", "login.ok", "logout"], id="since a time"),
        pytest.param({"since": NOON + DAY + 1}, ["login.ok", "logout"], id="since a second later"),
        pytest.param({"since": NOON + 3 * DAY}, [], id="since later than all"),
        pytest.param({"email": "ada@acme.example", "portal": "HR"}, ["login.ok"], id="both"),
    ],
)
def test_lines_are_found(filled: Audit, wanted: dict[str, Any], expected: list[str]) -> None:
    assert events(filled, **wanted) == expected


def test_all_about_a_person_is_found(filled: Audit) -> None:
    assert [record["event"] for record in filled.about("ada@acme.example")] == ["login.ok", "login.ok", "logout"]
    assert filled.about("nobody@acme.example") == []


def test_a_trail_that_was_never_begun_is_empty(audit: Audit) -> None:
    assert audit.about("ada@acme.example") == []
    assert not audit.folder.exists()


def test_days_that_somebody_compressed_are_read_and_kept_as_long(filled: Audit, clock: Clock) -> None:
    path = filled.folder / "audit-2027-01-15.jsonl"
    with gzip.open(f"{path}.gz", "wb") as file:
        file.write(path.read_bytes())
    path.unlink()
    assert events(filled, email="ada@acme.example") == ["login.ok", "login.ok", "logout"]
    clock.seconds += DAY
    assert filled.clean(2 * DAY) == 1
    assert events(filled, email="ada@acme.example") == ["login.ok", "logout"]
    (filled.folder / "audit-2027-01-17.jsonl.gz").write_bytes(b"no gzip")
    with pytest.raises(MachineFailed, match="2027-01-17"):
        events(filled)


# Retention ------------------------------------------------------------------------------------


def test_files_older_than_the_retention_are_deleted_and_nothing_else(filled: Audit, clock: Clock) -> None:
    for name in ("audit-2020-01-01.jsonl.bak", "audit-2020-13-45.jsonl", "notes.txt"):
        (filled.folder / name).write_text("")
    assert filled.clean(2 * DAY) == 0
    clock.seconds += DAY / 2
    assert filled.clean(2 * DAY) == 1
    assert events(filled) == ["login.refused", "login.ok", "logout"]
    assert len(list(filled.folder.iterdir())) == 5


@pytest.mark.parametrize(
    "named, store, expected",
    [
        pytest.param("trail", "sqlite:////var/lib/jsmsso/state.db", "/etc/jsmsso/trail", id="named, beside the profile"),
        pytest.param("/var/log/jsmsso", None, "/var/log/jsmsso", id="named"),
        pytest.param(None, "sqlite:////var/lib/js%20msso/state.db", "/var/lib/js msso/audit", id="beside the store"),
        pytest.param(None, "rediss://redis.acme.example/0", "/state/jsmsso/audit", id="with Redis"),
        pytest.param(None, None, "/state/jsmsso/audit", id="by default"),
    ],
)
def test_where_it_lies(monkeypatch: pytest.MonkeyPatch, named: str | None, store: str | None, expected: str) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", "/state")
    assert audit_folder(named, store, Path("/etc/jsmsso")) == Path(expected)


def test_one_that_nobody_needs_any_more_leaves_no_file_open(tmp_path: Path) -> None:
    audit = Audit(tmp_path)
    audit.write("login.ok")
    number = audit._file
    del audit
    gc.collect()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(number)
