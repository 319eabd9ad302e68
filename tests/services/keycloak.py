"""A real Keycloak as a process, in its development mode; each test imports a realm of its own from our file."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import time
from dataclasses import dataclass
from functools import lru_cache
from string import Template
from typing import Any

import requests

from tests.services import REPOSITORY, SERVICES
from tests.services.children import Child, Children

KEYCLOAK = REPOSITORY / ".cache" / "keycloak"
REALM = SERVICES / "keycloak-realm.json"
JAVA_AT_LEAST = 17
PATIENCE = 240.0  # seconds until it answers: its first start builds itself, which two busy cores do slowly


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    password: str
    id: str


@dataclass(frozen=True, slots=True)
class Realm:
    """An imported realm. Ada is in the group ``customers``, Bob in ``suppliers``; both have a verified email."""

    keycloak: Keycloak
    issuer: str
    client_id: str
    client_secret: str
    ada: Person
    bob: Person

    def end_sessions(self, person: Person) -> None:
        """What an administrator does who clicks "Sign out" at a user: Keycloak tells every client over the back channel."""
        self.keycloak.call("POST", f"{self._path}/users/{person.id}/logout")

    def use_front_channel(self, url: str) -> None:
        """What an administrator sets at the client: Keycloak's logout page then frames ``url``, and calls no back channel."""
        (client,) = self.keycloak.call("GET", f"{self._path}/clients?clientId={self.client_id}").json()
        changed = {"frontchannel.logout.url": url, "frontchannel.logout.session.required": "true"}
        client |= {"frontchannelLogout": True, "attributes": client["attributes"] | changed}
        self.keycloak.call("PUT", f"{self._path}/clients/{client['id']}", json.dumps(client))

    @property
    def _path(self) -> str:
        return f"/admin/realms/{self.issuer.rpartition('/')[2]}"


@dataclass(frozen=True, slots=True)
class Keycloak:
    """A running server and its administrator. Its login page has ``#username``, ``#password`` and ``#kc-login``."""

    url: str
    password: str

    def import_realm(self, public_url: str, *, terminal: str = "http://localhost:8400") -> Realm:
        """The realm of ``keycloak-realm.json`` for a deployment at ``public_url``; ``terminal`` is where commands await their answer."""
        given = {name: secrets.token_urlsafe(12) for name in ("password", "secret")} | {"realm": f"acme-{secrets.token_hex(4)}"}
        text = Template(REALM.read_text(encoding="utf-8")).substitute(given, url=public_url, terminal=terminal)
        self.call("POST", "/admin/realms", text)
        users = self.call("GET", f"/admin/realms/{given['realm']}/users").json()
        ada, bob = (Person(user["email"], given["password"], user["id"]) for user in sorted(users, key=lambda user: str(user["username"])))
        return Realm(self, f"{self.url}/realms/{given['realm']}", "jsmsso", given["secret"], ada, bob)

    def call(self, method: str, path: str, body: str | None = None) -> requests.Response:
        """Its admin API. A token lives a minute there, so each call takes a new one."""
        form = {"grant_type": "password", "client_id": "admin-cli", "username": "admin", "password": self.password}
        token: Any = requests.post(f"{self.url}/realms/master/protocol/openid-connect/token", form, timeout=60).json()
        headers = {"Authorization": f"Bearer {token['access_token']}", "Content-Type": "application/json"}
        answer = requests.request(method, f"{self.url}{path}", data=body, headers=headers, timeout=60)
        assert answer.ok, answer.text
        return answer


def start_keycloak(start: Children, port: int, management_port: int) -> Keycloak:
    """Start one with an empty database in memory, and wait until it answers."""
    password = secrets.token_urlsafe(12)
    env = {name: value for name, value in os.environ.items() if name in ("PATH", "JAVA_HOME", "HOME", "LANG", "TMPDIR")} | {
        "KC_BOOTSTRAP_ADMIN_USERNAME": "admin",
        "KC_BOOTSTRAP_ADMIN_PASSWORD": password,
        "JAVA_OPTS_KC_HEAP": "-Xms128m -Xmx768m",
        "JAVA_OPTS_APPEND": "-XX:TieredStopAtLevel=1",  # it runs for a minute: quick to start counts more
    }
    ports = (f"--http-port={port}", f"--http-management-port={management_port}")
    command = ["bash", KEYCLOAK / "bin" / "kc.sh", "start-dev", "--db=dev-mem", "--cache=local", "--http-host=127.0.0.1", *ports]
    child = start(command, env=env, cwd=KEYCLOAK)
    keycloak = Keycloak(f"http://127.0.0.1:{port}", password)
    _wait(child, f"{keycloak.url}/realms/master")
    return keycloak


def _wait(child: Child, address: str) -> None:
    deadline = time.monotonic() + PATIENCE
    while child.running and time.monotonic() < deadline:
        try:
            if requests.get(address, timeout=10).ok:
                return
        except requests.RequestException:
            pass
        time.sleep(0.2)
    raise AssertionError(f"Keycloak does not answer; it said:\n{child.output}")


@lru_cache
def missing_for_keycloak() -> str:
    """Why Keycloak cannot run here, as the reason of a skip; empty where it can."""
    if shutil.which("java") is None or shutil.which("bash") is None:
        return "Java is not installed"
    said = subprocess.run(["java", "-version"], capture_output=True, text=True).stderr
    version = re.search(r'version "(\d+)', said)
    if version is None or int(version[1]) < JAVA_AT_LEAST:
        return f"Keycloak needs Java {JAVA_AT_LEAST} or newer; java -version says {said.strip().splitlines()[:1]}"
    if not (KEYCLOAK / "bin" / "kc.sh").exists():
        return "Keycloak is not in .cache/keycloak (make conformance fetches it with Maven)"
    return ""
