"""Who a person is to JSM after attribute mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Customer:
    """A verified person. ``email`` is folded; (``issuer``, ``subject``) is their identity, ``email`` an attribute."""

    provider: str
    issuer: str
    subject: str
    email: str
    first_name: str = ""
    last_name: str = ""
    display_name: str = ""
    organizations: tuple[str, ...] = ()
    locale: str = ""
    phone: str = ""
    organizations_complete: bool = True
    """Whether the customer is known to belong to no others (False: the provider left some out)."""
    other: Mapping[str, Any] = field(default_factory=dict)
