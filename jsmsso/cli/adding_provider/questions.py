"""What ``provider add`` finds out from the person and from the provider."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import TypeVar

from jsmsso.cli.adding_provider.options import Adding, is_placed, may_ask, needs_no_secret, questions_of, without_email_domains
from jsmsso.cli.asking import ask, ask_unseen, confirm
from jsmsso.cli.render import progress_line
from jsmsso.errors import JsmssoError, SecretUnavailable, UsageError
from jsmsso.http_client import HttpClient
from jsmsso.profile.secrets import MAX_SECRET, keyring_usable, read_secret
from jsmsso.providers import cognito
from jsmsso.providers.locating import Located, answers_of, locate, locate_at, unanswered
from jsmsso.providers.mending import split_list
from jsmsso.providers.types import ProviderType, Question, is_open_to_all

T = TypeVar("T")


def ask_cognito(adding: Adding, http: HttpClient) -> None:
    given, entry = adding.given, adding.entry
    domain = cognito.mend_domain(given.domain) if given.domain else ask_until("Domain [Branding > Domain]", cognito.mend_domain)
    entry["domain"] = domain
    entry["discovery_url"] = given.discovery_url.strip() or None
    if given.user_pool_id:
        cognito.issuers_of_pool(given.user_pool_id.strip())
        entry["user_pool_id"] = given.user_pool_id.strip()
    if given.issuer:
        entry["issuer"] = given.issuer.strip()
    elif given.user_pool_id:
        progress_line("Looking for the pool's issuer ...")
        entry["issuer"] = cognito.find_issuer(http, domain, entry["user_pool_id"], entry["discovery_url"])
        if entry["issuer"] is None:
            adding.warnings.append("the pool's metadata cannot be reached, so no issuer is pinned yet: jsmsso test-connection does it")


def ask_oidc(adding: Adding, http: HttpClient) -> None:
    given = adding.given
    if is_placed(adding):
        located = locate_at(http, given.issuer, given.discovery_url)
    else:
        located = ask_until("Issuer (or the address of its metadata)", lambda text: locate_at(http, filled(text), ""))
    _place(adding, located)


def ask_type(adding: Adding, http: HttpClient) -> None:
    """The questions of a type that knows where its providers are, and what their answers lead to."""
    type_ = replace(adding.type_, questions=questions_of(adding))
    unanswered(type_, adding.answers)  # an option that is no answer ends it before the first question
    answers, located = _answered(adding, type_, http)
    _place(adding, located)
    if "trust_unverified_email" in answers:
        adding.entry["trust_unverified_email"] = list(split_list(answers["trust_unverified_email"]))
    elif any(question.key == "trust_unverified_email" for question in type_.questions):
        adding.warnings.append(f"trust_unverified_email names no domain. {type_.email.replace('`', '')}")


def _answered(adding: Adding, type_: ProviderType, http: HttpClient) -> tuple[Mapping[str, str], Located]:
    """What leads nowhere is asked again, if it was asked."""
    asked: list[str] = []

    def ask_one(question: Question) -> str:
        asked.append(question.key)
        return ask_until(question.prompt, lambda text: _mended(text, question))

    while True:
        asked.clear()
        try:
            answers = answers_of(type_, adding.answers, ask_one if may_ask(adding.given) else None)
            return answers, _located(adding, http, answers)
        except JsmssoError as error:
            if not asked:
                raise
            progress_line(f"  {error.message}" + (f". {error.hint}" if error.hint else ""))


def _mended(text: str, question: Question) -> str:
    if not text.strip() and not question.default and not question.optional:
        raise UsageError("it is needed", f"For example {question.example}.")
    return question.mend(text) if text.strip() else ""


def _located(adding: Adding, http: HttpClient, answers: Mapping[str, str]) -> Located:
    given = adding.given
    if is_placed(adding):
        return locate_at(http, given.issuer.strip(), given.discovery_url.strip(), tenants=split_list(answers.get("tenants", "")))
    return locate(http, adding.type_, answers)


def _place(adding: Adding, located: Located) -> None:
    metadata = located.metadata
    progress_line(f"Found {metadata.issuer}")
    progress_line(f"  logins at  {metadata.authorization_endpoint}")
    progress_line(f"  tokens at  {metadata.token_endpoint}\n")
    adding.entry.update(located.entry)


def place_for_secrets(adding: Adding) -> str:
    """Where new secrets go: the keyring, else (asked on a terminal) files beside the profile, else nowhere."""
    needs_client_secret = not adding.given.client_secret and not needs_no_secret(adding)
    if adding.profile is not None and not needs_client_secret:
        return ""
    if keyring_usable():
        return "keyring:"
    question = f"There is no usable keyring. Keep secrets as files in {adding.path.parent / 'secrets'} (mode 0600)?"
    if sys.stdin.isatty() and confirm(question, default=True):
        return "file:secrets/"
    if needs_client_secret:
        variable = re.sub("[^A-Z0-9]", "_", f"JSMSSO_{adding.name}_CLIENT_SECRET".upper())
        raise SecretUnavailable(
            f"keyring:{adding.name}/client_secret",
            "there is no usable keyring to keep the client secret in",
            f"Say where it is instead: --client-secret env:{variable}, or --client-secret file:PATH of a file that only you can read.",
        )
    return ""


def ask_secret(adding: Adding) -> None:
    given, entry = adding.given, adding.entry
    for reference in (given.client_secret, entry.get("client_key")):
        _warn_of_missing(adding, reference)
    if given.client_secret:
        entry["client_secret"] = given.client_secret
        return
    if needs_no_secret(adding):
        return
    if given.client_secret_stdin:
        secret = _from_stdin()
    else:
        where = "the keyring" if adding.place == "keyring:" else "a file"
        secret = ask_unseen(f"Client secret (typed unseen, goes to {where})")
        if not secret:
            progress_line("No secret: this is a public client.")
            return
    reference = f"{adding.place}{adding.name}/client_secret"
    entry["client_secret"], adding.client_secret = reference, secret
    try:
        if read_secret(reference, base=adding.path.parent) != secret:
            adding.warnings.append(f"{reference} held another secret before; it is replaced")
    except SecretUnavailable:
        pass


def _warn_of_missing(adding: Adding, reference: object) -> None:
    """What a reference leads to may come later; one that is none is refused with the whole entry."""
    if isinstance(reference, str) and re.match("(keyring|env|file):", reference):
        try:
            read_secret(reference, base=adding.path.parent)
        except SecretUnavailable as error:
            adding.warnings.append(f"{error.message}. {error.hint}")


def _from_stdin() -> str:
    try:
        secret = sys.stdin.buffer.read(MAX_SECRET + 1).decode().strip()
    except UnicodeDecodeError:
        secret = ""
    if not secret or "\n" in secret:
        raise UsageError(
            "standard input has no client secret: one line of text is due",
            "For example: jsmsso provider add ... --client-secret-stdin < secret.txt. A public client: --set client_auth=none.",
        )
    return secret


def ask_email_domains(adding: Adding) -> None:
    for name in without_email_domains(adding):
        answer = ask_until(f"Email domains that {name} alone may vouch for (with commas; * for any)", _domains)
        if name != adding.name:
            adding.of_others[name] = answer
        elif answer == ["*"]:
            adding.entry["any_email"] = True
        else:
            adding.entry["email_domains"] = answer


def warn_of_everybody(adding: Adding) -> None:
    if is_open_to_all(adding.type_, str(adding.entry.get("issuer", ""))) and not (adding.profile and adding.profile.access):
        adding.warnings.append(
            f"anybody can make an account at {adding.type_.title}, and no access rule says who may enter: jsmsso serve refuses that.\n"
            "  Write into the profile, for example, access: [{allow: {email_domain: [acme.com]}}]; or, if that is meant,\n"
            "  access: [{allow: everyone}]"
        )


def _domains(text: str) -> list[str]:
    from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain

    names = [part.strip().removeprefix("@") for part in text.split(",") if part.strip()]
    if names == ["*"]:
        return names
    try:
        return [fold_domain(name) for name in names] or [filled("")]
    except NotAnEmailAddress:
        raise UsageError("that is no domain such as acme.com") from None


def filled(text: str) -> str:
    if not text.strip():
        raise UsageError("it is needed")
    return text.strip()


def ask_until(question: str, read: Callable[[str], T]) -> T:
    """An answer that ``read`` takes; what it refuses is said, and asked again."""
    while True:
        try:
            return read(ask(question))
        except JsmssoError as error:
            progress_line(f"  {error.message}" + (f". {error.hint}" if error.hint else ""))
