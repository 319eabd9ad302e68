"""The service desks that the service account may see."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from jsmsso.errors import JsmAnswerInvalid
from jsmsso.jsm.answers import text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.paging import Progress, each_item

NEEDS = "access to Jira Service Management and the Browse projects permission on each service desk"


@dataclass(frozen=True, slots=True)
class ServiceDesk:
    """A service desk, which is a project with a portal."""

    id: str
    project_id: str
    key: str
    name: str


def list_service_desks(client: JsmClient, progress: Progress = lambda count, done: None) -> tuple[ServiceDesk, ...]:
    """All of them, in Atlassian's order (Atlassian: ``GET /rest/servicedeskapi/servicedesk``)."""
    return tuple(_service_desk(item) for item in each_item(client, "/rest/servicedeskapi/servicedesk", needs=NEEDS, progress=progress))


def _service_desk(item: dict[str, Any]) -> ServiceDesk:
    texts = [text_of(item.get(name)) for name in ("id", "projectId", "projectKey", "projectName")]
    if not all(texts):
        raise JsmAnswerInvalid(f"JSM lists a service desk without id, project or name: {item['id']}")
    return ServiceDesk(*texts)
