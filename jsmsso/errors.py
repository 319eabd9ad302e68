"""What can go wrong, as one small tree.

Each error has a ``code`` (stable; it stands in logs and in ``--json``), a ``message``, a ``hint``
(what to do; may be empty) and the ``exit_code`` of the command that meets it. Errors carry their
evidence as attributes, so that pages, logs and the terminal can each make their own words of it.
This module imports nothing of the project.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar


class JsmssoError(Exception):
    """A fault of ours unless a subclass says otherwise; exit code 70."""

    code: ClassVar[str] = "fault"
    exit_code: ClassVar[int] = 70

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint


class CheckFailed(JsmssoError):
    """A check found a problem, or a person would be refused; exit code 1."""

    code = "check_failed"
    exit_code = 1


class UsageError(JsmssoError):
    """The command was called in a way it cannot act on; exit code 2."""

    code = "usage"
    exit_code = 2


# The profile ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Complaint:
    """One thing wrong with a profile: where, what was found, what is allowed. Never a secret's text."""

    line: int
    """1-based; 0 where no line fits (a missing file)."""
    key: str
    """Dotted path of the key, such as ``providers.cognito.client_id``; empty for the whole file."""
    message: str
    """What was found and what is allowed, as one sentence."""
    hint: str = ""

    def __str__(self) -> str:
        where = f"line {self.line}: " if self.line else ""
        key = f"{self.key}: " if self.key else ""
        return f"{where}{key}{self.message}" + (f" ({self.hint})" if self.hint else "")


class ProfileInvalid(JsmssoError):
    """The profile cannot be used; exit code 3. ``complaints`` has every reason at once."""

    code = "profile_invalid"
    exit_code = 3

    def __init__(self, path: str, complaints: tuple[Complaint, ...], hint: str = "") -> None:
        self.path = path
        self.complaints = complaints
        count = "1 problem" if len(complaints) == 1 else f"{len(complaints)} problems"
        lines = "\n".join(f"  {path}:{f'{c.line}:' if c.line else ''} {replace(c, line=0)}" for c in complaints)
        super().__init__(f"the profile has {count}:\n{lines}", hint)


class ProfileMissing(JsmssoError):
    """There is no profile where one was looked for; exit code 3."""

    code = "profile_missing"
    exit_code = 3


class NotReady(JsmssoError):
    """The profile is well formed, but cannot be served as it stands; exit code 3."""

    code = "not_ready"
    exit_code = 3


# The wires -----------------------------------------------------------------------------------


class WireFailed(JsmssoError):
    """A call to another machine brought no usable answer. The rooms turn it into their own errors.

    ``kind`` is one of ``resolve``, ``connect``, ``tls``, ``timeout``, ``too_large``, ``redirect``,
    ``protocol``, ``proxy`` or ``insecure``; ``address`` is the URL without query and user.
    """

    code = "wire_failed"
    exit_code = 6

    def __init__(self, kind: str, address: str, detail: str, hint: str = "") -> None:
        self.kind = kind
        self.address = address
        self.detail = detail
        super().__init__(f"{address}: {detail}", hint)


# The provider --------------------------------------------------------------------------------


class ProviderFailed(JsmssoError):
    """The OpenID Provider refused or failed; exit code 4."""

    code = "provider_failed"
    exit_code = 4


class ProviderUnreachable(ProviderFailed):
    """The provider gave no usable answer at all: network, timeout, HTML, 5xx."""

    code = "provider_unreachable"


class DiscoveryRefused(ProviderFailed):
    """The provider's metadata or keys cannot be trusted or used as they are."""

    code = "discovery_refused"


class AuthorizationRefused(ProviderFailed):
    """The provider answered the authorization request with ``error`` (RFC 6749 4.1.2.1)."""

    code = "authorization_refused"

    def __init__(self, error: str, description: str, message: str, hint: str = "") -> None:
        self.error = error
        self.description = description
        super().__init__(message, hint)


class AnswerRefused(ProviderFailed):
    """An authorization answer that is malformed, unknown, late, used or from the wrong provider.

    ``reason`` is one of ``malformed``, ``unknown``, ``late``, ``used``, ``displaced``, ``wrong_callback``,
    ``wrong_issuer``.
    """

    code = "answer_refused"

    def __init__(self, reason: str, message: str, hint: str = "") -> None:
        self.reason = reason
        super().__init__(message, hint)


class TokenRequestRefused(ProviderFailed):
    """The token endpoint answered with an error (RFC 6749 5.2)."""

    code = "token_request_refused"

    def __init__(self, error: str, description: str, status: int, message: str, hint: str = "") -> None:
        self.error = error
        self.description = description
        self.status = status
        super().__init__(message, hint)


class IdTokenRefused(ProviderFailed):
    """An ID token failed a check (OpenID Connect Core 3.1.3.7).

    ``check`` names it (``iss``, ``aud``, ``exp``, ``signature`` ...); ``expected`` and ``found`` are
    for the operator and never hold the token itself.
    """

    code = "id_token_refused"

    def __init__(self, check: str, expected: str, found: str, hint: str = "") -> None:
        self.check = check
        self.expected = expected
        self.found = found
        super().__init__(f"the ID token was refused: {check}: expected {expected}, found {found}", hint)


class LogoutTokenRefused(ProviderFailed):
    """A logout token failed a check (OpenID Connect Back-Channel Logout 1.0, 2.6); attributes as in :class:`IdTokenRefused`."""

    code = "logout_token_refused"

    def __init__(self, check: str, expected: str, found: str, hint: str = "") -> None:
        self.check = check
        self.expected = expected
        self.found = found
        super().__init__(f"the logout token was refused: {check}: expected {expected}, found {found}", hint)


class UserinfoRefused(ProviderFailed):
    """The UserInfo answer cannot be used (OpenID Connect Core 5.3)."""

    code = "userinfo_refused"


# The person ----------------------------------------------------------------------------------


class IdentityRefused(JsmssoError):
    """The claims do not make a customer; exit code 1.

    ``reason`` is one of ``email_missing``, ``email_malformed``, ``email_unverified``, ``email_domain``.
    ``claims`` names the claims that were there, without their values.
    """

    code = "identity_refused"
    exit_code = 1

    def __init__(self, reason: str, message: str, hint: str = "", *, email: str = "", claims: tuple[str, ...] = ()) -> None:
        self.reason = reason
        self.email = email
        self.claims = claims
        super().__init__(message, hint)


class CustomerRefused(JsmssoError):
    """A verified person has no account in JSM that may be taken for theirs; exit code 1.

    ``reason`` is one of ``account_hidden``, ``account_ambiguous``, ``account_inactive``, ``account_missing``,
    ``account_of_another_provider``, ``account_of_another_person``, ``customer_barred``, ``customer_not_written``.
    """

    code = "customer_refused"
    exit_code = 1

    def __init__(self, reason: str, message: str, hint: str = "", *, email: str = "") -> None:
        self.reason = reason
        self.email = email
        super().__init__(message, hint)


# Jira Service Management ---------------------------------------------------------------------


class JsmFailed(JsmssoError):
    """JSM refused or failed; exit code 5."""

    code = "jsm_failed"
    exit_code = 5


class JsmUnreachable(JsmFailed):
    """JSM gave no usable answer at all."""

    code = "jsm_unreachable"


class JsmRefused(JsmFailed):
    """JSM answered with an error status; ``status`` is the HTTP status, ``detail`` Atlassian's own message, ``key`` its name."""

    code = "jsm_refused"

    def __init__(self, status: int, detail: str, message: str, hint: str = "", *, key: str = "") -> None:
        self.status = status
        self.detail = detail
        self.key = key
        super().__init__(message, hint)


class CustomerExists(JsmRefused):
    """An account with this address is there already, whether we see it or not."""

    code = "customer_exists"


class AccountUnknown(JsmRefused):
    """JSM does not know the account, yet or any more: a new one may take up to a minute to be usable."""

    code = "account_unknown"


class JsmAnswerInvalid(JsmFailed):
    """JSM answered with something that is not what its documents promise (HTML, a page that repeats)."""

    code = "jsm_answer_invalid"


# This machine --------------------------------------------------------------------------------


class MachineFailed(JsmssoError):
    """This machine is in the way: keyring, port, disk, store; exit code 6."""

    code = "machine_failed"
    exit_code = 6


class SecretUnavailable(MachineFailed):
    """A secret reference leads to nothing; ``reference`` is the reference, never the secret."""

    code = "secret_unavailable"

    def __init__(self, reference: str, message: str, hint: str = "") -> None:
        self.reference = reference
        super().__init__(message, hint)


class SecretMissing(SecretUnavailable):
    """The place is there, and has no secret of that name."""


class FileChanged(MachineFailed):
    """The profile changed on disk between reading and writing; nothing was written."""

    code = "file_changed"


class TooBusy(MachineFailed):
    """Too many threads of this process wait for another machine already; passes by itself."""

    code = "too_busy"


class PortTaken(MachineFailed):
    """An address to listen on is in use or not ours."""

    code = "port_taken"


class StoreUnavailable(MachineFailed):
    """The store cannot be opened or does not answer."""

    code = "store_unavailable"
