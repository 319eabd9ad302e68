"""The local Cognito and JSM are for this machine alone, and nothing that serves customers knows them."""

from __future__ import annotations

import ast
import json
import re
import stat
import subprocess
import sys
from ipaddress import ip_address
from pathlib import Path

import pytest

from jsmsso.profile.reading import read_profile
from tests.journeys.served import write_profile
from tests.services import REPOSITORY
from tests.services.children import Children
from tests.services.home import Home

linux_only = pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
STAND_INS = (
    "jsmsso.sandbox",
    "ministack",
    "boto3",
    "botocore",
    "moto",
    "playwright",
    "hypothesis",
    "pytest",
    "tests",
    "trustme",
)


def processes_of(pid: int) -> set[int]:
    """A process and all that come from it."""
    parents: dict[int, int] = {}
    for place in Path("/proc").glob("[0-9]*/stat"):
        try:
            parents[int(place.parent.name)] = int(place.read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue
    found = {pid}
    while more := {child for child, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def listening(pid: int) -> set[tuple[str, int]]:
    """Addresses and ports at which a process and its children listen, TCP and UDP."""
    inodes = set()
    for one in processes_of(pid):
        for place in Path(f"/proc/{one}/fd").glob("*"):
            try:
                if found := re.fullmatch(r"socket:\[(\d+)\]", str(place.readlink())):
                    inodes.add(found[1])
            except OSError:
                continue
    at = set()
    for kind in ("tcp", "tcp6", "udp", "udp6"):
        for line in Path(f"/proc/net/{kind}").read_text().splitlines()[1:]:
            fields = line.split()
            if fields[9] in inodes and (fields[3] == "0A" or kind.startswith("udp")):
                address, port = fields[1].split(":")
                words = [bytes.fromhex(address[place : place + 8])[::-1] for place in range(0, len(address), 8)]
                at.add((str(ip_address(b"".join(words))), int(port, 16)))
    return at


@linux_only
def test_the_demo_listens_on_loopback_alone_and_keeps_its_files_to_itself(start: Children, jsmsso_home: Home) -> None:
    child = start([sys.executable, "-m", "jsmsso", "demo"], env=jsmsso_home.env, ready="Ctrl-C stops all of it")
    at = listening(child.pid)
    assert len(at) >= 3, at
    assert all(ip_address(address).is_loopback for address, _ in at), at

    [written] = re.findall(r"The log is (\S+)\.", child.stdout)
    folder = Path(written).parent
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    for name in ("session-secret", "client-secret", "api-token"):
        assert stat.S_IMODE((folder / name).stat().st_mode) == 0o600
    profile = read_profile(folder / "jsmsso.yaml")
    text = (folder / "jsmsso.yaml").read_text()
    assert profile.public_url.startswith("http://localhost:")
    assert profile.jsm is not None
    assert profile.jsm.url.startswith("http://127.0.0.1:")
    for name in ("session-secret", "client-secret", "api-token"):
        assert (folder / name).read_text() not in text + (folder / "serve.log").read_text()
    assert profile.access, "not even the demo lets everybody in"
    assert not list(jsmsso_home.path.rglob("jsmsso.yaml")), "the person's own profile is not touched"
    assert child.stop() != 0
    assert not folder.exists()


@linux_only
def test_the_local_jsm_listens_on_loopback_alone_whatever_it_is_told(start: Children, jsmsso_home: Home) -> None:
    command = [sys.executable, "-m", "jsmsso.sandbox.local_jsm"]
    child = start([*command, "--port", "0"], env=jsmsso_home.env, ready="http://")
    assert {address for address, _ in listening(child.pid)} == {"127.0.0.1"}
    for option in ("--bind", "--host", "--address"):
        assert subprocess.run([*command, option, "0.0.0.0"], env=jsmsso_home.env, capture_output=True).returncode == 2


def test_nothing_that_serves_imports_a_stand_in() -> None:
    """Not even inside a function; the one command that may is ``demo``."""
    allowed = {REPOSITORY / "jsmsso" / "cli" / "demo.py"}
    for path in (REPOSITORY / "jsmsso").rglob("*.py"):
        if path in allowed or "sandbox" in path.parts:
            continue
        for node in ast.walk(ast.parse(path.read_text())):
            names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
            names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
            for name in names:
                assert not name.startswith(("jsmsso.sandbox", "tests", "ministack", "pytest", "hypothesis")), (path, name)


def test_an_application_that_serves_has_loaded_no_stand_in(jsmsso_home: Home) -> None:
    entry = {"type": "oidc", "issuer": "https://login.acme.example", "client_id": "x", "scopes": ["openid", "email"]}
    (jsmsso_home.work / "token").write_text("token")
    (jsmsso_home.work / "token").chmod(0o600)
    portal = {
        "id": "3",
        "key": "HELP",
        "service_desk": "3",
        "name": "IT",
        "url": "https://acme.atlassian.net/servicedesk/customer/portal/3",
    }
    write_profile(
        jsmsso_home,
        {
            "public_url": "https://sso.acme.example",
            "providers": {"a": entry},
            "jsm": {
                "url": "https://acme.atlassian.net",
                "email": "a@acme.example",
                "api_token": "file:token",
                "customers": {"create": True},
            },
            "portals": [portal | {"mode": "hosted"}],
        },
    )
    program = (
        "import json, sys\nfrom jsmsso.runtime.preparing import prepare\nimport jsmsso.runtime.serving\n"
        f"application = prepare({str(jsmsso_home.profile)!r}).application(warm=False)\n"
        "application({'REQUEST_METHOD': 'GET', 'PATH_INFO': '/'}, lambda *_: None)\nprint(json.dumps(sorted(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], env=jsmsso_home.env, cwd=jsmsso_home.work, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    loaded = json.loads(done.stdout)
    assert [name for name in loaded if name.startswith(STAND_INS)] == []


def test_the_package_holds_no_test_and_no_test_knows_a_real_address() -> None:
    built = (REPOSITORY / "pyproject.toml").read_text()
    assert 'packages = ["jsmsso"]' in built
    for path in (REPOSITORY / "tests" / "hardening").rglob("*.py"):
        named = re.findall(r"https?://([a-z0-9.-]+\.(?:com|net|org|io))", path.read_text())
        assert set(named) <= {"acme.atlassian.net", "login.acme.com"}, (path, named)
