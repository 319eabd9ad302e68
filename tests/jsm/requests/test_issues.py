from __future__ import annotations

import pytest

from jsmsso.errors import JsmRefused
from jsmsso.jsm.requests.fields import IssueFields, issue_fields
from jsmsso.jsm.requests.issues import read_issue, search_issues
from jsmsso.jsm.requests.jql import quoted, quoted_words
from jsmsso.sandbox.jsm_faults import Fault
from jsmsso.sandbox.jsm_site import LocalAccount
from tests.jsm.checked_site import checked_jsm, client_of, site_of

AGENT = LocalAccount("sso-bot@example.com", "t", role="agent")
NOBODY = LocalAccount("nobody@example.com", "t", role="none")
KINDS = [pytest.param(False, id="Cloud"), pytest.param(True, id="Data Center")]


@pytest.mark.parametrize("data_center", KINDS)
def test_the_facts_of_a_request_say_whom_it_belongs_to(data_center: bool) -> None:
    with checked_jsm(accounts=(AGENT,), data_center=data_center) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        ann, bob, eve = (jsm.site.add_customer(f"{name}@example.com") for name in ("ann", "bob", "eve"))
        made = jsm.site.requests.add(
            "HELP", "Get IT help", "Broken", reporter=ann, participants=[bob], organizations=["Acme"], approvers=[eve], status="Resolved"
        )
        fields = issue_fields(client, site)
        facts = read_issue(client, site, fields, made.key)
        assert fields == IssueFields("customfield_10002", "customfield_10003", "customfield_10010", "customfield_10011")
        assert facts is not None
        assert (facts.id, facts.key, facts.project_key, facts.summary) == (made.id, "HELP-1", "HELP", "Broken")
        assert (facts.status, facts.status_category) == ("Resolved", "done")
        assert (facts.reporter_id, facts.participant_ids, facts.approver_ids) == (ann.id, frozenset({bob.id}), frozenset({eve.id}))
        assert facts.organization_ids == {acme.id for acme in [jsm.site.organization("Acme")] if acme}
        assert facts.request_type_id
        assert abs((facts.created - made.created).total_seconds()) < 1
        assert facts.created.utcoffset() is not None


@pytest.mark.parametrize("data_center", KINDS)
def test_nothing_but_the_facts_is_asked_for(data_center: bool) -> None:
    with checked_jsm(accounts=(AGENT,), data_center=data_center) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        made = jsm.site.requests.add("HELP", "Get IT help", "Broken", reporter=jsm.site.add_customer("ann@example.com"))
        read_issue(client, site, issue_fields(client, site), made.key)
        asked = dict(jsm.seen[-1].query)
        assert set(asked) == {"fields"}
        assert not {"comment", "attachment", "*all", "description"} & set(asked["fields"].split(","))


@pytest.mark.parametrize("data_center", KINDS)
def test_an_issue_without_a_type_is_no_request_and_one_that_is_not_there_is_none(data_center: bool) -> None:
    with checked_jsm(accounts=(AGENT,), data_center=data_center) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        fields = issue_fields(client, site)
        made = jsm.site.requests.add("HELP", "", "Internal", reporter=jsm.site.add_customer("ann@example.com"))
        facts = read_issue(client, site, fields, made.key)
        assert facts is not None
        assert facts.request_type_id == ""
        assert read_issue(client, site, fields, "HELP-99") is None
        jsm.break_with(Fault("status", "/rest/api/", status=403, body="{}"))
        assert read_issue(client, site, fields, made.key) is None


def test_a_moved_request_answers_to_its_old_key_and_says_the_new_one() -> None:
    with checked_jsm(accounts=(AGENT,)) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        made = jsm.site.requests.add("HELP", "Get IT help", "Broken", reporter=jsm.site.add_customer("ann@example.com"))
        jsm.site.requests.move(made, "HR")
        facts = read_issue(client, site, issue_fields(client, site), "HELP-1")
        assert facts is not None
        assert (facts.key, facts.project_key, facts.request_type_id) == ("HR-1", "HR", "")


@pytest.mark.parametrize("data_center", KINDS)
def test_a_search_is_paged_until_there_are_no_more(data_center: bool) -> None:
    with checked_jsm(accounts=(AGENT,), data_center=data_center) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        ann, bob = jsm.site.add_customer("ann@example.com"), jsm.site.add_customer("bob@example.com")
        for number in range(5):
            jsm.site.requests.add("HELP", "Get IT help", f"Laptop {number}", reporter=ann)
        jsm.site.requests.add("HELP", "Get IT help", "Bob's", reporter=bob)
        fields = issue_fields(client, site)
        jql = f"reporter = {quoted(ann.id)} ORDER BY created ASC"
        found, token = [], ""
        for _ in range(3):
            page = search_issues(client, site, fields, jql, limit=2, page_token=token)
            found += [facts.summary for facts in page.issues]
            token = page.next_token
        assert token == ""
        assert found == [f"Laptop {number}" for number in range(5)]


@pytest.mark.parametrize("data_center", KINDS)
def test_words_of_a_customer_find_and_never_break_the_query(data_center: bool) -> None:
    with checked_jsm(accounts=(AGENT,), data_center=data_center) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        ann, bob = jsm.site.add_customer("ann@example.com"), jsm.site.add_customer("bob@example.com")
        jsm.site.requests.add("HELP", "Get IT help", "VPN (home) is slow", reporter=ann)
        jsm.site.requests.add("HELP", "Get IT help", "VPN of Bob", reporter=bob)
        fields = issue_fields(client, site)
        for typed in ("vpn (home)", 'VPN" OR reporter != "x', "[vpn", "*vpn", "vpn AND", "vpn\\"):
            found = search_issues(client, site, fields, f"reporter = {quoted(ann.id)} AND text ~ {quoted_words(typed)}")
            assert {facts.reporter_id for facts in found.issues} <= {ann.id}
        assert len(search_issues(client, site, fields, f"text ~ {quoted_words('(home) vpn!')}").issues) == 1


def test_a_request_that_was_just_written_is_found_where_its_id_is_named() -> None:
    with checked_jsm(accounts=(AGENT,)) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        jsm.site.requests.search_lag = 60.0
        ann = jsm.site.add_customer("ann@example.com")
        made = jsm.site.requests.add("HELP", "Get IT help", "Broken", reporter=ann)
        fields, jql = issue_fields(client, site), f"reporter = {quoted(ann.id)}"
        assert search_issues(client, site, fields, jql).issues == ()
        many = [*range(1, 80), int(made.id)]
        assert [facts.id for facts in search_issues(client, site, fields, jql, reconcile=many).issues] == [made.id]


def test_a_query_that_jira_does_not_understand_is_its_refusal_in_its_words() -> None:
    with checked_jsm(accounts=(AGENT,)) as jsm:
        client, site = client_of(jsm), site_of(jsm)
        with pytest.raises(JsmRefused) as refused:
            search_issues(client, site, IssueFields("", "", "", ""), "reporter = ")
        assert refused.value.status == 400
        assert "JQL" in refused.value.detail
