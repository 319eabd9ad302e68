"""Newer and older: Jira's search leads forward only, so the way back travels in the link, sealed."""

from __future__ import annotations

import json
from dataclasses import dataclass

from jsmsso.sealing import Sealer

MOST_BACK = 8  # pages; an address stays short, and a link leads to the newest ones all the same
MOST_CHARACTERS = 4000  # of the tokens of one link, which may have 8192 with the rest of its address


@dataclass(frozen=True, slots=True)
class Place:
    """Where in a list a page is: the tokens of the pages before it, the last one its own. ``reconcile`` stays the same on the way."""

    tokens: tuple[str, ...] = ()
    reconcile: tuple[int, ...] = ()

    @property
    def token(self) -> str:
        """Jira's token of this page; empty for the first."""
        return self.tokens[-1] if self.tokens else ""

    def older(self, token: str) -> Place:
        """The page after this one."""
        tokens = (*self.tokens, token)[-MOST_BACK:]
        while len(tokens) > 1 and sum(map(len, tokens)) > MOST_CHARACTERS:
            tokens = tokens[1:]
        return Place(tokens, self.reconcile)

    def newer(self) -> Place:
        """The page before this one; the first one where the way back is forgotten."""
        return Place(self.tokens[:-1], self.reconcile)


def sealed(sealer: Sealer, place: Place, bound: str) -> str:
    """The text of a place for a link; ``bound`` says whose list it is, and which."""
    return sealer.seal("page", json.dumps([bound, place.tokens, place.reconcile], separators=(",", ":")).encode())


def opened(sealer: Sealer, text: str, bound: str) -> Place | None:
    """What :func:`sealed` made for the same list; None for anything else."""
    content = sealer.open("page", text) if text else None
    if content is None:
        return None
    whose, tokens, reconcile = json.loads(content)
    return Place(tuple(tokens), tuple(reconcile)) if whose == bound else None
