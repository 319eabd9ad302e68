"""Atlassian's gateway, the only address at which an API token with scopes works.

Source: Atlassian, Manage API tokens for your Atlassian account (URLs for API tokens with scopes).
"""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from jsmsso.errors import JsmAnswerInvalid
from jsmsso.jsm.answers import text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.profile.addresses import is_loopback

HOST = "api.atlassian.com"
CLOUD_ID = re.compile("[A-Za-z0-9-]{1,64}")


def gateway_url(site_url: str, cloud_id: str) -> str:
    """Where the site's REST API stands behind the gateway. A site on loopback has its gateway on its own origin."""
    parts = urlsplit(site_url)
    local = is_loopback(parts.hostname or "")
    return f"{f'{parts.scheme}://{parts.netloc}' if local else f'https://{HOST}'}/ex/jira/{cloud_id}"


def forms_url(site_url: str, cloud_id: str) -> str:
    """Where the site's Jira forms have their own REST API (Atlassian: Forms for Jira, REST API), behind the same gateway."""
    return gateway_url(site_url, cloud_id).replace("/ex/jira/", "/jira/forms/cloud/")


def find_cloud_id(client: JsmClient) -> str:
    """The cloud id that the site tells everybody (``<site>/_edge/tenant_info``). Raises JSM's errors."""
    answer = client.get("/_edge/tenant_info")
    cloud_id = text_of(answer.get("cloudId")) if isinstance(answer, dict) else ""
    if not CLOUD_ID.fullmatch(cloud_id):
        raise JsmAnswerInvalid(f"{client.base_url} does not tell its cloud id")
    return cloud_id
