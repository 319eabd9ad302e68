"""Which folded addresses and domains a pattern of a rule stands for."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache


def domain_matches(domain: str, patterns: Sequence[str]) -> bool:
    """Whether a folded domain is one of ``patterns`` (exact, or ``*.`` for any subdomain)."""
    return any(
        domain.endswith(pattern[1:]) and len(domain) > len(pattern) - 1 if pattern.startswith("*.") else domain == pattern
        for pattern in patterns
    )


@lru_cache(maxsize=4096)
def glob(pattern: str) -> Callable[[str], object]:
    """Only ``*`` is special (any characters, never across the ``@``). Takes time in proportion to the text, whatever the stars."""
    if "*" not in pattern:
        return pattern.__eq__
    before, at, after = pattern.partition("@")
    local_part, domain = before.split("*"), after.split("*")

    def fits(email: str) -> bool:
        mine, _, its = email.partition("@")
        return bool(at) and _wild(local_part, mine) and _wild(domain, its)

    return fits


def _wild(parts: Sequence[str], text: str) -> bool:
    """Whether ``text`` is ``parts`` with anything between them."""
    if len(parts) == 1:
        return text == parts[0]
    first, *middle, last = parts
    place, end = len(first), len(text) - len(last)
    if end < place or not text.startswith(first) or not text.endswith(last):
        return False
    for part in middle:
        found = text.find(part, place, end)
        if found < 0:
            return False
        place = found + len(part)
    return True
