"""What serve has to say about a well-formed profile before it serves it."""

from __future__ import annotations

from pathlib import Path

import pytest

from jsmsso.profile.provider import Provider
from jsmsso.profile.readiness import Notes, serving_notes
from jsmsso.profile.reading import read_profile
from tests.profile.reading_texts import HEAD, OIDC, profile

READY = f"providers: {{p: {OIDC}}}}}\nsession: {{secret: env:A}}\n"
PORTAL = "id: '3', key: HELP, service_desk: '3', name: A, url: https://a.example/3, mode: redirect"
JSM = "jsm: {url: https://a.example, api_token: env:A}\n"


def with_provider(rest: str) -> str:
    return READY.replace("client_id: x", f"client_id: x, {rest}")


def with_portal(rest: str) -> str:
    return f"{READY}portals: [{{{PORTAL}, {rest}}}]\n"


@pytest.mark.parametrize("name", ["cognito.yaml", "data-center.yaml", "forward-auth.yaml"])
def test_an_example_that_serves_has_no_notes(name: str) -> None:
    notes = serving_notes(read_profile(Path(__file__).parents[2] / "examples" / name))
    assert (notes.named, notes.refused) == ((), ())


@pytest.mark.parametrize(
    "text, key",
    [
        pytest.param(with_portal("visibility: jira"), "portals[].visibility", id="visibility jira"),
        pytest.param(with_portal("gone: false").replace("redirect", "hosted"), "portals[].mode: hosted", id="hosted, without a site"),
        pytest.param(with_portal("show_sla: []").replace("redirect", "native"), "portals[].mode: native", id="mode native"),
        pytest.param(
            f"{READY}jsm: {{url: https://a.example, api_token: env:A, customers: {{by: scim}}}}\n"
            "scim: {url: https://s.example, token: env:B}\n",
            "jsm.customers.by",
            id="customers by SCIM",
        ),
        pytest.param("session: {secret: env:A}\n", "providers: there is none", id="no provider"),
        pytest.param(f"providers: {{p: {OIDC}}}}}\n", "session.secret", id="no session secret"),
    ],
)
def test_a_key_that_restricts_anybody_and_is_not_acted_on_stops_serve(text: str, key: str) -> None:
    refused = serving_notes(profile(text)).refused
    assert [note for note in refused if note.startswith(key)], refused
    assert len(refused) == 1


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(with_provider("require: {amr: [mfa]}"), id="require"),
        pytest.param(
            with_portal("sharing: typed_addresses, show_sla: [A], customer_transitions: [B], on_customer_comment: {transition: C}").replace(
                "redirect", "hosted"
            )
            + JSM,
            id="what customers may do with a request",
        ),
        pytest.param(with_portal("gone: true").replace("redirect", "hosted"), id="a hosted portal that is gone"),
        pytest.param(with_provider("logout: local"), id="logout"),
        pytest.param(
            f"{READY}jsm: {{url: https://a.example, api_token: env:A, customers: {{create: true, required: true}}}}\n", id="customers"
        ),
        pytest.param(READY.replace("env:A", "env:A, recheck: 15m"), id="recheck"),
        pytest.param(with_provider("client_key: env:K, client_auth: private_key_jwt"), id="private_key_jwt"),
        pytest.param(
            READY.replace(
                "oidc, issuer: https://login.acme.com", "entra, tenants: [a], issuer: https://login.microsoftonline.com/common/v2.0"
            ),
            id="tenants",
        ),
        *(
            pytest.param(READY.replace("type: oidc", f"type: {name}"), id=name)
            for name in Provider.model_fields["type"].annotation.__args__  # type: ignore[union-attr]
            if name != "cognito"
        ),
    ],
)
def test_what_is_acted_on_is_no_note(text: str) -> None:
    assert serving_notes(profile(text)) == Notes()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(with_portal("access: [{allow: {email_domain: a.b}}]"), id="a portal's rules"),
        pytest.param(
            f"access: [{{allow: everyone}}]\n{with_portal('visibility: private, access: [{allow: {email: a@b.c}}]')}", id="private"
        ),
        pytest.param(with_portal("visibility: public"), id="public, redirect"),
        pytest.param(with_portal("visibility: public").replace("redirect", "hosted") + JSM, id="public, hosted"),
        pytest.param(f"{READY}access: [{{deny: {{email_in: x.txt}}}}, {{allow: {{any: [{{organization: a}}]}}}}]\n", id="rules"),
    ],
)
def test_who_may_enter_is_acted_on(text: str) -> None:
    assert serving_notes(profile(text)) == Notes()


@pytest.mark.parametrize(
    "rules, number",
    [
        pytest.param("{allow: everyone}, {deny: {email: a@b.c}}", 2, id="after everyone"),
        pytest.param("{deny: everyone}, {allow: {email: a@b.c}}", 2, id="after nobody"),
        pytest.param("{allow: {any: [everyone, {provider: p}]}}, {deny: {email: a@b.c}}", 2, id="after any of everyone"),
        pytest.param("{deny: {email: a@b.c}}, {allow: {provider: p}}, {allow: {email: A@b.c}}", 3, id="the same again"),
        pytest.param("{allow: {email_domain: [a.b, c.d]}}, {deny: {email_domain: c.d}}", 2, id="a part of an earlier one"),
        pytest.param("{allow: {all: [{email_domain: a.b}, {email: x@c.d}]}}, {allow: {provider: p}}", 1, id="a contradiction"),
    ],
)
def test_a_rule_that_can_never_match_is_named(rules: str, number: int) -> None:
    notes = serving_notes(profile(f"{READY}access: [{rules}]\n"))
    (note,) = notes.named
    assert note.startswith(f"access: rule {number} can never match")
    assert notes.refused == ()


@pytest.mark.parametrize(
    "rules",
    [
        pytest.param("{deny: {claim: a, any_of: [b]}}, {allow: {claim: a, any_of: [c]}}", id="another value"),
        pytest.param("{allow: {claim: a, any_of: [b]}}, {deny: {claim: a, any_of: [b]}}", id="a denial for want of knowledge"),
        pytest.param("{allow: {email_domain: c.d}}, {deny: {email_domain: [a.b, c.d]}}", id="more than an earlier one"),
        pytest.param("{allow: {all: [everyone, {provider: p}]}}, {deny: everyone}", id="all of everyone and another"),
    ],
)
def test_a_rule_that_may_match_is_not_named(rules: str) -> None:
    assert serving_notes(profile(f"{READY}access: [{rules}]\n")) == Notes()


def test_a_cognito_without_an_issuer_is_sent_to_the_test_connection() -> None:
    read = profile("providers: {p: {type: cognito, client_id: x, domain: a.example}}\nsession: {secret: env:A}\n")
    (note,) = serving_notes(read).refused
    assert note.startswith("providers.p.issuer is missing")
    assert "jsmsso test-connection" in note


def test_a_loopback_profile_needs_no_session_secret() -> None:
    read = profile(f"providers: {{p: {OIDC}}}}}\n", head=HEAD.replace("https://sso.acme.com", "http://localhost:8080"))
    assert serving_notes(read).refused == ()


@pytest.mark.parametrize(
    "text, key",
    [
        pytest.param(f"{READY}scim: {{url: https://s.example, token: env:B}}\n", "scim is not acted on yet", id="scim"),
    ],
)
def test_a_key_that_only_adds_something_is_named(text: str, key: str) -> None:
    notes = serving_notes(profile(text))
    assert [note for note in notes.named if note.startswith(key)], notes
    assert (len(notes.named), notes.refused) == (1, ())


def test_a_default_that_is_written_out_is_no_note() -> None:
    notes = serving_notes(profile(with_portal("visibility: default, sharing: own_organizations") + "log: {client_address: full}\n"))
    assert (notes.named, notes.refused) == ((), ())


def test_thousands_of_portals_make_one_note() -> None:
    portals = "".join(f"  - {{{PORTAL.replace('3', str(n)).replace('HELP', f'K{n}')}, visibility: jira}}\n" for n in range(1, 50))
    (note,) = serving_notes(profile(f"{READY}portals:\n{portals}")).refused
    assert note.endswith("(in K1, K2, K3 and 46 more)")


PROTECTED = "version: 1\npublic_url: https://jira.acme.com/_sso\n"
NATIVE_PORTAL = PORTAL.replace("https://a.example/3", "https://jira.acme.com/servicedesk/customer/portal/3")


@pytest.mark.parametrize(
    "head, text, said",
    [
        pytest.param(PROTECTED, f"portals: [{{{NATIVE_PORTAL}}}]\ntrusted_proxies: [unix]\n", None, id="complete"),
        pytest.param(PROTECTED, "", "trusted_proxies is empty", id="nobody is trusted"),
        pytest.param(HEAD, "trusted_proxies: [unix]\n", "public_url has no path", id="no path"),
        pytest.param(PROTECTED, f"portals: [{{{PORTAL}}}]\ntrusted_proxies: [unix]\n", "another host", id="portals elsewhere"),
    ],
)
def test_what_keeps_forward_auth_from_answering_is_named(head: str, text: str, said: str | None) -> None:
    notes = serving_notes(profile(f"{READY}{text}forward_auth: {{}}\n", head=head))
    assert notes.refused == ()
    found = [note for note in notes.named if note.startswith("forward_auth")]
    assert [bool(said and said in note) for note in found] == ([True] if said else [])
