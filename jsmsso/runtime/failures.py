"""Errors in words for customers, who can do nothing about most of them, and reason codes for the log."""

from __future__ import annotations

from dataclasses import dataclass

from jsmsso.errors import (
    AnswerRefused,
    AuthorizationRefused,
    CustomerRefused,
    IdentityRefused,
    IdTokenRefused,
    JsmssoError,
    ProviderFailed,
    ProviderUnreachable,
    StoreUnavailable,
    TokenRequestRefused,
    TooBusy,
    UserinfoRefused,
    WireFailed,
)
from jsmsso.oidc.authorization import customer_sentence
from jsmsso.portal.languages import N_


@dataclass(frozen=True, slots=True)
class Failure:
    """What a person is told (``title``, ``lead``, ``note``) and what the log says (``reason``, ``detail``)."""

    status: int
    reason: str
    title: str
    lead: str
    detail: str = ""
    note: str = ""
    another_account: bool = False

    @property
    def event(self) -> str:
        if self.reason in ("page.not_found", "fault", "store_unavailable"):
            return self.reason
        return "auth.refused" if self.reason == "other_path" else "login.refused"


_ANSWERS = {
    "unknown": (
        400,
        N_("This sign-in is not known here"),
        N_("It was started in another browser, or too long ago. Nobody was signed in."),
        N_("Testing the connection from a terminal? Copy this page's address and paste it there."),
    ),
    "late": (400, N_("This sign-in took too long"), N_("Ten minutes are allowed. Nobody was signed in."), ""),
    "used": (400, N_("This sign-in was used before"), N_("Each sign-in works once."), ""),
    "displaced": (400, N_("A newer sign-in took over"), N_("Only a few can be under way in one browser."), ""),
    "malformed": (400, N_("This sign-in cannot be read"), N_("The login service sent an answer that makes no sense."), ""),
    "wrong_callback": (403, N_("This sign-in cannot be trusted"), N_("The answer came from another login service than the one asked."), ""),
    "wrong_issuer": (403, N_("This sign-in cannot be trusted"), N_("The answer came from another login service than the one asked."), ""),
}


def explain_answer(error: AnswerRefused) -> Failure:
    """An authorization answer that signs nobody in."""
    status, title, lead, note = _ANSWERS[error.reason]
    return Failure(status, f"answer_{error.reason}", title, lead, error.message, note)


def explain(error: JsmssoError) -> Failure:
    """Any error on the way to a session."""
    match error:
        case IdentityRefused():
            return _identity(error)
        case CustomerRefused():
            return _customer(error)
        case ProviderFailed():
            return _provider(error)
        case TooBusy():
            title, lead = N_("Many people are signing in just now"), N_("Your link is kept: try again in a moment.")
            return Failure(503, error.code, title, lead, error.message)
        case StoreUnavailable():
            title, lead = N_("This site cannot sign anybody in just now"), N_("Your link is kept: try again in a moment.")
            return Failure(503, error.code, title, lead, error.message)
    return Failure(503, error.code, N_("This did not work"), N_("It is not your mistake. Try again in a moment."), error.message)


def _identity(error: IdentityRefused) -> Failure:
    title = N_("This account cannot be used here")
    if error.reason == "email_unverified":
        title = N_("Your email address is not confirmed")
        lead = N_("This address is not confirmed with the login service. Confirm it there, then sign in again.")
    elif error.reason == "email_domain":
        lead = N_("The login service that you came from does not speak for this address. Sign in with your own company's.")
    else:
        lead = N_("The login service did not say who you are in a way that works here.")
    return Failure(403, error.reason, title, lead, error.message, another_account=True)


def _provider(error: ProviderFailed) -> Failure:
    untrusted = N_("This sign-in cannot be trusted"), N_("The login service's answer did not pass a check. Nobody was signed in.")
    match error:
        case ProviderUnreachable():
            timeout = isinstance(error.__cause__, WireFailed) and error.__cause__.kind == "timeout"
            title, lead = N_("The login service does not answer"), N_("This usually passes. Your link is kept: try again in a moment.")
            return Failure(504 if timeout else 502, error.code, title, lead, error.message)
        case AuthorizationRefused():
            return _authorization(error)
        case TokenRequestRefused(error="invalid_grant"):
            title, lead = N_("This sign-in can no longer be used"), N_("Start again; it takes a moment.")
            return Failure(400, "token_invalid_grant", title, lead, error.message)
        case IdTokenRefused():
            return Failure(403, f"id_token_{error.check}", *untrusted, error.message)
        case UserinfoRefused():
            return Failure(403, error.code, *untrusted, error.message)
    title, lead = N_("The login service has a problem"), N_("It is not your mistake. The people who run this site can see why.")
    return Failure(502, error.code, title, lead, error.message)


_UNCLEAR = (
    403,
    N_("Your account needs a look"),
    N_("Which account in the portal is yours could not be told for certain. It is not your mistake."),
)
_CUSTOMERS = {
    "account_missing": (403, N_("You have no account here yet"), N_("The portal does not know you yet. It is not your mistake.")),
    "customer_barred": (403, N_("This account has no access"), N_("Your access here was ended by the people who run this site.")),
    "customer_not_written": (
        503,
        N_("The portal does not answer"),
        N_("It cannot be prepared for you just now. Your link is kept: try again in a moment."),
    ),
}


def _customer(error: CustomerRefused) -> Failure:
    """Nothing here is for the person to mend: ids and other people's addresses go to the log alone."""
    status, title, lead = _CUSTOMERS.get(error.reason, _UNCLEAR)
    note = "" if status == 503 else N_("The people who run this site can settle it, and need to do so only once.")
    return Failure(status, error.reason, title, lead, error.message, note)


def _authorization(error: AuthorizationRefused) -> Failure:
    reason = f"authorization_{error.error}"[:60]
    if error.error in _ABOUT_THE_PERSON:
        return Failure(403, reason, N_("You were not signed in"), customer_sentence(error), error.message)
    return Failure(502, reason, N_("The login service has a problem"), customer_sentence(error), error.message)


_ABOUT_THE_PERSON = (
    "access_denied",
    "login_required",
    "interaction_required",
    "consent_required",
    "account_selection_required",
    "unmet_authentication_requirements",
)

OF_AUTHORIZATION = (
    N_("The login service did not accept how this site asked. It is not your mistake; the people who run this site can see why."),
    N_("The login service needs something more from you. Sign in again."),
    N_("The login service has a problem of its own. This usually passes: try again in a moment."),
    N_("The sign-in was cancelled, or the login service does not let you in here."),
    N_("Choose which account to sign in with, then try again."),
    N_("The login service needs your consent first. Sign in again and agree, or ask the people who run this site."),
    N_("This site asks for a stronger sign-in, such as a second factor, than the login service could make with you."),
    N_("Your account has just been set up. Sign in once more."),
)
"""The sentences of :mod:`jsmsso.oidc.authorization`, which knows no languages, for the catalogues."""
