"""Customers whom a bulk load wrote to JSM log in for the first time: what was written is theirs, and nobody else's."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from jsmsso.cli.bulk_load import writing
from jsmsso.cli.bulk_load.command import sync
from jsmsso.cli.bulk_load.csv_file import read_csv
from jsmsso.cli.people.opening import open_books
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.cli.people import ADMINISTRATOR
from tests.jsm.checked_site import checked_jsm
from tests.oidc.provider import NOW, Provider, running
from tests.runtime.site import Browser, Site, portal

EMAIL = "ann@acme.example"
SETTINGS = {"create": True, "add_to_service_desk": True, "organizations": "sync"}
Loaded = Callable[..., Site]


@pytest.fixture
def jsm() -> Iterator[LocalJsm]:
    with checked_jsm(accounts=(ADMINISTRATOR,)) as site:
        site.site.add_organization("Acme")
        site.site.add_organization("Globex")
        yield site


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as one:
        become(one, "ann", EMAIL)
        yield one


@pytest.fixture
def loaded(jsm: LocalJsm, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Loaded]:
    """``loaded("email\\n...", provider)``: a deployment, into which this file was loaded before anybody logged in."""
    monkeypatch.setattr(writing, "now", lambda: float(NOW))
    made: list[Site] = []

    def load(text: str, *providers: Provider) -> Site:
        (tmp_path / "token").write_text(jsm.account.token)
        site = {"url": jsm.url, "email": jsm.account.email, "api_token": f"file:{tmp_path}/token", "customers": SETTINGS}
        changed: dict[str, Any] = {
            "jsm": site,
            "portals": [portal("1", "HELP", "IT help"), portal("2", "HR", "People")],
            "attributes": {"organizations": "groups"},
        }
        made.append(Site(tmp_path / "site", list(providers), changed))
        (tmp_path / "c.csv").write_text(text)
        books = open_books(str(tmp_path / "site" / "jsmsso.yaml"))
        assert sync(books, lambda: read_csv(str(tmp_path / "c.csv"), ["HELP", "HR"]), "c.csv", dry_run=False).exit_code == 0
        return made[0]

    yield load
    for one in made:
        one.close()


def become(provider: Provider, subject: str, email: str, *groups: str) -> None:
    provider.claims |= {"sub": subject, "email": email, "groups": list(groups)}
    provider.userinfo |= {"sub": subject, "email": email}


def organizations(jsm: LocalJsm) -> list[str]:
    [person] = jsm.site.people.with_email(EMAIL)
    return [one.name for one in jsm.site.organizations.values() if person.id in one.members]


def test_the_first_login_takes_the_account_and_looks_for_none(loaded: Loaded, jsm: LocalJsm, provider: Provider) -> None:
    become(provider, "ann", EMAIL, "Acme")
    site = loaded(f"email,organizations,portals\n{EMAIL},Acme,HELP\n", provider)
    [person] = jsm.site.people.with_email(EMAIL)
    before = len(jsm.seen)
    assert Browser(site).log_in("/portal/HELP").status == 303
    asked = [(call.method, call.path) for call in list(jsm.seen)[before:]]
    assert not [path for method, path in asked if method != "GET" or "search" in path], "it has all of it"
    store = site.deployment.store
    known = store.account(provider.issuer, "ann")
    assert known is not None
    assert (known.account_id, known.desks) == (person.id, ("1",))
    assert [one.organization for one in store.memberships(provider.issuer, "ann")] == ["Acme"]
    assert [one.subject for one in store.accounts_of_id(person.id)] == ["ann"]


def test_what_their_login_does_not_name_is_taken_away_again_by_sync(loaded: Loaded, jsm: LocalJsm, provider: Provider) -> None:
    become(provider, "ann", EMAIL, "Globex")
    site = loaded(f"email,organizations\n{EMAIL},Acme\n", provider)
    assert organizations(jsm) == ["Acme"]
    Browser(site).log_in("/portal/HELP")
    assert organizations(jsm) == ["Globex"]


def test_once_somebody_has_it_another_provider_needs_a_link_as_ever(loaded: Loaded, jsm: LocalJsm, provider: Provider) -> None:
    with running() as other:
        become(other, "ann elsewhere", EMAIL)
        site = loaded(f"email\n{EMAIL}\n", provider, other)

        def log_in(name: str) -> int:
            browser = Browser(site)
            return browser.get(browser.at_provider(browser.get(f"/login?provider={name}&return_to=/portal/HELP").location)).status

        assert (log_in("a"), log_in("b"), log_in("a")) == (303, 403, 303)
        assert site.events("login.refused")[0]["reason"] == "account_of_another_provider"


def test_somebody_else_is_never_given_it(loaded: Loaded, jsm: LocalJsm, provider: Provider) -> None:
    become(provider, "mallory", "mallory@acme.example")
    site = loaded(f"email,display_name\n{EMAIL},mallory@acme.example\n", provider)
    [ann] = jsm.site.people.with_email(EMAIL)
    Browser(site).log_in("/portal/HELP")
    known = site.deployment.store.account(provider.issuer, "mallory")
    assert known is not None
    assert known.account_id != ann.id


def test_a_known_person_whose_address_becomes_the_loaded_one_takes_its_account(loaded: Loaded, jsm: LocalJsm, provider: Provider) -> None:
    site = loaded(f"email,portals\n{EMAIL},HELP\n", provider)
    become(provider, "ann", "ann.before@acme.example")
    Browser(site).log_in("/portal/HELP")
    become(provider, "ann", EMAIL)
    assert Browser(site).log_in("/portal/HELP").status == 303
    known = site.deployment.store.account(provider.issuer, "ann")
    assert known is not None
    assert [known.account_id] == [one.id for one in jsm.site.people.with_email(EMAIL)]


def test_an_account_whose_address_changed_in_jsm_since_is_taken_by_whose_it_is_now(
    loaded: Loaded, jsm: LocalJsm, provider: Provider
) -> None:
    site = loaded(f"email\n{EMAIL}\n", provider)
    [person] = jsm.site.people.with_email(EMAIL)
    jsm.site.change(person, email="ann.lee@acme.example")
    become(provider, "ann", "ann.lee@acme.example")
    assert Browser(site).log_in("/portal/HELP").status == 303
    known = site.deployment.store.account(provider.issuer, "ann")
    assert known is not None
    assert known.account_id == person.id


def test_an_account_that_was_deleted_since_is_looked_for_anew(loaded: Loaded, jsm: LocalJsm, provider: Provider) -> None:
    site = loaded(f"email,portals\n{EMAIL},HELP\n", provider)
    [person] = jsm.site.people.with_email(EMAIL)
    jsm.site.people.remove(person.id)
    browser = Browser(site)
    assert browser.log_in("/portal/HR").status == 303
    assert browser.get("/portal/HR").status == 302
    [made] = jsm.site.people.with_email(EMAIL)
    assert made.id in jsm.site.desk("HR").customers  # type: ignore[union-attr]


def test_forgetting_them_takes_away_what_the_load_kept(loaded: Loaded, provider: Provider) -> None:
    site = loaded(f"email,organizations\n{EMAIL},Acme\n", provider)
    store = site.deployment.store
    assert store.about(EMAIL)["memberships"]
    store.forget(EMAIL)
    assert not any(store.about(EMAIL).values())
