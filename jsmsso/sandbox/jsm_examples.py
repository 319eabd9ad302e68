"""Requests to look at: a few that read like real ones, or thousands that only have to be many."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from jsmsso.sandbox.jsm_articles import EXAMPLES
from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_pictures import thumbnail_of
from jsmsso.sandbox.jsm_requests import LocalIssue
from jsmsso.sandbox.jsm_site import LocalSite

AGENT = "grace@example.com"
SUBJECTS = ("Monitor flickers", "No access to the share", "Headset is broken", "Mail does not arrive", "Laptop is slow", "VPN drops")


def add_example_requests(site: LocalSite, person: LocalPerson, organization: str = "Acme GmbH") -> list[LocalIssue]:
    """Three requests of ``person`` and one of a colleague's, with an agent's comments and an internal note that has a file."""
    now = datetime.now(UTC)
    site.add_organization(organization, [person], ["HELP"] if site.desk("HELP") else [])
    agent = next(iter(site.people.with_email(AGENT)), None) or site.add_customer(AGENT, "Grace, IT help", kind="atlassian")
    colleague = site.add_customer(f"colleague.of.{person.email}", "Ben Colleague", organizations=[organization])
    site.articles = site.articles or list(EXAMPLES)
    add, comment = site.requests.add, site.requests.add_comment

    headset = add(
        "HELP", "Get IT help", "New headset", reporter=person, status="Resolved", created=now - timedelta(days=20), values={"priority": LOW}
    )
    comment(headset, agent, "It is on your desk. Please close the request if it works.", created=now - timedelta(days=18))
    share = add(
        "HELP",
        "Get IT help",
        "Access to the finance share",
        reporter=person,
        description="I need to read the reports of last month.",
        status="In progress",
        created=now - timedelta(days=3),
        organizations=[organization],
    )
    comment(share, agent, "We have asked the owner of the share.", created=now - timedelta(days=1))
    laptop = add(
        "HELP",
        "New laptop",
        "A laptop for our new colleague",
        reporter=colleague,
        created=now - timedelta(days=2),
        organizations=[organization],
        participants=[person],
        values={
            "customfield_10120": {"id": "10200", "label": "Standard 14 inch"},
            "customfield_10122": f"{now + timedelta(days=14):%Y-%m-%d}",
        },
    )
    flicker = add(
        "HELP",
        "Get IT help",
        "Monitor flickers after the update",
        reporter=person,
        description="Since the update this morning the left screen goes black every few minutes.",
        status="Waiting for customer",
        created=now - timedelta(days=2, hours=3),
        updated=now - timedelta(hours=2),
        values={"priority": MEDIUM},
    )
    picture = thumbnail_of("image/png") or b""
    site.requests.add_attachment(flicker, person, "flicker.png", picture, "image/png", created=now - timedelta(days=2, hours=3))
    comment(
        flicker,
        agent,
        "Looks like the batch of faulty cables again, do not tell the customer yet.",
        public=False,
        files=[("supplier-contract.txt", b"Confidential: conditions of our supplier.", "text/plain")],
        created=now - timedelta(days=2),
    )
    question = "Does it also happen with another cable?\n\nPlease try the one in the drawer and tell us: https://example.com/cables"
    comment(flicker, agent, question, files=[("cables.txt", b"Black: 1 m. Grey: 2 m.", "text/plain")], created=now - timedelta(hours=2))
    return [headset, share, laptop, flicker]


MEDIUM = {"id": "3", "label": "Medium"}
LOW = {"id": "4", "label": "Low"}


def add_requests(
    site: LocalSite, count: int, reporter: LocalPerson | str, desk: str = "HELP", organizations: Sequence[str] = ()
) -> list[LocalIssue]:
    """``count`` requests, the last one the newest; every fourth is resolved. With a comment each they would take seconds, so none has."""
    now = datetime.now(UTC)
    request_type = site.directory.by_id_or_key[desk].types[0].id
    made = []
    for number in range(count):
        when = now - timedelta(minutes=count - number)
        status = "Resolved" if number % 4 == 3 else "Waiting for support"
        subject = f"{SUBJECTS[number % len(SUBJECTS)]} ({number + 1})"
        made.append(
            site.requests.add(desk, request_type, subject, reporter=reporter, status=status, created=when, organizations=organizations)
        )
    return made
