"""Claims of every kind and size: somebody is signed in with what they say, or nobody is and the log says why."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from joserfc.jws import JWSRegistry

from tests.oidc.provider import ABSENT, Provider, Reply, b64
from tests.runtime.site import Browser, Site

NESTED: list[Any] = []
for _ in range(400):
    NESTED = [NESTED]

VALUES: dict[str, Any] = {
    "missing": ABSENT,
    "null": None,
    "true": True,
    "false": False,
    "0": 0,
    "-1": -1,
    "a huge number": 10**300,
    "1.5": 1.5,
    "1e308": 1e308,
    "an empty list": [],
    "an empty mapping": {},
    "an empty text": "",
    "a space": " ",
    "NUL": "\x00",
    "NUL inside": "a\x00b@acme.example",
    "CR LF": "a\r\nSet-Cookie: __Host-jsmsso=x\r\nLocation: //evil.example\r\n\r\n<script>",
    "a line of a log": '\n{"event":"login.ok"}',
    "a right-to-left override": "\u202egro.live\u202c",
    "a lone surrogate": "\ud83d",
    "line separators": "a\u2028b\u2029c\x85d\x0be\x0cf",
    "escape codes": "\x1b[2J\x1b]0;x\x07\x9b31m",
    "40 kB": "x" * 40_000,
    "40 kB of euros": "\u20ac" * 7_000,
    "300 kB": "x" * 300_000,
    "an emoji": "\U0001f469\u200d\U0001f4bb",
    "a list of texts": ["a", "b"],
    "a list of anything": [None, True, 1, 1.5, "", "x", [], {}, ["y"], {"z": 1}, "\ud800"],
    "a mapping": {"a": {"b": ["c"]}},
    "a thousand groups": [f"group-{number}" for number in range(1_000)],
    "400 deep": NESTED,
    "markup": "<img src=x onerror=alert(1)>'\"&{{7*7}}",
    "a text of JSON": '["staff", {"a": 1}]',
    "a text of half JSON": '["staff", ',
    "a text of deep JSON": "[" * 40_000,
    "a template": "{{ config }}${x}%s%(x)s{0.__class__}",
    "bidi, joiners and a BOM": "\ufeff\u200f\u061c\u2066x\u2069\u200d",
}
CLAIMS = [
    "sub",
    "email",
    "email_verified",
    "name",
    "given_name",
    "family_name",
    "sid",
    "groups",
    "orgs",
    "locale",
    "phone_number",
    "custom",
]


@pytest.fixture
def looking(make_site: Callable[..., Site], provider: Provider) -> Site:
    """A site whose rules, mapping and forward auth look at every claim."""
    return make_site(
        provider,
        public_url="https://jira.acme.example/_sso",
        trusted_proxies=["192.0.2.0/24"],
        forward_auth={"other_paths": "allow"},
        attributes={
            "organizations": ["orgs", "custom.orgs"],
            "locale": "locale",
            "phone": "phone_number",
            "team": "custom",
            "all": "@",
            "deep": "orgs[*][*]",
        },
        access=[
            {"deny": {"claim": "custom", "equals": "banned"}},
            {"deny": {"claim": "name", "matches": "(x+)+y"}},
            {"deny": {"organization": "Banned"}},
            {"deny": {"claim": "groups", "all_of": ["banned", "worse"]}},
            {"allow": "everyone"},
        ],
    )


def audit_of(site: Site) -> list[dict[str, Any]]:
    """Every line of the trail, each of which must be one document."""
    return [json.loads(line) for path in sorted((site.folder / "audit").glob("*.jsonl")) for line in path.read_text().splitlines()]


def comes_to_one_end(site: Site, provider: Provider) -> bool:
    """A login that ends in a session and one line, or in a page and one line; then every page that shows what was claimed."""
    browser = Browser(site)
    before, trail = len(site.log), len(audit_of(site))
    answer = browser.log_in("/portal/HR")
    lines = site.log[before:]
    assert len(lines) == 1, lines
    assert lines[0]["event"] in ("login.ok", "login.refused")
    assert lines[0].get("reason") != "fault"
    assert [one["event"] for one in audit_of(site)[trail:]] in ([lines[0]["event"]], [])
    assert (answer.status == 303) == (browser.session is not None) == (lines[0]["event"] == "login.ok"), (answer.status, lines)
    assert browser.logins == {}
    assert all(line.isprintable() for line in site.log_text.splitlines())
    if answer.status != 303:
        assert answer.status in (403, 502), answer.status
        assert lines[0]["reference"] == answer.reference
        return False
    for path in ("/_sso/", "/_sso/logout", "/_sso/nothing"):
        page = browser.get(path)
        assert page.status in (200, 404)
        assert "alert(1)>" not in page.text
    asked = browser.get("/_sso/auth", {"X-Original-Url": "https://jira.acme.example/servicedesk/customer/portal/4"})
    assert asked.status == 200
    assert sum(len(f"{name}: {value}\r\n") for name, value in asked.headers) < 64_000
    assert browser.submit(browser.get("/_sso/logout"), "Sign out").status == 303
    return True


@pytest.mark.parametrize("claim", CLAIMS)
def test_no_value_of_a_claim_is_more_than_a_value(looking: Site, provider: Provider, claim: str) -> None:
    signed_in = set()
    for name, value in VALUES.items():
        provider.claims = {claim: value}
        provider.userinfo = {"sub": value} if claim == "sub" else {}
        if comes_to_one_end(looking, provider):
            signed_in.add(name)
    if claim == "email_verified":
        assert signed_in == {"true", "missing"}, "which userinfo tells"
    elif claim == "email":
        assert signed_in == {"missing"}, "which userinfo tells"
    elif claim == "sub":
        assert not signed_in & {"missing", "null", "an empty text", "NUL", "CR LF", "a lone surrogate", "40 kB"}
    elif claim != "sid":
        cannot_be_told = {"name": {"40 kB", "40 kB of euros", "a text of deep JSON"}, "orgs": {"a thousand groups"}}.get(claim, set())
        assert set(VALUES) - signed_in == {"300 kB"} | cannot_be_told, "a rule that denies takes no chances; nothing else keeps out"


def test_nor_is_one_that_userinfo_tells(looking: Site, provider: Provider) -> None:
    provider.claims = {"email": ABSENT, "email_verified": ABSENT}
    for value in VALUES.values():
        provider.userinfo = dict.fromkeys(("name", "groups", "orgs", "custom", "locale", "given_name"), value)
        comes_to_one_end(looking, provider)


def signed(provider: Provider, payload: bytes) -> str:
    """An ID token of exactly these bytes."""
    header = json.dumps({"alg": "RS256", "kid": provider.signing_key.kid}).encode()
    signing_input = b".".join(b64(part) for part in (header, payload))
    return (signing_input + b"." + b64(JWSRegistry.algorithms["RS256"].sign(signing_input, provider.signing_key))).decode()


@pytest.mark.parametrize(
    "bend",
    [
        pytest.param(lambda text: text[:-1] + ', "x": NaN}', id="NaN"),
        pytest.param(lambda text: text[:-1] + ', "x": Infinity, "exp": Infinity}', id="a time without an end"),
        pytest.param(lambda text: text[:-1] + ', "iat": NaN}', id="a time that is no number"),
        pytest.param(lambda text: text[:-1] + ', "exp": 1e999}', id="a time beyond floats"),
        pytest.param(lambda text: text[:-1] + ', "x": ' + "9" * 5000 + "}", id="5,000 digits"),
        pytest.param(lambda text: text[:-1] + ', "exp": ' + "9" * 400 + "}", id="a time of 400 digits"),
        pytest.param(lambda text: text[:-1] + ', "x": ' + "[" * 100_000 + "]" * 100_000 + "}", id="100,000 deep"),
        pytest.param(lambda text: text[:-1] + ', "x": ' + '{"a":' * 50_000 + "1" + "}" * 50_000 + "}", id="50,000 mappings deep"),
        pytest.param(lambda text: text[:-1] + ', "email": "eve@evil.example"}', id="an email twice"),
        pytest.param(lambda text: '{"sub": "eve", ' + text[1:], id="a sub twice"),
        pytest.param(lambda text: text[:-1] + ', "aud": "another"}', id="an audience twice"),
        pytest.param(lambda text: text[:-1] + ', "": "", "\\u0000": 1, "__proto__": {}, "constructor": {}}', id="odd names"),
        pytest.param(lambda text: text[:-1] + "," + ",".join(f'"c{number}": 1' for number in range(20_000)) + "}", id="20,000 claims"),
        pytest.param(lambda text: "\ufeff" + text, id="a BOM"),
        pytest.param(lambda text: text + "{}", id="two documents"),
        pytest.param(lambda text: f"[{text}]", id="a list"),
        pytest.param(lambda text: text[:-1], id="cut short"),
        pytest.param(lambda text: text.replace("ada@", "\\ud800@"), id="half of a pair"),
        pytest.param(lambda text: text[:-1] + ', "groups": ["a", "a", "a"], "groups": "b"}', id="groups twice"),
        pytest.param(lambda text: "", id="nothing"),
    ],
)
def test_no_spelling_of_a_token_is_a_fault(looking: Site, provider: Provider, bend: Callable[[str], str]) -> None:
    provider.mint = lambda claims: signed(provider, bend(json.dumps(claims)).encode())
    comes_to_one_end(looking, provider)


@pytest.mark.parametrize("broken", [b"\xff\xfe", b'{"iss": "\xc3("}', b"\x00", b"{" * 50_000], ids=ascii)
def test_bytes_that_are_no_text_are_no_claims(looking: Site, provider: Provider, broken: bytes) -> None:
    provider.mint = lambda _: signed(provider, broken)
    assert not comes_to_one_end(looking, provider)


@pytest.mark.parametrize("size", [45_000, 60_000, 700_000, 6_000_000])
def test_megabytes_of_claims_are_kept_out_and_the_log_says_what_to_do(looking: Site, provider: Provider, size: int) -> None:
    provider.claims["blob"] = "x" * size
    assert comes_to_one_end(looking, provider) == (size < 48_000), "of an ID token 64 kB are read, and base64 adds a third"
    assert looking.log[0].get("reason", "") in {45_000: "", 6_000_000: "provider_unreachable"}.get(size, "id_token_form")
    assert size != 60_000 or "fewer claims" in looking.log[0]["hint"]


def test_of_a_claim_that_is_there_twice_the_last_counts(looking: Site, provider: Provider) -> None:
    """As all readers of JSON in Python and JavaScript have it, and RFC 7519 4 wants it where a token is not refused."""
    provider.mint = lambda claims: signed(provider, (json.dumps(claims)[:-1] + ', "email": "eve@evil.example"}').encode())
    assert comes_to_one_end(looking, provider)
    assert looking.log[0]["email"] == "eve@evil.example"


def test_ten_thousand_groups_of_userinfo_count_to_the_last(make_site: Callable[..., Site], provider: Provider) -> None:
    groups = [f"group-{number}" for number in range(10_000)]
    provider.claims |= {"email": ABSENT, "email_verified": ABSENT}
    provider.userinfo["groups"] = groups
    site = make_site(provider, access=[{"allow": {"claim": "groups", "any_of": ["group-9999"]}}])
    browser = Browser(site)
    assert browser.log_in("/portal/HR").status == 303
    assert browser.get("/").status == 200
    assert len(browser.session or "") < 500, "the session lies in the store"
    provider.userinfo["groups"] = groups[:-1]
    assert Browser(site).log_in("/portal/HR").status == 403


def test_ten_thousand_groups_of_an_id_token_are_refused_with_a_hint(site: Site, browser: Browser, provider: Provider) -> None:
    provider.claims["groups"] = [f"group-{number}" for number in range(10_000)]
    assert browser.log_in().status == 403
    assert "groups" in site.log[0]["hint"]


@pytest.mark.parametrize("path", ["/token", "/userinfo", "/jwks", "/.well-known/openid-configuration"])
@pytest.mark.parametrize(
    "body",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"null", id="null"),
        pytest.param(b"[]", id="a list"),
        pytest.param(b"1e999", id="a number"),
        pytest.param(b'"x"', id="a text"),
        pytest.param(b"{}", id="an empty mapping"),
        pytest.param(b"[" * 200_000, id="deep"),
        pytest.param(b'{"a":' * 100_000, id="deep mappings"),
        pytest.param(b"\xff\xfe{\x00}\x00", id="UTF-16"),
        pytest.param(b"\x00" * 1000, id="zeros"),
        pytest.param(b'{"id_token": 1, "access_token": [], "keys": 1, "sub": {}, "issuer": 0}', id="wrong types"),
        pytest.param(b'{"id_token": "a.b.c", "access_token": "\\r\\nx", "token_type": "Bearer", "keys": [1, null, {}]}', id="odd"),
    ],
)
def test_no_answer_of_a_provider_is_a_fault(site: Site, browser: Browser, provider: Provider, path: str, body: bytes) -> None:
    provider.claims["email"] = ABSENT
    provider.replies[path] = Reply(200, body, {"content-type": "application/json"})
    answer = browser.get("/portal/HR")
    if answer.status == 302:
        answer = browser.get(browser.at_provider(answer.location))
    assert answer.status in (303, 403, 502), answer.status
    assert (answer.status == 303) == (browser.session is not None)
    assert [line.get("reason") for line in site.log if line.get("reason") == "fault"] == []


def test_every_claim_that_may_reach_the_log_or_the_trail_stays_within_its_line(looking: Site, provider: Provider) -> None:
    forged = 'x\n{"time":"2027-01-15T08:00:00.000Z","event":"login.ok","email":"root@acme.example"}\r\n'
    provider.claims |= dict.fromkeys(("name", "given_name", "family_name", "locale", "phone_number", "sid"), forged)
    provider.claims |= {"groups": [forged] * 3, "orgs": [forged], "custom": {forged: forged}}
    assert comes_to_one_end(looking, provider)
    provider.claims["email_verified"] = False
    assert not comes_to_one_end(looking, provider)
    assert {line.get("email") for line in [*looking.log, *audit_of(looking)]} <= {"ada@acme.example", "", None}
