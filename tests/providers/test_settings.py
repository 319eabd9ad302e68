"""From the profile's words to the relying party's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jsmsso.errors import NotReady, UsageError
from jsmsso.profile.model import Profile
from jsmsso.profile.reading import validate
from jsmsso.providers.known import provider_type, provider_types
from jsmsso.providers.settings import callback_url, client_settings, identity_rules, sign_out_url, wants_userinfo


def profile(public_url: str = "https://sso.acme.com", **keys: Any) -> Profile:
    entry = {"type": "cognito", "domain": "acme.auth.eu-west-1.amazoncognito.com", "client_id": "4bq2example", **keys}
    lines = "".join(f"\n    {key}: {value}" for key, value in entry.items())
    text = f"version: 1\npublic_url: {public_url}\nproviders:\n  cognito:{lines}\n"
    return validate(text.encode(), Path("jsmsso.yaml"))


def test_defaults_come_from_the_type() -> None:
    settings = client_settings(profile(), "cognito", client_secret="s", issuer="https://issuer.example")

    assert settings.scopes == ("openid", "profile", "email")
    assert settings.token_use_required
    assert settings.logout_style == "cognito"
    assert settings.redirect_uri == "https://sso.acme.com/callback"
    assert settings.post_logout_redirect_uri == "https://sso.acme.com/logged-out"
    assert "s3cret" not in repr(client_settings(profile(), "cognito", client_secret="s3cret"))


def test_a_path_of_the_public_url_is_part_of_every_address() -> None:
    under = profile("https://jira.acme.com/_sso")
    provider = under.providers["cognito"]

    assert callback_url(under, provider) == "https://jira.acme.com/_sso/callback"
    assert sign_out_url(under, provider) == "https://jira.acme.com/_sso/logged-out"


def test_a_sign_out_url_of_the_profile_counts() -> None:
    own = profile(sign_out_url="https://www.acme.com/bye")
    assert sign_out_url(own, own.providers["cognito"]) == "https://www.acme.com/bye"


def test_single_endpoints_are_named_as_the_metadata_names_them() -> None:
    settings = client_settings(profile(endpoints="{jwks: https://op.example/keys}"), "cognito", client_secret=None)
    assert settings.endpoints == (("jwks_uri", "https://op.example/keys"),)


def test_a_way_of_authenticating_that_is_not_built_is_said() -> None:
    with pytest.raises(NotReady, match="private_key_jwt"):
        client_settings(profile(client_auth="private_key_jwt", client_key="file:key.pem"), "cognito", client_secret=None)


def test_email_domains_and_trust_reach_the_mapping() -> None:
    rules = identity_rules(profile(email_domains="[ACME.com]", trust_unverified_email="[acme.com]"), "cognito")
    assert (rules.email_domains, rules.trust_unverified_email) == (("acme.com",), ("acme.com",))


@pytest.mark.parametrize(
    "type_, claims, wanted",
    [
        pytest.param("cognito", {"email": "a@acme.com"}, False, id="Cognito's ID token has all that there is"),
        pytest.param("cognito", {"sub": "1"}, True, id="unless the email is missing"),
        pytest.param("oidc", {"email": "a@acme.com"}, True, id="another provider may have names in userinfo"),
        pytest.param(
            "oidc",
            {"email": "a@acme.com", "email_verified": True, "given_name": "A", "family_name": "B", "name": "A B"},
            False,
            id="and is not asked where nothing is missing",
        ),
    ],
)
def test_userinfo_is_asked_only_for_what_is_missing(type_: str, claims: dict[str, Any], wanted: bool) -> None:
    of_type = profile() if type_ == "cognito" else profile(type="oidc", issuer="https://op.example")
    assert wants_userinfo(of_type, "cognito")(claims) is wanted


def test_every_type_names_its_documentation() -> None:
    assert next(iter(provider_types())) == "cognito"
    assert "oidc" in provider_types()
    for type_ in provider_types().values():
        assert type_.documentation.startswith("https://")


def test_a_mistyped_type_is_answered_with_the_nearest() -> None:
    with pytest.raises(UsageError) as refused:
        provider_type("cognitto")
    assert refused.value.hint == "Did you mean cognito?"
    with pytest.raises(UsageError) as refused:
        provider_type("zzzz")
    assert "jsmsso provider add oidc" in refused.value.hint
