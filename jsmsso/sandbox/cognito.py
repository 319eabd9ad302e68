"""A Cognito of one's own on loopback: MiniStack, with a pool, an app client and a user made over its AWS API.

``local_cognito`` runs it for the length of a ``with`` block; ``log_in`` walks its login page without a
browser. It is for the demo and the tests: what it lacks of the real one is said where it matters here.
"""

from __future__ import annotations

import http.client
import ipaddress
import json
import os
import secrets
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from html.parser import HTMLParser
from typing import IO, Any
from urllib.parse import urlencode, urljoin, urlsplit

from jsmsso.errors import MachineFailed, PortTaken, ProviderFailed, ProviderUnreachable, UsageError

REGION = "eu-west-1"
DOMAIN_PREFIX = "jsmsso-demo"
GROUP = "customers"
SCOPES = ("openid", "profile", "email")
START_SECONDS = 30.0  # it answers within one; the rest is for a machine that is busy
STOP_SECONDS = 5.0
MAX_BYTES = 1_000_000  # of any answer that is read here


@dataclass(frozen=True, slots=True)
class AppClient:
    """An app client of the pool; ``client_secret`` is empty for a public one."""

    client_id: str
    client_secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class LocalCognito:
    """A running Cognito and what is needed to use it: the addresses, an app client, a user who can log in."""

    base_url: str
    """``http://127.0.0.1:PORT``; also what an administrator would paste as the domain."""
    region: str
    user_pool_id: str
    client_id: str
    client_secret: str = field(repr=False)
    email: str
    """The user's; verified, in the group ``customers``."""
    password: str = field(repr=False)
    _api: Any = field(repr=False, compare=False)

    @property
    def domain(self) -> str:
        return self.base_url

    @property
    def issuer(self) -> str:
        """The real AWS address, although nothing of it is AWS: it stands so in the tokens and in the discovery document."""
        return f"https://cognito-idp.{self.region}.amazonaws.com/{self.user_pool_id}"

    @property
    def discovery_url(self) -> str:
        """Where the document really is; its endpoints are on the host that one asks for it with."""
        return f"{self.base_url}/{self.user_pool_id}/.well-known/openid-configuration"

    def add_client(
        self,
        callback_urls: tuple[str, ...] | list[str],
        logout_urls: tuple[str, ...] | list[str] = (),
        *,
        name: str = "jsmsso",
        secret: bool = True,
        scopes: tuple[str, ...] = SCOPES,
    ) -> AppClient:
        """Another app client for the code flow. Without ``logout_urls`` MiniStack's /logout takes any address; AWS none."""
        answer = self._api.create_user_pool_client(
            UserPoolId=self.user_pool_id,
            ClientName=name,
            GenerateSecret=secret,
            AllowedOAuthFlows=["code"],
            AllowedOAuthScopes=list(scopes),
            AllowedOAuthFlowsUserPoolClient=True,
            SupportedIdentityProviders=["COGNITO"],
            CallbackURLs=list(callback_urls),
            LogoutURLs=list(logout_urls),
        )["UserPoolClient"]
        return AppClient(answer["ClientId"], answer.get("ClientSecret", ""))

    def add_group(self, name: str) -> None:
        """A group; users in it have it in the ID token's ``cognito:groups``."""
        self._api.create_group(UserPoolId=self.user_pool_id, GroupName=name)

    def add_user(
        self,
        email: str,
        password: str,
        *,
        email_verified: bool = True,
        groups: tuple[str, ...] = (GROUP,),
        given_name: str = "",
        family_name: str = "",
    ) -> str:
        """A user who can log in; returns the ``sub``. The groups must exist; in none, the token has no ``cognito:groups`` at all."""
        attributes = {"email": email, "email_verified": str(email_verified).lower(), "given_name": given_name, "family_name": family_name}
        user = self._api.admin_create_user(
            UserPoolId=self.user_pool_id,
            Username=email,
            MessageAction="SUPPRESS",
            UserAttributes=[{"Name": name, "Value": value} for name, value in attributes.items() if value],
        )["User"]
        # Without a permanent one the first login meets a page that asks for a new password.
        self._api.admin_set_user_password(UserPoolId=self.user_pool_id, Username=email, Password=password, Permanent=True)
        for group in groups:
            self._api.admin_add_user_to_group(UserPoolId=self.user_pool_id, Username=email, GroupName=group)
        return next(str(a["Value"]) for a in user["Attributes"] if a["Name"] == "sub")


@contextmanager
def local_cognito(
    callback_urls: tuple[str, ...] | list[str],
    logout_urls: tuple[str, ...] | list[str] = (),
    *,
    port: int = 0,
    email: str = "ada@acme.com",
    password: str = "",
) -> Iterator[LocalCognito]:
    """Run a Cognito on 127.0.0.1 until the block ends, also when this process is killed.

    ``port`` 0 takes a free one; an empty ``password`` makes one up. Raises ``MachineFailed`` (code
    ``machine_failed``) where the ``demo`` extra is not installed or it does not start, ``PortTaken``
    where the wanted port is in use.
    """
    _require_extra()
    with _running(port) as base_url:
        api = _aws_api(base_url)
        pool = api.create_user_pool(PoolName="jsmsso", AutoVerifiedAttributes=["email"], UsernameAttributes=["email"])["UserPool"]["Id"]
        # The domain is only for completeness: MiniStack serves its login pages on the port's own host.
        api.create_user_pool_domain(Domain=DOMAIN_PREFIX, UserPoolId=pool)
        password = password or f"Demo-{secrets.token_hex(4)}"
        empty = LocalCognito(base_url, REGION, pool, "", "", email, password, api)
        client = empty.add_client(callback_urls, logout_urls)
        empty.add_group(GROUP)
        empty.add_user(email, password, given_name="Ada", family_name="Lovelace")
        yield LocalCognito(base_url, REGION, pool, client.client_id, client.client_secret, email, password, api)


def log_in(authorization_url: str, email: str, password: str) -> str:
    """Walk MiniStack's login page as a browser would; returns the address it sends the browser to in the end.

    That is the callback with ``code`` and ``state``, or with ``error`` where the request itself was
    refused. Raises ``ProviderFailed`` with the page's own words where there is no way on (wrong
    password, unknown client, callback not registered). Loopback addresses only.
    """
    page = _ask("GET", authorization_url)
    if page.location:
        return page.location
    if page.status != 200 or not page.is_html:
        raise ProviderFailed(f"the login page did not open: {page.reason()}")
    form = _LoginForm(page.text)
    answer = _ask("POST", urljoin(authorization_url, form.action), {**form.fields, "username": email, "password": password})
    if answer.location:
        return answer.location
    complaint = _LoginForm(answer.text).complaint if answer.is_html else answer.reason()
    raise ProviderFailed(f"the login page did not let {email} in: {complaint or 'it asks for something else'}")


def _require_extra() -> None:
    from importlib.util import find_spec

    missing = [name for name in ("ministack", "boto3") if find_spec(name) is None]
    if missing:
        raise MachineFailed(
            f"the demo needs {' and '.join(missing)}, which are not installed",
            "Install jsmsso with its extra: pipx install 'jsmsso[demo]'",
        )


@contextmanager
def _running(port: int) -> Iterator[str]:
    """The process, from its first answer to its end; yields its base address."""
    for attempt in range(3):  # between finding a free port and listening on it, somebody else may take it
        chosen = port or _free_port()
        with tempfile.TemporaryFile() as log:
            mark = secrets.token_hex(8)  # by which the answer is known to be our child's, not that of another one on the port
            child = _spawn(chosen, log, mark)
            try:
                if _wait_until_up(child, chosen, mark):
                    yield f"http://127.0.0.1:{chosen}"
                    return
            finally:
                _stop(child)
            log.seek(0)
            said = log.read().decode(errors="replace").strip()
        if "already in use" in said or "address in use" in said.lower():
            if port:
                raise PortTaken(f"127.0.0.1:{port} is in use", "Leave the port out, or stop what listens there.")
            if attempt < 2:
                continue
        last = "; ".join(said.splitlines()[-3:]) or "it said nothing"
        raise MachineFailed(f"the local Cognito did not start within {START_SECONDS:.0f} seconds: {last}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _spawn(port: int, log: IO[bytes], mark: str) -> subprocess.Popen[bytes]:
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "MINISTACK_", "LOCALSTACK_"))}
    environment |= {
        "BIND_HOST": "127.0.0.1",  # it listens on every interface by default
        "GATEWAY_PORT": str(port),
        "SERVICES": "cognito-idp",
        "AUTH": "true",  # userInfo checks tokens only then
        "IOT_MTLS_ENABLED": "0",  # or it listens on 8883 too, on every interface
        "SFTP_ENABLED": "0",
        "PERSIST_STATE": "0",
        "LOG_LEVEL": "WARNING",
        "MINISTACK_EDITION": mark,
    }
    return subprocess.Popen(
        [sys.executable, "-P", "-m", __name__],  # -P: no module of the working directory gets in
        env=environment,
        stdin=subprocess.PIPE,  # its end is how the child learns of ours, however we end
        stdout=log,
        stderr=subprocess.STDOUT,
        start_new_session=True,  # Ctrl-C in the terminal is for us; we stop the child in order
    )


def _wait_until_up(child: subprocess.Popen[bytes], port: int, mark: str) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while child.poll() is None and time.monotonic() < deadline:
        try:
            if mark in _ask("GET", f"http://127.0.0.1:{port}/_ministack/health").text:
                return True
        except ProviderUnreachable:
            pass
        time.sleep(0.05)
    return False


def _stop(child: subprocess.Popen[bytes]) -> None:
    child.terminate()
    try:
        child.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()
    if child.stdin:
        child.stdin.close()  # not sooner: that is a second signal, into the first one's tidying up


def _aws_api(base_url: str) -> Any:
    """boto3's client for it, deaf to the AWS settings and proxies of the machine it runs on."""
    import boto3
    import botocore.session
    from botocore.config import Config

    own_settings = {
        "profile": (None, None, None, None),  # an AWS_PROFILE that does not exist is an error otherwise
        "config_file": (None, None, os.devnull, None),
        "credentials_file": (None, None, os.devnull, None),
    }
    session = boto3.Session(botocore_session=botocore.session.Session(session_vars=own_settings))
    return session.client(
        "cognito-idp",
        endpoint_url=base_url,
        region_name=REGION,
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106  MiniStack's own, for its root
        config=Config(proxies={}, retries={"mode": "standard", "total_max_attempts": 3}),
    )


@dataclass(frozen=True, slots=True)
class _Page:
    status: int
    location: str
    is_html: bool
    text: str

    def reason(self) -> str:
        try:
            document = json.loads(self.text)
            return f"{document['error']}: {document['error_description']}"
        except (ValueError, KeyError, TypeError):
            return f"HTTP {self.status}"


def _ask(method: str, url: str, form: dict[str, str] | None = None) -> _Page:
    """One request to our own child process; nothing but loopback, no proxy, no redirect followed."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme != "http" or not (host == "localhost" or _is_loopback(host)):
        raise UsageError(f"{parts.scheme}://{host} is no address of the local Cognito")
    connection = http.client.HTTPConnection(host, parts.port or 80, timeout=10)
    try:
        connection.request(
            method,
            parts.path + (f"?{parts.query}" if parts.query else ""),
            body=urlencode(form) if form else None,
            headers={"Content-Type": "application/x-www-form-urlencoded"} if form else {"Accept": "text/html"},
        )
        answer = connection.getresponse()
        text = answer.read(MAX_BYTES).decode(errors="replace")
        kind = answer.getheader("Content-Type", "")
        return _Page(answer.status, answer.getheader("Location", ""), kind.startswith("text/html"), text)
    except (OSError, http.client.HTTPException) as error:
        raise ProviderUnreachable(f"the local Cognito at {parts.netloc} does not answer: {error}") from error
    finally:
        connection.close()


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


class _LoginForm(HTMLParser):
    """The one form of a page: where it goes, its hidden fields, and the complaint shown above it."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.action = ""
        self.fields: dict[str, str] = {}
        self.complaint = ""
        self._in_complaint = False
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        values = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.action = values.get("action", "")
        elif tag == "input" and values.get("type") == "hidden":
            self.fields[values.get("name", "")] = values.get("value", "")
        elif values.get("class") == "error":
            self._in_complaint = True

    def handle_data(self, data: str) -> None:
        if self._in_complaint:
            self.complaint += data.strip()

    def handle_endtag(self, tag: str) -> None:
        self._in_complaint = False


def _serve() -> None:
    """The child: MiniStack in this process, gone when the parent's end of standard input is."""
    with tempfile.TemporaryDirectory(prefix="jsmsso-cognito-") as folder:
        # Signing keys would go to one folder that every MiniStack of this machine shares, the pid file to /tmp.
        os.environ["STATE_DIR"] = tempfile.tempdir = folder
        threading.Thread(target=_end_with_parent, daemon=True).start()
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until MiniStack sets its own
        sys.argv = ["ministack"]
        from ministack.app import main

        main()


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os.kill(os.getpid(), signal.SIGTERM)  # it leaves in order, and its folder with it
    time.sleep(STOP_SECONDS)
    os._exit(1)


if __name__ == "__main__":
    _serve()
