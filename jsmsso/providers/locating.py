"""From the answers that a type asks for to what stands in the profile: questions, issuer, metadata."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from jsmsso.errors import ProviderFailed, UsageError
from jsmsso.http_client import HttpClient
from jsmsso.oidc.discovery import ProviderMetadata, discovery_address, fetch_document, fetch_metadata
from jsmsso.providers.entry import find_metadata
from jsmsso.providers.plain_oauth2 import fixed_metadata
from jsmsso.providers.types import Location, ProviderType, Question


@dataclass(frozen=True, slots=True)
class Located:
    """A provider's metadata, and the keys of its entry that say where it is: those that have a value."""

    metadata: ProviderMetadata
    entry: Mapping[str, Any]


def answers_of(type_: ProviderType, given: Mapping[str, str], ask: Callable[[Question], str] | None) -> dict[str, str]:
    """The mended answers to a type's questions, by key: from ``given``, else from ``ask``, which returns an answer as it was typed.

    Without ``ask`` every question that needs an answer and has none is named in one :class:`UsageError`. What a mender
    refuses raises :class:`UsageError` too, and so does an answer to what the others leave open; a terminal's ``ask``
    mends by itself, and asks again.
    """
    answers, missing = _answered(type_, given, ask)
    if missing:
        raise UsageError(f"missing: {', '.join(map(option_of, missing))}", missing_hint(missing))
    for question in type_.questions:
        if given.get(question.key, "").strip() and question.key not in answers:
            raise UsageError(f"{option_of(question)} has no meaning here", "The other answers leave nothing to it: leave it out.")
    return answers


def unanswered(type_: ProviderType, given: Mapping[str, str]) -> list[Question]:
    """The questions that need an answer and have none. Raises :class:`UsageError` for an answer that is none."""
    return _answered(type_, given, None)[1]


def option_of(question: Question) -> str:
    """How the answer is given without a terminal."""
    return f"--{question.key}" if question.key in ("domain", "issuer") else f"--set {question.key}=..."


def missing_hint(questions: Sequence[Question]) -> str:
    """What is asked for, a line each."""
    return "\n".join(f"{question.key}: {question.prompt}, such as {question.example}" for question in questions)


def locate(http: HttpClient, type_: ProviderType, answers: Mapping[str, str]) -> Located:
    """Where the answers lead, made sure of by the provider's own metadata.

    Raises :class:`ProviderUnreachable`, :class:`DiscoveryRefused` and :class:`UsageError`.
    """
    place = type_.locate(answers) if type_.locate else Location(issuer=type_.issuer)
    listed = {"tenants": place.tenants, "trust_unverified_email": place.trust_unverified_email}
    entry: dict[str, Any] = {key: list(values) for key, values in listed.items() if values}
    if type_.plain is not None:
        metadata = fixed_metadata(type_.plain, place.issuer)
        return Located(metadata, {"issuer": place.issuer, **entry})
    if place.tenants:  # the metadata names a template, which stays the token's to fill
        metadata = fetch_metadata(http, place.issuer, tenants=place.tenants)
        return Located(metadata, {"issuer": place.issuer, **entry})
    found = find_metadata(http, place.issuer, place.discovery_url)
    issuer = found.metadata.issuer
    if found.discovery_url and not _is_below_issuer(http, found.metadata):
        entry = {"discovery_url": found.discovery_url, **entry}
    return Located(found.metadata, {"issuer": issuer, **entry})


def locate_at(http: HttpClient, issuer: str, discovery_url: str, *, tenants: Sequence[str] = ()) -> Located:
    """The same by an issuer or the address of its metadata, which stand in place of answers. Raises what :func:`locate` does."""
    if tenants:
        metadata = fetch_metadata(http, issuer, discovery_url=discovery_url or None, tenants=tenants)
        entry: dict[str, Any] = {"issuer": issuer, "discovery_url": discovery_url or None, "tenants": list(tenants)}
    else:
        found = find_metadata(http, issuer, discovery_url)
        metadata, entry = found.metadata, {"issuer": found.metadata.issuer, "discovery_url": found.discovery_url}
    return Located(metadata, {key: value for key, value in entry.items() if value is not None})


def _answered(
    type_: ProviderType, given: Mapping[str, str], ask: Callable[[Question], str] | None
) -> tuple[dict[str, str], list[Question]]:
    answers: dict[str, str] = {}
    missing: list[Question] = []
    for question in type_.questions:
        if not _applies(question, answers):
            continue
        text = given.get(question.key, "").strip()
        if not text and ask is not None:
            text = ask(question).strip()
        if text:
            answers[question.key] = question.mend(text)
        elif question.default:
            answers[question.key] = question.default
        elif not question.optional:
            missing.append(question)
    return answers, missing


def _applies(question: Question, answers: Mapping[str, str]) -> bool:
    try:
        return question.only_if is None or question.only_if(answers)
    except LookupError:
        return False  # what it looks at is missing itself


def _is_below_issuer(http: HttpClient, metadata: ProviderMetadata) -> bool:
    """Whether the same endpoints are found from the issuer too, so that no address of metadata need stand in the profile."""
    try:
        document = fetch_document(http, discovery_address(metadata.issuer))
    except ProviderFailed:
        return False
    same = ("issuer", "authorization_endpoint", "token_endpoint", "jwks_uri")
    return all(document.get(member) == getattr(metadata, member) for member in same)
