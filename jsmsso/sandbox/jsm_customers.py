"""The local JSM's customers: new accounts, and who is a customer of which desk (``/rest/servicedeskapi``)."""

from __future__ import annotations

import re

from werkzeug.routing import Rule
from werkzeug.wrappers import Response

from jsmsso.sandbox.jsm_call import Call, Refused, answer, desk_error, forbidden, invalid, nothing
from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_site import LocalDesk

EMAIL = re.compile(r"[^\s@<>\"]+@[^\s@.<>\"]+(\.[^\s@.<>\"]+)+")


def create_customer(call: Call) -> Response:
    """``POST customer``: a new account, known to other calls only when the site has settled it.

    Cloud takes ``displayName`` (``fullName`` is its old word), Data Center ``fullName``; its user name is the address.
    """
    account, site = call.caller(), call.site
    if "ADMINISTER" not in account.permissions():
        return forbidden("You do not have permission to create customers. Jira administrators only.")
    sent = call.body("email", "fullName", *(["displayName"] if site.is_cloud else []))
    email, name = sent.get("email"), sent.get("displayName") or sent.get("fullName")
    if not isinstance(email, str) or not EMAIL.fullmatch(email):
        return invalid("The email address you entered is not valid.", "sd.customer.error.email.invalid")
    if not isinstance(name, str) or not name.strip():
        return invalid("You must specify a name for the customer.", "sd.customer.error.name.missing")
    if site.people.with_email(email):
        strict = site.is_cloud and call.query.get("strictConflictStatusCode") == "true"
        return desk_error(409 if strict else 400, "An account already exists for this email address.", "sd.customer.error.email.exists")
    person = site.add_customer(email, name, known_in=site.slow_account_creation)
    return answer(call.customer(person), 201)


def customers_of_desk(call: Call, desk_id: str) -> Response:
    """``GET servicedesk/<id>/customer?query=``: an agent of the desk sees them. Experimental, and of Cloud alone."""
    if not call.site.lists_desk_customers:
        return desk_error(405, "HTTP 405 Method Not Allowed", "sd.rest.error.method.not.allowed")
    desk = call.desk(desk_id)
    call.needs_opt_in()
    if "SERVICEDESK_AGENT" not in call.caller().permissions(desk):
        return forbidden("You do not have permission to view the customers of this service project.")
    hidden_too = call.site.desk_query_finds_hidden
    return call.page(call.site.people.found(call.query.get("query", ""), desk.customers, hidden_too=hidden_too), call.customer)


def add_customers(call: Call, desk_id: str) -> Response:
    """``POST servicedesk/<id>/customer``: those who exist are added, even where others do not.

    Cloud answers 204; Data Center takes names or addresses and answers with who was added, as its reference has it: one user.
    """
    desk = _desk_to_administer(call, desk_id)
    people, unknown = people_of_body(call)
    desk.customers.update(person.id for person in people)
    if unknown:
        return unknown_people(unknown)
    if call.site.is_cloud or not people:
        return nothing()
    return answer(call.customer(people[0]))


def remove_customers(call: Call, desk_id: str) -> Response:
    """``DELETE servicedesk/<id>/customer``. Experimental."""
    call.needs_opt_in()
    desk = _desk_to_administer(call, desk_id)
    people, unknown = people_of_body(call)
    if unknown:
        return unknown_people(unknown)
    desk.customers.difference_update(person.id for person in people)
    return nothing()


def _desk_to_administer(call: Call, desk_id: str) -> LocalDesk:
    desk = call.desk(desk_id)
    if "ADMINISTER_PROJECTS" not in call.caller().permissions(desk):
        raise Refused(forbidden("You do not have permission to manage the customers of this service project."))
    return desk


def people_of_body(call: Call) -> tuple[list[LocalPerson], list[str]]:
    """Those whom the body names, and the names of whom nobody knows: ``accountIds`` on Cloud, ``usernames`` on Data Center."""
    people, key = call.site.people, "accountIds" if call.site.is_cloud else "usernames"
    named = call.body(key).get(key)
    if not isinstance(named, list) or not named or not all(isinstance(name, str) for name in named):
        raise Refused(invalid(f"{key} has to be a list of users."))
    found, unknown = [], []
    for name in named:
        person = people.known(name)
        if person is None and not call.site.is_cloud:
            person = next((same for same in people.with_email(name) if people.known(same.id)), None)
        if person is None:
            unknown.append(name)
        else:
            found.append(person)
    return found, unknown


def unknown_people(names: list[str]) -> Response:
    """None of these is an account that other calls know."""
    return invalid(f"The user does not exist: {', '.join(names)}", "sd.user.error.does.not.exist")


DESK = "/rest/servicedeskapi/servicedesk/<desk_id>"
RULES = (
    Rule("/rest/servicedeskapi/customer", endpoint=create_customer, methods=["POST"]),
    Rule(f"{DESK}/customer", endpoint=customers_of_desk, methods=["GET"]),
    Rule(f"{DESK}/customer", endpoint=add_customers, methods=["POST"]),
    Rule(f"{DESK}/customer", endpoint=remove_customers, methods=["DELETE"]),
)
