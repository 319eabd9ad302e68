"""Everything that can be told before the browser opens, and with which callback the login can work."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from jsmsso.errors import DiscoveryRefused, JsmssoError, ProviderFailed, ProviderUnreachable, SecretUnavailable
from jsmsso.http_client import HttpClient
from jsmsso.oidc.discovery import ProviderMetadata, fetch_document, fetch_metadata
from jsmsso.oidc.settings import ClientSettings
from jsmsso.profile.model import Profile, Provider
from jsmsso.profile.outgoing import http_client
from jsmsso.profile.secrets import read_secret
from jsmsso.providers import cognito
from jsmsso.providers.credentials import probe_credentials
from jsmsso.providers.known import provider_type
from jsmsso.providers.probes import (
    Asked,
    Probe,
    ask_authorization,
    probe_clock,
    probe_keys,
    probe_sign_out,
    read_asked,
    refused_scopes,
    wrong_address,
)
from jsmsso.providers.relying_party import relying_party
from jsmsso.providers.settings import callback_url, client_settings, endpoint_overrides
from jsmsso.providers.types import ProviderType

Say = Callable[[Probe], None]


@dataclass(frozen=True, slots=True)
class Checked:
    """What a login goes on with. ``settings.issuer`` and ``metadata.issuer`` are empty where the login has to tell the issuer."""

    probes: tuple[Probe, ...]
    settings: ClientSettings
    metadata: ProviderMetadata
    must_paste: bool
    """Only the public callback is registered, so the answer does not come to this machine by itself."""


def check_alone(profile: Profile, path: Path, name: str, *, redirect_uri: str) -> tuple[Probe, ...]:
    """Every check of the provider ``name`` that needs no login. Raises nothing that a check can find: it is the last probe's error."""
    probes: list[Probe] = []
    try:
        secret, key = secrets_of(profile.providers[name], path)
        check_before_login(http_client(profile, path), profile, name, secret, client_key=key, redirect_uri=redirect_uri, say=probes.append)
    except JsmssoError as error:
        if not any(probe.error is error for probe in probes):
            check = "secrets" if isinstance(error, SecretUnavailable) else "settings"
            probes.append(Probe(check, "wrong", error.message, error))
    return tuple(probes)


def secrets_of(provider: Provider, path: Path) -> tuple[str | None, str | None]:
    """The client's secret and its key, where the profile at ``path`` names them. Raises :class:`SecretUnavailable`."""
    secret, key = (
        read_secret(reference, base=path.parent) if reference else None for reference in (provider.client_secret, provider.client_key)
    )
    return secret, key


def check_before_login(
    http: HttpClient,
    profile: Profile,
    name: str,
    client_secret: str | None,
    *,
    client_key: str | None = None,
    redirect_uri: str,
    say: Say,
) -> Checked:
    """Run every probe, telling ``say`` of each; raises the first error that was found once all of them ran."""
    type_ = provider_type(profile.providers[name].type)
    run = _Run(http, profile, name, type_, say, [])
    settings = client_settings(profile, name, client_secret=client_secret, client_key=client_key, redirect_uri=redirect_uri)
    with _reaching(type_, run):
        settings, metadata = _discover(run, settings)
        if metadata.jwks_uri:
            run.note(probe_keys(http, settings, metadata))
        settings, must_paste, date = _ask(run, settings, metadata)
        credentials, date_of_tokens = probe_credentials(
            http,
            settings,
            metadata,
            type_,
            reference=profile.providers[name].client_secret or profile.providers[name].client_key,
            known_client=all(probe.result == "right" for probe in run.probes if probe.name == "client id"),
        )
    run.note(credentials)
    run.note(probe_clock(date_of_tokens or date, time.time(), profile.clock_skew))
    sign_out = probe_sign_out(http, settings, metadata, type_)
    if sign_out is not None:
        run.note(sign_out)
    for probe in run.probes:
        if probe.error is not None:
            raise probe.error
    return Checked(tuple(run.probes), settings, metadata, must_paste)


@dataclass(frozen=True, slots=True)
class _Run:
    http: HttpClient
    profile: Profile
    name: str
    type_: ProviderType
    say: Say
    probes: list[Probe]

    def note(self, probe: Probe) -> None:
        self.probes.append(probe)
        self.say(probe)


@contextmanager
def _reaching(type_: ProviderType, run: _Run) -> Iterator[None]:
    """A provider that gives no usable answer, with the setting that is the likely cause."""
    try:
        yield
    except ProviderFailed as error:
        if isinstance(error, ProviderUnreachable):
            unreachable = ProviderUnreachable(error.message, "\n".join(filter(None, (error.hint, wrong_address(type_)))))
            run.say(Probe("connection", "wrong", error.message, unreachable))
            raise unreachable from error
        run.say(Probe("discovery", "wrong", error.message, error))
        raise


def _discover(run: _Run, settings: ClientSettings) -> tuple[ClientSettings, ProviderMetadata]:
    if run.type_.plain is not None:
        return settings, relying_party(settings, run.type_, run.http).metadata
    provider = run.profile.providers[run.name]
    if not settings.issuer and provider.type == "cognito":
        issuer = _issuer_of_pool(run)
        if issuer is None:
            run.note(Probe("discovery", "right", "issuer found by the first login"))
            return settings, _metadata_of_domain(provider.domain or "", settings)
        settings = replace(settings, issuer=issuer)
    elif not settings.issuer:
        settings = replace(settings, issuer=_issuer_of_document(run, settings.discovery_url or ""))
    metadata = fetch_metadata(
        run.http, settings.issuer, discovery_url=settings.discovery_url, endpoints=settings.endpoints, tenants=settings.tenants
    )
    warning = ""
    if provider.type == "cognito" and provider.domain:
        expected = dict(cognito.endpoints(provider.domain)) | dict(endpoint_overrides(provider))
        if metadata.token_endpoint != expected["token_endpoint"]:
            warning = (
                f"the pool's metadata names {metadata.token_endpoint}, which is not on the domain {provider.domain}: "
                "logins go where the metadata says. See Branding > Domain, or set `endpoints`."
            )
    run.note(Probe("discovery", "right", f"issuer {metadata.issuer}", warning=warning))
    return settings, metadata


def _issuer_of_pool(run: _Run) -> str | None:
    provider = run.profile.providers[run.name]
    if not provider.user_pool_id or not provider.domain:
        return None
    return cognito.find_issuer(run.http, provider.domain, provider.user_pool_id, provider.discovery_url)


def _issuer_of_document(run: _Run, discovery_url: str) -> str:
    issuer = fetch_document(run.http, discovery_url).get("issuer")
    if not isinstance(issuer, str) or not issuer:
        raise DiscoveryRefused(f"the metadata at {discovery_url} names no issuer")
    return issuer


def _metadata_of_domain(domain: str, settings: ClientSettings) -> ProviderMetadata:
    known = dict(cognito.endpoints(domain)) | dict(settings.endpoints)
    return ProviderMetadata(
        issuer="",
        authorization_endpoint=known["authorization_endpoint"],
        token_endpoint=known["token_endpoint"],
        jwks_uri="",
        userinfo_endpoint=known["userinfo_endpoint"],
        end_session_endpoint=known["end_session_endpoint"],
    )


def _ask(run: _Run, settings: ClientSettings, metadata: ProviderMetadata) -> tuple[ClientSettings, bool, str | None]:
    """Which callback to use, by asking the authorization endpoint for both."""
    key = f"providers.{run.name}"
    public = callback_url(run.profile, run.profile.providers[run.name])
    if not run.type_.loopback_callback:
        settings = replace(settings, redirect_uri=public)
        asked = ask_authorization(run.http, settings, metadata, run.type_)
        _note_asked(run, asked, settings, metadata, key)
        return settings, True, asked.date
    asked = ask_authorization(run.http, settings, metadata, run.type_)
    if public == settings.redirect_uri:
        _note_asked(run, asked, settings, metadata, key)
        return settings, False, asked.date
    settings_of_public = replace(settings, redirect_uri=public)
    asked_of_public = ask_authorization(run.http, settings_of_public, metadata, run.type_)
    if asked.finding == "callback" and asked_of_public.finding in ("login", "scope", "refused"):
        run.note(
            Probe(
                "callback",
                "wrong",
                f"{settings.redirect_uri} is not registered; using {public}",
                warning=f"{settings.redirect_uri} is not registered, so the final address has to be pasted. "
                f"Add it beside {public} to spare that.",
            )
        )
        _note_asked(run, asked_of_public, settings_of_public, metadata, key)
        return settings_of_public, True, asked.date
    _note_asked(run, asked, settings, metadata, key)
    if asked.finding != "callback" and asked_of_public.finding == "callback":
        run.note(
            Probe(
                "public callback",
                "wrong",
                f"{public} is not registered",
                warning=f"the public callback {public} is not registered at the provider: jsmsso serve needs it. Add it to the letter.",
            )
        )
    elif asked_of_public.finding in ("login", "scope", "refused"):
        run.note(Probe("public callback", "right", f"{public} is registered"))
    return settings, False, asked.date


def _note_asked(run: _Run, asked: Asked, settings: ClientSettings, metadata: ProviderMetadata, key: str) -> None:
    for probe in read_asked(asked, settings, run.type_, key):
        if probe.name == "scopes" and probe.error is not None and len(settings.scopes) > 1:
            probe = refused_scopes(run.http, settings, metadata, run.type_)
        run.note(probe)
