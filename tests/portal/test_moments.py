"""Fields with a date and a time: in which zone they are read, and that it stands beside them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import checked_jsm
from tests.portal.conftest import MakeHosted
from tests.portal.desks import desks
from tests.portal.hosted_site import SERVICE_ACCOUNT, send
from tests.portal.test_raising import TYPED, issues, place, texts

MOMENT = "f-customfield_10104"


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(SERVICE_ACCOUNT,), desks=desks()) as site:
        yield site


@pytest.mark.parametrize(
    "claims, branding, zone, typed, sent",
    [
        pytest.param({}, {}, "UTC", "2026-07-01T09:30", "2026-07-01T09:30:00.000+0000", id="nobody names a zone"),
        pytest.param({}, {"time_zone": "Europe/Berlin"}, "Europe/Berlin", "2026-07-01T09:30", "2026-07-01T09:30:00.000+0200", id="summer"),
        pytest.param({}, {"time_zone": "Europe/Berlin"}, "Europe/Berlin", "2026-12-01T09:30", "2026-12-01T09:30:00.000+0100", id="winter"),
        pytest.param(
            {"zoneinfo": "Asia/Tokyo"},
            {"time_zone": "Europe/Berlin"},
            "Asia/Tokyo",
            "2026-07-01T09:30",
            "2026-07-01T09:30:00.000+0900",
            id="the login names one",
        ),
        pytest.param(
            {"zoneinfo": "Moon/Crater"},
            {"time_zone": "Europe/Berlin"},
            "Europe/Berlin",
            "2026-07-01T09:30",
            "2026-07-01T09:30:00.000+0200",
            id="the login names none that there is",
        ),
    ],
)
def test_a_moment_is_read_in_the_zone_that_stands_beside_its_field(
    make_hosted: MakeHosted, claims: dict[str, str], branding: dict[str, str], zone: str, typed: str, sent: str
) -> None:
    hosted = make_hosted(**({"branding": branding} if branding else {}))
    browser = hosted.signed_in(hosted.ann, **claims)
    where = place(hosted, "Everything at once")
    page = browser.get(where)
    assert re.search(rf'<p class="hint" id="{MOMENT}-hint"[^>]*>(.*?)</p>', page.text).group(1).endswith(zone)  # type: ignore[union-attr]
    assert re.search(rf'<input id="{MOMENT}"[^>]*aria-describedby="[^"]*{MOMENT}-hint', page.text)
    filled = {**TYPED, "f-customfield_10105": "10300", "f-customfield_10110": "ben@globex.example", MOMENT: typed}
    answer = send(browser, page, where, filled)
    assert answer.status == 303, texts(answer)
    assert issues(hosted)[0].values["customfield_10104"] == sent
