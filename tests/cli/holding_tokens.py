"""``jsmsso token`` in somebody's home: every word that a command says is searched for the tokens that were there."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import requests

from tests.cli.trying_out import ADDRESS, LogIn
from tests.services.children import Child, Children, installed_script
from tests.services.home import Home, Ran, run_jsmsso

PUBLIC = "http://localhost:8080/callback"
KINDS = ("id_token", "access_token", "refresh_token")


@dataclass
class Holder:
    """Runs the commands. ``seen`` are all tokens that the keyring has held so far."""

    start: Children
    home: Home
    options: tuple[str, ...]
    env: dict[str, str]
    seen: set[str] = field(default_factory=set)

    def kept(self, provider: str = "idp") -> dict[str, Any]:
        """What the keyring holds of a provider; empty for nothing."""
        text = self.home.keyring.get(f"jsmsso/tokens/{provider}", "")
        kept = json.loads(text) if text.startswith('{"issuer"') else {}
        self.seen |= {kept[kind] for kind in KINDS if len(str(kept.get(kind, ""))) > 20}
        return dict(kept)

    def begin(self, *arguments: str, env: dict[str, str] | None = None) -> Child:
        """``jsmsso token get``, running."""
        command = [installed_script("jsmsso"), "token", "get", *self.options, *arguments]
        return self.start(command, env=self.home.env | self.env | (env or {}), cwd=self.home.work)

    def get(self, log_in: LogIn, *arguments: str, pasted: bool = False, env: dict[str, str] | None = None) -> Ran:
        """``jsmsso token get``, with the login made."""
        child = self.begin(*arguments, env=env)
        final = log_in(child.wait_for(ADDRESS)[1])
        if pasted:
            child.write(final + "\n")
        else:
            assert requests.get(final, timeout=30).status_code == 200
        return self.silent(Ran(child.wait(), child.stdout, child.stderr), arguments)

    def run(self, *arguments: str, typed: str = "", env: dict[str, str] | None = None) -> Ran:
        """Another command of the group, in a pipe."""
        self.kept()
        return self.silent(run_jsmsso(self.home, "token", *arguments, typed=typed, env=self.env | (env or {})), arguments)

    def silent(self, ran: Ran, arguments: tuple[str, ...] = ()) -> Ran:
        """``ran``, once it is sure that it named no token and no secret (tokens only with ``--show``, on standard output alone)."""
        self.kept()
        assert not [secret for secret in self.env.values() if secret in ran.stdout + ran.stderr]
        said = ran.stderr if "--show" in arguments else ran.stdout + ran.stderr
        assert not [token for token in self.seen if token in said], said
        assert "Traceback" not in said
        return ran


def entry(issuer: str, client_id: str, **keys: Any) -> dict[str, Any]:
    return {"type": "oidc", "issuer": issuer, "client_id": client_id, "client_secret": "env:CLIENT_SECRET", **keys}


def change(home: Home, **keys: Any) -> None:
    """Write other keys into the provider's entry; None takes one out."""
    document = json.loads(home.profile.read_text())
    changed = document["providers"]["idp"] | keys
    document["providers"]["idp"] = {key: value for key, value in changed.items() if value is not None}
    home.profile.write_text(json.dumps(document))


def keep(holder: Holder, **members: Any) -> None:
    """Change what the keyring holds."""
    keyring = holder.home.keyring
    keyring["jsmsso/tokens/idp"] = json.dumps(holder.kept() | members)
    (holder.home.path / "keyring.json").write_text(json.dumps(keyring))
