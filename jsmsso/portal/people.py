"""What customers read of one another."""

from __future__ import annotations


def shown_name(name: str) -> str:
    """A name in JSM as others may read it; empty where it is an address, as it is for accounts that were given no name."""
    return "" if "@" in name or "\N{FULLWIDTH COMMERCIAL AT}" in name else name
