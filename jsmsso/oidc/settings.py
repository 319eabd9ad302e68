"""What a relying party must know about one provider: fixed values, made once from the profile."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

LogoutStyle = Literal["rp_initiated", "cognito", "local"]
ClientAuthentication = Literal["client_secret_basic", "client_secret_post", "none"]

DEFAULT_ALGORITHMS = ("RS256",)


@dataclass(frozen=True, slots=True)
class ClientSettings:
    """One client at one provider.

    ``issuer`` is the pinned issuer; it is never taken from a token. ``discovery_url`` only says where its
    metadata lies when that is not below the issuer; ``endpoints`` override single members of the metadata
    by their names there. ``client_auth`` None means: chosen from the metadata. ``clock_skew`` is in seconds.
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
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    clock_skew: int = 60
    token_use_required: bool = False
    """Cognito: ``token_use`` must be there. Where it is present it must be ``id`` for any provider."""
    logout_style: LogoutStyle = "rp_initiated"
    post_logout_redirect_uri: str = ""
    login_hint: bool = False
