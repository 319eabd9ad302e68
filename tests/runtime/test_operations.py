"""The checks for operators where something is wrong, and what ends soon."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import trustme

from jsmsso.errors import StoreUnavailable
from jsmsso.runtime.expiry import DAY, Expiry, expiries
from jsmsso.runtime.instance import Instance, readiness
from jsmsso.runtime.upkeep import ChangedFiles, Upkeep, files_of
from tests.oidc.provider import NOW, Provider
from tests.runtime.site import Browser, Clock, Site


def instance_of(site: Site, **changed: Any) -> Instance:
    values: dict[str, Any] = {"expiries": (), "wanted_workers": 2, "living_workers": lambda: 2, "totals": dict, "read_at": NOW}
    return Instance(site.deployment, **(values | changed))


def lose_the_store(site: Site) -> None:
    site.deployment.store.close()
    for path in site.folder.glob("state.db*"):
        path.unlink()
    (site.folder / "state.db").mkdir()


def test_all_is_well(site: Site) -> None:
    status, document = readiness(instance_of(site))
    assert (status, document["status"]) == (200, "ready")
    assert document["checks"]["providers"]["a"] == {"status": "unknown"}


@pytest.mark.parametrize(
    "failure, status, word, check", [("closed", 503, "down", "down"), ("open", 200, "degraded", "unavailable")], ids=["closed", "open"]
)
def test_a_store_that_is_down(make_site: Callable[..., Site], provider: Provider, failure: str, status: int, word: str, check: str) -> None:
    site = make_site(provider, store_failure=failure)
    lose_the_store(site)
    found, document = readiness(instance_of(site))
    assert (found, document["status"], document["checks"]["store"]["status"]) == (status, word, check)
    assert Browser(site).get("/readyz").status == status


@pytest.mark.parametrize(
    "changed, status, word",
    [
        pytest.param({"living_workers": lambda: 1}, 200, "degraded", id="a worker is missing"),
        pytest.param({"living_workers": lambda: 0}, 503, "down", id="no worker"),
        pytest.param({"is_stopping": True}, 503, "stopping", id="stopping"),
        pytest.param({"refused": StoreUnavailable("gone")}, 200, "degraded", id="a refused reload"),
        pytest.param({"expiries": (Expiry("token", "jsm", NOW + 5 * DAY),)}, 200, "degraded", id="a token that ends soon"),
        pytest.param({"expiries": (Expiry("token", "jsm", NOW - 5 * DAY),)}, 200, "degraded", id="a token that ended"),
        pytest.param({"expiries": (Expiry("token", "jsm", NOW + 50 * DAY),)}, 200, "ready", id="a token that is good"),
        pytest.param({"totals": lambda: {("jsm_answered",): 5.0, ("jsm_failed",): 6.0}}, 200, "degraded", id="JSM fails"),
        pytest.param({"totals": lambda: {("jsm_answered",): 6.0, ("jsm_failed",): 5.0}}, 200, "ready", id="JSM came back"),
        pytest.param({"totals": lambda: {("provider_failed", "a"): 5.0}}, 200, "degraded", id="the provider fails"),
    ],
)
def test_what_counts_as_what(site: Site, changed: dict[str, Any], status: int, word: str) -> None:
    found, document = readiness(instance_of(site, **changed))
    assert (found, document["status"]) == (status, word)


def test_records_that_jsm_does_not_take_are_told(site: Site) -> None:
    store = site.deployment.store
    store.put_write("i", "s", "a", "ada@acme.example", "{}", now=NOW, due=NOW)
    assert readiness(instance_of(site))[1]["checks"]["jsm"] == {"status": "unknown", "waiting": 1, "failing": 0}
    write = store.lease_write("me", now=NOW + 1, until=NOW + 9)
    assert write is not None
    store.postpone_write(write, due=NOW + 60, reason="jsm_503", error="down")
    status, document = readiness(instance_of(site))
    assert (status, document["status"], document["checks"]["jsm"]["failing"]) == (200, "degraded", 1)


# What ends ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, days, said",
    [
        ("jsm", 31, ""),
        ("jsm", 30, "ends in 30 days"),
        ("jsm", 7, "this week"),
        ("jsm", 1, "ends tomorrow"),
        ("jsm", 0, "ends today"),
        ("jsm", -1, "ended on"),
        ("scim", 31, ""),
        ("scim", 30, "the SCIM token ends on"),
        ("scim", -1, "the SCIM token ended on"),
        ("tls", 15, ""),
        ("tls", 14, "the certificate of --tls-cert ends on"),
        ("saml", -1, "saml.certificate ended on"),
        ("saml_next", 3, "saml.next ends on"),
    ],
)
def test_it_is_said_in_time(name: str, days: int, said: str) -> None:
    midnight = NOW - NOW % DAY
    kind = "certificate" if name in ("tls", "saml", "saml_next") else "token"
    warning = Expiry(kind, name, midnight + (days + 1) * DAY).warning(NOW)  # type: ignore[arg-type]
    assert said in warning
    assert bool(said) == bool(warning)


def test_a_certificates_end_is_read_from_it_and_a_tokens_from_the_profile(
    make_site: Callable[..., Site], provider: Provider, tmp_path: Path
) -> None:
    ends = datetime.now(UTC).replace(microsecond=0) + timedelta(days=20)
    certificate = trustme.CA().issue_cert("localhost", not_after=ends)
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "cert.pem")
    jsm = {"url": "https://acme.atlassian.example", "email": "b@acme.example", "api_token": "env:T", "api_token_expires": "2027-05-01"}
    profile = make_site(provider, jsm=jsm).deployment.profile
    found = {one.name: one.at for one in expiries(profile, tmp_path, tmp_path / "cert.pem")}
    assert found == {"jsm": datetime(2027, 5, 2, tzinfo=UTC).timestamp(), "tls": ends.timestamp()}
    for broken in (b"", b"no certificate"):
        (tmp_path / "cert.pem").write_bytes(broken)
        assert {one.name for one in expiries(profile, tmp_path, tmp_path / "cert.pem")} == {"jsm"}


# Files ----------------------------------------------------------------------------------------


def test_a_file_counts_as_changed_when_it_stands_still(tmp_path: Path) -> None:
    one, another, missing = tmp_path / "one", tmp_path / "another", tmp_path / "missing"
    one.write_text("1")
    another.write_text("2")
    files = ChangedFiles((one, another, missing))
    assert files.changed() == ()
    one.write_text("half")
    assert files.changed() == ()
    one.write_text("half and more")
    assert files.changed() == ()
    assert files.changed() == (one,)
    assert files.changed() == ()
    missing.write_text("there")
    another.unlink()
    assert [files.changed(), files.changed()] == [(), (another, missing)]


def test_a_file_that_is_as_it_was_before_anybody_saw_is_no_change(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("1")
    known = path.stat()
    files = ChangedFiles((path,))
    moved = tmp_path / "moved"
    path.rename(moved)
    assert files.changed() == ()
    moved.rename(path)
    os.utime(path, ns=(known.st_atime_ns, known.st_mtime_ns))
    assert [files.changed(), files.changed()] == [(), ()]


def test_the_files_watched_are_those_that_the_profile_names(make_site: Callable[..., Site], provider: Provider, tmp_path: Path) -> None:
    site = make_site(provider)
    files = files_of(site.deployment.profile, site.folder, tmp_path / "cert.pem", None)
    assert {path.name for path in files} == {"session", "client", "cert.pem"}


# Chores ---------------------------------------------------------------------------------------


@pytest.fixture
def upkeep(site: Site, clock: Clock) -> Upkeep:
    return Upkeep(site.deployment, ChangedFiles((site.folder / "client",)), (Expiry("token", "jsm", NOW + 5 * DAY),), clock)


@pytest.fixture
def clock() -> Clock:
    return Clock(0.0)


def test_what_ends_is_said_once_a_day(site: Site, upkeep: Upkeep, clock: Clock) -> None:
    for seconds in (0.0, 1.0, DAY - 1, DAY):
        clock.seconds = seconds
        assert not upkeep.tick()
    assert [line["name"] for line in site.events("token.ends")] == ["jsm", "jsm"]


def test_what_is_kept_too_long_goes_once_an_hour(site: Site, upkeep: Upkeep, clock: Clock) -> None:
    audit = site.deployment.audit
    audit.write("login.ok")
    upkeep.tick()
    site.clock.advance(91 * DAY)
    audit.write("logout")
    clock.seconds = 3599.0
    upkeep.tick()
    assert len(list(audit.folder.iterdir())) == 2
    clock.seconds = 3600.0
    upkeep.tick()
    assert [record["event"] for record in audit.read()] == ["logout"]
    assert site.events("cleaned")[0]["audit_files"] == 1


def test_a_store_or_a_folder_that_fails_is_said_and_waits_for_the_next_time(site: Site, upkeep: Upkeep) -> None:
    lose_the_store(site)
    assert not upkeep.tick()
    assert site.events("clean.failed")[0]["reason"] == "store_unavailable"


def test_a_changed_secret_asks_for_a_reload(site: Site, upkeep: Upkeep, clock: Clock) -> None:
    assert not upkeep.tick()
    (site.folder / "client").write_text("another")
    wanted = []
    for clock.seconds in (2.0, 3.0, 4.0, 6.0):
        wanted.append(upkeep.tick())
    assert wanted == [False, False, True, False]
    assert site.events("secrets.changed")[0]["files"] == [str(site.folder / "client")]
    shutil.copy(site.folder / "client", site.folder / "copy")
    fresh = replace(upkeep, files=ChangedFiles((site.folder / "copy",)))
    assert not fresh.tick()
