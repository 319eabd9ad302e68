"""A secret that was written into the profile is refused, and no word of it is repeated."""

from __future__ import annotations

import traceback

import pytest

from jsmsso.errors import ProfileInvalid
from tests.profile.reading_texts import complaints, profile, provider

SECRET = "hunter2hunter2"


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(provider(f"client_secret: {SECRET}"), id="literal"),
        pytest.param(provider(f"client_secret: [{SECRET}]"), id="in a list"),
        pytest.param(provider(f"client_secret: {{{SECRET}: x}}"), id="in a mapping"),
        pytest.param(provider(f"client_secret: {{{{ {SECRET} }}}}"), id="a template that was not filled in"),
        pytest.param(provider(f"client_secret: {{{SECRET}}}"), id="in braces"),
        pytest.param(provider(f"client_secret: keychain:{SECRET}"), id="unknown kind of reference"),
        pytest.param(provider(f"client_secret: 'env:{SECRET}-{SECRET}'"), id="no variable's name"),
        pytest.param(provider(f"client_secret: 'keyring:{SECRET} {SECRET}'"), id="no name in a keyring"),
        pytest.param(provider(f"client_secrets: {SECRET}"), id="misspelt key"),
        pytest.param(provider(f"sign_out_url: https://ada:{SECRET}@acme.com/"), id="in an address"),
        pytest.param(provider(f"sign_out_url: https://ada:{SECRET}@acme.com:x/"), id="in an address that is none"),
        pytest.param(provider(f"sign_out_url: https://{SECRET}@acme.com/"), id="as the user of an address"),
        pytest.param(provider(f"discovery_url: 'https://acme.com/x?api_key={SECRET}'"), id="in a query"),
        pytest.param(provider(f"domain: https://ada:{SECRET}@acme.com/"), id="in a domain"),
        pytest.param(f"store: redis://:{SECRET}@localhost/0\n", id="in a store's address"),
        pytest.param(f"store: {{url: 'rediss://x:{SECRET}@redis.acme.com/0'}}\n", id="in a store's url"),
        pytest.param(f"store: {{url: 'rediss://redis.acme.com/0?password={SECRET}'}}\n", id="in a store's query"),
        pytest.param(f"store: {{url: rediss://redis.acme.com/0, password: {SECRET}}}\n", id="as a store's password"),
        pytest.param(f"http: {{proxy: 'http://ada:{SECRET}@proxy.acme.com:3128'}}\n", id="in a proxy's address"),
        pytest.param(f"jsm: {{url: 'https://ada:{SECRET}@a.example', api_token: env:A}}\n", id="in the site's address"),
        pytest.param(f"jsm: {{url: https://a.example, api_token: {SECRET}}}\n", id="api token"),
        pytest.param(f"jsm: {{url: https://a.example, api_token: env:A, api_tokn: {SECRET}}}\n", id="misspelt api token"),
        pytest.param(f"session: {{secret: {SECRET}}}\n", id="session secret"),
        pytest.param(f"session: {{secret: [env:A, {SECRET}]}}\n", id="one of the session secrets"),
        pytest.param(f"scim: {{url: https://a.example, token: {SECRET}}}\n", id="SCIM token"),
        pytest.param(f"saml: {{certificate: {SECRET}, key: {SECRET}}}\n", id="SAML key"),
        pytest.param(f"support: {{text: 'see https://ada:{SECRET}@acme.com'}}\n", id="in a sentence"),
        pytest.param(f"public_url2: https://ada:{SECRET}@acme.com\n", id="under an unknown key"),
        pytest.param(f"https://ada:{SECRET}@acme.com: x\n", id="as a key"),
        pytest.param(f"login: {{mode: client_secret={SECRET}}}\n", id="pasted where a choice is due"),
        pytest.param(f"clock_skew: client_secret={SECRET}\n", id="pasted where a time is due"),
        pytest.param(provider("client_id2: 4bq2example").replace("client_id: x", f"client_id: &{SECRET} x"), id="as an anchor"),
        pytest.param(f"session:\n  client_secret:{SECRET}\n  lifetime: 8h\n", id="without the space after the colon"),
        pytest.param(f'session: {{secret: "{SECRET}\n', id="in a quote that is not closed"),
    ],
)
def test_a_literal_secret_is_refused_and_never_repeated(text: str) -> None:
    with pytest.raises(ProfileInvalid) as caught:
        profile(text)
    error = caught.value
    said = [str(error), repr(error), repr(error.complaints), error.hint, *traceback.format_exception(error)]
    causes = [repr(one) for one in (error.__cause__, error.__context__) if one is not None]
    assert SECRET not in "".join([*said, *causes])


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("session: {secret: abc}\n", id="session"),
        pytest.param("jsm: {url: https://a.example, api_token: abc}\n", id="jsm"),
        pytest.param(provider("client_secret: abc"), id="provider"),
    ],
)
def test_the_hint_for_a_literal_secret_says_where_it_belongs(text: str) -> None:
    (found,) = complaints(text)
    assert "allowed: keyring:NAME, env:VARIABLE or file:PATH" in found.message
    assert "jsmsso secrets set NAME" in found.hint


def test_a_generated_secret_under_a_wrong_key_is_not_repeated() -> None:
    pasted = "1bqcu9k3m5j7p2x8v4n6t0s1w3y5z7a9c2e4g6i8k0m2o4q6s8u"
    (found,) = complaints(f"login: {{mode: {pasted}}}\n")
    assert pasted not in str(found)
