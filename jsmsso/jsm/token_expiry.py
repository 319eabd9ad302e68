"""When the service account's token ends. Nothing that JSM answers tells it, so the profile remembers what a person said."""

from __future__ import annotations

from datetime import date

WARNED_FROM = 30  # days before the end
URGENT_FROM = 7
LONGEST_LIFE = 366  # days that a Cloud API token lives at most (Atlassian: Manage API tokens)


def expiry_warning(expires: date | None, today: date) -> str:
    """A sentence from 30 days before the token ends, plainer from 7 and from 1; empty before that, or when unknown."""
    if expires is None or (days := (expires - today).days) > WARNED_FROM:
        return ""
    renew = "make a new one, then run jsmsso jsm connect again"
    if days < 0:
        return f"the JSM token ended on {expires}: {renew}"
    if days <= 1:
        when = "today" if days == 0 else "tomorrow"
        return f"the JSM token ends {when} ({expires}); portals stop working then: {renew}"
    if days <= URGENT_FROM:
        return f"the JSM token ends in {days} days, on {expires}; {renew} this week"
    return f"the JSM token ends in {days} days, on {expires}; {renew} before that"
