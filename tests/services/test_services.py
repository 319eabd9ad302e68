"""The services that other tests stand on do what those tests believe of them."""

from __future__ import annotations

import base64
import json
import signal
import sys
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode, urlsplit

import keyring
import pytest
import requests

from tests.services.children import Children
from tests.services.home import Home
from tests.services.oidc_provider import OidcClient, OidcProvider

if TYPE_CHECKING:
    from playwright.sync_api import Page

SCOPE = "openid email profile groups"


@pytest.fixture(scope="module")
def landing(free_port: Callable[[], int]) -> Iterator[str]:
    """The application's address: answers any page, so that a browser can land there."""

    class Landing(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"landed")

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", free_port()), Landing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/callback"
        server.shutdown()


def authorization_url(provider: OidcProvider, client: OidcClient, callback: str) -> str:
    document = requests.get(provider.discovery_url, timeout=10).json()
    query = {"response_type": "code", "client_id": client.client_id, "redirect_uri": callback, "scope": SCOPE, "state": "s", "nonce": "n"}
    return f"{document['authorization_endpoint']}?{urlencode(query)}"


def log_in(page: Page, provider: OidcProvider, client: OidcClient, callback: str) -> dict[str, str]:
    """Through the pages to the callback; returns its query."""
    page.goto(authorization_url(provider, client, callback))
    page.fill("input[name=email]", provider.email)
    page.fill("input[name=password]", provider.password)
    page.get_by_role("button", name="Sign in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{callback}?**")
    return {name: values[0] for name, values in parse_qs(urlsplit(page.url).query).items()}


def id_token_claims(provider: OidcProvider, client: OidcClient, callback: str, code: str) -> dict[str, object]:
    answer = requests.post(
        f"{provider.issuer}/token",
        data={"grant_type": "authorization_code", "code": code, "redirect_uri": callback},
        auth=(client.client_id, client.client_secret),
        timeout=10,
    )
    assert answer.status_code == 200, answer.text
    return dict(json.loads(base64.urlsafe_b64decode(answer.json()["id_token"].split(".")[1] + "==")))


def test_a_login_at_the_certified_provider_brings_the_email_in_the_id_token(oidc_provider: OidcProvider, landing: str, page: Page) -> None:
    client = oidc_provider.add_client([landing])

    answer = log_in(page, oidc_provider, client, landing)

    assert answer["state"] == "s"
    assert answer["iss"] == oidc_provider.issuer
    claims = id_token_claims(oidc_provider, client, landing, answer["code"])
    assert claims["email"] == oidc_provider.email
    assert claims["email_verified"] is True
    assert claims["groups"] == ["customers"]
    assert claims["nonce"] == "n"


def test_a_provider_can_keep_claims_for_userinfo_and_know_no_rfc_9207(
    start_oidc_provider: Callable[..., OidcProvider], landing: str, page: Page
) -> None:
    provider = start_oidc_provider(claims_in_id_token=False, iss_in_answer=False)
    client = provider.add_client([landing])

    answer = log_in(page, provider, client, landing)

    assert "iss" not in answer
    assert "authorization_response_iss_parameter_supported" not in requests.get(provider.discovery_url, timeout=10).json()
    assert "email" not in id_token_claims(provider, client, landing, answer["code"])


def test_the_provider_remembers_a_person_until_they_sign_out_there(oidc_provider: OidcProvider, landing: str, page: Page) -> None:
    signed_out = landing.replace("callback", "logged-out")
    client = oidc_provider.add_client([landing], [signed_out])
    log_in(page, oidc_provider, client, landing)

    page.goto(authorization_url(oidc_provider, client, landing))
    assert page.url.startswith(landing)

    page.goto(f"{oidc_provider.issuer}/session/end?{urlencode({'client_id': client.client_id, 'post_logout_redirect_uri': signed_out})}")
    page.click("text=Yes, sign me out")
    page.wait_for_url(f"{signed_out}**")
    page.goto(authorization_url(oidc_provider, client, landing))
    assert page.locator("input[name=password]").is_visible()


def test_a_wrong_password_is_told_on_the_page(oidc_provider: OidcProvider, landing: str, page: Page) -> None:
    client = oidc_provider.add_client([landing])
    page.goto(authorization_url(oidc_provider, client, landing))
    page.fill("input[name=email]", oidc_provider.email)
    page.fill("input[name=password]", "wrong")
    page.get_by_role("button", name="Sign in").click()
    assert page.locator("[role=alert]").inner_text() == "Wrong email or password."


@pytest.mark.parametrize(
    "auth_method",
    ["client_secret_basic", "client_secret_post"],
)
def test_the_provider_tells_a_wrong_secret_from_a_wrong_code(oidc_provider: OidcProvider, auth_method: str) -> None:
    client = oidc_provider.add_client(["http://127.0.0.1/callback"], auth_method=auth_method)

    def error(secret: str) -> str:
        form = {"grant_type": "authorization_code", "code": "none", "redirect_uri": "http://127.0.0.1/callback"}
        post = auth_method == "client_secret_post"
        answer = requests.post(
            f"{oidc_provider.issuer}/token",
            data=form | ({"client_id": client.client_id, "client_secret": secret} if post else {}),
            auth=None if post else (client.client_id, secret),
            timeout=10,
        )
        return str(answer.json()["error"])

    assert error(client.client_secret) == "invalid_grant"
    assert error("wrong") == "invalid_client"


def test_the_keyring_is_one_for_this_process_and_for_children(jsmsso_home: Home, start: Children) -> None:
    child = start(
        [sys.executable, "-c", "import keyring; keyring.set_password('jsmsso', 'cognito/client_secret', 'from a child')"],
        env=jsmsso_home.env,
        cwd=jsmsso_home.work,
    )
    assert child.wait() == 0, child.output
    assert jsmsso_home.keyring == {"jsmsso/cognito/client_secret": "from a child"}
    keyring.core.init_backend()
    assert keyring.get_password("jsmsso", "cognito/client_secret") == "from a child"


def test_a_started_program_is_ended_with_its_own_children(start: Children) -> None:
    child = start(
        [sys.executable, "-uc", "import subprocess; print(subprocess.Popen(['sleep', '600']).pid, flush=True); input()"],
        ready=r"^\d+$",
    )
    grandchild = int(child.stdout)
    child.signal(signal.SIGTERM)
    assert child.stop() == -signal.SIGTERM
    ended = start(["sh", "-c", f"while kill -0 {grandchild} 2>/dev/null && ! grep -q zombie /proc/{grandchild}/status; do sleep 0.1; done"])
    assert ended.wait() == 0


def test_two_free_ports_are_never_the_same(free_port: Callable[[], int]) -> None:
    ports = [free_port() for _ in range(50)]
    assert len(set(ports)) == 50
