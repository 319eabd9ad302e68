"""What a profile must be like to be served, told before anything is."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from jsmsso.errors import NotReady, ProfileInvalid, ProfileMissing, SecretUnavailable, StoreUnavailable
from jsmsso.runtime import create_application
from jsmsso.runtime.preparing import prepare
from tests.oidc.provider import NOW, Provider
from tests.runtime.site import SESSION_SECRET, Answer, Browser, Site, called, portal

GOOGLE = {"google": {"type": "google", "issuer": "https://accounts.google.com", "client_id": "x"}}


@pytest.mark.parametrize(
    "changed, error, said",
    [
        pytest.param({"providers": {}}, NotReady, "there is none", id="no provider"),
        pytest.param({"session": {}}, NotReady, "session.secret is missing", id="no session secret on a public address"),
        pytest.param({"session": {"secret": "file:none"}}, SecretUnavailable, "none", id="no such secret"),
        pytest.param({"session": {"secret": "file:short"}}, NotReady, "shorter than 32 bytes", id="a short secret"),
        pytest.param({"portals": [portal("3", "HELP", "IT", mode="native")]}, NotReady, "mode: native", id="mode native"),
        pytest.param({"portals": [portal("3", "HELP", "IT", visibility="jira")]}, NotReady, "visibility", id="visibility"),
        pytest.param({"store": "sqlite:////proc/none/state.db"}, StoreUnavailable, "/proc/none/state.db", id="no store"),
        pytest.param({"portal": []}, ProfileInvalid, "portals", id="an unknown key"),
        pytest.param(
            {"providers": {"a": {"type": "cognito", "domain": "a.example", "client_id": "x"}}}, NotReady, "test-connection", id="no issuer"
        ),
    ],
)
def test_a_profile_that_cannot_be_served_says_why(
    make_site: Callable[..., Site], provider: Provider, changed: dict[str, Any], error: type[Exception], said: str
) -> None:
    site = make_site(provider)
    (site.folder / "short").write_text("too short")
    with pytest.raises(error, match=said):
        site.reload(**changed)


def test_a_provider_open_to_all_is_served_only_with_rules(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider)
    with pytest.raises(NotReady, match="anybody can make an account at google"):
        site.reload(providers=GOOGLE)
    site.reload(providers=GOOGLE, access=[{"allow": "everyone"}])


def test_there_must_be_a_profile(tmp_path: Any) -> None:
    with pytest.raises(ProfileMissing):
        prepare(str(tmp_path / "none.yaml"))


def test_a_loopback_address_gets_a_session_secret_for_the_run(make_site: Callable[..., Site], provider: Provider) -> None:
    site = make_site(provider, public_url="http://localhost:8080", session={})
    path = str(site.folder / "jsmsso.yaml")
    first, second = prepare(path), prepare(path)
    assert first.secrets.session != second.secrets.session
    assert prepare(path, same_secrets_as=first).secrets.session == first.secrets.session, "a reload signs nobody out"


def test_secrets_are_not_in_what_is_shown_of_a_prepared_profile(site: Site) -> None:
    shown = repr(prepare(str(site.folder / "jsmsso.yaml")))
    assert not [secret for secret in site.secrets if secret in shown]
    assert SESSION_SECRET not in repr(site.deployment.__dict__)


def test_hosted_portals_without_a_site_behind_them_are_refused_with_the_next_step(site: Site) -> None:
    with pytest.raises(NotReady, match=r"mode: hosted .* jsm: is missing.*jsmsso jsm connect \(in NEW\)"):
        site.reload(portals=[portal("7", "NEW", "A new one", mode="hosted")])
    site.reload(portals=[portal("7", "NEW", "A new one", mode="hosted", gone=True), portal("8", "OLD", "An old one")])


def test_any_server_can_run_the_application(site: Site) -> None:
    application = create_application(str(site.folder / "jsmsso.yaml"))
    answer: Answer = called(application, {"REQUEST_METHOD": "GET", "PATH_INFO": "/healthz"})  # type: ignore[arg-type]
    assert (answer.status, answer.text) == (200, "ok\n")
    application.close()  # type: ignore[attr-defined]


def test_the_first_login_finds_the_metadata_fetched(site: Site, provider: Provider) -> None:
    prepared = prepare(str(site.folder / "jsmsso.yaml"))
    application = prepared.application()
    while len(provider.calls) < 2:
        pass
    assert {call.path for call in provider.calls} == {"/.well-known/openid-configuration", "/jwks"}
    application.close()


def test_the_clock_of_a_deployment_is_the_machines(site: Site) -> None:
    assert prepare(str(site.folder / "jsmsso.yaml")).application(warm=False)._deployment.now() != NOW


def test_a_browser_sees_a_changed_profile_after_a_reload(site: Site) -> None:
    browser = Browser(site)
    browser.log_in()
    site.reload(portals=[portal("7", "NEW", "A new one")])
    assert browser.get("/").link("A new one") == "/portal/NEW"
    assert browser.get("/portal/HELP").status == 404
