"""What the parent knows of the server that it runs: what ``/readyz`` and ``/metrics`` for operators are made of."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from jsmsso.errors import JsmssoError, StoreUnavailable
from jsmsso.jsm.token_expiry import WARNED_FROM
from jsmsso.profile.secrets import references, secret_path
from jsmsso.runtime.deployment import Deployment
from jsmsso.runtime.expiry import DAY, Expiry
from jsmsso.runtime.shared_counts import Key
from jsmsso.store.json_lines import stamp

Check = dict[str, Any]


@dataclass(frozen=True, slots=True)
class StoreState:
    """The store as it answers now; ``waiting`` and ``failing`` are customers' records on their way to JSM."""

    error: JsmssoError | None
    waiting: int = 0
    failing: int = 0


@dataclass(slots=True)
class Instance:
    """``quiet`` is held while a worker is forked, and by whoever in the parent uses the store or another lock that a fork
    would copy shut."""

    deployment: Deployment
    expiries: tuple[Expiry, ...]
    wanted_workers: int
    living_workers: Callable[[], int]
    totals: Callable[[], dict[Key, float]]
    read_at: float
    """When the profile and its secrets were read that count now."""
    quiet: threading.Lock = field(default_factory=threading.Lock)
    reloads: int = 0
    refused_reloads: int = 0
    refused: JsmssoError | None = None
    """Why the last reload was refused; None when it was not."""
    refused_at: float = 0.0
    restarts: int = 0
    is_stopping: bool = False

    def store_state(self) -> StoreState:
        """Ask the store."""
        store = self.deployment.store
        try:
            store.check()
            count = store.count_writes()
            return StoreState(None, count.waiting, count.failing)
        except StoreUnavailable as error:
            return StoreState(error)
        finally:
            store.close()


def readiness(instance: Instance) -> tuple[int, Check]:
    """The status and the document of ``/readyz``: 503 where this instance cannot serve, ``degraded`` where something beside it fails."""
    now, totals = instance.deployment.now(), instance.totals()
    store = instance.store_state()
    checks: dict[str, Any] = {
        "profile": _profile(instance),
        "secrets": _secrets(instance),
        "workers": _workers(instance),
        "store": _store(instance, store),
        "providers": {name: _answers(totals, "provider", (name,)) for name in instance.deployment.providers},
        "jsm": {**_answers(totals, "jsm", ()), "waiting": store.waiting, "failing": store.failing},
        "expiry": {one.name: _expiry(one, now) for one in instance.expiries},
    }
    if store.failing and checks["jsm"]["status"] != "failing":
        checks["jsm"]["status"] = "failing"
    states = {one["status"] for one in _leaves(checks)}
    if instance.is_stopping:
        return 503, {"status": "stopping", "checks": checks}
    if "down" in states:
        return 503, {"status": "down", "checks": checks}
    degraded = states - {"ok", "unknown"}
    return 200, {"status": "degraded" if degraded else "ready", "checks": checks}


def _leaves(checks: dict[str, Any]) -> list[Check]:
    return [leaf for one in checks.values() for leaf in ([one] if "status" in one else one.values())]


def _profile(instance: Instance) -> Check:
    check: Check = {"status": "ok", "read": stamp(instance.read_at), "reloads": instance.reloads}
    if (refused := instance.refused) is not None:
        check |= {"status": "refused", "reason": refused.code, "detail": refused.message, "at": stamp(instance.refused_at)}
    return check


def _secrets(instance: Instance) -> Check:
    """Whether a start would still find the files; those in memory were good."""
    deployment = instance.deployment
    missing = [
        one
        for one in references(deployment.profile)
        if one.startswith("file:") and not secret_path(one.removeprefix("file:"), deployment.folder).is_file()
    ]
    return {"status": "missing", "missing": missing} if missing else {"status": "ok"}


def _workers(instance: Instance) -> Check:
    living = instance.living_workers()
    status = "ok" if living >= instance.wanted_workers else "fewer" if living else "down"
    return {"status": status, "living": living, "wanted": instance.wanted_workers, "restarts": instance.restarts}


def _store(instance: Instance, state: StoreState) -> Check:
    if state.error is None:
        return {"status": "ok"}
    closed = instance.deployment.profile.store_failure == "closed"
    return {"status": "down" if closed else "unavailable", "detail": state.error.message}


def _answers(totals: dict[Key, float], what: str, labels: Key) -> Check:
    answered, failed = (totals.get((f"{what}_{word}", *labels), 0.0) for word in ("answered", "failed"))
    check: Check = {"status": "unknown" if not (answered or failed) else "failing" if failed > answered else "ok"}
    for name, at in (("last_answer", answered), ("last_failure", failed)):
        if at:
            check[name] = stamp(at)
    return check


def _expiry(one: Expiry, now: float) -> Check:
    warned_from = WARNED_FROM * DAY
    status = "ended" if now >= one.at else "soon" if one.warning(now) or now >= one.at - warned_from else "ok"
    return {"status": status, "day": str(one.day), "days": int((one.at - now) // DAY)}
