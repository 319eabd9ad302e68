"""A provider tried out: the main corridor from the authorization address up to the access decision, once, for an administrator."""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from jsmsso.cli.connection.checks import Checked, check_before_login, secrets_of
from jsmsso.cli.connection.login import await_answer, can_open_browser, open_browser
from jsmsso.cli.loopback import loopback_redirect_uri
from jsmsso.errors import DiscoveryRefused, FileChanged, IdentityRefused, ProviderFailed, TokenRequestRefused
from jsmsso.http_client import HttpClient
from jsmsso.identity.access import INCOMPLETE, Decision, claims_named, decide
from jsmsso.identity.attributes import lacking, to_customer
from jsmsso.identity.customer import Customer
from jsmsso.oidc.authorization import authorization_url, check_issuer, constant_part, refuse_error
from jsmsso.oidc.relying_party import Authentication
from jsmsso.oidc.tokens import TokenAnswer, exchange_code
from jsmsso.profile.address_lists import with_lists
from jsmsso.profile.model import Profile
from jsmsso.profile.outgoing import http_client
from jsmsso.providers import cognito
from jsmsso.providers.credentials import credentials_refused
from jsmsso.providers.known import provider_type
from jsmsso.providers.probes import Probe
from jsmsso.providers.relying_party import relying_party
from jsmsso.providers.settings import identity_rules, wants_userinfo
from jsmsso.providers.types import incomplete_claims


@dataclass(frozen=True, slots=True)
class Terminal:
    """How the trial speaks with the person: ``probe`` and ``say`` show what goes on; ``browser`` whether one may be opened."""

    probe: Callable[[Probe], None]
    say: Callable[[str], None]
    browser: bool
    pasted: bool
    """Whether the final address is taken from standard input too."""


@dataclass(frozen=True, slots=True)
class Trial:
    """What came of it. ``customer`` is None where the claims make none; ``refused`` says why."""

    provider: str
    type: str
    redirect_uri: str
    probes: tuple[Probe, ...]
    authentication: Authentication
    customer: Customer | None
    refused: IdentityRefused | None
    decision: Decision
    issuer: str
    pinned: bool
    """Whether the issuer was written into the profile by this trial."""
    warnings: tuple[str, ...]


def try_provider(profile: Profile, path: Path, name: str, *, port: int, seconds: int, terminal: Terminal) -> Trial:
    """Log in at the provider ``name`` of the profile at ``path``. Raises the errors of every room that it walks through."""
    provider = profile.providers[name]
    client_secret, client_key = secrets_of(provider, path)
    http = http_client(profile, path)
    redirect_uri = loopback_redirect_uri(port)
    checked = check_before_login(http, profile, name, client_secret, client_key=client_key, redirect_uri=redirect_uri, say=terminal.probe)
    authentication, issuer = log_in(http, profile, name, checked, port=port, seconds=seconds, terminal=terminal)
    pinned = not provider.issuer and pin_issuer(path, name, issuer)
    rules = identity_rules(profile, name)
    warnings = [probe.warning for probe in checked.probes if probe.warning]
    try:
        customer = to_customer(authentication.claims, rules)
    except IdentityRefused as error:
        if error.reason == "email_unverified" and provider.type not in ("cognito", "oidc"):
            error.hint = provider_type(provider.type).email.replace("`", "")
        decision = Decision(False, 0, error.message)
        return Trial(name, provider.type, checked.settings.redirect_uri, checked.probes, authentication, None, error, decision, issuer,
                     pinned, tuple(warnings))  # fmt: skip
    warnings += _lacking(profile, name, authentication)
    incomplete = incomplete_claims(provider_type(provider.type), authentication.claims)
    decision = decide(with_lists(profile.rules, path.parent), customer, {**authentication.claims, **dict.fromkeys(incomplete, INCOMPLETE)})
    return Trial(name, provider.type, checked.settings.redirect_uri, checked.probes, authentication, customer, None, decision, issuer,
                 pinned, tuple(warnings))  # fmt: skip


def log_in(
    http: HttpClient, profile: Profile, name: str, checked: Checked, *, port: int, seconds: int, terminal: Terminal
) -> tuple[Authentication, str]:
    """Who came back, and the issuer that says so."""
    settings, metadata = checked.settings, checked.metadata
    type_ = provider_type(profile.providers[name].type)
    party = relying_party(settings, type_, http) if metadata.issuer else None
    state, nonce, code_verifier = (secrets.token_urlsafe(32) for _ in range(3))
    if party is not None:
        url = party.authorization_url(state=state, nonce=nonce, code_verifier=code_verifier)
    else:
        url = authorization_url(constant_part(settings, metadata), state=state, nonce=nonce, code_verifier=code_verifier)
    answer = await_answer(
        redirect_uri=settings.redirect_uri,
        state=state,
        port=None if checked.must_paste else port,
        pasted=terminal.pasted or checked.must_paste,
        seconds=seconds,
        begin=lambda: _invite(url, seconds, terminal, must_paste=checked.must_paste),
        say=terminal.say,
    )
    wants = wants_userinfo(profile, name)
    try:
        if party is not None:
            return party.complete(answer, nonce=nonce, code_verifier=code_verifier, wants_userinfo=wants), settings.issuer
        refuse_error(answer)
        tokens = exchange_code(http, settings, metadata, answer.code, code_verifier)
    except TokenRequestRefused as error:
        if error.error != "invalid_client":
            raise
        # Some endpoints look at the code first, so that only a real one shows a wrong secret.
        provider = profile.providers[name]
        reference = provider.client_secret or provider.client_key
        raise credentials_refused(settings, type_, reference=reference, known_client=True, status=error.status) from error
    issuer = _issuer_of_login(http, profile, name, tokens)
    party = relying_party(replace(settings, issuer=issuer), type_, http)
    check_issuer(answer, party.metadata)
    return party.authenticate(tokens, nonce=nonce, wants_userinfo=wants), issuer


def _invite(url: str, seconds: int, terminal: Terminal, *, must_paste: bool) -> None:
    minutes = f"{seconds // 60} min" if seconds >= 60 and seconds % 60 == 0 else f"{seconds} s"
    if terminal.browser and can_open_browser():
        terminal.say(f"Opening {url.partition('?')[0]}?... (waiting, {minutes})")
        terminal.say(f"If no window opens, open this address yourself:\n\n{url}\n")
        open_browser(url)
    else:
        terminal.say(f"Open this address in a browser (waiting, {minutes}):\n\n{url}\n")
    if must_paste:
        terminal.say("After the login, paste the address that the browser ends at (its page may not load), then press Enter:")
    elif terminal.pasted:
        terminal.say("On another machine? Paste the address that the browser ends at here, then press Enter.")


def _issuer_of_login(http: HttpClient, profile: Profile, name: str, tokens: TokenAnswer) -> str:
    provider = profile.providers[name]
    if provider.type != "cognito" or not provider.domain:
        raise ProviderFailed("the provider's issuer is not known", f"Set providers.{name}.issuer in the profile.")
    issuer = cognito.issuer_from_id_token(http, tokens.id_token, provider.domain, provider.discovery_url)
    if provider.user_pool_id and not issuer.endswith(f"/{provider.user_pool_id}"):
        raise DiscoveryRefused(
            f"the login came from the pool of {issuer}, the profile names {provider.user_pool_id}",
            f"Correct providers.{name}.user_pool_id, or the domain.",
        )
    return issuer


def pin_issuer(path: Path, name: str, issuer: str) -> bool:
    """Write the issuer into the provider's entry, after its domain. Raises :class:`FileChanged` where the entry changed meanwhile."""
    from ruamel.yaml.comments import CommentedMap

    from jsmsso.profile.editing import editing

    with editing(path) as document:
        entry: Any = document.data.get("providers", {}).get(name)
        if not isinstance(entry, CommentedMap) or entry.get("issuer", issuer) != issuer:
            raise FileChanged(f"providers.{name} changed while the login ran; nothing was written", "Run the command again.")
        before = [key for key in entry if key in ("type", "domain")]
        if "issuer" not in entry:
            entry.insert(list(entry).index(before[-1]) + 1 if before else 0, "issuer", issuer)
    return document.written


def _lacking(profile: Profile, name: str, authentication: Authentication) -> list[str]:
    """What the claims do not have though the profile counts on it."""
    missing = lacking(authentication.claims, identity_rules(profile, name))
    warnings = [
        f"no claim for {field}: attributes.{field} names {' and '.join(profile.attributes[field])}"
        for field in missing
        if field in profile.attributes
    ]
    for claim in sorted(claims_named(profile.rules) - set(authentication.claims)):
        why = ": a person in no group has none" if "group" in claim else ""
        warnings.append(f"an access rule looks at the claim {claim}, which was not sent{why}; an absent claim matches no rule")
    type_ = provider_type(profile.providers[name].type)
    for claim in sorted(incomplete_claims(type_, authentication.claims)):
        overflow = f" {type_.groups.overflow}".replace("`", "") if type_.groups and claim == type_.groups.claim else ""
        warnings.append(f"the provider left out values of the claim {claim}: rules cannot rely on it for this person.{overflow}")
    if profile.providers[name].trust_unverified_email and not _says_verified(profile, name, authentication):
        warnings.append(f"the provider does not call the address verified; it counts by providers.{name}.trust_unverified_email")
    return warnings


def _says_verified(profile: Profile, name: str, authentication: Authentication) -> bool:
    try:
        to_customer(authentication.claims, replace(identity_rules(profile, name), trust_unverified_email=()))
    except IdentityRefused:
        return False
    return True
