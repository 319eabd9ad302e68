"""What every page has: times, zones, statuses, policies, colours, and an empty place for what is not there."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsmsso.portal.languages import translations
from jsmsso.portal.times import Times, zone_named
from tests.portal.conftest import MakeHosted
from tests.portal.hosted_site import HostedSite
from tests.portal.served_here import BEGAN
from tests.runtime.site import Browser

NOW = datetime(2026, 11, 23, 11, 0, tzinfo=UTC)


def times(zone: str, language: str = "en") -> Times:
    found = zone_named(zone)
    assert found is not None
    return Times(found, language, NOW, translations(language).gettext)


@pytest.mark.parametrize(
    ("when", "zone", "language", "ago", "moment", "exact"),
    [
        pytest.param("2026-11-23T10:59:30", "Europe/Berlin", "en", "just now", "today, 11:59", "23 Nov 2026, 11:59 CET", id="now"),
        pytest.param("2026-11-23T09:00:00", "Europe/Berlin", "en", "2 hours ago", "today, 10:00", "23 Nov 2026, 10:00 CET", id="today"),
        pytest.param(
            "2026-11-22T22:59:00", "Europe/Berlin", "en", "yesterday", "yesterday, 23:59", "22 Nov 2026, 23:59 CET", id="yesterday"
        ),
        pytest.param(
            "2026-11-22T22:59:00", "Asia/Tokyo", "en", "12 hours ago", "today, 07:59", "23 Nov 2026, 07:59 JST", id="another day elsewhere"
        ),
        pytest.param("2026-11-03T08:00:00", "Europe/Berlin", "en", "3 Nov", "3 Nov, 09:00", "3 Nov 2026, 09:00 CET", id="this year"),
        pytest.param("2026-07-01T08:00:00", "Europe/Berlin", "en", "1 Jul", "1 Jul, 10:00", "1 Jul 2026, 10:00 CEST", id="in summer"),
        pytest.param(
            "2025-11-03T08:00:00", "Europe/Berlin", "en", "3 Nov 2025", "3 Nov 2025, 09:00", "3 Nov 2025, 09:00 CET", id="last year"
        ),
        pytest.param(
            "2026-11-23T09:00:00", "Europe/Berlin", "de", "vor 2 Stunden", "heute, 10:00", "23. Nov. 2026, 10:00 CET", id="German"
        ),
        pytest.param("2026-11-22T09:00:00", "Europe/Paris", "fr", "hier", "hier, 10:00", "22 nov. 2026, 10:00 CET", id="French"),
        pytest.param("2026-11-03T08:00:00", "America/Sao_Paulo", "es", "3 nov", "3 nov, 5:00", "3 nov 2026, 5:00 UTC-03", id="Spanish"),
        pytest.param("2026-11-03T08:00:00", "Asia/Tokyo", "ja", "11月3日", "11月3日, 17:00", "2026年11月3日, 17:00 JST", id="Japanese"),
        pytest.param("2026-11-23T11:05:00", "UTC", "en", "just now", "today, 11:05", "23 Nov 2026, 11:05 UTC", id="a clock that is ahead"),
    ],
)
def test_times_are_said_as_people_say_them(when: str, zone: str, language: str, ago: str, moment: str, exact: str) -> None:
    shown = times(zone, language)
    at = datetime.fromisoformat(when).replace(tzinfo=UTC)
    assert (shown.ago(at), shown.moment(at), shown.exact(at)) == (ago, moment, exact)


@given(
    st.text(max_size=80) | st.integers() | st.none() | st.sampled_from(["../../etc/passwd", "/etc/localtime", "Europe", "Europe/Berlin\0"])
)
def test_what_names_no_zone_is_none(name: object) -> None:
    zone = zone_named(name)
    assert zone is None or zone.key == name


@pytest.mark.parametrize(
    ("claims", "profile", "zone", "guessed"),
    [
        pytest.param({"zoneinfo": "Asia/Tokyo"}, "Europe/Berlin", "JST", False, id="the claim's"),
        pytest.param({}, "Europe/Berlin", "CET", True, id="the profile's, until the browser says its own"),
        pytest.param({}, None, "UTC", True, id="nobody's"),
        pytest.param({"zoneinfo": "Mars/Olympus"}, "Europe/Berlin", "CET", True, id="one that is not there"),
        pytest.param({"zoneinfo": ["Asia/Tokyo"]}, None, "UTC", True, id="no text"),
        pytest.param({"zoneinfo": "x" * 5000}, None, "UTC", True, id="a long text"),
    ],
)
def test_the_zone_is_the_claims_else_the_profiles(
    make_hosted: MakeHosted, claims: dict[str, object], profile: str | None, zone: str, guessed: bool
) -> None:
    hosted = make_hosted(branding={"time_zone": profile} if profile else {})
    page = hosted.signed_in(hosted.ann, **claims).get("/portal/HELP")
    assert f"<span data-zone>{zone}</span>" in page.text
    assert ("data-guessed-zone" in page.text) is guessed


def test_a_session_without_the_claim_goes_on_when_a_portal_becomes_hosted(make_hosted: MakeHosted) -> None:
    hosted = make_hosted(help={"mode": "redirect"})
    ann = hosted.signed_in(hosted.ann)
    portals = [dict(one, mode="hosted") for one in hosted.site.changed["portals"]]
    hosted.site.reload(portals=portals)
    assert ann.get("/portal/HELP").status == 200


def test_scripts_and_styles_come_from_us_alone_and_nothing_is_inline(hosted: HostedSite, ann: Browser) -> None:
    hosted.request(hosted.ann)
    for address in ("/portal/HELP", "/requests", "/portal/HELP/search?q=x"):
        page = ann.get(address)
        policy = page.header("Content-Security-Policy")
        assert "script-src 'self'" in policy
        assert "unsafe" not in policy
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=|javascript:", page.text)
        assert re.findall(r"<script[^>]*>(.*?)</script>", page.text) == [""]


def test_the_script_is_small_and_kept_for_a_year_under_an_address_of_its_content(hosted: HostedSite, ann: Browser) -> None:
    found = re.search(r'<script src="([^"]+)" defer>', ann.get("/portal/HELP").text)
    assert found
    answer = ann.get(found[1])
    assert re.fullmatch(r"/assets/[0-9a-f]{12}/portal\.js", found[1])
    assert answer.header("Content-Type") == "text/javascript; charset=utf-8"
    assert "immutable" in answer.header("Cache-Control")
    assert len(answer.body) <= 6_000


def test_names_from_jsm_are_text_whatever_is_in_them(hosted: HostedSite, ann: Browser) -> None:
    hosted.request(hosted.ann, '<img src=x onerror="alert(1)">{{ 7*7 }}', created=BEGAN - timedelta(days=1))
    text = ann.get("/requests").text
    assert "&lt;img src=x onerror=&#34;alert(1)&#34;&gt;{{ 7*7 }}" in text


def test_whoever_has_nothing_yet_reads_what_comes_there(hosted: HostedSite, ann: Browser) -> None:
    assert "You have no requests here yet." in ann.get("/portal/HELP").text
    assert "You have no open requests." in ann.get("/requests").text
    assert "Nothing is shared with an organization of yours here." in ann.get("/requests?whose=organization").text
