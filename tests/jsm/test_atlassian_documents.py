"""The local JSM and our client against what Atlassian publishes, and against a client that we did not write."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import pytest

from jsmsso.errors import AccountUnknown, CustomerExists
from jsmsso.http_client import HttpClient
from jsmsso.jsm.account import who_am_i
from jsmsso.jsm.client import JsmClient
from jsmsso.jsm.organizations import (
    add_member,
    all_organizations,
    attach_to_desk,
    create_organization,
    desk_organizations_of,
    organizations_of,
    remove_member,
)
from jsmsso.jsm.permissions import find_abilities
from jsmsso.jsm.portals import pull_portals
from jsmsso.jsm.service_desks import list_service_desks
from jsmsso.jsm.site import read_site
from jsmsso.jsm.users import add_to_desk, create_customer, find_users, is_customer_of_desk, user_exists
from jsmsso.sandbox.jsm_articles import EXAMPLES
from jsmsso.sandbox.jsm_site import LocalAccount
from jsmsso.sandbox.local_jsm import LocalJsm, Seen
from tests.jsm.atlassian_documents import complaints, missing_documents
from tests.jsm.checked_site import EVERY_ROLE, checked_jsm, client_of
from tests.services.oidc_provider import missing_for_node

NODE_MODULES = Path(__file__).parents[1] / "services" / "node_modules"
WALK = Path(__file__).with_name("walk_with_jira_js.mjs")
WALK_REQUESTS = Path(__file__).with_name("walk_requests_with_jira_js.mjs")

documents = pytest.mark.skipif(bool(missing_documents()), reason=missing_documents() or "none")


def seen(method: str, path: str, status: int, answer: Any, query: tuple[tuple[str, str], ...] = (), body: bytes = b"") -> Seen:
    return Seen(method, path, query, {}, body, status, json.dumps(answer).encode(), "application/json")


def every_call(jsm: LocalJsm) -> None:
    """All that our client can ask of a site and do there today."""
    site = read_site(JsmClient(HttpClient().session(), jsm.url))
    client = client_of(jsm)
    who_am_i(client, site)
    find_abilities(client, site, list_service_desks(client))
    pull_portals(client)
    ann = create_customer(client, site, "ann@acme.com", "Ann Acme")
    with pytest.raises(CustomerExists):
        create_customer(client, site, "ann@acme.com", "Ann again")
    assert user_exists(client, site, ann.id)
    assert not user_exists(client, site, "nobody")
    with pytest.raises(AccountUnknown):
        add_to_desk(client, site, "1", "nobody")
    add_to_desk(client, site, "1", ann.id)
    assert [user.id for user in find_users(client, site, "ann@acme.com", "1")] == [ann.id]
    assert is_customer_of_desk(client, site, "1", ann.id, "ann@acme.com") is site.is_cloud
    acme = create_organization(client, "Acme")
    assert create_organization(client, "Acme") == acme
    with pytest.raises(AccountUnknown):
        add_member(client, site, acme.id, "nobody")
    add_member(client, site, acme.id, ann.id)
    attach_to_desk(client, "1", acme.id)
    assert list(all_organizations(client)) == organizations_of(client, site, ann.id) == [acme]
    assert desk_organizations_of(client, site, "1", ann.id) == [acme]
    remove_member(client, site, acme.id, ann.id)
    assert organizations_of(client, site, ann.id) == []


@documents
@pytest.mark.parametrize("data_center", [pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")])
def test_every_call_of_our_client_and_every_answer_of_the_local_jsm_is_one_that_atlassian_documents(data_center: bool) -> None:
    with checked_jsm(data_center=data_center, max_limit=2, accounts=EVERY_ROLE) as jsm:
        every_call(jsm)
        assert complaints(jsm.seen) == []
        assert len({(call.method, call.path) for call in jsm.seen}) >= 15


@documents
@pytest.mark.parametrize(
    "path",
    [
        "/rest/api/3/serverInfo",
        "/rest/api/3/myself",
        "/rest/api/3/mypermissions?permissions=ADMINISTER,NONSENSE",
        "/rest/api/3/mypermissions",
        "/rest/api/3/mypermissions?permissions=ADMINISTER&projectKey=NONE",
        "/rest/servicedeskapi/info",
        "/rest/servicedeskapi/servicedesk/HELP",
        "/rest/servicedeskapi/servicedesk/99",
        "/rest/servicedeskapi/servicedesk/99/requesttype",
        "/rest/servicedeskapi/requesttype",
        "/rest/servicedeskapi/requesttype?serviceDeskId=2&searchQuery=address",
        "/rest/servicedeskapi/servicedesk/1/customer?query=ann",
        "/rest/servicedeskapi/servicedesk/1/organization?accountId=nobody",
        "/rest/servicedeskapi/organization",
        "/rest/servicedeskapi/organization/1",
        "/rest/servicedeskapi/organization/1/user",
        "/rest/servicedeskapi/organization/99",
        "/rest/api/3/user?accountId=nobody",
        "/rest/api/3/user/search",
        "/rest/api/3/user/search?query=ann",
        "/_edge/tenant_info",
    ],
)
@pytest.mark.parametrize("token", ["right", "wrong", "of nobody"])
def test_what_the_local_jsm_answers_beyond_our_calls_is_documented_too(path: str, token: str) -> None:
    accounts = (LocalAccount("a@example.com", "right"), LocalAccount("a@example.com", "of nobody", role="none"))
    with checked_jsm(accounts=accounts) as jsm:
        jsm.add_customer("ann@acme.com", hidden="null", desks=["HELP"], organizations=["Acme"])
        HttpClient().session().get(jsm.url + path, auth=("a@example.com", token))
        assert complaints(jsm.seen) == []


@documents
@pytest.mark.parametrize(
    "call, words",
    [
        pytest.param(seen("GET", "/rest/api/3/project/X/role", 200, {}), "no document knows this call", id="a call that nobody documented"),
        pytest.param(seen("PUT", "/rest/api/3/myself", 200, {}), "no document knows this call", id="a method that nobody documented"),
        pytest.param(seen("GET", "/rest/api/3/myself", 200, {}, (("page", "1"),)), "query parameter page is not known", id="a parameter"),
        pytest.param(
            seen("GET", "/rest/servicedeskapi/servicedesk", 200, {}, (("start", "x"),)), "is not of type 'integer'", id="a parameter's type"
        ),
        pytest.param(seen("GET", "/rest/api/3/myself", 200, {"accountID": "x"}), "accountID", id="a field that Atlassian does not send"),
        pytest.param(
            seen("GET", "/rest/servicedeskapi/servicedesk", 403, {"error": "no"}), "403", id="an error in no shape of Atlassian's"
        ),
        pytest.param(seen("POST", "/rest/api/3/permissions/check", 200, {}, body=b'{"x": 1}'), "Additional properties", id="a body"),
        pytest.param(
            seen("POST", "/rest/servicedeskapi/servicedesk/1/customer", 204, {}, body=b'{"users": ["x"]}'),
            "Additional",
            id="a word in a body",
        ),
        pytest.param(
            seen("DELETE", "/rest/servicedeskapi/organization/1/user", 204, {"left": 1}), "an answer where there is none", id="no content"
        ),
        pytest.param(seen("DELETE", "/rest/servicedeskapi/organization/1/user", 200, {}), "the status 200 is not known", id="a status"),
        pytest.param(
            seen("POST", "/rest/servicedeskapi/customer", 201, {}, (("strictConflictStatusCode", "yes"),)), "boolean", id="no boolean"
        ),
        pytest.param(seen("GET", "/rest/api/2/serverInfo", 200, {"version": "1"}), "baseUrl", id="a call described by hand"),
    ],
)
def test_the_judge_notices(call: Seen, words: str) -> None:
    assert any(words in complaint for complaint in complaints([call])), complaints([call])


@pytest.mark.skipif(
    bool(missing_for_node()) or not (NODE_MODULES / "jira.js").is_dir(), reason=missing_for_node() or "npm's jira.js is absent"
)
def test_a_client_that_we_did_not_write_walks_the_same_calls() -> None:
    accounts = (LocalAccount("bot@example.com", "plain", role="administrator"), LocalAccount("bot@example.com", "scoped", scoped=True))
    with checked_jsm(accounts=accounts) as jsm:
        command = ["node", WALK, jsm.url, jsm.account.email, jsm.account.token, NODE_MODULES, jsm.gateway_url, "scoped"]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        found = json.loads(done.stdout)
        assert found["site"] == "Cloud"
        assert found["myself"] == jsm.account.account_id
        assert found["desks"] == ["HELP", "HR", "FAC"]
        assert found["desk"] == "IT help"
        assert found["portals"] == ["1"] * 5
        assert found["types"][0] == "1:1:Get IT help"
        assert len(found["types"]) == 9
        assert found["mine"] == ["SERVICEDESK_AGENT", "ADMINISTER_PROJECTS"]
        assert [grant["projects"] for grant in found["bulk"]] == [[10001, 10002, 10003]] * 2
        assert found["licensed"] is True
        assert found["gateway"] == "bot@example.com"
        assert found["customer"] == {
            "refused": 409,
            "found": ["customer"],
            "named": "Ann Acme",
            "listed": ["ann@acme.com"],
            "all": ["Acme"],
            "own": ["Acme"],
            "ofDesk": ["Acme"],
            "members": ["Ann Acme"],
            "left": 0,
            "organization": "Acme",
        }
        if not missing_documents():
            assert [c for c in complaints(jsm.seen) if "includeHidden" not in c and "restrictionStatus" not in c] == []


@pytest.mark.skipif(
    bool(missing_for_node()) or not (NODE_MODULES / "jira.js").is_dir(), reason=missing_for_node() or "npm's jira.js is absent"
)
def test_a_client_that_we_did_not_write_takes_a_request_all_its_way() -> None:
    with checked_jsm() as jsm:
        jsm.site.articles = list(EXAMPLES)
        ann = jsm.add_customer("ann@acme.com", "Ann Acme")
        command = ["node", WALK_REQUESTS, jsm.url, jsm.account.email, jsm.account.token, NODE_MODULES, ann.id]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60)
        assert done.returncode == 0, done.stderr
        assert json.loads(done.stdout) == {
            "groups": ["Common requests", "Equipment"],
            "fields": ["Summary", "Model", "Reason", "Needed by", "Description", "Attachment"],
            "icon": "image/png",
            "reporter": "Ann Acme",
            "comments": ["<p>See the file.<br/>\n[^hello.txt]</p>"],
            "attached": ["hello.txt"],
            "kept": True,
            "content": "hello",
            "again": "hello",
            "limit": 20_000_000,
            "shared": ["Acme"],
            "found": ["A laptop"],
            "added": ["SSO bot"],
            "removed": 0,
            "goals": [1, 1],
            "statuses": ["Resolved", "Waiting for support"],
            "articles": ["Connect to the printer on your floor"],
            "own": 0,
        }
