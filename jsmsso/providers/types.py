"""What a provider type knows. A type is data, and these are its values; which types there are is said in known.py."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from jsmsso.identity.attributes import STANDARD_ATTRIBUTES, AttributeMapping
from jsmsso.oidc.settings import LogoutStyle

Endpoints = Mapping[str, str]
"""Addresses by the names that metadata has for them (``token_endpoint``)."""


@dataclass(frozen=True, slots=True)
class Question:
    """What ``provider add`` asks once; the answer becomes ``issuer``, ``discovery_url``, ``tenants`` or the like.

    ``mend`` makes an answer right as it was pasted, or raises :class:`UsageError`. ``default`` is what no answer means;
    where it is empty there must be one, unless it is ``optional``. ``only_if`` says whether to ask, of the answers so far.
    """

    key: str
    prompt: str
    mend: Callable[[str], str]
    example: str
    default: str = ""
    optional: bool = False
    only_if: Callable[[Mapping[str, str]], bool] | None = None


@dataclass(frozen=True, slots=True)
class Location:
    """Where the answers lead: the issuer, or the address of metadata that names it."""

    issuer: str = ""
    discovery_url: str = ""
    tenants: tuple[str, ...] = ()
    trust_unverified_email: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Groups:
    """Where a person's groups come from."""

    claim: str
    how: str
    """What must be set at the provider, as a sentence."""
    overflow: str = ""
    """What happens where a person is in too many, as a sentence; empty where nothing does."""
    overflow_claims: tuple[str, ...] = ()
    """Claims that are there, and true, when groups were left out."""


@dataclass(frozen=True, slots=True)
class Refresh:
    """How a refresh token is got, and what becomes of it."""

    scope: str = "offline_access"
    """Empty where none is needed."""
    parameters: tuple[tuple[str, str], ...] = ()
    """What the authorization request needs besides."""
    rotation: Literal["always", "optional", "never"] = "optional"
    """Whether a refresh brings a new refresh token that replaces the one it was made with."""


@dataclass(frozen=True, slots=True)
class PlainOAuth2:
    """A provider without ID tokens: what its API says under the access token becomes the claims.

    ``calls`` are addresses that are read in turn; ``claims`` makes claims of their answers, ``sub`` among them, and raises
    ValueError, TypeError or LookupError for what is no such answer. ``errors`` are the token endpoint's own names for
    those of RFC 6749 5.2.
    """

    endpoints: Callable[[str], Endpoints]
    """From the issuer."""
    calls: Callable[[str], tuple[str, ...]]
    claims: Callable[[Sequence[Any]], dict[str, Any]]
    promises_issuer: bool = False
    """Every authorization answer names the issuer (RFC 9207)."""
    errors: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ProviderType:
    """Facts about a kind of provider. ``derive_endpoints`` makes endpoints from a domain where the type fixes their paths."""

    name: str
    title: str
    documentation: str

    # What to ask, and where it leads
    asks_for: tuple[str, ...] = ("issuer",)
    """What the wizard needs first: ``domain`` or ``issuer``, which ``questions`` may lead to; nothing where ``issuer`` is fixed."""
    questions: tuple[Question, ...] = ()
    locate: Callable[[Mapping[str, str]], Location] | None = None
    """From mended answers; None where the issuer is ``issuer``, or asked for."""
    issuer: str = ""
    """The same for everybody (Google); else empty."""
    legacy_issuers: tuple[str, ...] = ()
    trusted_audiences: tuple[str, ...] = ()
    derive_endpoints: Callable[[str], Endpoints] | None = None
    plain: PlainOAuth2 | None = None

    # What is asked for, and what it becomes
    default_scopes: tuple[str, ...] = ("openid", "profile", "email")
    default_attributes: AttributeMapping = field(default_factory=lambda: STANDARD_ATTRIBUTES)
    verified_by: tuple[str, ...] = ("email_verified",)
    """Claims that say that the email is verified; empty: none does, and only listed domains count."""
    email: str = "The claim `email_verified` says so."
    """How an address is known to be verified, as a sentence."""
    groups: Groups | None = None
    open_to_all: bool = False
    """Anybody can make an account there, so that an access rule must say who may enter."""
    open_issuers: tuple[str, ...] = ()
    """The same, at these issuers only."""

    # What it can and cannot
    token_use_required: bool = False
    id_token_is_complete: bool = False
    """Userinfo knows nothing more than the ID token, so it is asked only when the email is missing."""
    userinfo_is_useful: bool = True
    """False: it is never asked, whatever is missing."""
    pkce: bool = True
    nonce: bool = True
    login_hint: bool = True
    refresh: Refresh | None = field(default_factory=Refresh)
    """None where there are no refresh tokens for us."""
    revocation: bool = True
    """Whether a refresh token can be taken back (RFC 7009)."""

    # Logout
    logout_style: LogoutStyle = "rp_initiated"
    id_token_hint: bool = False
    logout_template: str = ""

    # What to tell the administrator
    paste_at: str = "Paste these at the provider"
    """The headline over the addresses that must be registered there."""
    labels: tuple[str, str] = ("Callback addresses", "Sign-out addresses")
    """What the provider calls callback and sign-out addresses."""
    login_comes_first: bool = False
    """The authorization endpoint asks who somebody is before it looks at client, callback and scopes: only a login tells."""
    loopback_callback: bool = True
    """False: an address of this machine cannot stand beside the public callback there, so that a login from a terminal uses the latter."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where in the provider's console a setting stands: by ``domain``, ``client_id``, ``client_secret``, ``callback``, ``scopes`` ..."""
    quirks: tuple[str, ...] = ()
    """What an administrator should know before it surprises them, a sentence each."""


def is_open_to_all(type_: ProviderType, issuer: str) -> bool:
    """Whether anybody can make an account at this provider."""
    return type_.open_to_all or issuer in type_.open_issuers


def incomplete_claims(type_: ProviderType, claims: Mapping[str, Any]) -> frozenset[str]:
    """The claims of which a person has more than these claims say: a rule that denies by one of them must deny.

    ``_claim_names`` names claims that are to be fetched elsewhere (OpenID Connect Core 5.6.2; Entra's group overage).
    """
    elsewhere = claims.get("_claim_names")
    found = {name for name in elsewhere if isinstance(name, str) and name not in claims} if isinstance(elsewhere, dict) else set()
    if type_.groups and any(str(claims.get(name, "")).lower() in ("true", "1") for name in type_.groups.overflow_claims):
        found.add(type_.groups.claim)
    return frozenset(found)
