"""Issuers that serve many tenants: a template in the metadata, filled with the tenant of a token, if it is allowed.

Entra's ``common``, ``organizations`` and ``consumers`` publish the issuer ``https://login.microsoftonline.com/{tenantid}/v2.0``
(Microsoft: Validate the issuer). Which tenants may sign in is the profile's to say: never "any".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from jsmsso.errors import IdTokenRefused

TENANT = "{tenantid}"
_SHARED = ("common", "organizations", "consumers")


def issuer_fits(found: object, configured: str, tenants: Sequence[str]) -> bool:
    """Whether the metadata's issuer is the configured one: to the letter, or its template where tenants are listed."""
    if found == configured:
        return TENANT not in configured or bool(tenants)
    return isinstance(found, str) and bool(tenants) and any(found.replace(TENANT, shared) == configured for shared in _SHARED)


def issuers_of(issuer: str, tenants: Sequence[str]) -> tuple[str, ...]:
    """Every issuer that an answer may name: the one, or the template filled with each allowed tenant."""
    return tuple(issuer.replace(TENANT, tenant) for tenant in tenants) if TENANT in issuer else (issuer,)


def issuer_of(issuer: str, tenants: Sequence[str], claims: Mapping[str, Any]) -> str:
    """The issuer that a token with these claims must name. Raises :class:`IdTokenRefused` for a tenant that is not allowed."""
    if TENANT not in issuer:
        return issuer
    tenant = claims.get("tid")
    if not isinstance(tenant, str) or tenant not in tenants:
        hint = "List the tenant in the provider's `tenants` if its people may sign in."
        raise IdTokenRefused("tid", " or ".join(tenants), "none" if tenant is None else repr(tenant)[:80], hint)
    return issuer.replace(TENANT, tenant)
