from __future__ import annotations

from pathlib import Path

import pytest

from jsmsso.errors import JsmAnswerInvalid, JsmRefused, NotReady, SecretUnavailable
from jsmsso.http_client import HttpClient
from jsmsso.jsm.account import who_am_i
from jsmsso.jsm.authentication import ApiToken, PersonalAccessToken
from jsmsso.jsm.calm import Calm
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.connection import clients_of, find_way, open_admin_client, open_site, recognize_within, usable_token
from jsmsso.jsm.gateway import find_cloud_id, gateway_url
from jsmsso.profile.model import Jsm, Profile
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.jsm.checked_site import Clock, checked_jsm, site_of

BOT = LocalAccount("sso-bot@example.com", "bot")
SCOPED = LocalAccount("sso-bot@example.com", "scoped", scoped=True)
ADMIN = LocalAccount("admin@example.com", "admin", "Admin", role="administrator")
OWN_ADMIN = LocalAccount("sso-bot@example.com", "own-admin", role="administrator")
CLOUD_ID = "6c1f6d1e-5b0e-4c39-9d2c-0a5f3b1e7a90"


def jsm_of(site: LocalJsm, **more: str) -> Jsm:
    return Jsm(url=site.url, email=BOT.email, api_token="env:BOT", **more)  # type: ignore[arg-type]


def profile_of(jsm: Jsm | None) -> Profile:
    return Profile(version=1, public_url="https://sso.acme.com", jsm=jsm)


@pytest.mark.parametrize(
    "site_url, api_url",
    [
        pytest.param("https://acme.atlassian.net", f"https://api.atlassian.com/ex/jira/{CLOUD_ID}", id="Cloud"),
        pytest.param("https://help.acme.com", f"https://api.atlassian.com/ex/jira/{CLOUD_ID}", id="a domain of one's own"),
        pytest.param("http://127.0.0.1:8000", f"http://127.0.0.1:8000/ex/jira/{CLOUD_ID}", id="loopback"),
        pytest.param("http://localhost:8000/jira", f"http://localhost:8000/ex/jira/{CLOUD_ID}", id="loopback with a path"),
    ],
)
def test_the_gateway_is_atlassians_and_a_local_sites_own(site_url: str, api_url: str) -> None:
    assert gateway_url(site_url, CLOUD_ID) == api_url


@pytest.mark.parametrize("body", ["{}", "[]", "null", '{"cloudId": ""}', '{"cloudId": "../../evil"}', '{"cloudId": 1.5}'])
def test_a_cloud_id_that_could_lead_elsewhere_is_not_taken(body: str) -> None:
    with checked_jsm() as site:
        site.break_with(Fault("status", "/_edge/", status=200, body=body))
        with pytest.raises(JsmAnswerInvalid, match="cloud id"):
            find_cloud_id(JsmClient(HttpClient().session(), site.url, None, Clock().patience))


def test_the_cloud_id_of_the_profile_is_tried_where_the_site_does_not_tell_it() -> None:
    with checked_jsm(accounts=(SCOPED,)) as site:
        site.break_with(Fault("status", "/_edge/", status=404))
        with pytest.raises(JsmRefused, match="refused the API token"):
            find_way(site.url, SCOPED.email, SCOPED.token, HttpClient(), Clock().patience)
        way = find_way(site.url, SCOPED.email, SCOPED.token, HttpClient(), Clock().patience, site.site.cloud_id)
    assert way.cloud_id == site.site.cloud_id
    assert way.client.base_url == site.url


def test_a_403_of_the_site_leads_to_the_gateway_too() -> None:
    body = '{"error": "Failed to parse Connect Session Auth Token"}'  # what some sites answer to a token with scopes
    with checked_jsm(accounts=(SCOPED,)) as site:
        site.break_with(Fault("status", "/rest/api/3/myself", times=1, status=403, body=body))
        assert find_way(site.url, SCOPED.email, SCOPED.token, HttpClient(), Clock().patience).cloud_id == site.site.cloud_id


def test_a_data_center_is_never_looked_for_behind_the_gateway() -> None:
    with checked_jsm(data_center=True) as site:
        with pytest.raises(JsmRefused, match="personal access token"):
            find_way(site.url, "", "wrong", HttpClient(), Clock().patience, CLOUD_ID)
        assert {call.path for call in site.seen} == {"/rest/api/2/serverInfo", "/rest/api/2/myself"}


def test_a_profile_with_a_cloud_id_speaks_through_the_gateway(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BOT", SCOPED.token)
    with checked_jsm(accounts=(SCOPED,)) as site:
        jsm = jsm_of(site, cloud_id=site.site.cloud_id)
        client, found = open_site(profile_of(jsm), tmp_path / "jsmsso.yaml", HttpClient(), Clock().patience)
        assert who_am_i(client, found).email == SCOPED.email
    assert found.base_url == site.url
    assert [call.gateway for call in site.seen] == ["", site.site.cloud_id]


@pytest.mark.parametrize(
    "more, token, email",
    [
        pytest.param({"admin_api_token": "env:ADMIN", "admin_email": ADMIN.email}, ADMIN.token, ADMIN.email, id="an account of its own"),
        pytest.param({"admin_api_token": "env:ADMIN"}, OWN_ADMIN.token, OWN_ADMIN.email, id="the service account's"),
    ],
)
def test_the_second_token_belongs_to_the_second_account_or_the_first(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, more: dict[str, str], token: str, email: str
) -> None:
    monkeypatch.setenv("ADMIN", f"{token}\n")
    with checked_jsm(accounts=(BOT, ADMIN, OWN_ADMIN)) as site:
        admin = open_admin_client(profile_of(jsm_of(site, **more)), tmp_path / "jsmsso.yaml", HttpClient(), Clock().patience)
        assert admin is not None
        assert list(site.seen) == []
        assert who_am_i(admin, site_of(site)).email == email


def test_without_a_second_token_there_is_no_second_client(tmp_path: Path) -> None:
    with checked_jsm() as site:
        assert open_admin_client(profile_of(jsm_of(site)), tmp_path / "jsmsso.yaml", HttpClient()) is None
        client, admin = clients_of(jsm_of(site), BOT.token, "", HttpClient())
    assert admin is client


def test_a_second_token_that_is_nowhere_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.delenv("ADMIN", raising=False)
    with checked_jsm() as site, pytest.raises(SecretUnavailable) as missing:
        open_admin_client(profile_of(jsm_of(site, admin_api_token="env:ADMIN")), tmp_path / "jsmsso.yaml", HttpClient())
    assert missing.value.reference == "env:ADMIN"


def test_without_a_site_there_is_nothing_to_connect_to(tmp_path: Path) -> None:
    with pytest.raises(NotReady, match="names no JSM site"):
        open_admin_client(profile_of(None), tmp_path / "jsmsso.yaml", HttpClient())


def test_both_clients_hold_back_when_one_of_them_is_told_to() -> None:
    clock, calm = Clock(), Calm()
    with checked_jsm(accounts=(BOT, ADMIN)) as site:
        jsm = jsm_of(site, admin_email=ADMIN.email)
        client, admin = clients_of(jsm, BOT.token, ADMIN.token, HttpClient(), patience=clock.patience, calm=calm)
        assert who_am_i(admin, site_of(site)).email == ADMIN.email
        site.break_with(Fault("busy", "/rest/api/3/myself", times=1, seconds=90))
        with pytest.raises(JsmRefused):
            who_am_i(client, site_of(site))
        with pytest.raises(JsmRefused, match="was not called"):
            who_am_i(admin, site_of(site))


@pytest.mark.parametrize("open_to_all, logins", [(True, [False]), (False, [False, True])])
def test_the_kind_of_site_is_asked_with_a_login_only_where_it_must_be(open_to_all: bool, logins: list[bool]) -> None:
    with checked_jsm(anonymous_server_info=open_to_all) as site:
        login = ApiToken(site.account.email, site.account.token)
        client = JsmClient(HttpClient().session(), site.url, login, Clock().patience)
        assert recognize_within(client).kind == "Cloud"
    assert ["authorization" in call.headers for call in site.seen] == logins


def test_a_data_center_with_an_email_in_the_profile_is_spoken_to_with_the_token_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    with checked_jsm(data_center=True) as site:
        monkeypatch.setenv("BOT", site.account.token)
        client, found = open_site(profile_of(jsm_of(site)), tmp_path / "jsmsso.yaml", HttpClient(), Clock().patience)
        assert who_am_i(client, found).display_name == "SSO bot"
    assert client.authentication == PersonalAccessToken(site.account.token)


@pytest.mark.parametrize("token", ["", "  \n", "two words", "tok\u00e9n", "tok\x07en"])
def test_what_cannot_be_a_token_is_not_sent(token: str) -> None:
    with pytest.raises(SecretUnavailable, match="holds no token") as refused:
        usable_token(token, "env:BOT")
    assert not token.strip() or token.strip() not in refused.value.message
