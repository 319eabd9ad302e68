"""The authorization request and its answer (OpenID Connect Core 3.1.2, RFC 7636, RFC 9207)."""

from __future__ import annotations

import hashlib
import re
from base64 import urlsafe_b64encode
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from oauthlib.oauth2 import WebApplicationClient

from jsmsso.errors import AnswerRefused, AuthorizationRefused
from jsmsso.oidc.discovery import ProviderMetadata
from jsmsso.oidc.settings import ClientSettings

MAX_ANSWER = 8192  # characters of an answer's query; codes of real providers stay below 2,000
_MEMBERS = ("code", "state", "iss", "error", "error_description", "error_uri", "session_state")
_URL_SAFE = re.compile(r"[A-Za-z0-9_-]+")


def constant_part(settings: ClientSettings, metadata: ProviderMetadata) -> str:
    """The authorization address but for the values of a single login, which :func:`authorization_url` appends.

    Made once: oauthlib takes half a millisecond for the whole.
    """
    endpoint = metadata.authorization_endpoint
    # oauthlib takes https alone, and says nothing of the challenge's method (S256) where it makes no challenge.
    secure = endpoint.replace("http://", "https://", 1)
    url: str = WebApplicationClient(settings.client_id).prepare_request_uri(
        secure, redirect_uri=settings.redirect_uri, scope=list(settings.scopes)
    )
    return f"{endpoint[: endpoint.index('://')]}{url[url.index('://') :]}&code_challenge_method=S256"


def authorization_url(constant: str, *, state: str, nonce: str, code_verifier: str, login_hint: str = "") -> str:
    """Where the browser is sent. ``state``, ``nonce`` and ``code_verifier`` are URL-safe texts (A-Z a-z 0-9 - _)."""
    assert _URL_SAFE.fullmatch(state + nonce)
    url = f"{constant}&state={state}&nonce={nonce}&code_challenge={code_challenge(code_verifier)}"
    return f"{url}&{urlencode({'login_hint': login_hint})}" if login_hint else url


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


def check_issuer(answer: AuthorizationAnswer, metadata: ProviderMetadata) -> None:
    """RFC 9207 2.4, before the code goes anywhere: the answer's ``iss`` is the provider's, and there where it is promised."""
    if answer.iss is None and not metadata.authorization_response_iss_parameter_supported:
        return
    if answer.iss != metadata.issuer:
        found = "no issuer" if answer.iss is None else "another issuer"
        raise AnswerRefused(
            "wrong_issuer", f"the answer names {found}, not {metadata.issuer}", "Another provider may have mixed itself in."
        )


def refuse_error(answer: AuthorizationAnswer) -> None:
    """Raise :class:`AuthorizationRefused` when the provider answered with an error."""
    if not answer.error:
        return
    error, description = printable(answer.error, 80), printable(answer.error_description, 300)
    said = f"{error}: {description}" if description else error
    raise AuthorizationRefused(error, description, f"the provider refused the login ({said})", _hint(error, description))


def printable(text: str, limit: int) -> str:
    """A foreign text for a log or a terminal: one line of printable characters, cut at ``limit``."""
    return "".join(c if c.isprintable() else " " for c in text[:limit]).strip()


def _hint(error: str, description: str) -> str:
    # Cognito sends a refused scope as invalid_request with invalid_scope as its description.
    both = f"{error} {description}"
    if "invalid_scope" in both:
        return "The client does not allow one of the `scopes` in the profile. Allow it at the provider, or take it out."
    if error == "unauthorized_client":
        return "The client is not allowed to use the authorization code grant. Turn it on at the provider."
    if error == "access_denied":
        return "The person said no, or the provider does not let them use this client."
    if error in ("login_required", "interaction_required", "consent_required", "account_selection_required"):
        return "The provider wants to show the person a page. Try again."
    if error in ("server_error", "temporarily_unavailable"):
        return "The provider has a fault of its own; try again later."
    if "Already found an entry for username" in description:
        return "Cognito linked the account at the first sign-in of a federated user. Trying again helps."
    return "See the client's settings at the provider."
