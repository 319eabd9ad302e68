"""A local JSM whose portal HELP has every kind of request type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jsmsso.portal.acting import Acting
from jsmsso.portal.hosted import HostedPortals
from jsmsso.portal.services import Services
from jsmsso.portal.types import Types
from jsmsso.runtime.application import Application
from jsmsso.runtime.visit import Visit
from jsmsso.sandbox.jsm_field_kinds import EVERY_KIND, IT_HELP, NO_ONE_ELSE, NOT_BUILDABLE, NOT_FOR_EVERYONE, NOT_ON_THE_PORTAL
from jsmsso.sandbox.jsm_people import LocalPerson
from jsmsso.sandbox.jsm_site import LocalDesk, default_desks
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.portal.hosted_site import HostedSite

TYPES = (*IT_HELP, EVERY_KIND, *NOT_BUILDABLE, NOT_FOR_EVERYONE, NOT_ON_THE_PORTAL, NO_ONE_ELSE)


def desks(**options: Any) -> tuple[LocalDesk, ...]:
    """HELP with all those types, then HR and FAC as they are."""
    first, *others = default_desks(**options)
    return (replace(first, request_types=TYPES), *others)


def type_id(jsm: LocalJsm, name: str, desk: str = "HELP") -> str:
    """The id of a request type."""
    place = jsm.site.desk(desk)
    assert place is not None
    return next(one.id for one in place.types if one.name == name)


def services_of(application: Application) -> Services:
    """What the pages of this worker share."""
    rooms = application._hosted
    assert isinstance(rooms, HostedPortals)
    return rooms._services


def acting(hosted: HostedSite, person: LocalPerson) -> tuple[Types, Acting]:
    """What a page of this customer's at HELP knows, in a worker of its own."""
    browser = hosted.signed_in(person)
    environ = {"REQUEST_METHOD": "GET", "QUERY_STRING": "", "REMOTE_ADDR": "192.0.2.7"}
    visit = Visit(environ | {"HTTP_COOKIE": "; ".join(f"{k}={v}" for k, v in browser.cookies.items())}, "/portal/HELP")
    services = services_of(hosted.site.application)
    session = hosted.site.deployment.session_of(visit)
    assert session is not None
    portal = next(one for one in hosted.site.deployment.portals.all if one.key == "HELP")
    return Types(services), Acting(visit, session, portal, person.id, services.connect(5.0))
