"""npm oidc-provider as a process: started here, taught its clients and accounts over a test-only address."""

from __future__ import annotations

import json
import secrets
import shutil
import subprocess
from dataclasses import dataclass, field
from functools import lru_cache
from http.client import HTTPConnection
from typing import Any
from urllib.parse import urlsplit

from tests.services import NODE_MODULES, SERVICES
from tests.services.children import Children

NODE_AT_LEAST = 20  # oidc-provider 9


@dataclass(frozen=True, slots=True)
class OidcClient:
    client_id: str
    client_secret: str
    """Empty for a public client."""


@dataclass(frozen=True, slots=True)
class Account:
    sub: str
    email: str
    password: str


@dataclass(frozen=True, slots=True)
class OidcProvider:
    """A running provider. Its login page has ``input[name=email]``, ``input[name=password]`` and the button "Sign in";
    consent the button "Continue"; its logout page "Yes, sign me out". Errors of its own stand in ``#error``.
    """

    issuer: str
    email: str = "grace@example.org"
    """Of an account that is there from the start: verified, ``groups`` are ``["customers"]``."""
    password: str = field(default_factory=lambda: secrets.token_urlsafe(9))

    @property
    def discovery_url(self) -> str:
        return f"{self.issuer}/.well-known/openid-configuration"

    def add_client(
        self,
        redirect_uris: list[str] | tuple[str, ...],
        post_logout_redirect_uris: list[str] | tuple[str, ...] = (),
        *,
        client_id: str = "",
        auth_method: str = "client_secret_basic",
        **metadata: Any,
    ) -> OidcClient:
        """Register a client; ``auth_method`` ``none`` makes it public; ``metadata`` as in OpenID Connect Registration 1.0."""
        client = OidcClient(client_id or f"client-{secrets.token_hex(4)}", "" if auth_method == "none" else secrets.token_urlsafe(24))
        entry = {
            "client_id": client.client_id,
            "redirect_uris": list(redirect_uris),
            "post_logout_redirect_uris": list(post_logout_redirect_uris),
            "token_endpoint_auth_method": auth_method,
            "grant_types": ["authorization_code", "refresh_token"],
            "response_types": ["code"],
            **({"client_secret": client.client_secret} if client.client_secret else {}),
            **metadata,
        }
        self._teach("clients", entry)
        return client

    def add_account(
        self,
        email: str,
        password: str = "",
        *,
        email_verified: bool | str = True,
        given_name: str = "Grace",
        family_name: str = "Hopper",
        groups: list[str] | tuple[str, ...] = ("customers",),
        **claims: Any,
    ) -> Account:
        """An account that can log in. More ``claims`` (also ``sub``) as given; only those of the asked scopes go out."""
        password = password or secrets.token_urlsafe(9)
        names = {"given_name": given_name, "family_name": family_name, "name": f"{given_name} {family_name}"}
        entry = {"email": email, "password": password, "email_verified": email_verified, **names, "groups": list(groups), **claims}
        return Account(self._teach("accounts", entry)["sub"], email, password)

    def _teach(self, kind: str, entry: dict[str, Any]) -> dict[str, Any]:
        connection = HTTPConnection(urlsplit(self.issuer).netloc, timeout=30)
        try:
            connection.request("POST", f"/test/{kind}", json.dumps(entry), {"Content-Type": "application/json"})
            answer = connection.getresponse()
            body = answer.read()
            assert answer.status == 201, body
            return dict(json.loads(body))
        finally:
            connection.close()


def start_provider(start: Children, port: int, **options: Any) -> OidcProvider:
    """Start one; the options are those at the top of ``oidc_provider.mjs``."""
    said = start(
        ["node", SERVICES / "oidc_provider.mjs", json.dumps({"port": port, **options})],
        ready=r"^listening on (\S+)$",
    ).wait_for(r"^listening on (\S+)$")
    provider = OidcProvider(issuer=said[1])
    provider.add_account(provider.email, provider.password)
    return provider


@lru_cache
def missing_for_node() -> str:
    """Why npm's parts cannot run here, as the reason of a skip; empty where they can."""
    node = shutil.which("node")
    if node is None:
        return "node is not installed"
    version = subprocess.run([node, "--version"], capture_output=True, text=True, check=True).stdout.strip()
    if int(version.lstrip("v").split(".")[0]) < NODE_AT_LEAST:
        return f"node is {version}, oidc-provider needs {NODE_AT_LEAST} or newer"
    if not NODE_MODULES.is_dir():
        return "the npm packages for tests are not installed (make test installs them)"
    return ""
