"""What a relying party must know about one provider: fixed values, made once from the profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

LogoutStyle = Literal["rp_initiated", "cognito", "bare", "local"]
ClientAuthentication = Literal["client_secret_basic", "client_secret_post", "private_key_jwt", "none"]

DEFAULT_ALGORITHMS = ("RS256",)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """One client at one provider.

    ``issuer`` is the pinned issuer; it is never taken from a token. ``discovery_url`` only says where its
    metadata lies when that is not below the issuer; ``endpoints`` override single members of the metadata
    by their names there. ``client_auth`` None means: chosen from the metadata; ``algorithms`` empty: those of the
    metadata that need a private key. ``clock_skew`` and ``max_age`` are in seconds.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: str | None = field(repr=False)
    redirect_uri: str
    scopes: tuple[str, ...]
    discovery_url: str | None = None
    endpoints: tuple[tuple[str, str], ...] = ()
    client_auth: ClientAuthentication | None = None
    client_key: str | None = field(default=None, repr=False)
    """For ``private_key_jwt``: a private key as PEM or JWK."""
    algorithms: tuple[str, ...] = ()
    clock_skew: int = 60
    token_use_required: bool = False
    """Cognito: ``token_use`` must be there. Where it is present it must be ``id`` for any provider."""
    logout_style: LogoutStyle = "rp_initiated"
    post_logout_redirect_uri: str = ""
    logout_template: str = ""
    """Where people log out when the metadata names no end_session_endpoint, with ``{issuer}``, ``{client_id}``, ``{return_to}``."""
    id_token_hint: bool = False
    """The provider ends no session without the ID token (Okta, OneLogin)."""
    login_hint: bool = False
    tenants: tuple[str, ...] = ()
    """Whose tokens count where the issuer is a template with ``{tenantid}`` (Entra's ``common``): values of ``tid``."""
    legacy_issuers: tuple[str, ...] = ()
    """Other spellings of ``issuer`` that the provider's own reference allows in its ID tokens; the claims say ``issuer`` all the same."""
    trusted_audiences: tuple[str, ...] = ()
    """Audiences that the provider puts beside the client's into every ID token."""
    pkce: bool = True
    nonce: bool = True
    """Whether the provider repeats the nonce in its ID tokens. One that is there must be right in any case."""
    require_amr: tuple[str, ...] = ()
    """Authentication methods (RFC 8176) that must all have been used."""
    require_acr: tuple[str, ...] = ()
    """Authentication contexts of which one must have been met; asked for as ``acr_values``."""
    max_age: int | None = None
    """How long ago a person may have proved who they are."""
    prompt: str = ""
