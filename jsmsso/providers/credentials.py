"""Whether a client's secret or key is right, as far as the token endpoint tells without a login."""

from __future__ import annotations

import secrets

from jsmsso.errors import ProviderUnreachable, TokenRequestRefused
from jsmsso.http_client import Answer, HttpClient
from jsmsso.oidc.authorization import printable
from jsmsso.oidc.client_authentication import client_authentication
from jsmsso.oidc.discovery import ProviderMetadata, answer_address
from jsmsso.oidc.settings import ClientSettings
from jsmsso.oidc.tokens import send_code
from jsmsso.providers.plain_oauth2 import standard_error
from jsmsso.providers.probes import BLOCKED, Probe, json_answer, named, place_of, wrong_address
from jsmsso.providers.types import ProviderType


def probe_credentials(
    http: HttpClient,
    settings: ClientSettings,
    metadata: ProviderMetadata,
    type_: ProviderType,
    *,
    reference: str | None,
    known_client: bool,
) -> tuple[Probe, str | None]:
    """Whether the client's credentials are right, by a code that cannot exist, and the answer's ``Date``.

    RFC 6749 5.2: ``invalid_grant`` means they are, ``invalid_client`` that they are not; where an endpoint looks at the
    code first, a wrong secret shows only in the login. Raises :class:`ProviderUnreachable`.
    """
    # 64 characters: one that a guessing protection might count is none that could exist.
    answer = send_code(http, settings, metadata, f"jsmsso-probe-{secrets.token_hex(24)}", secrets.token_urlsafe(32))
    date = answer.headers.get("date")
    name = (
        "client key" if _proves_by_key(settings, metadata) else "client secret" if settings.client_secret is not None else "public client"
    )
    document = json_answer(answer)
    if document is None:
        return _no_token_endpoint(answer, type_, name), date
    error = (standard_error(document, type_.plain.errors) if type_.plain else document).get("error")
    error = printable(error, 80) if isinstance(error, str) else ""
    match error:
        case "invalid_grant":
            return Probe(name, "right", "accepted by the token endpoint"), date
        case "invalid_client":
            refused = credentials_refused(settings, type_, reference=reference, known_client=known_client, status=answer.status)
            return Probe(name, "wrong", "refused by the token endpoint", refused), date
        case "unauthorized_client":
            hint = f"Allow the authorization code grant at {place_of('grant', type_)}."
            if settings.client_secret is not None:
                hint += " A public client that is sent a secret is refused so too: then take client_secret out of the profile."
            message = f"the client {settings.client_id} may not exchange codes (unauthorized_client)"
            return Probe(name, "wrong", "unauthorized_client", TokenRequestRefused(error, "", answer.status, message, hint)), date
    return Probe(name, "unknown", f"could not tell: {error or f'the token endpoint answered {answer.status}'}"), date


def _proves_by_key(settings: ClientSettings, metadata: ProviderMetadata) -> bool:
    return client_authentication(settings, metadata) == "private_key_jwt"


def credentials_refused(
    settings: ClientSettings, type_: ProviderType, *, reference: str | None, known_client: bool, status: int
) -> TokenRequestRefused:
    """``invalid_client`` in words: which setting is the likely cause, and what to do."""
    if settings.client_key is not None and (settings.client_secret is None or settings.client_auth == "private_key_jwt"):
        return TokenRequestRefused(
            "invalid_client",
            "",
            status,
            f"{named(type_)} refused the client's key (invalid_client)",
            f"Register the public half of {reference or 'the key'} for the client {settings.client_id} at the provider,\n"
            "with private_key_jwt as its way to prove itself, and see that this machine's clock is right.",
        )
    if settings.client_secret is None:
        return TokenRequestRefused(
            "invalid_client",
            "",
            status,
            f"{named(type_)} refused the client {settings.client_id}, which sent no secret (invalid_client)",
            f"Its client has one: copy it from {place_of('client_secret', type_)}, then\n"
            f"  jsmsso secrets set {settings.name}/client_secret\n"
            f"and write client_secret: keyring:{settings.name}/client_secret into the profile.",
        )
    likely = (
        f"It accepts the client id {settings.client_id}, so the secret is the likely cause:"
        if known_client
        else f"The client id {settings.client_id} or its secret is wrong:"
    )
    kind, _, name = (reference or "").partition(":")
    again = {"keyring": f"jsmsso secrets set {name}", "file": f"jsmsso secrets set file:{name}"}.get(kind, f"set {name} anew")
    return TokenRequestRefused(
        "invalid_client",
        "",
        status,
        f"{named(type_)} refused the client secret (invalid_client)",
        f"{likely}\n{reference}.\nCopy it again from {place_of('client_secret', type_)}, then\n  {again}\n"
        "If it is right, the provider may want it sent in another way: client_auth.",
    )


def _no_token_endpoint(answer: Answer, type_: ProviderType, name: str) -> Probe:
    said = (
        f"{answer_address(answer)} answered {answer.status} with {answer.headers.get('content-type', 'no content type').partition(';')[0]}"
    )
    if answer.status in BLOCKED:
        return Probe(name, "unknown", f"could not tell: {said}")
    error = ProviderUnreachable(f"{said} where a token endpoint is due", wrong_address(type_))
    return Probe(name, "wrong", "that is no token endpoint", error)
