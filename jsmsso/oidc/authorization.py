"""The authorization request and its answer (OpenID Connect Core 3.1.2, RFC 7636, RFC 9207)."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from oauthlib.oauth2 import WebApplicationClient

from jsmsso.errors import AnswerRefused, AuthorizationRefused
from jsmsso.oidc.discovery import ProviderMetadata
from jsmsso.oidc.settings import ClientSettings
from jsmsso.oidc.tenants import issuers_of

MAX_ANSWER = 8192  # characters of an answer's query; codes of real providers stay below 2,000
_MEMBERS = ("code", "state", "iss", "error", "error_description", "error_uri", "session_state")
_WITH_CHALLENGE = "&code_challenge_method=S256"
_URL_SAFE = re.compile(r"[A-Za-z0-9_-]+")


def constant_part(settings: ClientSettings, metadata: ProviderMetadata) -> str:
    """The authorization address but for the values of a single login, which :func:`authorization_url` appends.

    Made once: oauthlib takes half a millisecond for the whole.
    """
    endpoint = metadata.authorization_endpoint
    asked = {"max_age": settings.max_age, "acr_values": " ".join(settings.require_acr)}
    # oauthlib takes https alone, and says nothing of the challenge's method (S256) where it makes no challenge.
    url: str = WebApplicationClient(settings.client_id).prepare_request_uri(
        endpoint.replace("http://", "https://", 1),
        redirect_uri=settings.redirect_uri,
        scope=list(settings.scopes),
        **{name: str(value) for name, value in asked.items() if value not in (None, "")},
    )
    return f"{endpoint[: endpoint.index('://')]}{url[url.index('://') :]}{_WITH_CHALLENGE if settings.pkce else ''}"


def authorization_url(constant: str, *, state: str, nonce: str, code_verifier: str, login_hint: str = "", prompt: str = "") -> str:
    """Where the browser is sent. ``state``, ``nonce`` and ``code_verifier`` are URL-safe texts (A-Z a-z 0-9 - _).

    An empty ``nonce`` is left out (plain OAuth 2.0), the challenge where ``constant`` is of settings without PKCE.
    """
    assert _URL_SAFE.fullmatch(state + nonce)
    url = f"{constant}&state={state}"
    if nonce:
        url += f"&nonce={nonce}"
    if constant.endswith(_WITH_CHALLENGE):
        url += f"&code_challenge={code_challenge(code_verifier)}"
    if login_hint or prompt:
        url += "&" + urlencode({name: value for name, value in (("login_hint", login_hint), ("prompt", prompt)) if value})
    return url


def code_challenge(code_verifier: str) -> str:
    """RFC 7636 4.2, S256."""
    return urlsafe_b64encode(hashlib.sha256(code_verifier.encode("ascii")).digest()).rstrip(b"=").decode("ascii")


@dataclass(frozen=True, slots=True)
class AuthorizationAnswer:
    """The query that the provider sent the browser back with: either ``code`` or ``error``."""

    state: str
    code: str
    iss: str | None
    error: str
    error_description: str


def read_answer(query: str) -> AuthorizationAnswer:
    """The answer in a callback's query string.

    Each member at most once, exactly one of ``code`` and ``error``, at most 8,192 characters; other members
    are ignored (RFC 6749 4.1.2). Raises :class:`AnswerRefused` (``malformed``).
    """
    if len(query) > MAX_ANSWER:
        raise AnswerRefused("malformed", "the answer is too long")
    found: dict[str, str] = {}
    for name, value in parse_qsl(query, keep_blank_values=True, errors="replace"):
        if name in _MEMBERS:
            if name in found:
                raise AnswerRefused("malformed", f"the answer has {name} twice")
            found[name] = value
    code, error = found.get("code", ""), found.get("error", "")
    if bool(code) == bool(error):
        raise AnswerRefused("malformed", "the answer has neither a code nor an error" if not code else "the answer has a code and an error")
    return AuthorizationAnswer(found.get("state", ""), code, found.get("iss"), error, found.get("error_description", ""))


def check_issuer(answer: AuthorizationAnswer, metadata: ProviderMetadata, tenants: Sequence[str] = ()) -> None:
    """RFC 9207 2.4, before the code goes anywhere: the answer's ``iss`` is the provider's, and there where it is promised."""
    if answer.iss is None and not metadata.authorization_response_iss_parameter_supported:
        return
    if answer.iss not in issuers_of(metadata.issuer, tenants):
        found = "no issuer" if answer.iss is None else "another issuer"
        raise AnswerRefused(
            "wrong_issuer", f"the answer names {found}, not {metadata.issuer}", "Another provider may have mixed itself in."
        )


def refuse_error(answer: AuthorizationAnswer) -> None:
    """Raise :class:`AuthorizationRefused` when the provider answered with an error."""
    if answer.error:
        raise refusal(printable(answer.error, 80), printable(answer.error_description, 300))


def refusal(error: str, description: str) -> AuthorizationRefused:
    """The provider's refusal of an authorization request, with what an operator can do; both texts are printable and short."""
    said = f"{error}: {description}" if description else error
    return AuthorizationRefused(error, description, f"the provider refused the login ({said})", _known(error, description).operator)


def customer_sentence(error: AuthorizationRefused) -> str:
    """What a page says to a customer: our own words, nothing that came over the wire."""
    return _known(error.error, error.description).customer


@dataclass(frozen=True, slots=True)
class Sentences:
    """What an authorization error means to the customer, and to those who run the site."""

    customer: str
    operator: str


_OUR_FAULT = "The login service did not accept how this site asked. It is not your mistake; the people who run this site can see why."
_AGAIN = "The login service needs something more from you. Sign in again."
_LATER = "The login service has a problem of its own. This usually passes: try again in a moment."
_UNSUPPORTED = "The provider does not support what was asked. See that `issuer` and `endpoints` belong to one provider."

ERRORS: Mapping[str, Sentences] = {
    # RFC 6749 4.1.2.1
    "access_denied": Sentences(
        "The sign-in was cancelled, or the login service does not let you in here.",
        "The person said no, or the provider does not let them use this client.",
    ),
    "invalid_request": Sentences(_OUR_FAULT, "See the client's settings at the provider."),
    "invalid_scope": Sentences(
        _OUR_FAULT, "The client does not allow one of the `scopes` in the profile. Allow it at the provider, or take it out."
    ),
    "unauthorized_client": Sentences(
        _OUR_FAULT, "The client is not allowed to use the authorization code grant. Turn it on at the provider."
    ),
    "unsupported_response_type": Sentences(
        _OUR_FAULT, "The provider has the authorization code flow turned off. Turn it on for this client."
    ),
    "server_error": Sentences(_LATER, "The provider has a fault of its own; try again later."),
    "temporarily_unavailable": Sentences(_LATER, "The provider is overloaded or in maintenance; try again later."),
    # OpenID Connect Core 3.1.2.6
    "interaction_required": Sentences(_AGAIN, "The provider wants to show the person a page, which `prompt: none` forbids."),
    "login_required": Sentences(_AGAIN, "The person has no session at the provider, and `prompt: none` forbids its login page."),
    "account_selection_required": Sentences(
        "Choose which account to sign in with, then try again.", "The person has several sessions at the provider and must choose one."
    ),
    "consent_required": Sentences(
        "The login service needs your consent first. Sign in again and agree, or ask the people who run this site.",
        "Nobody has consented to this client's scopes yet. An administrator can consent for all at the provider.",
    ),
    "invalid_request_uri": Sentences(_OUR_FAULT, "The pushed request was too old or unknown when the browser arrived. Try again."),
    "invalid_request_object": Sentences(
        _OUR_FAULT, "The provider wants signed request objects, which are not sent. Turn that off for this client."
    ),
    "request_not_supported": Sentences(_OUR_FAULT, _UNSUPPORTED),
    "request_uri_not_supported": Sentences(_OUR_FAULT, _UNSUPPORTED),
    "registration_not_supported": Sentences(_OUR_FAULT, _UNSUPPORTED),
    # OpenID Connect Core Unmet Authentication Requirements 1.0
    "unmet_authentication_requirements": Sentences(
        "This site asks for a stronger sign-in, such as a second factor, than the login service could make with you.",
        "The provider cannot meet the `acr` that the profile's `require` asks for, for this person.",
    ),
    # RFC 8707 2, RFC 9396 5
    "invalid_target": Sentences(_OUR_FAULT, "The provider does not know the resource that was asked for."),
    "invalid_authorization_details": Sentences(_OUR_FAULT, _UNSUPPORTED),
    # Cognito, where an account of another identity provider is linked at its first sign-in (a description, no error)
    "Already found an entry for username": Sentences(
        "Your account has just been set up. Sign in once more.",
        "Cognito linked the account at the first sign-in of a federated user. Trying again helps.",
    ),
}
_UNKNOWN = Sentences(_OUR_FAULT, "See the client's settings at the provider.")


def _known(error: str, description: str) -> Sentences:
    if "Already found an entry for username" in description:
        return ERRORS["Already found an entry for username"]
    if "invalid_scope" in description:  # Cognito sends invalid_request with it
        return ERRORS["invalid_scope"]
    return ERRORS.get(error, _UNKNOWN)


def printable(text: str, limit: int) -> str:
    """A foreign text for a log or a terminal: one line of printable characters, cut at ``limit``."""
    return "".join(c if c.isprintable() else " " for c in text[:limit]).strip()
