"""Who is measured: jsmsso and what people put in its place today, each doing the same work with two processes or threads."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.acts import Kind
from benchmarks.gateways import APACHE_MODULES, WORKERS, Site, jsmsso_command
from benchmarks.stub_provider import CLIENT_ID, WITH_USERINFO, WITHOUT_USERINFO

PEERS = Path(__file__).parent / "peers"
JSMSSO = "jsmsso"
JSMSSO_FORWARD_AUTH = "jsmsso as forward auth"
FLASK = "Flask + Authlib"
DJANGO = "mozilla-django-oidc"
APACHE = "mod_auth_openidc"
APACHE_WITHOUT_USERINFO = "mod_auth_openidc without userinfo"
OAUTH2_PROXY = "oauth2-proxy"
BUILD_SECONDS = 900.0  # Go fetches and compiles some two hundred packages, once


@dataclass(frozen=True, slots=True)
class Contender:
    """How a gateway is started; ``processes`` is how many it has when it is ready, its parent among them."""

    command: Callable[[Site], list[str]]
    issuer_path: str = WITH_USERINFO
    processes: int = WORKERS + 1
    rarer: int = 1
    """How much more rarely than the others it does each act, as it takes so long."""
    kind: Kind = field(default_factory=Kind)
    why_not: Callable[[], str] = lambda: ""
    """Why it cannot be measured on this machine; empty where it can."""


def jsmsso_forward_auth(site: Site) -> list[str]:
    """The same profile for a proxy in front of a site; the proxy comes from loopback."""
    more = {
        "public_url": f"http://127.0.0.1:{site.port}/_sso",
        "trusted_proxies": ["127.0.0.1"],
        "forward_auth": {"other_paths": "deny"},
    }
    return jsmsso_command(site, more)


def flask(site: Site) -> list[str]:
    return gunicorn("benchmarks.peers.flask_authlib:application", site)


def django(site: Site) -> list[str]:
    return gunicorn("benchmarks.peers.django_oidc:application", site)


def apache(site: Site) -> list[str]:
    command = _apache()
    assert command is not None
    return [command, "-DFOREGROUND", "-f", str(PEERS / "apache.conf")]


def oauth2_proxy(site: Site) -> list[str]:
    """In front of an answer of its own, so that nothing is measured of what it would fetch; one process of two threads."""
    return [
        *(str(_OAUTH2_PROXY), "--provider", "oidc", "--oidc-issuer-url", site.issuer, "--http-address", f"127.0.0.1:{site.port}"),
        *("--client-id", CLIENT_ID, "--client-secret", site.client_secret, "--cookie-secret", site.session_secret[:32]),
        *("--redirect-url", f"http://127.0.0.1:{site.port}/oauth2/callback", "--scope", "openid profile email"),
        *("--upstream", "static://200", "--email-domain", "*", "--code-challenge-method", "S256", "--cookie-secure=false"),
        *("--insecure-oidc-skip-nonce=false", "--skip-provider-button", "--set-xauthrequest", "--cookie-samesite", "lax"),
        *("--standard-logging=false", "--auth-logging=false", "--request-logging=false"),
    ]


def gunicorn(application: str, site: Site) -> list[str]:
    """Two workers of eight threads; the log only says errors."""
    return [
        *(sys.executable, "-m", "gunicorn", "--workers", str(WORKERS), "--threads", "8", "--keep-alive", "30"),
        *("--log-level", "error", "--bind", f"127.0.0.1:{site.port}", application),
    ]


def bare_granian(site: Site) -> list[str]:
    return [
        *(sys.executable, "-m", "granian", "--interface", "wsgi", "--workers", str(WORKERS), "--blocking-threads", "16"),
        *("--http", "1", "--no-ws", "--log-level", "error", "--host", "127.0.0.1", "--port", str(site.port)),
        "benchmarks.peers.bare_wsgi:application",
    ]


def bare_gunicorn(site: Site) -> list[str]:
    return gunicorn("benchmarks.peers.bare_wsgi:application", site)


def no_apache() -> str:
    if _apache() is None:
        return "apache2 is not installed"
    if not (APACHE_MODULES / "mod_auth_openidc.so").exists():
        return "libapache2-mod-auth-openidc is not installed"
    return ""


def no_oauth2_proxy() -> str:
    """Builds it beside this environment's commands where it is not yet there, from the versions and hashes in ``peers``."""
    if _OAUTH2_PROXY.exists():
        return ""
    go = shutil.which("go")
    if go is None:
        return "Go is not installed, which builds it"
    with tempfile.TemporaryDirectory(prefix="jsmsso-bench-") as folder:
        shutil.copytree(PEERS / "oauth2_proxy", folder, dirs_exist_ok=True)
        command = [go, "build", "-mod=mod", "-buildvcs=false", "-o", str(_OAUTH2_PROXY), "github.com/oauth2-proxy/oauth2-proxy/v7"]
        try:
            done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=BUILD_SECONDS)
        except subprocess.TimeoutExpired:
            return f"Go did not build it within {BUILD_SECONDS:.0f} seconds"
    return "" if done.returncode == 0 else f"Go does not build it: {done.stderr.strip().rpartition(chr(10))[2]}"


def _apache() -> str | None:
    return shutil.which("apache2", path=f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin")


_OAUTH2_PROXY = Path(sys.executable).with_name("oauth2-proxy")

CONTENDERS: Mapping[str, Contender] = {
    JSMSSO: Contender(jsmsso_command),
    JSMSSO_FORWARD_AUTH: Contender(jsmsso_forward_auth, kind=Kind(base="/_sso", question="/auth")),
    FLASK: Contender(flask, rarer=2),
    DJANGO: Contender(django, rarer=5, kind=Kind(callback="/oidc/callback/")),
    APACHE: Contender(apache, why_not=no_apache),
    APACHE_WITHOUT_USERINFO: Contender(apache, WITHOUT_USERINFO, why_not=no_apache),
    OAUTH2_PROXY: Contender(
        oauth2_proxy,
        processes=1,
        kind=Kind(callback="/oauth2/callback", lets_in="200", question="/oauth2/auth"),
        why_not=no_oauth2_proxy,
    ),
}
BARE: Mapping[str, Contender] = {
    "granian": Contender(bare_granian),
    "gunicorn": Contender(bare_gunicorn),
    "Apache": Contender(apache, why_not=no_apache),
}
