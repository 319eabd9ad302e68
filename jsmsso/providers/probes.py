"""What can be told about a provider and its client without a login.

Each probe has three results: right, wrong, and could not tell. An answer that a probe does not know is
the third: a firewall's page must never pass for a wrong setting, nor for a right one.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import Any, Literal
from urllib.parse import parse_qs, urljoin, urlsplit

from jsmsso.errors import AuthorizationRefused, CheckFailed, DiscoveryRefused, JsmssoError, ProviderUnreachable
from jsmsso.http_client import Answer, HttpClient
from jsmsso.oidc.authorization import authorization_url, constant_part, printable
from jsmsso.oidc.discovery import ProviderMetadata, provider_answer
from jsmsso.oidc.keys import fetch_keys
from jsmsso.oidc.logout import logout_url
from jsmsso.oidc.settings import DEFAULT_ALGORITHMS, ClientSettings
from jsmsso.oidc.signature import ASYMMETRIC
from jsmsso.providers.types import ProviderType

Result = Literal["right", "wrong", "unknown"]
Verdict = Literal["pass", "warn", "fail", "could not tell"]

OFFSET_WARNED = 30  # seconds; NTP keeps clocks within one
BLOCKED = (401, 403, 429)  # what firewalls and rate limits answer: nothing about our settings


@dataclass(frozen=True, slots=True)
class Probe:
    """One thing that was looked at. ``error`` says, where it is wrong and no login can work, what to do about it."""

    name: str
    result: Result
    detail: str
    error: JsmssoError | None = None
    warning: str = ""
    """What an administrator should know though a login may work."""

    @property
    def verdict(self) -> Verdict:
        """The result in the words of a table: what is wrong without an error does not stop a login."""
        if self.result == "unknown":
            return "could not tell"
        if self.error is not None:
            return "fail"
        return "warn" if self.warning or self.result == "wrong" else "pass"

    @property
    def remedy(self) -> str:
        """What to do, where there is something to do."""
        return (self.error.hint or self.error.message) if self.error is not None else self.warning


def probe_keys(http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata) -> Probe:
    """Whether the provider's JWKS has a key for an algorithm that is accepted. Raises :class:`ProviderFailed`."""
    keys, _ = fetch_keys(http, metadata.jwks_uri)
    listed = settings.algorithms or metadata.id_token_signing_alg_values_supported
    accepted = [alg for alg in listed if alg in ASYMMETRIC] or DEFAULT_ALGORITHMS
    if any(key.fits(alg) for key in keys for alg in accepted):
        return Probe("keys", "right", f"{len(keys)} at {metadata.jwks_uri}")
    wanted = " or ".join(accepted)
    error = DiscoveryRefused(
        f"none of the provider's keys at {metadata.jwks_uri} fits {wanted}", "Set `algorithms` of this provider to what it signs with."
    )
    return Probe("keys", "wrong", f"none for {wanted}", error)


# The authorization endpoint ------------------------------------------------------------------

Finding = Literal["login", "callback", "client", "scope", "refused", "unknown"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the authorization endpoint made of a request: went on to a login, or which part of it was refused."""

    finding: Finding
    said: str
    date: str | None


def ask_authorization(http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata, type_: ProviderType) -> Asked:
    """Ask for the login page without following redirects. Raises :class:`ProviderUnreachable`.

    Cognito never sends ``redirect_mismatch`` back: it redirects to an ``/error`` page of its own.
    """
    state, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(3))
    url = authorization_url(constant_part(settings, metadata), state=state, nonce=nonce, code_verifier=code_verifier)
    answer = provider_answer(http, "GET", url, headers={"accept": "text/html"}, follow=False)
    finding, said = _understood(answer, settings.redirect_uri)
    if finding == "login" and type_.login_comes_first:
        finding, said = "unknown", "the login comes first there"
    return Asked(finding, said, answer.headers.get("date"))


def _understood(answer: Answer, redirect_uri: str) -> tuple[Finding, str]:
    location = answer.headers.get("location")
    if answer.status in (301, 302, 303, 307, 308) and location is not None:
        return _redirected(urljoin(answer.url, location), redirect_uri)
    if answer.status in BLOCKED:
        return "unknown", f"it answered {answer.status}"
    said = _visible(answer)
    if answer.status == 200:
        # A login page may carry our own redirect_uri, so only words that no login page has count.
        if re.search(r"redirect(_uri)?_mismatch|AADSTS50011", said):
            return "callback", "redirect_mismatch"
        has_form = re.search(rb"<form|type=[\"']?password", answer.body, re.IGNORECASE)
        return ("login", "") if has_form else ("unknown", "it answered with a page that may or may not be its login")
    finding = _refused_part(said)
    return finding, said or f"it answered {answer.status}"


def _redirected(target: str, redirect_uri: str) -> tuple[Finding, str]:
    try:
        query = {name: values[0] for name, values in parse_qs(urlsplit(target).query, errors="replace", max_num_fields=50).items()}
        path = urlsplit(target).path
    except ValueError:
        return "unknown", "it redirected to what is no address"
    said = printable(": ".join(filter(None, (query.get("error"), query.get("error_description")))), 200)
    if target.partition("?")[0] == redirect_uri:
        # Whatever it answered, it answered to our callback: that is registered.
        if "invalid_scope" in said:
            return "scope", said
        if not said or query.get("error") in ("login_required", "interaction_required", "consent_required", "account_selection_required"):
            return "login", ""
        return ("unknown", said) if query.get("error") in ("server_error", "temporarily_unavailable") else ("refused", said)
    if said or path.rstrip("/").endswith("/error"):
        return _refused_part(said), said or f"it redirected to {path}"
    return "login", ""


def _refused_part(said: str) -> Finding:
    if re.search(r"redirect[_ ]?ur[il]|redirect_mismatch|redirect uri|callback", said, re.IGNORECASE):
        return "callback"
    if re.search(r"invalid_client|client_id|client (is |was )?(not found|does not exist|unknown)|unknown client", said, re.IGNORECASE):
        return "client"
    return "scope" if "invalid_scope" in said else "unknown"


def _visible(answer: Answer) -> str:
    """What a person would read of an error answer: ``error`` and its description, or the page without its tags."""
    document = json_answer(answer)
    if document is not None:
        texts = [document.get(name) for name in ("error", "error_description", "message")]
        return printable(": ".join(text for text in texts if isinstance(text, str)), 200)
    page = answer.body[:200_000].decode(errors="replace")
    page = re.sub(r"(?is)<(script|style|title)\b.*?</\1>|<[^>]*>", " ", page)
    return printable(re.sub(r"\s+", " ", page).strip(), 200)


def read_asked(asked: Asked, settings: ClientSettings, type_: ProviderType, profile_key: str) -> tuple[Probe, ...]:
    """The probes ``client id``, ``callback`` and ``scopes`` that one question answers; ``profile_key`` is the provider's."""
    client_id = _client_id(asked, settings, type_, profile_key)
    callback = _callback(asked, settings, type_)
    match asked.finding:
        case "login":
            return client_id, callback, Probe("scopes", "right", f"{', '.join(settings.scopes)}: allowed")
        case "scope":
            return client_id, callback, _scope_refused(settings.scopes, asked.said, type_)
        case "refused":
            return client_id, callback, _grant_refused(asked.said, type_)
    return client_id, callback


def refused_scopes(http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata, type_: ProviderType) -> Probe:
    """Which of the scopes the client does not allow, asked one by one. Raises :class:`ProviderUnreachable`."""
    needed = ("openid",) if type_.plain is None else ()
    refused = tuple(
        scope
        for scope in settings.scopes
        if ask_authorization(http, replace(settings, scopes=tuple(dict.fromkeys((*needed, scope)))), metadata, type_).finding == "scope"
    )
    if type_.plain is None and "openid" in refused:
        refused = ("openid",)  # every other was asked with it
    return _scope_refused(refused or settings.scopes, "invalid_scope", type_)


def _client_id(asked: Asked, settings: ClientSettings, type_: ProviderType, profile_key: str) -> Probe:
    if asked.finding == "client":
        error = AuthorizationRefused(
            "invalid_client",
            asked.said,
            f"the provider does not know the client id {settings.client_id} ({asked.said})",
            f"Compare {profile_key}.client_id with {place_of('client_id', type_)}. The client may also belong to another "
            f"{'pool than the domain' if type_.name == 'cognito' else 'provider than the issuer'}.",
        )
        return Probe("client id", "wrong", asked.said, error)
    if asked.finding == "unknown":
        return Probe("client id", "unknown", f"could not tell: {asked.said}")
    return Probe("client id", "right", f"{settings.client_id}: known")


def _callback(asked: Asked, settings: ClientSettings, type_: ProviderType) -> Probe:
    if asked.finding == "callback":
        error = AuthorizationRefused(
            "redirect_mismatch",
            asked.said,
            f"the callback {settings.redirect_uri} is not registered at the provider ({asked.said})",
            f"Add it to the letter at {place_of('callback', type_)}; scheme, port, case and a final slash count.",
        )
        return Probe("callback", "wrong", f"{settings.redirect_uri} is not registered", error)
    if asked.finding in ("unknown", "client"):
        return Probe("callback", "unknown", "could not tell; the login will show it")
    return Probe("callback", "right", f"{settings.redirect_uri} is registered")


def _scope_refused(scopes: tuple[str, ...], said: str, type_: ProviderType) -> Probe:
    named = f"the scope {scopes[0]}" if len(scopes) == 1 else f"one of the scopes {', '.join(scopes)}"
    hint = f"Allow it at {place_of('scopes', type_)}"
    hint += (
        ": without openid there is no ID token."
        if type_.plain is None and scopes == ("openid",)
        else ", or take it out of `scopes` in the profile."
    )
    return Probe("scopes", "wrong", f"{named} is not allowed", AuthorizationRefused(said, "", f"the client does not allow {named}", hint))


def _grant_refused(said: str, type_: ProviderType) -> Probe:
    error = AuthorizationRefused(
        said.partition(":")[0],
        said,
        f"the provider refuses every login of this client ({said})",
        f"Allow the authorization code grant at {place_of('grant', type_)}.",
    )
    return Probe("grant type", "wrong", said, error)


# The rest ------------------------------------------------------------------------------------


def probe_clock(date: str | None, now: float, skew: int) -> Probe:
    """How far this machine's clock is from the provider's, by the ``Date`` of an answer that came at ``now`` (seconds)."""
    try:
        offset = round(now - parsedate_to_datetime(date or "").timestamp())
    except (ValueError, TypeError, OverflowError):
        return Probe("clock", "unknown", "could not tell: the provider's answer has no date")
    where = f"{abs(offset)} s {'ahead of' if offset > 0 else 'behind'} the provider's"
    if abs(offset) > max(skew, 2):  # the header has whole seconds, and the answer took a while
        error = CheckFailed(
            f"this machine's clock is {where}, and {skew} s are allowed",
            "Set the clock right (NTP). Where that cannot be, `clock_skew` in the profile allows up to 300s.",
        )
        return Probe("clock", "wrong", where, error)
    if abs(offset) > OFFSET_WARNED:
        return Probe("clock", "right", where, warning=f"this machine's clock is {where}; beyond {skew} s logins are refused")
    return Probe("clock", "right", f"within {max(abs(offset), 1)} s of the provider's")


def probe_sign_out(http: HttpClient, settings: ClientSettings, metadata: ProviderMetadata, type_: ProviderType) -> Probe | None:
    """Whether the sign-out address is registered, where the provider says so without a session; None where it has no logout."""
    url = logout_url(settings, metadata)
    if url is None:
        return None
    try:
        answer = provider_answer(http, "GET", url, headers={"accept": "text/html"}, follow=False)
    except ProviderUnreachable:
        return Probe("sign-out URL", "unknown", "could not tell; checked when you sign out")
    target = urljoin(answer.url, answer.headers.get("location", ""))
    if answer.status in (301, 302, 303, 307, 308) and target.partition("?")[0] == settings.post_logout_redirect_uri:
        return Probe("sign-out URL", "right", f"{settings.post_logout_redirect_uri} is registered")
    said = printable(urlsplit(target).query, 200) if "location" in answer.headers else _visible(answer)
    if answer.status not in (200, *BLOCKED) and re.search(r"logout_uri|redirect_uri|redirect_mismatch", said):
        warning = (
            f"the sign-out URL {settings.post_logout_redirect_uri} is not registered: after signing out people stay at the provider. "
            f"Add it at {place_of('sign_out', type_)}."
        )
        return Probe("sign-out URL", "wrong", f"{settings.post_logout_redirect_uri} is not registered", warning=warning)
    return Probe("sign-out URL", "unknown", "could not tell; checked when you sign out")


def wrong_address(type_: ProviderType) -> str:
    """What to do where a provider's address leads nowhere, or to something else."""
    if "domain" in type_.asks_for:
        return f"See that `domain` is right: {place_of('domain', type_)}. A proxy or firewall in between may also answer in its place."
    return "See that `issuer` is right. A proxy or firewall in between may also answer in its place."


def json_answer(answer: Answer) -> Mapping[str, Any] | None:
    """The answer as a JSON object, or None where it is none."""
    try:
        document = answer.json()
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def place_of(setting: str, type_: ProviderType) -> str:
    """Where in the provider's console a setting stands."""
    return type_.places.get(setting, "the client's settings at the provider")


def named(type_: ProviderType) -> str:
    """The provider at the beginning of a sentence."""
    return "the provider" if type_.name == "oidc" else type_.title.removeprefix("AWS ")
