"""A Data Center site behind a real proxy that asks jsmsso before each request, set up by the files in ``examples/``."""

from __future__ import annotations

import re
import shutil
import socket
import ssl
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import trustme

from jsmsso.sandbox.jsm_site import LocalSite
from jsmsso.sandbox.local_jsm import LocalJsm
from tests.journeys.served import Served, serve, write_profile
from tests.journeys.signed_in import keep_secret
from tests.services import REPOSITORY
from tests.services.children import Child, Children, children
from tests.services.home import make_home
from tests.services.oidc_provider import OidcProvider

EXAMPLES = REPOSITORY / "examples"
NATIVE = "/servicedesk/customer/portal"
PROXIES = {"nginx": "nginx-forward-auth.conf", "caddy": "caddy-forward-auth.Caddyfile"}


Headers = Mapping[str, str] | Sequence[tuple[str, str]]


@dataclass(frozen=True)
class Answer:
    """What came back. ``seen`` are the headers with which Jira was asked, as far as it was."""

    status: int
    headers: list[tuple[str, str]]
    text: str

    def header(self, name: str) -> str:
        return next((value for given, value in self.headers if given.lower() == name.lower()), "")

    def cookies(self) -> list[str]:
        return [value for name, value in self.headers if name.lower() == "set-cookie"]


@dataclass(frozen=True)
class Protected:
    """Portals 21 (HELP), 22 (HR, for hr.example alone) and 23 (FAC) at ``url``, which is https with an authority of its own."""

    url: str
    port: int
    jsm: LocalJsm
    served: Served
    provider: OidcProvider
    trust: ssl.SSLContext

    def ask(self, target: str, headers: Headers = (), *, method: str = "GET", source: str = "") -> Answer:
        """One request whose target and headers go over the wire to the letter; ``source`` is the address it comes from."""
        lines = [f"{method} {target} HTTP/1.1", f"Host: localhost:{self.port}", "Connection: close"]
        given = headers.items() if isinstance(headers, Mapping) else headers
        lines += [f"{name}: {value}" for name, value in given]
        plain = socket.create_connection(("127.0.0.1", self.port), timeout=30, source_address=(source, 0) if source else None)
        with plain, self.trust.wrap_socket(plain, server_hostname="localhost") as wire:
            wire.sendall("\r\n".join([*lines, "", ""]).encode("latin-1"))
            whole = b""
            while chunk := _received(wire):
                whole += chunk
        head, _, body = whole.partition(b"\r\n\r\n")
        first, *rest = head.decode("latin-1").split("\r\n")
        return Answer(int(first.split(" ")[1]), [_split(line) for line in rest], body.decode(errors="replace"))


def _received(wire: ssl.SSLSocket) -> bytes:
    try:
        return wire.recv(65536)
    except ssl.SSLEOFError:
        return b""


def _split(line: str) -> tuple[str, str]:
    name, _, value = line.partition(":")
    return name, value.strip()


@contextmanager
def protected(folder: Path, example: str, provider: OidcProvider, free_port: Callable[[], int], **changed: Any) -> Iterator[Protected]:
    """All of it running, until the block ends."""
    home, port = make_home(folder / "home"), free_port()
    url = f"https://localhost:{port}"
    public_url = f"{url}/_sso"
    client = provider.add_client([f"{public_url}/callback"], [f"{public_url}/logged-out"])
    with children() as start, LocalJsm(LocalSite("Server"), free_port()) as jsm:
        entry = {
            "type": "oidc",
            "issuer": provider.issuer,
            "client_id": client.client_id,
            "client_secret": keep_secret(home, "client", client.client_secret),
        }
        profile = {
            "public_url": public_url,
            "providers": {"login": entry},
            "attributes": {"email": "email", "first_name": "given_name", "last_name": "family_name", "organizations": "groups"},
            "portals": [
                {
                    "id": desk.portal_id,
                    "key": desk.key,
                    "service_desk": desk.id,
                    "name": desk.name,
                    "url": f"{url}{NATIVE}/{desk.portal_id}",
                    "mode": "redirect",
                    **({"access": [{"allow": {"email_domain": "hr.example"}}]} if desk.key == "HR" else {}),
                }
                for desk in jsm.site.desks
            ],
            "trusted_proxies": ["unix"],
            "forward_auth": {"other_paths": "deny"},
            **changed,
        }
        write_profile(home, profile)
        backend = folder / "socket"
        served = serve(start, home, "unix", "--unix", str(backend), "--workers", "2")
        trust = start_proxy(start, folder, example, port, backend, jsm.port)
        stage = Protected(url, port, jsm, served, provider, trust)
        while stage.ask("/_sso/healthz").status != 200:  # its workers are still starting
            assert served.child.running, served.child.output
        yield stage


def start_proxy(start: Children, folder: Path, example: str, port: int, backend: Path, jira: int) -> ssl.SSLContext:
    """The example's proxy with the names, ports and paths of this machine; returns what trusts its certificate."""
    authority = trustme.CA()
    certificate = authority.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(folder / "key.pem")
    for part in certificate.cert_chain_pems:
        part.write_to_path(folder / "cert.pem", append=True)
    text = _changed((EXAMPLES / example).read_text(), {"/run/jsmsso/socket": str(backend), "127.0.0.1:8080": f"127.0.0.1:{jira}"})
    child = (_nginx if example.endswith(".conf") else _caddy)(start, folder, port, text)
    while child.running:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
            break
        except ConnectionRefusedError:
            continue
    assert child.running, child.output
    trust = ssl.create_default_context()
    authority.configure_trust(trust)
    return trust


def _changed(text: str, there: Mapping[str, str]) -> str:
    for before, after in there.items():
        assert before in text, before
        text = text.replace(before, after)
    return text


def _nginx(start: Children, folder: Path, port: int, text: str) -> Child:
    program = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
    assert program
    names = {
        "/etc/ssl/jira.acme.com.pem": f"{folder}/cert.pem",
        "/etc/ssl/private/jira.acme.com.key": f"{folder}/key.pem",
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl",
        "jira.acme.com": "localhost",
    }
    text = _changed(text, names).replace("10.0.0.0/8", "127.0.0.2").replace("listen 80;", f"listen unix:{folder}/plain;")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi"))
    conf = f"user root;\npid {folder}/nginx.pid;\ndaemon off;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{text}}}\n"
    (folder / "nginx.conf").write_text(conf)
    return start([program, "-c", folder / "nginx.conf", "-e", folder / "nginx.log"])


def _caddy(start: Children, folder: Path, port: int, text: str) -> Child:
    program = shutil.which("caddy")
    assert program
    site = f"https://localhost:{port} {{\n\tbind 127.0.0.1\n\ttls {folder}/cert.pem {folder}/key.pem"
    text = "{\n\tadmin off\n\tauto_https off\n}\n" + re.sub(r"^jira\.acme\.com \{", lambda _: site, text, flags=re.MULTILINE)
    (folder / "Caddyfile").write_text(text)
    env = {"HOME": str(folder), "XDG_DATA_HOME": str(folder), "XDG_CONFIG_HOME": str(folder), "PATH": "/usr/bin:/bin"}
    return start([program, "run", "--config", folder / "Caddyfile", "--adapter", "caddyfile"], env=env)
