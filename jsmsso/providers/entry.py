"""A provider's entry in the profile: what it is made of, and what must be registered at the provider for it."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, get_origin

from jsmsso.errors import DiscoveryRefused, ProfileInvalid, UsageError
from jsmsso.http_client import HttpClient
from jsmsso.oidc.discovery import WELL_KNOWN, ProviderMetadata, discovery_address, fetch_document, read_metadata
from jsmsso.oidc.signature import ASYMMETRIC
from jsmsso.profile.addresses import NotAnAddress, check_address
from jsmsso.profile.complaining import choices
from jsmsso.profile.model import Profile, Provider
from jsmsso.profile.parsing import parse
from jsmsso.profile.reading import validate
from jsmsso.providers.known import provider_type
from jsmsso.providers.settings import callback_url, sign_out_url
from jsmsso.providers.types import ProviderType

KEYS = (
    "type", "domain", "issuer", "client_id", "client_secret", "callback", "scopes", "sign_out_url", "email_domains", "user_pool_id",
    "discovery_url",
)  # fmt: skip
"""The order in which an entry is written; what is not named follows."""


@dataclass(frozen=True, slots=True)
class Registration:
    """What the provider must know of its client, to the letter."""

    callback: str
    test_callback: str
    """For ``test-connection``; empty where it uses the other."""
    sign_out_url: str
    """Empty where nothing is signed out."""
    scopes: tuple[str, ...]

    def data(self) -> dict[str, Any]:
        return {
            "callback_urls": [url for url in (self.callback, self.test_callback) if url],
            "sign_out_urls": [url for url in (self.sign_out_url,) if url],
            "grant_type": "authorization_code",
            "scopes": list(self.scopes),
        }

    def lines(self, type_: ProviderType) -> tuple[str, ...]:
        """For a person, of at most 80 columns where the addresses allow it."""
        width = max(22, max(map(len, type_.labels)) + 2)
        lines = [f"{type_.paste_at}:", f"  {type_.labels[0]:<{width}}{self.callback}"]
        if self.test_callback:
            lines.append(f"  {'':<{width}}{self.test_callback}   for test-connection")
        if self.sign_out_url:
            lines.append(f"  {type_.labels[1]:<{width}}{self.sign_out_url}")
        return (*lines, f"  {'Grant type, scopes':<{width}}Authorization code; {', '.join(self.scopes)}")


def registration(profile: Profile, name: str, test_callback: str) -> Registration:
    """What must be registered for a provider that stands in the profile."""
    provider = profile.providers[name]
    type_ = provider_type(provider.type)
    return Registration(
        callback_url(profile, provider),
        test_callback if type_.loopback_callback else "",
        sign_out_url(profile, provider) if type_.logout_style != "local" else "",
        tuple(provider.scopes or type_.default_scopes),
    )


def new_registration(public_url: str, name: str, type_: ProviderType, entry: Mapping[str, Any], test_callback: str) -> Registration:
    """The same for one that is about to be added; ``entry`` has what is known of it."""
    return Registration(
        public_url + str(entry.get("callback", "")),
        test_callback if type_.loopback_callback else "",
        str(entry.get("sign_out_url") or f"{public_url}/logged-out") if type_.logout_style != "local" else "",
        tuple(map(str, entry.get("scopes") or type_.default_scopes)),
    )


def read_settings(pairs: Iterable[str]) -> dict[str, Any]:
    """``key=value`` pairs as an entry's keys: values as YAML reads them, ``a.b`` for a key inside a key, ``x,y`` for lists.

    Raises :class:`UsageError` without repeating a value, which may be a secret.
    """
    values: dict[str, Any] = {}
    for pair in pairs:
        key, equals, text = pair.partition("=")
        key = key.strip()
        if not equals or not key:
            raise UsageError("--set takes key=value", "For example --set email_domains=acme.com.")
        document = parse(text.encode(errors="replace")) if text.strip() else None
        if document is None or document.complaints:
            raise UsageError(f"the value of --set {key}=... is no YAML value", "Quote a text: --set 'key=\"a: b\"'.")
        outer, _, inner = key.partition(".")
        value = _listed(outer, document.values) if not inner else document.values
        into = values.setdefault(outer, {}) if inner else values
        if not isinstance(into, dict) or (inner or outer) in into:
            raise UsageError(f"--set {key} is given twice", "Leave one of them out.")
        into[inner or outer] = value
    return values


def _listed(key: str, value: Any) -> Any:
    """One text for a key that takes a list stands for the list of its parts."""
    field = Provider.model_fields.get(key)
    takes_list = field is not None and any(get_origin(one) is tuple for one in choices(field.annotation))
    if takes_list and isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value


def checked(values: dict[str, Any], path: Path) -> Profile:
    """The profile that ``values`` would make. Raises :class:`UsageError` with every complaint, since the options brought them."""
    try:
        return validate(json.dumps(values, ensure_ascii=False).encode(errors="replace"), path)
    except ProfileInvalid as error:
        said = [f"{complaint.key}: {complaint.message}" if complaint.key else complaint.message for complaint in error.complaints]
        hints = dict.fromkeys(complaint.hint for complaint in error.complaints if complaint.hint)
    raise UsageError("\n       ".join(said), "\n".join(hints))


def ordered(entry: Mapping[str, Any]) -> dict[str, Any]:
    """The entry's keys in the order in which profiles have them, without those that have no value."""
    names = [*(key for key in KEYS if key in entry), *(key for key in entry if key not in KEYS)]
    return {name: entry[name] for name in names if entry[name] is not None}


@dataclass(frozen=True, slots=True)
class Found:
    """A provider's metadata and what of it goes into the entry."""

    metadata: ProviderMetadata
    discovery_url: str | None
    """Only where it is not below the issuer."""


def find_metadata(http: HttpClient, issuer: str, discovery_url: str) -> Found:
    """The metadata of an issuer, or at an address of metadata; each may be pasted as the other.

    The document's own issuer is what is pinned: with a final slash where it has one. It must be the one that
    was asked for. Raises :class:`ProviderUnreachable`, :class:`DiscoveryRefused` and :class:`UsageError`.
    """
    asked = _address(issuer, "--issuer").removesuffix("/").removesuffix(WELL_KNOWN)
    url = _address(discovery_url, "--discovery-url") or discovery_address(asked)
    if "/.well-known/" not in url:
        url = discovery_address(url)
    document = fetch_document(http, url)
    metadata = read_metadata(document)
    if asked and metadata.issuer.removesuffix("/") != asked.removesuffix("/"):
        raise DiscoveryRefused(
            f"the metadata at {url} is of the issuer {metadata.issuer!r}, not of {asked!r}",
            "Correct --issuer, or leave it out: then the document's own is pinned."
            if discovery_url
            else "Copy the issuer as the provider writes it.",
        )
    if not discovery_url and metadata.issuer.removesuffix("/") != url.removesuffix(WELL_KNOWN):
        raise DiscoveryRefused(f"the metadata at {url} is of the issuer {metadata.issuer!r}", "Copy the issuer as the provider writes it.")
    _refuse_symmetric(metadata)
    return Found(metadata, url if url != discovery_address(metadata.issuer) else None)


def _address(text: str, option: str) -> str:
    """An address as it was pasted, https:// where it has no scheme; empty stays empty."""
    text = text.strip()
    if not text:
        return ""
    text = text if "://" in text else f"https://{text}"
    try:
        check_address(text, query=True)
    except NotAnAddress as error:
        raise UsageError(f"{option}: {error.message}", error.hint) from None
    return text


def _refuse_symmetric(metadata: ProviderMetadata) -> None:
    """A provider that signs with the client's secret alone, or not at all, tells us nothing that counts."""
    offered = metadata.id_token_signing_alg_values_supported
    if offered and not set(ASYMMETRIC) & set(offered):
        raise DiscoveryRefused(
            f"the provider signs ID tokens with {', '.join(offered)} only, which jsmsso does not take",
            "Let it sign with RS256 or ES256.",
        )
