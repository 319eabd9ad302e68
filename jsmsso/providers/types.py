"""The provider types that are known, and what each of them knows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from jsmsso.errors import UsageError
from jsmsso.identity.attributes import STANDARD_ATTRIBUTES, AttributeMapping
from jsmsso.oidc.settings import LogoutStyle


@dataclass(frozen=True, slots=True)
class ProviderType:
    """Facts about a kind of provider. ``derive_endpoints`` makes endpoints from a domain where the type fixes their paths."""

    name: str
    title: str
    documentation: str
    default_scopes: tuple[str, ...] = ("openid", "profile", "email")
    default_attributes: AttributeMapping = field(default_factory=lambda: STANDARD_ATTRIBUTES)
    logout_style: LogoutStyle = "rp_initiated"
    token_use_required: bool = False
    id_token_is_complete: bool = False
    """Userinfo knows nothing more than the ID token, so it is asked only when the email is missing."""
    asks_for: tuple[str, ...] = ("issuer",)
    """What the wizard asks first: ``domain`` or ``issuer``."""
    paste_at: str = "Paste these at the provider"
    """The headline over the addresses that must be registered there."""
    labels: tuple[str, str] = ("Callback addresses", "Sign-out addresses")
    """What the provider calls callback and sign-out addresses."""
    places: Mapping[str, str] = field(default_factory=dict)
    """Where in the provider's console a setting stands: by ``domain``, ``client_id``, ``client_secret``, ``callback``, ``scopes`` ..."""
    derive_endpoints: Callable[[str], Mapping[str, str]] | None = None


def provider_type(name: str) -> ProviderType:
    """The type of this name. Raises :class:`UsageError` with the nearest right ones."""
    known = provider_types()
    if name not in known:
        from difflib import get_close_matches

        near = get_close_matches(name, known)
        raise UsageError(
            f"there is no provider type {name!r}",
            f"Did you mean {near[0]}?"
            if near
            else f"The types are: {', '.join(known)}. Most providers publish OpenID Connect metadata: jsmsso provider add oidc.",
        )
    return known[name]


def provider_types() -> Mapping[str, ProviderType]:
    """All of them, by name, in the order in which they are listed."""
    from jsmsso.providers import cognito, oidc

    return {type_.name: type_ for type_ in (cognito.TYPE, oidc.TYPE)}
