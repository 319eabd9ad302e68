"""Tokens in our forms, bound to the session and the form, so that no other site can send them."""

from __future__ import annotations

import hmac

from jsmsso.sealing import Sealer

FORM_SECONDS = 12 * 3600


def form_token(sealer: Sealer, form: str, session_id: str, now: float) -> str:
    """A token for one form of one session (empty id: nobody is signed in)."""
    return sealer.seal("form", f"{int(now)} {form} {session_id}".encode())


def is_form_token(sealer: Sealer, token: str, form: str, session_id: str, now: float) -> bool:
    """Whether ``token`` was made for this form and session within the last twelve hours."""
    content = sealer.open("form", token)
    if content is None:
        return False
    made, _, bound = content.decode().partition(" ")
    return now < int(made) + FORM_SECONDS and hmac.compare_digest(bound.encode(), f"{form} {session_id}".encode())
