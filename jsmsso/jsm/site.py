"""Which kind of site it is. Told by what it says of itself, never by its host's name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from jsmsso.errors import JsmAnswerInvalid
from jsmsso.jsm.client import JsmClient


@dataclass(frozen=True, slots=True)
class Site:
    """A Jira site. ``base_url`` is the address we were given, which may differ from the one it has of itself."""

    kind: Literal["Cloud", "Data Center"]
    base_url: str
    title: str = ""
    version: str = ""

    @property
    def is_cloud(self) -> bool:
        """Whether Atlassian runs it."""
        return self.kind == "Cloud"

    @property
    def api(self) -> str:
        """The platform API that this kind of site has."""
        return "/rest/api/3" if self.is_cloud else "/rest/api/2"


def read_site(client: JsmClient) -> Site:
    """What answers at the client's address (Atlassian: ``GET /rest/api/2/serverInfo``, needs no login)."""
    answer = client.get("/rest/api/2/serverInfo")
    kind = answer.get("deploymentType") if isinstance(answer, dict) else None
    if not isinstance(kind, str) or not kind:
        raise JsmAnswerInvalid(
            f"{client.base_url} does not say which kind of Jira it is (no deploymentType)", "Is it the address of a Jira site?"
        )
    title, version = answer.get("serverTitle"), answer.get("version")
    return Site(
        "Cloud" if kind.lower() == "cloud" else "Data Center",  # a Data Center says Server
        client.base_url,
        title if isinstance(title, str) else "",
        version if isinstance(version, str) else "",
    )
