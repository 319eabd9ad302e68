"""How the service account proves who it is: an API token on Cloud, a personal access token on Data Center."""

from __future__ import annotations

import base64
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class ApiToken:
    """Cloud: basic, with the account's email and an API token (Atlassian: Basic auth for REST APIs)."""

    email: str
    token: str = field(repr=False)

    @property
    def header(self) -> str:
        """The ``Authorization`` header."""
        return "Basic " + base64.b64encode(f"{self.email}:{self.token}".encode()).decode()


@dataclass(frozen=True, slots=True)
class PersonalAccessToken:
    """Data Center: bearer (Atlassian: Using Personal Access Tokens)."""

    token: str = field(repr=False)

    @property
    def header(self) -> str:
        """The ``Authorization`` header."""
        return f"Bearer {self.token}"


Authentication = ApiToken | PersonalAccessToken
