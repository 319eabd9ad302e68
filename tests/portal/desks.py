"""A local JSM whose portal HELP has every kind of request type."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from jsmsso.sandbox.jsm_field_kinds import EVERY_KIND, IT_HELP, NO_ONE_ELSE, NOT_BUILDABLE, NOT_FOR_EVERYONE, NOT_ON_THE_PORTAL
from jsmsso.sandbox.jsm_site import LocalDesk, default_desks
from jsmsso.sandbox.local_jsm import LocalJsm

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
