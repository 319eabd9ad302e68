"""The provider types that are known: one file each.

A type imports nothing heavy, so that listing the types costs next to nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module

from jsmsso.errors import UsageError
from jsmsso.providers.types import ProviderType

_MODULES = {
    "cognito": "cognito", "oidc": "oidc", "entra": "entra", "entra-external": "entra_external", "okta": "okta", "google": "google",
    "keycloak": "keycloak", "auth0": "auth0", "adfs": "adfs", "salesforce": "salesforce", "onelogin": "onelogin", "ping": "ping",
    "gitlab": "gitlab", "slack": "slack", "linkedin": "linkedin", "oracle": "oracle", "gluu": "gluu", "miniorange": "miniorange",
    "github": "github", "discord": "discord", "facebook": "facebook",
}  # fmt: skip


def provider_type(name: str) -> ProviderType:
    """The type of this name. Raises :class:`UsageError` with the nearest right ones."""
    if name not in _MODULES:
        from difflib import get_close_matches

        near = get_close_matches(name, _MODULES)
        raise UsageError(
            f"there is no provider type {name!r}",
            f"Did you mean {near[0]}?"
            if near
            else f"The types are: {', '.join(_MODULES)}. Most providers publish OpenID Connect metadata: jsmsso provider add oidc.",
        )
    return _load(name)


def provider_types() -> Mapping[str, ProviderType]:
    """All of them, by name, in the order in which they are listed."""
    return {name: _load(name) for name in _MODULES}


def _load(name: str) -> ProviderType:
    type_ = import_module(f"jsmsso.providers.{_MODULES[name]}").TYPE
    assert isinstance(type_, ProviderType)
    return type_
