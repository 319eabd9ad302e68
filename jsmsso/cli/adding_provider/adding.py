"""``provider add``: options and a person's answers become an entry in the profile."""

from __future__ import annotations

import sys
from pathlib import Path

from jsmsso.cli.adding_provider.options import Given, begin, refuse_missing
from jsmsso.cli.adding_provider.questions import (
    ask_cognito,
    ask_email_domains,
    ask_oidc,
    ask_secret,
    ask_type,
    ask_until,
    filled,
    place_for_secrets,
    warn_of_everybody,
)
from jsmsso.cli.adding_provider.writing import result, write
from jsmsso.cli.render import Result
from jsmsso.http_client import HttpClient
from jsmsso.profile.outgoing import http_client
from jsmsso.providers.types import ProviderType


def add_provider(path: Path, type_: ProviderType, given: Given, *, as_json: bool) -> Result:
    """Add a provider to the profile at ``path``, which is made where there is none."""
    adding = begin(path, type_, given)
    # Before the first question: the addresses are needed to make the client that the questions ask about.
    print("\n".join(adding.registration.lines(type_)) + "\n", file=sys.stderr if as_json else sys.stdout, flush=True)
    refuse_missing(adding)
    http = http_client(adding.profile, path) if adding.profile else HttpClient()
    if type_.name == "cognito":
        ask_cognito(adding, http)
    elif type_.questions or type_.issuer:
        ask_type(adding, http)
    else:
        ask_oidc(adding, http)
    adding.entry["client_id"] = given.client_id.strip() or ask_until("Client ID", filled)
    adding.place = place_for_secrets(adding)
    ask_secret(adding)
    ask_email_domains(adding)
    warn_of_everybody(adding)
    session_secret = write(adding)
    return result(adding, session_secret)
