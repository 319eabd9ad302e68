"""The UserInfo endpoint, and how its answer adds to the ID token's claims (OpenID Connect Core 5.3)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jsmsso.errors import UserinfoRefused
from jsmsso.http_client import HttpClient
from jsmsso.oidc.discovery import answer_address, json_object, provider_answer
from jsmsso.oidc.keys import KeySource
from jsmsso.oidc.signature import verified_claims

_NEVER_FROM_USERINFO = frozenset(
    ("iss", "sub", "aud", "exp", "iat", "nbf", "nonce", "azp", "at_hash", "auth_time", "acr", "amr", "sid", "token_use", "tid")
)


_EMAIL_FLAGS = ("email_verified", "xms_edov")  # the standard's, and Entra's own


def fetch_userinfo(
    http: HttpClient,
    userinfo_endpoint: str,
    access_token: str,
    *,
    issuer: str,
    client_id: str,
    subject: str,
    keys: KeySource,
    algorithms: Sequence[str],
) -> dict[str, Any]:
    """What the endpoint says about ``subject``, as plain JSON or as a JWT signed by the provider for this client.

    Raises :class:`UserinfoRefused` also when the answer is about somebody else.
    """
    headers = {"authorization": f"Bearer {access_token}", "accept": "application/json"}
    answer = provider_answer(http, "GET", userinfo_endpoint, headers=headers)
    if answer.status != 200:
        raise UserinfoRefused(
            f"{answer_address(answer)} answered {answer.status}",
            "The access token lacks the scope `openid`: add it to the profile's scopes, and allow it at the provider."
            if answer.status in (401, 403)
            else "",
        )
    if answer.headers.get("content-type", "").partition(";")[0].strip().lower() == "application/jwt":
        userinfo, _ = verified_claims(answer.body.decode("ascii", "replace"), keys, algorithms)
        _check_addressee(userinfo, issuer, client_id)
    else:
        userinfo = json_object(answer, "userinfo")
    if userinfo.get("sub") != subject:
        raise UserinfoRefused(
            "the userinfo is about another subject than the ID token", "The provider has a fault, or a token was swapped."
        )
    return userinfo


def _check_addressee(userinfo: Mapping[str, Any], issuer: str, client_id: str) -> None:
    """Core 5.3.2: a signed answer should name issuer and audience; where it does, they must fit."""
    if userinfo.get("iss", issuer) != issuer:
        raise UserinfoRefused("the signed userinfo has another iss than the ID token")
    audience = userinfo.get("aud", client_id)
    if audience != client_id and not (isinstance(audience, list) and client_id in audience):
        raise UserinfoRefused("the signed userinfo names another client as its aud")


def merge_claims(id_claims: Mapping[str, Any], userinfo: Mapping[str, Any]) -> dict[str, Any]:
    """The ID token's claims and what userinfo adds to them.

    Userinfo never replaces a claim. An email and its verified flag come from the same of the two: userinfo's
    flag counts beside the ID token's email only where userinfo names that very address.
    """
    merged = {name: value for name, value in userinfo.items() if name not in _NEVER_FROM_USERINFO} | dict(id_claims)
    for flag in _EMAIL_FLAGS:
        if "email" in id_claims and flag not in id_claims and userinfo.get("email") != id_claims["email"]:
            merged.pop(flag, None)
        if "email" not in id_claims and "email" in merged:
            merged.pop(flag, None)
            if flag in userinfo:
                merged[flag] = userinfo[flag]
    return merged
