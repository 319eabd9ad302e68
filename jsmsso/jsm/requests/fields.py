"""The site's custom fields that tell who a request is shared with."""

from __future__ import annotations

import re
from dataclasses import dataclass

from jsmsso.errors import JsmAnswerInvalid
from jsmsso.jsm.answers import text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.requests.reading import dict_of, dicts_of
from jsmsso.jsm.site import Site

ORGANIZATIONS = "com.atlassian.servicedesk:sd-customer-organizations"
PARTICIPANTS = "com.atlassian.servicedesk:sd-request-participants"
REQUEST_TYPE = "com.atlassian.servicedesk:vp-origin"
APPROVALS = "com.atlassian.servicedesk.approvals-plugin:sd-approvals"
CUSTOM_FIELD = re.compile("customfield_[0-9]{1,19}")


@dataclass(frozen=True, slots=True)
class IssueFields:
    """Ids of custom fields; empty where the site has none of the kind, or does not show it to our account."""

    organizations: str
    participants: str
    request_type: str
    approvals: str

    @property
    def ids(self) -> tuple[str, ...]:
        """Those that there are."""
        return tuple(filter(None, (self.organizations, self.participants, self.request_type, self.approvals)))


def issue_fields(client: JsmClient, site: Site) -> IssueFields:
    """Found by the type that each field says it has (Atlassian: ``GET /rest/api/3/field``), never by its name."""
    answer = client.get(f"{site.api}/field")
    if not isinstance(answer, list):
        raise JsmAnswerInvalid(f"JSM's answer to {site.api}/field is no list", "Is jsm.url the address of a Jira site?")
    ids: dict[str, str] = {}
    for item in dicts_of(answer):
        field_id = text_of(item.get("id"))
        if CUSTOM_FIELD.fullmatch(field_id):
            ids.setdefault(text_of(dict_of(item.get("schema")).get("custom")), field_id)
    return IssueFields(ids.get(ORGANIZATIONS, ""), ids.get(PARTICIPANTS, ""), ids.get(REQUEST_TYPE, ""), ids.get(APPROVALS, ""))
