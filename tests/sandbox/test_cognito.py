"""The local Cognito: what a login there gives, and that it never outlives whoever started it."""

from __future__ import annotations

import base64
import json
import os
import signal
import socket
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
import requests

from jsmsso.errors import PortTaken, ProviderFailed, UsageError
from jsmsso.sandbox.cognito import AppClient, LocalCognito, local_cognito, log_in
from tests.services.children import Children

CALLBACK = "http://localhost:8080/callback"
RUN_ONE = f"""
from jsmsso.sandbox.cognito import local_cognito
import time
with local_cognito(["{CALLBACK}"]) as cognito:
    print(cognito.base_url, flush=True)
    time.sleep(600)
"""


def authorization_url(cognito: LocalCognito, client: AppClient, **changes: str) -> str:
    query = {"response_type": "code", "client_id": client.client_id, "redirect_uri": CALLBACK, "scope": "openid email profile"}
    return f"{cognito.base_url}/oauth2/authorize?{urlencode(query | {'state': 's', 'nonce': 'n'} | changes)}"


def tokens(cognito: LocalCognito, client: AppClient, address: str) -> dict[str, str]:
    code = parse_qs(urlsplit(address).query)["code"][0]
    answer = requests.post(
        f"{cognito.base_url}/oauth2/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "client_id": client.client_id},
        auth=(client.client_id, client.client_secret) if client.client_secret else None,
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def claims_of(token: str) -> dict[str, object]:
    return dict(json.loads(base64.urlsafe_b64decode(token.split(".")[1] + "==")))


@pytest.fixture(scope="module")
def client(cognito: LocalCognito) -> AppClient:
    return cognito.add_client([CALLBACK], ["http://localhost:8080/logged-out"])


def test_its_user_logs_in_without_a_browser_and_is_verified_and_in_the_group(cognito: LocalCognito, client: AppClient) -> None:
    address = log_in(authorization_url(cognito, client), cognito.email, cognito.password)

    assert address.startswith(f"{CALLBACK}?")
    assert parse_qs(urlsplit(address).query)["state"] == ["s"]
    claims = claims_of(tokens(cognito, client, address)["id_token"])
    expected = {"iss": cognito.issuer, "aud": client.client_id, "nonce": "n", "token_use": "id", "email": cognito.email}
    assert expected.items() <= claims.items()
    assert claims["email_verified"] is True
    assert claims["cognito:groups"] == ["customers"]
    assert claims["given_name"] == "Ada"


def test_its_discovery_document_names_aws_as_issuer_and_itself_as_endpoints(cognito: LocalCognito) -> None:
    document = requests.get(cognito.discovery_url, timeout=10).json()
    assert document["issuer"] == cognito.issuer
    assert document["token_endpoint"] == f"{cognito.domain}/oauth2/token"


def test_more_users_can_be_unverified_and_in_other_groups_or_none(cognito: LocalCognito, client: AppClient) -> None:
    cognito.add_group("beta")
    sub = cognito.add_user("eve@acme.com", "Some-Pass-1", email_verified=False, groups=("beta",))
    cognito.add_user("bob@acme.com", "Some-Pass-2", groups=())

    eve = claims_of(tokens(cognito, client, log_in(authorization_url(cognito, client), "eve@acme.com", "Some-Pass-1"))["id_token"])
    bob = claims_of(tokens(cognito, client, log_in(authorization_url(cognito, client), "bob@acme.com", "Some-Pass-2"))["id_token"])

    assert (eve["sub"], eve["email_verified"], eve["cognito:groups"]) == (sub, False, ["beta"])
    assert "cognito:groups" not in bob


def test_a_public_client_has_no_secret_and_still_gets_tokens(cognito: LocalCognito) -> None:
    public = cognito.add_client([CALLBACK], secret=False)
    assert public.client_secret == ""
    assert "id_token" in tokens(cognito, public, log_in(authorization_url(cognito, public), cognito.email, cognito.password))


@pytest.mark.parametrize(
    "changes, password, said",
    [
        pytest.param({}, "wrong", "Incorrect username or password", id="wrong password"),
        pytest.param({"client_id": "nobody"}, "", "invalid_client", id="unknown client"),
        pytest.param({"redirect_uri": "http://localhost:1/"}, "", "redirect_uri is not allowed", id="callback not registered"),
    ],
)
def test_a_login_that_cannot_go_on_says_why(
    cognito: LocalCognito, client: AppClient, changes: dict[str, str], password: str, said: str
) -> None:
    with pytest.raises(ProviderFailed, match=said):
        log_in(authorization_url(cognito, client, **changes), cognito.email, password or cognito.password)


def test_a_refusal_that_the_app_should_see_is_returned_as_its_address(cognito: LocalCognito, client: AppClient) -> None:
    address = log_in(authorization_url(cognito, client, scope="openid aws.none"), cognito.email, cognito.password)
    assert "error_description=invalid_scope" in address


def test_logging_in_is_for_loopback_only() -> None:
    with pytest.raises(UsageError, match="no address of the local Cognito"):
        log_in("https://acme.auth.eu-west-1.amazoncognito.com/oauth2/authorize", "ada@acme.com", "secret")


def test_it_listens_on_loopback_alone(cognito: LocalCognito) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        probe.connect(("192.0.2.1", 9))  # sends nothing; shows which address we would leave by
        outside = probe.getsockname()[0]
    if outside.startswith("127."):
        pytest.skip("this machine has no address but loopback")
    with pytest.raises(ConnectionRefusedError), socket.create_connection((outside, urlsplit(cognito.base_url).port or 0), 5):
        pass


def test_a_taken_port_is_said_to_be_taken(cognito: LocalCognito) -> None:
    taken = urlsplit(cognito.base_url).port or 0
    with pytest.raises(PortTaken, match=f"127.0.0.1:{taken} is in use"), local_cognito([CALLBACK], port=taken):
        pass


def test_the_aws_settings_of_the_machine_do_not_matter(start: Children, tmp_path: Path) -> None:
    environment = os.environ | {"AWS_PROFILE": "not-there", "AWS_ENDPOINT_URL": "http://127.0.0.1:1", "HTTP_PROXY": "http://127.0.0.1:1"}
    start([sys.executable, "-c", RUN_ONE], env=environment, cwd=tmp_path, ready=r"^http://127")


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda s: s.name)
def test_it_ends_with_whoever_started_it_however_that_ends(
    start: Children, tmp_path: Path, how: signal.Signals, free_port: Callable[[], int]
) -> None:
    parent = start([sys.executable, "-c", RUN_ONE], env=os.environ | {"TMPDIR": str(tmp_path)}, cwd=tmp_path, ready=r"^http://127")
    port = urlsplit(parent.stdout.strip()).port or 0
    assert list(tmp_path.glob("jsmsso-cognito-*"))

    parent.signal(how)
    parent.wait()

    deadline = time.monotonic() + 30
    while _answers(port) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _answers(port)
    while list(tmp_path.glob("jsmsso-cognito-*")) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not list(tmp_path.glob("jsmsso-cognito-*"))


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True
