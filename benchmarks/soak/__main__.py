"""``make soak``: is it still the same after thousands of logins, and whom does trouble elsewhere reach? Loopback only."""

from __future__ import annotations

import argparse
import json
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.request import urlopen

from benchmarks.acts import LINK, NATIVE_PORTAL, REDIRECTS, Gateway, login, repeat, with_session
from benchmarks.cpu import descendants
from benchmarks.gateways import WORKERS, Site, first_line, jsmsso_command, running
from benchmarks.gateways import gateway as started
from benchmarks.wire import Connection
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount, LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm

LARGEST_WORKER = 100.0  # megabytes of resident memory
MOST_GROWTH = 0.05
RECOVERY_SECONDS = 5.0
LOGIN_SECONDS_WITHOUT_JSM = 5.0
PEOPLE_AT_ONCE = 40  # more than the threads of all workers


@dataclass(frozen=True, slots=True)
class Size:
    """How much: logins and session requests of the long run, and seconds that each trouble lasts."""

    logins: int
    requests: int
    trouble: float


FULL, QUICK = Size(2_000, 50_000, 60.0), Size(200, 4_000, 8.0)


@dataclass
class Findings:
    """What was found, line by line, and whether all of it is as it should be."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, what: str, found: object, wanted: str, good: bool) -> None:
        self.rows.append({"what": what, "found": found, "wanted": wanted, "good": good})
        print(f"  {'ok  ' if good else 'FAIL'}  {what:<62} {found!s:<22} {wanted}", file=sys.stderr, flush=True)

    @property
    def good(self) -> bool:
        return all(row["good"] for row in self.rows)


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.soak", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a tenth of it, to see that it runs")
    parser.add_argument("--json", action="store_true", help="print the findings as one JSON document")
    options = parser.parse_args()
    size = QUICK if options.quick else FULL
    findings = Findings()
    with tempfile.TemporaryDirectory(prefix="jsmsso-soak-") as folder, _stage(Path(folder)) as stage:
        for part in (_long_run, _provider_half_broken, _provider_down, _jsm_down):
            print(part.__doc__, file=sys.stderr, flush=True)
            part(stage, size, findings)
    if options.json:
        print(json.dumps(findings.rows, indent=2))
    return 0 if findings.good else 1


@dataclass(frozen=True, slots=True)
class _Stage:
    gateway: Gateway
    jsm: LocalJsm
    provider: str

    def trouble(self, mode: str) -> None:
        urlopen(f"{self.provider}/trouble/{mode}", timeout=30).close()

    def workers(self) -> list[int]:
        """The two largest processes: the parent holds no application."""
        return sorted(descendants(self.gateway.pid)[1:], key=_resident)[-WORKERS:]


def _long_run(stage: _Stage, size: Size, findings: Findings) -> None:
    """Logins and sessions, one after another for as long as it takes:"""
    gateway = stage.gateway
    repeat(gateway, lambda connection: login(gateway, connection), max(200, size.logins // 10))
    cookies = _signed_in(gateway)
    repeat(gateway, lambda connection: with_session(gateway, cookies, connection), max(2_000, size.requests // 10))
    before = [_resident(pid) for pid in stage.workers()]
    repeat(gateway, lambda connection: login(gateway, connection), size.logins)
    repeat(gateway, lambda connection: with_session(gateway, cookies, connection), size.requests)
    after = [_resident(pid) for pid in stage.workers()]
    findings.add("logins without an error", size.logins, "all", True)
    findings.add("requests with a session without an error", size.requests, "all", True)
    growth = max(now / then - 1 for now, then in zip(after, before, strict=True))
    findings.add("memory of the largest worker, MB", round(max(after), 1), f"at most {LARGEST_WORKER:.0f}", max(after) <= LARGEST_WORKER)
    findings.add("its growth after warm-up", f"{growth:.1%}", f"below {MOST_GROWTH:.0%}", growth < MOST_GROWTH)


def _provider_half_broken(stage: _Stage, size: Size, findings: Findings) -> None:
    """Every second call to the provider takes eleven seconds or fails, and forty people sign in at once:"""
    sessions, logins = _under(stage, "half", size.trouble)
    findings.add("sessions that noticed anything", sessions.wrong, "none", sessions.wrong == 0 and sessions.answers > 0)
    findings.add("slowest answer to a session, s", round(sessions.slowest, 2), "at most 2", sessions.slowest <= 2.0)
    findings.add("logins by outcome", dict(logins.outcomes), "a session or a page", logins.wrong == 0 and logins.outcomes["in"] > 0)
    _recovers(stage, findings)


def _provider_down(stage: _Stage, size: Size, findings: Findings) -> None:
    """The provider cuts every connection:"""
    sessions, logins = _under(stage, "down", size.trouble)
    findings.add("sessions that noticed anything", sessions.wrong, "none", sessions.wrong == 0 and sessions.answers > 0)
    findings.add("slowest answer to a session, s", round(sessions.slowest, 2), "at most 2", sessions.slowest <= 2.0)
    findings.add("logins by outcome", dict(logins.outcomes), "a page that says so", logins.wrong == 0 and logins.outcomes["in"] == 0)
    _recovers(stage, findings)


def _jsm_down(stage: _Stage, size: Size, findings: Findings) -> None:
    """JSM takes half a minute for every answer, and people who have no account there sign in:"""
    gateway, jsm = stage.gateway, stage.jsm
    stage.trouble("none")
    known = len(jsm.site.people)
    jsm.break_with(Fault("slow", seconds=30.0))
    slowest, count = 0.0, 20
    with ThreadPoolExecutor(8) as pool:
        for seconds in pool.map(lambda _: _timed_login(gateway), range(count)):
            slowest = max(slowest, seconds)
    findings.add("slowest login, s", round(slowest, 2), f"about {LOGIN_SECONDS_WITHOUT_JSM:.0f}", slowest <= LOGIN_SECONDS_WITHOUT_JSM + 2)
    jsm.faults.clear()
    began = time.monotonic()
    while len(jsm.site.people) < known + count and time.monotonic() < began + 120:
        time.sleep(0.5)
    lost = known + count - len(jsm.site.people)
    findings.add("accounts lost of those that were to be made meanwhile", lost, "none", lost == 0)
    findings.add("seconds until all were made", round(time.monotonic() - began, 1), "at most 60", time.monotonic() - began <= 60)


@dataclass
class _Seen:
    answers: int = 0
    wrong: int = 0
    slowest: float = 0.0
    outcomes: Counter[str] = field(default_factory=Counter)


def _under(stage: _Stage, mode: str, seconds: float) -> tuple[_Seen, _Seen]:
    """Four people with sessions and forty who sign in, while the provider is in trouble."""
    gateway = stage.gateway
    stage.trouble("none")
    cookies = _signed_in(gateway)
    sessions, logins, lock = _Seen(), _Seen(), threading.Lock()
    stage.trouble(mode)
    ends = time.monotonic() + seconds

    def visit() -> None:
        connection = Connection(gateway.port)
        while time.monotonic() < ends:
            began = time.monotonic()
            good = _leads_on(connection, cookies)
            took = time.monotonic() - began
            with lock:
                sessions.answers += 1
                sessions.wrong += not good
                sessions.slowest = max(sessions.slowest, took)
            time.sleep(0.02)

    def sign_in() -> None:
        while time.monotonic() < ends:
            outcome = _outcome_of_login(gateway)
            with lock:
                logins.outcomes[outcome] += 1
                logins.wrong += outcome not in ("in", "page")

    threads = [threading.Thread(target=act, daemon=True) for act in [visit] * 4 + [sign_in] * PEOPLE_AT_ONCE]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stage.trouble("none")
    return sessions, logins


def _recovers(stage: _Stage, findings: Findings) -> None:
    began = time.monotonic()
    good = 0
    while good < 20 and time.monotonic() < began + 60:
        good = good + 1 if _outcome_of_login(stage.gateway) == "in" else 0
    took = time.monotonic() - began
    findings.add(
        "seconds until twenty logins in a row work again", round(took, 2), f"at most {RECOVERY_SECONDS:.0f}", took <= RECOVERY_SECONDS
    )


def _outcome_of_login(gateway: Gateway) -> str:
    connection = Connection(gateway.port)
    try:
        asked = connection.get(LINK)
        if asked.status not in REDIRECTS:
            return _page(asked.status)
        query = dict(part.partition("=")[::2] for part in asked.location.partition("?")[2].split("&"))
        cookies = {name: value for name, value in asked.cookies.items() if value}
        answer = connection.get(f"/callback?code={query['nonce']}&state={query['state']}", cookies)
        return "in" if answer.status in REDIRECTS else _page(answer.status)
    except OSError as error:
        return type(error).__name__
    finally:
        connection.close()


def _page(status: int) -> str:
    return "page" if status in (502, 503, 504) else str(status)


def _leads_on(connection: Connection, cookies: dict[str, str]) -> bool:
    try:
        return connection.get(LINK, cookies).location == NATIVE_PORTAL
    except OSError:
        connection.close()
        return False


def _timed_login(gateway: Gateway) -> float:
    connection = Connection(gateway.port)
    began = time.monotonic()
    try:
        login(gateway, connection)
    finally:
        connection.close()
    return time.monotonic() - began


def _signed_in(gateway: Gateway) -> dict[str, str]:
    connection = Connection(gateway.port)
    try:
        cookies = login(gateway, connection)
        while not _leads_on(connection, cookies):  # the account may still be in the making
            time.sleep(0.1)
        return cookies
    finally:
        connection.close()


def _resident(pid: int) -> float:
    """Megabytes of a process in memory (Linux)."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    return 0.0


@contextmanager
def _stage(folder: Path) -> Iterator[_Stage]:
    folder.chmod(0o755)
    account = LocalAccount(email="sso-bot@example.com", token="local-jsm-token", role="administrator")
    command = [sys.executable, "-m", "benchmarks.soak.troubled_provider"]
    with LocalJsm(LocalSite(accounts=(account,))) as jsm, running(command, dict(os.environ), folder / "provider.log") as process:
        told = json.loads(first_line(process, folder / "provider.log"))
        (folder / "api_token").write_text(account.token)
        (folder / "api_token").chmod(0o600)
        customers = {"create": True, "add_to_service_desk": True}
        site = {"url": jsm.url, "email": account.email, "api_token": f"file:{folder / 'api_token'}", "customers": customers}

        def command_of(one: Site) -> list[str]:
            return jsmsso_command(one, {"jsm": site})

        with started("jsmsso", command_of, told["origin"], told["issuer"].removeprefix(told["origin"]), folder / "served") as gateway:
            yield _Stage(gateway, jsm, told["origin"])


if __name__ == "__main__":
    raise SystemExit(main())
