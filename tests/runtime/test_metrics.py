"""What is counted: nothing lost among threads and processes, no label that grows, the words that Prometheus reads."""

from __future__ import annotations

import multiprocessing
import os
import re
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from jsmsso.runtime.exposition import COUNTERS, EXPIRIES, GAUGES, exposition
from jsmsso.runtime.instance import Instance
from jsmsso.runtime.metrics import FAMILIES, Metrics, join, login_outcome
from jsmsso.runtime.shared_counts import Counts, Key, Totals
from tests.oidc.provider import ABSENT, Provider, Reply
from tests.runtime.site import Browser, Site

EXAMPLES = Path(__file__).parents[2] / "examples"
ONE: Key = ("one",)
LATEST: Key = ("provider_answered", "a")


def test_threads_lose_no_count(tmp_path: Path) -> None:
    counts = Counts([ONE, ("two",)], tmp_path)
    threads = [threading.Thread(target=lambda: [counts.add(0) for _ in range(20_000)]) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert Totals(tmp_path, join).read() == {ONE: 160_000.0, ("two",): 0.0}


def _count(folder: Path, times: int, at: float) -> None:
    counts = Counts([ONE, LATEST], folder)
    for _ in range(times):
        counts.add(0)
    counts.set(1, at)


def test_processes_add_up_and_stay_counted_when_they_are_gone(tmp_path: Path) -> None:
    totals = Totals(tmp_path, join)
    for times, at in ((3, 70.0), (4, 90.0), (5, 80.0)):
        process = multiprocessing.get_context("spawn").Process(target=_count, args=(tmp_path, times, at))
        process.start()
        process.join()
    living = Counts([ONE], tmp_path)
    living.add(0, 0.5)
    assert len(list(tmp_path.iterdir())) == 4
    for _ in range(2):
        assert totals.read() == {ONE: 12.5, LATEST: 90.0}
    assert [path.name.partition(".")[0] for path in tmp_path.iterdir()] == [str(os.getpid())]


def test_a_process_may_know_other_labels_than_the_one_before_it(tmp_path: Path) -> None:
    Metrics(["old"], tmp_path).login("old")
    Metrics(["new"], tmp_path).login("new")
    totals = Totals(tmp_path, join).read()
    assert (totals["jsmsso_logins", "old", "ok", ""], totals["jsmsso_logins", "new", "ok", ""]) == (1.0, 1.0)


def test_no_label_grows_with_what_people_send(tmp_path: Path) -> None:
    metrics = Metrics(["acme"], tmp_path)
    before = set(Totals(tmp_path, join).read())
    metrics.login("nobody", "answer_unknown")
    metrics.login("acme", "a reason of tomorrow")
    metrics.redirect("../../x")
    metrics.provider_call("acme", "an endpoint of tomorrow", 200, 0.1)
    for status in (0, 99, 100, 299, 404, 503, 999):
        metrics.response(status)
    totals = Totals(tmp_path, join).read()
    assert set(totals) == before
    assert totals["jsmsso_responses", "other"] == 3
    assert totals["jsmsso_logins", "acme", "failed", "provider"] == 1


@pytest.mark.parametrize(
    "reason, outcome",
    [
        ("access_denied", ("refused", "access_rule")),
        ("email_unverified", ("refused", "email")),
        ("too_large", ("refused", "claims_too_large")),
        ("answer_used", ("refused", "answer")),
        ("token_invalid_grant", ("refused", "code")),
        ("id_token_nonce", ("refused", "id_token")),
        ("userinfo_refused", ("refused", "id_token")),
        ("authorization_access_denied", ("refused", "provider_said_no")),
        ("authorization_server_error", ("failed", "provider")),
        ("token_request_refused", ("failed", "provider")),
        ("provider_unreachable", ("failed", "provider")),
        ("discovery_refused", ("failed", "provider")),
        ("customer_barred", ("refused", "customer")),
        ("customer_not_written", ("failed", "jsm")),
        ("store_unavailable", ("failed", "store")),
        ("too_busy", ("failed", "busy")),
        ("fault", ("failed", "fault")),
    ],
)
def test_a_reason_of_the_log_has_its_class(reason: str, outcome: tuple[str, str]) -> None:
    assert login_outcome(reason) == outcome


# In a worker, and as Prometheus reads it --------------------------------------------------------


@pytest.fixture
def shown(site: Site, tmp_path: Path) -> Callable[[], dict[tuple[str, ...], float]]:
    """What a scrape shows of ``site``: values by a sample's name and its labels' values, in the order of the labels' names."""
    folder = tmp_path / "shared"
    folder.mkdir()
    site.deployment.metrics = Metrics(site.deployment.profile.providers, folder, now=site.clock)
    instance = Instance(site.deployment, (), 2, lambda: 2, Totals(folder, join).read, site.clock())

    def scrape() -> dict[tuple[str, ...], float]:
        text = exposition(instance, "text/plain")[0].decode()
        return {
            (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
            for family in text_string_to_metric_families(text)
            for sample in family.samples
        }

    return scrape


def test_every_way_through_a_worker_is_counted(site: Site, provider: Provider, shown: Callable[[], dict[tuple[str, ...], float]]) -> None:
    browser = Browser(site)
    browser.log_in()
    browser.get("/portal/HELP")
    Browser(site).get("/callback?code=x&state=y")
    provider.claims["email_verified"] = False
    Browser(site).log_in()
    site.clock.advance(10 * 3600)
    browser.get("/portal/HELP")
    numbers = shown()
    expected = {
        ("jsmsso_logins_total", "ok", "a", ""): 1,
        ("jsmsso_logins_total", "refused", "a", "answer"): 1,
        ("jsmsso_logins_total", "refused", "a", "email"): 1,
        ("jsmsso_login_redirects_total", "a"): 3,
        ("jsmsso_session_requests_total", "living"): 1,
        ("jsmsso_session_requests_total", "over"): 1,
        ("jsmsso_responses_total", "4xx"): 2,
        ("jsmsso_faults_total",): 0,
        ("jsmsso_logouts_total", "person"): 0,
        ("jsmsso_audit_lines_lost_total",): 0,
    }
    assert {key: numbers[key] for key in expected} == expected


def test_a_fault_and_a_logout_are_counted(
    site: Site, monkeypatch: pytest.MonkeyPatch, shown: Callable[[], dict[tuple[str, ...], float]]
) -> None:
    browser = Browser(site)
    browser.log_in()
    browser.submit(browser.get("/logout"))
    monkeypatch.setattr(site.deployment, "session_of", lambda visit: 1 / 0)
    assert Browser(site).get("/portal/HELP").status == 503
    numbers = shown()
    assert (numbers["jsmsso_faults_total",], numbers["jsmsso_logouts_total", "person"]) == (1, 1)


def test_a_denied_session_is_counted_apart_from_a_refused_login(
    site: Site, monkeypatch: pytest.MonkeyPatch, shown: Callable[[], dict[tuple[str, ...], float]]
) -> None:
    browser = Browser(site)
    browser.log_in()
    metrics = site.deployment.metrics
    site.reload(access=[{"deny": "everyone"}])
    site.deployment.metrics = metrics
    assert browser.get("/portal/HELP").status == 403
    numbers = shown()
    assert numbers["jsmsso_access_denied_total",] == 1
    assert ("jsmsso_logins_total", "refused", "a", "access_rule") not in {key for key, number in numbers.items() if number}


def test_histograms_rise_from_bucket_to_bucket(tmp_path: Path, site: Site, shown: Callable[[], dict[tuple[str, ...], float]]) -> None:
    for seconds in (0.01, 0.05, 0.3, 7.0, 60.0):
        site.deployment.metrics.provider_call("a", "token", 200, seconds)
    numbers = shown()
    name = "jsmsso_provider_request_seconds"
    buckets = {bound: numbers[f"{name}_bucket", "token", bound, "a"] for bound in ("0.05", "0.5", "5.0", "10.0", "+Inf")}
    assert buckets == {"0.05": 2, "0.5": 3, "5.0": 3, "10.0": 4, "+Inf": 5}
    assert numbers[f"{name}_count", "token", "a"] == 5
    assert numbers[f"{name}_sum", "token", "a"] == pytest.approx(67.36)


def test_calls_to_a_provider_are_told_apart_by_endpoint_and_outcome(
    make_site: Callable[..., Site], provider: Provider, tmp_path: Path
) -> None:
    provider.userinfo = {"email": "ada@acme.example", "email_verified": True}
    provider.claims |= {"email": ABSENT, "email_verified": ABSENT}
    site = make_site(provider)
    Browser(site).log_in()
    metrics = site.deployment.metrics
    place = metrics._place

    def calls(endpoint: str) -> float:
        return sum(
            metrics._counts.get(at)
            for key, at in place.items()
            if key[:3] == ("jsmsso_provider_request_seconds", "a", endpoint) and key[3] != "sum"
        )

    assert {endpoint: calls(endpoint) for endpoint in ("metadata", "jwks", "token", "userinfo", "other")} == {
        "metadata": 1, "jwks": 1, "token": 1, "userinfo": 1, "other": 0,
    }  # fmt: skip
    assert not metrics.is_failing("provider", "a")
    site.clock.advance(1)
    provider.replies["/token"] = Reply(502)
    Browser(site).log_in()
    assert metrics.is_failing("provider", "a")
    assert Browser(site).get("/readyz").text == "degraded\n"
    site.clock.advance(1)
    del provider.replies["/token"]
    Browser(site).log_in()
    assert not metrics.is_failing("provider", "a")


def test_every_metric_is_in_the_documentation() -> None:
    text = (EXAMPLES.parent / "docs" / "operations.md").read_text()
    counters = [*COUNTERS, *(name for name, family in FAMILIES.items() if family.kind == "counter")]
    shown = [*(f"{name}_total" for name in counters), *GAUGES, *EXPIRIES, "jsmsso_build_info"]
    shown += [name for name, family in FAMILIES.items() if family.kind == "histogram"]
    assert [name for name in shown if f"`{name}`" not in text] == []


def test_the_example_alerts_ask_for_metrics_that_there_are(site: Site, shown: Callable[[], dict[tuple[str, ...], float]]) -> None:
    rules = yaml.safe_load((EXAMPLES / "prometheus-alerts.yml").read_text())["groups"][0]["rules"]
    assert len(rules) > 10
    site.deployment.metrics.provider_call("a", "token", 200, 0.1)
    site.deployment.metrics.jsm_call("GET", "", 200, 0.1)
    known = {key[0] for key in shown()} | set(EXPIRIES)
    for rule in rules:
        asked = set(re.findall(r"jsmsso_[a-z_]+", rule["expr"]))
        assert asked <= known, rule["alert"]
