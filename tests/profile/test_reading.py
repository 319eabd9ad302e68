"""A profile is read, or every complaint about it is made at once."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jsmsso.errors import ProfileInvalid, ProfileMissing
from jsmsso.profile.reading import read_profile
from tests.profile.reading_texts import HEAD, OIDC, complaints, profile, provider

EXAMPLES = sorted(Path(__file__).parents[2].joinpath("examples").glob("*.yaml"))

PORTAL = "id: '3', key: HELP, service_desk: '3', name: IT help, url: https://acme.atlassian.net/servicedesk/customer/portal/3, mode: hosted"


def portals(*changed: str) -> str:
    return "portals:\n" + "".join(f"  - {{{one}}}\n" for one in changed)


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.name)
def test_an_example_is_a_valid_profile(path: Path) -> None:
    assert read_profile(path).version == 1


@pytest.mark.parametrize(
    "text, line, key, message, hint",
    [
        # Keys
        pytest.param("providrs: {}\n", 3, "providrs", "the key is unknown", "Did you mean providers?", id="unknown key"),
        pytest.param(
            provider("isuer: https://x.example"),
            4,
            "providers.p.isuer",
            "the key is unknown",
            "Did you mean issuer?",
            id="unknown key inside",
        ),
        pytest.param(
            "access: [{alow: everyone}]\n", 3, "access[0].alow", "the key is unknown", "Did you mean allow?", id="unknown key in a list"
        ),
        pytest.param(
            "access: [{deny: {emial: a@b.c}}]\n", 3, "access[0].deny.emial", "the key is unknown", "Did you mean email?", id="in a rule"
        ),
        pytest.param("lifetime: 8h\n", 3, "lifetime", "the key is unknown", "There is session.lifetime.", id="a key of another section"),
        pytest.param("session: {lifetime: }\n", 3, "session.lifetime", "the key has no value", "", id="no value"),
        pytest.param("access:\n", 3, "access", "the key has no value", "", id="all rules commented out"),
        pytest.param("access: []\n", 3, "access", "the list is empty", "", id="no rule"),
        pytest.param(
            "branding: {colors: {accent: #0b5cad\n}}\n", 3, "branding.colors.accent", "the key has no value", "quote the colour", id="#"
        ),
        pytest.param(
            "providers:\n  p: {type: oidc, issuer: https://x.example}\n", 4, "providers.p.client_id", "the key is missing", "", id="missing"
        ),
        # Kinds
        pytest.param(
            portals(PORTAL.replace("'3', key", "3, key")),
            4,
            "portals[0].id",
            "found the number 3; allowed: a text",
            'Quote it: "3".',
            id="id",
        ),
        pytest.param(
            portals(PORTAL.replace("IT help", "0123")),
            4,
            "portals[0].name",
            "found the number 123; allowed: a text",
            'Quote it: "0123".',
            id="zero",
        ),
        pytest.param(
            portals(PORTAL.replace("IT help", "true")), 4, "portals[0].name", "found true; allowed: a text", 'Quote it: "true".', id="true"
        ),
        pytest.param("store_failure: yes\n", 3, "store_failure", 'found "yes"; allowed: closed, open', "", id="yes"),
        pytest.param("login: choose\n", 3, "login", 'found "choose"; allowed: a mapping', "", id="text for a mapping"),
        pytest.param(
            "trusted_proxies: unix\n", 3, "trusted_proxies", 'found "unix"; allowed: a list', "Write it as [unix].", id="text for a list"
        ),
        pytest.param(
            "access: [{allow: {claim: a, any_of: [1]}}]\n",
            3,
            "access[0].allow.any_of[0]",
            "found the number 1",
            'Quote it: "1".',
            id="claim",
        ),
        pytest.param(
            "login: {mode: chose}\n", 3, "login.mode", 'found "chose"; allowed: instant, choose, ask_address', "choose?", id="choice"
        ),
        pytest.param(
            "limits: {requests_per_hour: 0}\n", 3, "limits.requests_per_hour", "found the number 0; allowed: 1 or more", "", id="count"
        ),
        pytest.param(
            "limits: {requests_per_hour: 1.5}\n",
            3,
            "limits.requests_per_hour",
            "found the number 1.5; allowed: a whole number",
            "",
            id="half",
        ),
        pytest.param(provider("any_email: 'true'"), 4, "providers.p.any_email", 'found "true"; allowed: true, false', "", id="quoted true"),
        pytest.param(
            provider("trust_unverified_email: true"),
            4,
            "providers.p.trust_unverified_email",
            "found true; allowed: a list",
            "",
            id="trust all",
        ),
        # Lengths of time, days
        pytest.param(
            "clock_skew: 60\n", 3, "clock_skew", "found the number 60; allowed: a whole number with its unit", "Write 60s.", id="no unit"
        ),
        pytest.param("clock_skew: 301s\n", 3, "clock_skew", "found 301s; allowed: 0s to 300s", "", id="too much skew"),
        pytest.param("clock_skew: -1s\n", 3, "clock_skew", 'found "-1s"; allowed: a whole number with its unit', "", id="negative time"),
        pytest.param("session: {lifetime: 8 hours}\n", 3, "session.lifetime", 'found "8 hours"', "8h", id="hours in words"),
        pytest.param(
            "session: {idle_timeout: 9h}\n", 3, "session.idle_timeout", "it is longer than lifetime", "", id="idle longer than alive"
        ),
        pytest.param(
            "jsm: {url: https://a.example, api_token: env:A, api_token_expires: 2027-02-30}\n",
            3,
            "jsm.api_token_expires",
            'found "2027-02-30"; allowed: a date',
            "",
            id="no such day",
        ),
        # Addresses
        pytest.param(
            provider("sign_out_url: http://sso.acme.com/x"),
            4,
            "providers.p.sign_out_url",
            "http:// is taken for loopback",
            "https",
            id="http",
        ),
        pytest.param(
            provider("sign_out_url: sso.acme.com"), 4, "providers.p.sign_out_url", "not an address that begins with", "", id="no scheme"
        ),
        pytest.param(provider("sign_out_url: https://a.example/#x"), 4, "providers.p.sign_out_url", "it has a fragment", "", id="fragment"),
        pytest.param(
            provider("domain: https://acme.example/login"), 4, "providers.p.domain", "a host name alone", "Write acme.example.", id="domain"
        ),
        pytest.param(provider("callback: /cb"), 4, "providers.p.callback", "allowed: /callback or /callback/NAME", "", id="callback"),
        pytest.param(
            "trusted_proxies: [10.0.0.1/8]\n", 3, "trusted_proxies[0]", "allowed: an IP address, a network", "", id="host bits in a network"
        ),
        pytest.param("store: sqlite:///state.db\n", 3, "store", "an absolute path", "", id="relative store"),
        pytest.param("store: redis://redis.acme.com/0\n", 3, "store", "Redis without TLS on another machine", "insecure: true", id="redis"),
        # Providers
        pytest.param(
            "providers: {Acme: {type: oidc, issuer: https://x.example, client_id: x}}\n",
            3,
            "providers.Acme",
            "a to z, digits",
            "",
            id="name",
        ),
        pytest.param(
            "providers: {p: {type: cognito, client_id: x}}\n", 3, "providers.p.domain", "type cognito needs it", "", id="cognito's domain"
        ),
        pytest.param("providers: {p: {type: oidc, client_id: x}}\n", 3, "providers.p.issuer", "type oidc needs it", "", id="oidc's issuer"),
        pytest.param(
            "providers: {p: {type: okta, client_id: x}}\n",
            3,
            "providers.p.issuer",
            "type okta needs it",
            "provider add okta",
            id="okta's issuer",
        ),
        pytest.param(
            "providers: {p: {type: github, client_id: x, discovery_url: https://x.example}}\n",
            3,
            "providers.p.issuer",
            "type github needs it",
            "https://github.com/login/oauth",
            id="github's issuer",
        ),
        pytest.param(
            "providers: {p: {type: keycloak, issuer: https://x.example, client_id: x, scopes: [email]}}\n",
            3,
            "providers.p.scopes",
            "openid is missing",
            "Add openid",
            id="openid for every type that has ID tokens",
        ),
        pytest.param(
            "providers: {p: {type: entra, issuer: https://login.microsoftonline.com/a/v2.0, client_id: x, tenants: [b]}}\n",
            3,
            "providers.p.tenants",
            "serves one tenant alone",
            "organizations",
            id="tenants of an issuer that serves one",
        ),
        pytest.param(
            "providers: {p: {type: cognitoo, client_id: x}}\n",
            3,
            "providers.p.type",
            'found "cognitoo"',
            "Did you mean cognito?",
            id="type",
        ),
        pytest.param(provider("scopes: [email]"), 4, "providers.p.scopes", "openid is missing", "", id="no openid"),
        pytest.param(
            provider("scopes: ['openid email']"), 4, "providers.p.scopes[0]", "one scope without spaces", "", id="scopes in one text"
        ),
        pytest.param(provider("algorithms: [HS256]"), 4, "providers.p.algorithms[0]", 'found "HS256"', "", id="HMAC"),
        pytest.param(provider("algorithms: [none]"), 4, "providers.p.algorithms[0]", 'found "none"', "", id="none"),
        pytest.param(
            provider("client_auth: private_key_jwt"), 4, "providers.p.client_key", "client_auth: private_key_jwt needs it", "", id="key"
        ),
        pytest.param(provider("email_domains: []"), 4, "providers.p.email_domains", "the list is empty", "", id="no domain"),
        pytest.param(
            provider("email_domains: ['*.acme.com']"), 4, "providers.p.email_domains[0]", "not a domain name", "", id="wildcard domain"
        ),
        pytest.param(
            f"providers:\n  a: {OIDC}, any_email: true}}\n  b: {OIDC}, any_email: true, callback: /callback}}\n",
            5,
            "providers.b.callback",
            "/callback is the callback of a already",
            "/callback/b",
            id="one callback for two",
        ),
        pytest.param(
            f"providers:\n  a: {OIDC}, any_email: true}}\n  b: {OIDC}}}\n",
            5,
            "providers.b.email_domains",
            "with several providers each needs it",
            "any_email: true",
            id="a second provider for all",
        ),
        pytest.param(
            f"providers:\n  a: {OIDC}, email_domains: [acme.com]}}\n  b: {OIDC}, email_domains: [b.com, ACME.com]}}\n",
            5,
            "providers.b.email_domains[1]",
            "acme.com stands in the list of a already",
            "",
            id="one domain for two",
        ),
        pytest.param(
            provider("any_email: true, email_domains: [acme.com]"), 4, "providers.p.any_email", "cannot both be set", "", id="both"
        ),
        # Access
        pytest.param("access: [{allow: all}]\n", 3, "access[0].allow", 'found "all"; allowed: everyone', "", id="allow all"),
        pytest.param("access: [{}]\n", 3, "access[0]", "a rule needs either allow or deny", "", id="neither"),
        pytest.param(
            "access: [{allow: everyone, deny: everyone}]\n", 3, "access[0]", "a rule needs either allow or deny", "", id="both effects"
        ),
        pytest.param("access: [{allow: {}}]\n", 3, "access[0].allow", "the condition is empty", "", id="empty condition"),
        pytest.param(
            "access: [{allow: {email: a@b.c, email_domain: b.c}}]\n",
            3,
            "access[0].allow",
            "email and email_domain stand in one",
            "all:",
            id="two",
        ),
        pytest.param("access: [{allow: {claim: groups}}]\n", 3, "access[0].allow", "claim needs exactly one of", "", id="claim alone"),
        pytest.param("access: [{allow: {any_of: [x]}}]\n", 3, "access[0].allow", "any_of needs claim: beside it", "", id="values alone"),
        pytest.param("access: [{allow: {email: acme.com}}]\n", 3, "access[0].allow.email", "it needs exactly one @", "", id="no address"),
        pytest.param(
            "access: [{allow: {email_domain: '@acme.com'}}]\n", 3, "access[0].allow.email_domain", "not a domain name", "", id="at"
        ),
        pytest.param("access: [{allow: {any: [{any: []}]}}]\n", 3, "access[0].allow.any[0].any", "the list is empty", "", id="empty any"),
        pytest.param(
            "access: [{allow: {provider: x}}]\n", 3, "access[0].allow.provider", "no provider in this file", "", id="no such provider"
        ),
        # Portals
        pytest.param(
            portals(PORTAL, PORTAL.replace("'3', key", "'4', key")), 5, "portals[1].key", "which portals[0] has already", "", id="key twice"
        ),
        pytest.param(portals(PORTAL, PORTAL.replace("HELP", "IT")), 5, "portals[1].id", "which portals[0] has already", "", id="id twice"),
        pytest.param(
            portals(PORTAL, PORTAL.replace("'3', key", "'4', key").replace("HELP", "help")),
            5,
            "portals[1].key",
            "which portals[0] has already",
            "",
            id="key twice, other case",
        ),
        pytest.param(
            portals(PORTAL.replace("hosted", "hostd")), 4, "portals[0].mode", "allowed: hosted, redirect, native", "hosted?", id="mode"
        ),
        pytest.param(
            portals(PORTAL.replace("HELP", "'1/2'")), 4, "portals[0].key", "a letter, then letters", "", id="a key that is a path"
        ),
        pytest.param(portals(PORTAL + ", provider: x"), 4, "portals[0].provider", "no provider in this file", "", id="portal's provider"),
        pytest.param(
            portals(PORTAL + ", visibility: private") + "access: [{allow: everyone}]\n",
            4,
            "portals[0].access",
            "visibility: private needs",
            "",
            id="private without rules",
        ),
        pytest.param(
            portals(PORTAL + ", visibility: private, access: [{allow: everyone}]"),
            4,
            "portals[0].visibility",
            "private needs rules for everyone too",
            "",
            id="private without rules for everyone",
        ),
        pytest.param(
            portals(PORTAL + ", visibility: public, access: [{allow: everyone}]"),
            4,
            "portals[0].access",
            "cannot both be set",
            "",
            id="public with rules",
        ),
        pytest.param(
            "access: [{allow: {any: [{claim: a, matches: '(gold'}]}}]\n",
            3,
            "access[0].allow.any[0].matches",
            "found an expression that RE2 does not take: missing ): (gold",
            "",
            id="an expression that is none",
        ),
        pytest.param(
            "access: [{allow: {claim: a, matches: '(?=gold)'}}]\n",
            3,
            "access[0].allow.matches",
            "found an expression that RE2 does not take",
            "",
            id="an expression of Perl's",
        ),
        pytest.param("access: [{allow: {any: []}}]\n", 3, "access[0].allow.any", "the list is empty", "", id="any of nothing"),
        pytest.param(
            "access: [{allow: {claim: a, any_of: []}}]\n", 3, "access[0].allow.any_of", "the list is empty", "", id="any of no values"
        ),
        # The rest
        pytest.param("attributes: {subject: email}\n", 3, "attributes.subject", "subject is never mapped", "", id="mapped subject"),
        pytest.param("attributes: {email: []}\n", 3, "attributes.email", "the list is empty", "", id="mapped to nothing"),
        pytest.param("branding: {colors: {accent: blue}}\n", 3, "branding.colors.accent", "a colour in quotes", "", id="colour"),
        pytest.param("session: {secret: []}\n", 3, "session.secret", "the list is empty", "", id="no session secret"),
    ],
)
def test_a_mistake_is_named_with_line_key_what_is_allowed_and_a_hint(text: str, line: int, key: str, message: str, hint: str) -> None:
    found = complaints(text)
    assert [(one.line, one.key) for one in found] == [(line, key)], found
    assert message in found[0].message
    assert hint in found[0].hint


@pytest.mark.parametrize(
    "url, message",
    [
        pytest.param("http://sso.acme.com", "http:// is taken for loopback addresses only", id="http"),
        pytest.param("https://sso.acme.com?x=1", "it has a query", id="query"),
        pytest.param("https://sso.acme.com/#x", "it has a fragment", id="fragment"),
        pytest.param("https://ada@sso.acme.com", "it holds a user", id="user"),
        pytest.param("ftp://sso.acme.com", "not an address that begins with https://", id="scheme"),
        pytest.param("https://", "not an address", id="no host"),
        pytest.param("https://sso.acme.com:99999", "it is not an address", id="port"),
        pytest.param("https://sso.acme.com/a//b", "its path may hold", id="double slash"),
        pytest.param("https://sso.acme.com/../b", "its path may hold", id="dots"),
        pytest.param("https://sso.acme.com/%2e", "its path may hold", id="escapes"),
        pytest.param("https://sso_.acme.com", "its host is not a name", id="underscore"),
        pytest.param("https://bücher.example", "a character that no address has", id="unicode"),
        pytest.param("http://127.1", "its host is not a name", id="short IP address"),
        pytest.param("http://0x7f000001", "its host is not a name", id="hexadecimal IP address"),
        pytest.param("http://127.0.0.1.evil.example", "http:// is taken for loopback addresses only", id="loopback as a prefix"),
        pytest.param("http://localhost.evil.example", "http:// is taken for loopback addresses only", id="localhost as a prefix"),
    ],
)
def test_a_public_url_that_is_no_base_address_is_refused(url: str, message: str) -> None:
    (found,) = complaints(f"version: 1\npublic_url: '{url}'\n", head="")
    assert (found.line, found.key) == (2, "public_url")
    assert message in found.message


@pytest.mark.parametrize(
    "url, kept, origin, base_path, loopback",
    [
        pytest.param("https://sso.acme.com/", "https://sso.acme.com", "https://sso.acme.com", "", False, id="final slash"),
        pytest.param("https://SSO.acme.com:443", "https://sso.acme.com", "https://sso.acme.com", "", False, id="case and usual port"),
        pytest.param("https://jira.acme.com/_sso/", "https://jira.acme.com/_sso", "https://jira.acme.com", "/_sso", False, id="path"),
        pytest.param("http://localhost:8080", "http://localhost:8080", "http://localhost:8080", "", True, id="localhost"),
        pytest.param("http://127.8.8.8", "http://127.8.8.8", "http://127.8.8.8", "", True, id="127/8"),
        pytest.param("http://[::1]:8080/x", "http://[::1]:8080/x", "http://[::1]:8080", "/x", True, id="IPv6"),
        pytest.param("https://localhost", "https://localhost", "https://localhost", "", True, id="https on loopback"),
    ],
)
def test_a_public_url_is_kept_in_one_spelling(url: str, kept: str, origin: str, base_path: str, loopback: bool) -> None:
    read = profile("", head=f"version: 1\npublic_url: {url}\n")
    assert (read.public_url, read.origin, read.base_path, read.is_loopback) == (kept, origin, base_path, loopback)


@pytest.mark.parametrize(
    "text, hint",
    [
        pytest.param("version: 2\npublic_url: x\nnew_key: 3\n", "Upgrade jsmsso", id="newer"),
        pytest.param("version: 0\npublic_url: https://a.example\n", "", id="older than the first"),
        pytest.param("version: '1'\npublic_url: https://a.example\n", "", id="text"),
        pytest.param("version: true\npublic_url: https://a.example\n", "", id="true"),
        pytest.param("version: 1.0\npublic_url: https://a.example\n", "", id="fraction"),
        pytest.param("public_url: https://a.example\n", "version: 1", id="missing"),
    ],
)
def test_another_version_is_refused_and_nothing_else_is_said(text: str, hint: str) -> None:
    (found,) = complaints(text, head="")
    assert found.key == "version"
    assert hint in found.hint


def test_ten_faults_make_ten_complaints_in_the_order_of_the_lines() -> None:
    found = complaints(
        """\
version: one
public_url: http://sso.acme.com
providers:
  p:
    type: cognitto
    client_id: 123
    client_secret: s3cret-in-clear
    colour: red
access:
  - allow: {email: nobody}
portals:
  - {id: "3", key: HELP, service_desk: "3", name: A, url: https://a.example/3, mode: hosted}
  - {id: "3", key: HR, service_desk: "4", name: B, url: https://a.example/4, mode: hosted}
clock_skew: 1h
session: {lifetime: 8}
""",
        head="",
    )
    assert [one.line for one in found] == [1, 2, 5, 6, 7, 8, 10, 13, 14, 15]


def test_a_missing_file_says_how_to_make_one(tmp_path: Path) -> None:
    with pytest.raises(ProfileMissing) as caught:
        read_profile(tmp_path / "jsmsso.yaml")
    assert str(tmp_path / "jsmsso.yaml") in caught.value.message
    assert "jsmsso provider add" in caught.value.hint


def test_a_folder_is_no_profile(tmp_path: Path) -> None:
    with pytest.raises(ProfileInvalid, match="it is a folder"):
        read_profile(tmp_path)


def test_a_named_pipe_is_refused_instead_of_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "jsmsso.yaml")
    with pytest.raises(ProfileInvalid, match="it is not a regular file"):
        read_profile(tmp_path / "jsmsso.yaml")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read every file")
def test_a_file_that_may_not_be_read_is_named(tmp_path: Path) -> None:
    path = tmp_path / "jsmsso.yaml"
    path.write_text(HEAD)
    path.chmod(0)
    with pytest.raises(ProfileInvalid, match="it cannot be read: no permission"):
        read_profile(path)


def test_a_complaint_names_the_file(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(f"{HEAD}foo: 1\n")
    with pytest.raises(ProfileInvalid) as caught:
        read_profile(path)
    assert f"{path}:3" in caught.value.message


def test_a_wrong_file_does_not_flood_the_terminal() -> None:
    found = complaints(f"trusted_proxies: [{', '.join(['x'] * 3000)}]\n")
    assert len(found) == 1001
    assert found[-1].message == "2000 more problems from here on"
