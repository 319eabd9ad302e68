"""Atlassian's refusals, in words: what it said, which permission or setting is the likely cause, what to do."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from typing import Any

from jsmsso.errors import JsmRefused
from jsmsso.jsm.answers import text_of
from jsmsso.jsm.authentication import ApiToken, Authentication

LONGEST_DETAIL = 300  # characters of Atlassian's message
# Classic scopes of the calls we make (Atlassian's OpenAPI documents, x-atlassian-oauth2-scopes).
SCOPES = (
    "read:jira-user",
    "read:jira-work",
    "write:jira-work",
    "read:servicedesk-request",
    "write:servicedesk-request",
    "manage:servicedesk-customer",
)
API_TOKENS = "https://id.atlassian.com/manage-profile/security/api-tokens"


def refusal(
    status: int, headers: Mapping[str, str], body: bytes, address: str, authentication: Authentication | None, needs: str
) -> JsmRefused:
    """The error for an answer of 400 and above (or a login that failed behind a 200). ``address`` has no query."""
    detail = _detail(body)
    said = f": {detail}" if detail else ""
    message, hint = _explanation(status, headers, authentication, needs, detail)
    return JsmRefused(status, detail, f"{message} ({status}{said}) at {address}", hint, key=_key(body))


def still_busy(seconds: float, address: str) -> JsmRefused:
    """The error for a call that was not made, because the site has asked to be left alone for longer than we can wait."""
    return JsmRefused(
        429, "", f"JSM is busy (429 a moment ago): {address} was not called", f"It asks to come back in {seconds:.0f} seconds."
    )


def lacks_scope(error: JsmRefused) -> bool:
    """Whether the gateway took the token, and found that it has not the scope that the call takes."""
    return error.status in (401, 403) and _is_about_scope(error.detail)


def denied_login(headers: Mapping[str, str]) -> bool:
    """Whether Jira says that the credentials sent were not accepted, whatever the status."""
    return headers.get("X-Seraph-LoginReason", "").upper() in ("AUTHENTICATED_FAILED", "AUTHENTICATION_DENIED")


def _is_about_scope(detail: str) -> bool:
    return "scope" in detail.lower()


def _explanation(
    status: int, headers: Mapping[str, str], authentication: Authentication | None, needs: str, detail: str
) -> tuple[str, str]:
    if status in (401, 403) and _is_about_scope(detail):
        return "JSM refused: the API token lacks a scope", f"Make a token with the scopes {', '.join(SCOPES)}\nat {API_TOKENS}"
    if status == 401:
        return _unauthorized(headers, authentication)
    if status == 403:
        if denied_login(headers):
            return _unauthorized(headers, authentication)
        cause = f"It needs {needs}." if needs else "The service account lacks a permission."
        return "JSM refused", f"{cause}\nAn IP allowlist of the site has the same effect: may this machine's address in?"
    if status == 404:
        return "JSM knows no such address", (
            "Is jsm.url complete (on Data Center with its context path, such as /jira), is Jira Service Management\n"
            "installed there, and may the service account see it?"
        )
    if status == 429:
        wait = headers.get("Retry-After")
        return "JSM is busy", f"It asks to come back in {wait} seconds." if wait and wait.isdigit() else "Try again in a few minutes."
    if status >= 500:
        return "JSM failed", "Try again; https://status.atlassian.com shows whether Cloud has trouble."
    return "JSM refused", "Is the site newer or older than jsmsso knows? Please report it with this message."


def _unauthorized(headers: Mapping[str, str], authentication: Authentication | None) -> tuple[str, str]:
    if authentication is None:
        return "JSM does not say what it is without a login", ""
    if headers.get("X-Seraph-LoginReason", "").upper() == "AUTHENTICATION_DENIED":
        return (
            "JSM refused the login",
            "Too many logins failed: log in as the service account in a browser once, solve the puzzle, and try again.",
        )
    if isinstance(authentication, ApiToken):
        return f"JSM refused the API token of {authentication.email}", (
            "The token ended, was mistyped or belongs to another account.\n"
            f"Make one as {authentication.email} at {API_TOKENS}, then run\n"
            "jsmsso jsm connect again; it also finds the way that a token with scopes takes."
        )
    return "JSM refused the personal access token", (
        "The token ended, was revoked or was mistyped. Make one in Jira as the service account\n"
        "(Profile > Personal Access Tokens), then run jsmsso jsm connect again."
    )


def _detail(body: bytes) -> str:
    """Atlassian's own message, on one line; empty where there is none (a page, nothing at all)."""
    try:
        answer = json.loads(body)
    except (ValueError, RecursionError):
        return _title(body)
    return _one_line(_message(answer))


def _key(body: bytes) -> str:
    """The name of Atlassian's message, which is the same in every language (``i18nErrorMessage.i18nKey``)."""
    try:
        return text_of(json.loads(body)["i18nErrorMessage"]["i18nKey"])
    except (ValueError, LookupError, TypeError, RecursionError):
        return ""


def _message(answer: Any) -> str:
    """``{errorMessage}`` of servicedeskapi, ``{errorMessages, errors}`` of the platform, ``{message}`` of the door."""
    if not isinstance(answer, dict):
        return ""
    if single := text_of(answer.get("errorMessage")):
        return single
    several = [text for text in answer.get("errorMessages") or [] if isinstance(text, str)]
    fields = answer.get("errors")
    if isinstance(fields, dict):
        several += [f"{name}: {text}" for name, text in fields.items() if isinstance(text, str)]
    if several:
        return "; ".join(several)
    return text_of(answer.get("message"))


def _title(body: bytes) -> str:
    found = re.search(rb"<title[^>]*>([^<]{1,300})", body[:20_000], re.IGNORECASE)
    return "a page titled " + _one_line(found[1].decode("utf-8", "replace")) if found else ""


def _one_line(text: str) -> str:
    tidy = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return tidy if len(tidy) <= LONGEST_DETAIL else tidy[: LONGEST_DETAIL - 3] + "..."
