"""An administrator's first minutes: add the user pool on a terminal, log in once, see who would come in, go on in scripts."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path

import pexpect
import pytest
import yaml

from jsmsso.sandbox.cognito import LocalCognito, log_in
from tests.services import REPOSITORY
from tests.services.children import PATIENCE, installed_script
from tests.services.home import Home, Ran

# What webbrowser starts: it logs in as a person would, and lands on the address that the provider sends it to.
BROWSER = """#!{python}
import os, sys, urllib.request
from jsmsso.sandbox.cognito import log_in
with open(os.environ["LANDED"], "w") as landed:
    final = log_in(sys.argv[1], os.environ["LOGIN_EMAIL"], os.environ["LOGIN_PASSWORD"])
    with urllib.request.urlopen(final) as page:
        landed.write(page.read().decode())
"""


@pytest.fixture
def terminal(jsmsso_home: Home) -> Callable[..., pexpect.spawn]:
    def run(*arguments: str, env: dict[str, str] | None = None) -> pexpect.spawn:
        return pexpect.spawn(
            str(installed_script("jsmsso")),
            list(arguments),
            env=jsmsso_home.env | (env or {}),
            cwd=str(jsmsso_home.work),
            encoding="utf-8",
            dimensions=(60, 80),
            timeout=PATIENCE,
            use_poll=True,
        )

    return run


def ended(command: pexpect.spawn) -> tuple[int, str]:
    command.expect(pexpect.EOF)
    command.close()
    return command.exitstatus, str(command.before).replace("\r\n", "\n")


def add_pool(terminal: Callable[..., pexpect.spawn], cognito: LocalCognito, client_id: str, client_secret: str) -> None:
    # MiniStack's documents lie on its own host, though its issuer is AWS's: hence --discovery-url.
    command = terminal("provider", "add", "cognito", "--discovery-url", cognito.discovery_url)
    command.expect_exact("Domain [Branding > Domain]: ")
    command.sendline(f"{cognito.domain}/")
    command.expect_exact("Client ID: ")
    command.sendline(client_id)
    command.expect_exact("Client secret (typed unseen, goes to the keyring): ")
    command.waitnoecho()
    command.sendline(client_secret)
    code, screen = ended(command)
    assert code == 0, screen
    assert "Next: jsmsso test-connection" in screen


def test_from_the_wizard_to_a_pinned_issuer(
    terminal: Callable[..., pexpect.spawn],
    jsmsso: Callable[..., Ran],
    jsmsso_home: Home,
    cognito: LocalCognito,
    free_port: Callable[[], int],
    tmp_path: Path,
) -> None:
    port = free_port()
    client = cognito.add_client(
        [f"http://localhost:{port}/callback", "http://localhost:8080/callback"], ["http://localhost:8080/logged-out"]
    )
    add_pool(terminal, cognito, client.client_id, client.client_secret)

    browser = tmp_path / "browser"
    browser.write_text(BROWSER.format(python=sys.executable))
    browser.chmod(0o755)
    landed = tmp_path / "landed.html"
    env = {
        "BROWSER": str(browser),
        "LANDED": str(landed),
        "LOGIN_EMAIL": cognito.email,
        "LOGIN_PASSWORD": cognito.password,
        "PYTHONPATH": f"{jsmsso_home.env['PYTHONPATH']}:{REPOSITORY}",
    }
    command = terminal("test-connection", "--port", str(port), env=env)
    command.expect_exact("Opening http://127.0.0.1:")
    code, screen = ended(command)

    assert code == 0, screen
    assert "Signed in as ada@acme.com" in screen
    assert "Allowed" in screen
    assert f"Pinned issuer {cognito.issuer}" in screen
    assert "Next: jsmsso jsm connect" in screen
    tables = re.sub(r"\x1b\[[0-9;]*m", "", screen.partition("Signed in as")[2])
    assert max(len(line.rstrip()) for line in tables.splitlines()) <= 80
    assert "You can close this window" in landed.read_text()

    # From here on in scripts: what was found stands in the profile, and nothing secret does.
    shown = jsmsso("provider", "show", "cognito", "--json").json()
    assert (shown["issuer"], shown["client_secret"]) == (cognito.issuer, "keyring:cognito/client_secret")
    text = jsmsso_home.profile.read_text()
    assert client.client_secret not in text
    assert yaml.safe_load(text)["providers"]["cognito"]["issuer"] == cognito.issuer
    assert jsmsso("profile", "check").code == 0


def test_over_ssh_the_final_address_is_pasted(
    terminal: Callable[..., pexpect.spawn], jsmsso_home: Home, cognito: LocalCognito, free_port: Callable[[], int]
) -> None:
    port = free_port()
    client = cognito.add_client([f"http://localhost:{port}/callback", "http://localhost:8080/callback"])
    add_pool(terminal, cognito, client.client_id, client.client_secret)

    command = terminal("test-connection", "--port", str(port), "--no-browser")
    command.expect(r"(http://\S+/oauth2/authorize\?\S+)")
    address = command.match[1]
    command.expect_exact("then press Enter")
    command.sendline(log_in(address, cognito.email, cognito.password))
    code, screen = ended(command)

    assert code == 0, screen
    assert "\x1b[32mAllowed\x1b[0m: no rules are set" in screen
    assert "Signed in as ada@acme.com" in screen


def test_an_interruption_while_it_waits_ends_it_quietly(
    terminal: Callable[..., pexpect.spawn], cognito: LocalCognito, free_port: Callable[[], int]
) -> None:
    port = free_port()
    client = cognito.add_client([f"http://localhost:{port}/callback", "http://localhost:8080/callback"])
    add_pool(terminal, cognito, client.client_id, client.client_secret)

    command = terminal("test-connection", "--port", str(port), "--no-browser")
    command.expect_exact("then press Enter")
    command.sendintr()
    code, screen = ended(command)

    assert code == 130
    assert "Traceback" not in screen
    assert "error" not in screen
