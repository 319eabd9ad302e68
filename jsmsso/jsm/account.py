"""Who our service account is to the site."""

from __future__ import annotations

from dataclasses import dataclass

from jsmsso.errors import JsmAnswerInvalid
from jsmsso.jsm.answers import text_of
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.site import Site


@dataclass(frozen=True, slots=True)
class Account:
    """An account. ``id`` is the account id on Cloud, the user name on Data Center; ``email`` is empty where hidden."""

    id: str
    display_name: str
    email: str


def who_am_i(client: JsmClient, site: Site) -> Account:
    """The account that calls (Atlassian: ``GET /rest/api/3/myself``, Data Center ``/rest/api/2/myself``)."""
    answer = client.get(f"{site.api}/myself", needs="access to Jira (a product role on the site)")
    told = answer if isinstance(answer, dict) else {}
    account_id = text_of(told.get("accountId")) or text_of(told.get("name"))
    if not account_id:
        raise JsmAnswerInvalid(f"{client.base_url} does not say who the service account is", "Is it the address of a Jira site?")
    return Account(account_id, text_of(told.get("displayName")) or account_id, text_of(told.get("emailAddress")))
