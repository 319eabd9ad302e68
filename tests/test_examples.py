"""The unit, the compose file, the manifest and the guide in ``examples/`` and ``docs/``, held to what the commands and the profile take."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import yaml

from jsmsso.profile.model import Profile
from jsmsso.profile.readiness import serving_notes
from jsmsso.profile.reading import read_profile, validate
from tests.reading_examples import DOCKERFILE, EXAMPLES, one, parsed, secrets_below
from tests.services import REPOSITORY
from tests.services.children import installed_script

UNIT = EXAMPLES / "systemd" / "jsmsso.service"
COMPOSE = yaml.safe_load((EXAMPLES / "docker" / "compose.yaml").read_text())
MANIFEST = {one["kind"]: one for one in yaml.safe_load_all((EXAMPLES / "kubernetes" / "jsmsso.yaml").read_text())}
GUIDE = (REPOSITORY / "docs" / "deployment.md").read_text()


IN_MANIFEST = validate(MANIFEST["ConfigMap"]["data"]["jsmsso.yaml"].encode(), Path("jsmsso.yaml"))
PROFILES = [
    pytest.param(read_profile(EXAMPLES / "systemd" / "jsmsso.yaml"), id="systemd"),
    pytest.param(read_profile(EXAMPLES / "docker" / "jsmsso" / "jsmsso.yaml"), id="Docker"),
    pytest.param(IN_MANIFEST, id="Kubernetes"),
]


@pytest.mark.parametrize("profile", PROFILES)
def test_the_profile_of_an_example_can_be_served(profile: Profile) -> None:
    assert serving_notes(profile).refused == ()
    assert profile.store
    assert profile.store.url == "sqlite:////var/lib/jsmsso/state.db"


# systemd -------------------------------------------------------------------------------------------


def settings_of(unit: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for key, value in re.findall(r"(?m)^([A-Za-z]+)=(.*)$", unit):
        found.setdefault(key, []).append(value)
    return found


def test_the_unit_starts_a_command_that_there_is_and_gives_it_its_places() -> None:
    unit = settings_of(UNIT.read_text())
    command, *arguments = shlex.split(unit["ExecStart"][0])
    options = parsed(arguments)
    assert command == "/opt/jsmsso/bin/jsmsso"
    assert Path(options["unix"]).parent == Path("/run") / unit["RuntimeDirectory"][0]
    assert Path(options["profile"] or "/etc/jsmsso/jsmsso.yaml").parent == Path("/etc/jsmsso")
    assert unit["StateDirectory"] == ["jsmsso"]


def test_the_unit_loads_the_secrets_that_its_profile_names() -> None:
    wanted = secrets_below(read_profile(EXAMPLES / "systemd" / "jsmsso.yaml"), f"/run/credentials/{UNIT.name}")
    loaded = dict(line.split(":") for line in settings_of(UNIT.read_text())["LoadCredential"])
    assert loaded == {name: f"/etc/jsmsso/secrets/{name}" for name in wanted}


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not installed")
def test_systemd_takes_the_unit_and_calls_it_well_closed(tmp_path: Path) -> None:
    unit = tmp_path / UNIT.name
    unit.write_text(UNIT.read_text().replace("/opt/jsmsso/bin/jsmsso", str(installed_script("jsmsso"))))
    verified = subprocess.run(["systemd-analyze", "verify", "--man=no", unit], capture_output=True, text=True)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    judged = subprocess.run(["systemd-analyze", "security", "--offline=true", "--threshold=20", unit], capture_output=True, text=True)
    if "unrecognized option" in judged.stderr:
        pytest.skip("this systemd cannot judge a unit that is not loaded")
    assert judged.returncode == 0, judged.stdout[-500:]


@pytest.mark.skipif(shutil.which("systemd-sysusers") is None, reason="systemd is not installed")
def test_systemd_takes_the_user_of_the_unit() -> None:
    path = EXAMPLES / "systemd" / "jsmsso.sysusers.conf"
    done = subprocess.run(["systemd-sysusers", "--dry-run", path], capture_output=True, text=True)
    if "unrecognized option" in done.stderr:
        pytest.skip("this systemd has no dry run")
    assert done.returncode == 0, done.stderr
    assert settings_of(UNIT.read_text())["User"] == ["jsmsso"]


# Docker --------------------------------------------------------------------------------------------


def test_compose_mounts_every_secret_and_folder_that_the_profile_names() -> None:
    service = COMPOSE["services"]["jsmsso"]
    wanted = secrets_below(read_profile(EXAMPLES / "docker" / "jsmsso" / "jsmsso.yaml"), "/run/secrets")
    assert set(service["secrets"]) == set(COMPOSE["secrets"]) == wanted
    assert {one["file"] for one in COMPOSE["secrets"].values()} == {f"secrets/{name}" for name in wanted}
    build = service["build"]
    assert (EXAMPLES / "docker" / build["context"] / build["dockerfile"]).resolve() == DOCKERFILE
    mounts = dict(mount.split(":")[:2][::-1] for mount in service["volumes"])
    assert (EXAMPLES / "docker" / mounts["/etc/jsmsso"] / "jsmsso.yaml").is_file()
    assert mounts["/var/lib/jsmsso"] in COMPOSE["volumes"]
    assert (service["read_only"], service["cap_drop"], service["security_opt"]) == (True, ["ALL"], ["no-new-privileges:true"])


# Kubernetes ----------------------------------------------------------------------------------------


def test_the_manifest_s_pod_has_no_right_that_it_does_not_need() -> None:
    pod = MANIFEST["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    assert pod["automountServiceAccountToken"] is False
    inside = pod["securityContext"]
    assert (inside["runAsNonRoot"], str(inside["runAsUser"]), inside["seccompProfile"]) == (
        True, one("USER").partition(":")[0], {"type": "RuntimeDefault"},
    )  # fmt: skip
    assert container["securityContext"] == {
        "allowPrivilegeEscalation": False,
        "readOnlyRootFilesystem": True,
        "capabilities": {"drop": ["ALL"]},
    }


def test_the_manifest_s_pod_gets_arguments_ports_and_probes_that_fit() -> None:
    pod = MANIFEST["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    options = parsed(container["args"])
    ports = {port["name"]: port["containerPort"] for port in container["ports"]}
    assert ports == {"http": int(options["bind"].rpartition(":")[2]), "ops": int(options["ops_bind"].rpartition(":")[2])}
    assert pod["terminationGracePeriodSeconds"] > options["drain"] + 15
    probes = {name: container[f"{name}Probe"]["httpGet"] for name in ("liveness", "readiness")}
    assert probes == {"liveness": {"path": "/healthz", "port": "http"}, "readiness": {"path": "/readyz", "port": "http"}}
    assert [port["targetPort"] for port in MANIFEST["Service"]["spec"]["ports"]] == ["http"]


def test_the_manifest_s_pod_has_every_folder_that_the_profile_and_the_image_name() -> None:
    pod = MANIFEST["Deployment"]["spec"]["template"]["spec"]
    (container,) = pod["containers"]
    mounts = {mount["mountPath"]: mount["name"] for mount in container["volumeMounts"]}
    volumes = {volume["name"]: volume for volume in pod["volumes"]}
    assert set(mounts.values()) == set(volumes)
    assert {"/tmp", "/var/lib/jsmsso", "/etc/jsmsso", "/run/secrets"} == set(mounts)
    assert secrets_below(IN_MANIFEST, "/run/secrets")
    assert volumes[mounts["/run/secrets"]]["secret"]["defaultMode"] == 0o440
    assert volumes[mounts["/etc/jsmsso"]]["configMap"]["name"] == MANIFEST["ConfigMap"]["metadata"]["name"]
    assert volumes[mounts["/var/lib/jsmsso"]]["persistentVolumeClaim"]["claimName"] == MANIFEST["PersistentVolumeClaim"]["metadata"]["name"]
    assert "JSMSSO_PROFILE=/etc/jsmsso/jsmsso.yaml" in one("ENV").split()


def test_the_manifest_s_service_and_deployment_mean_the_same_pods() -> None:
    labels = MANIFEST["Deployment"]["spec"]["template"]["metadata"]["labels"]
    assert MANIFEST["Deployment"]["spec"]["selector"]["matchLabels"] == MANIFEST["Service"]["spec"]["selector"] == labels


# The guide -----------------------------------------------------------------------------------------


def commands_of(guide: str) -> list[str]:
    """Command lines of jsmsso, in blocks and between backticks."""
    blocks = re.findall(r"(?m)^ {4,}(?:\S*/)?(jsmsso .*)$", guide)
    return [*blocks, *re.findall(r"`(?:\S*/|docker compose exec jsmsso )?(jsmsso [^`]*)`", guide)]


def test_every_command_of_the_guide_is_one() -> None:
    lines = commands_of(GUIDE)
    assert len(lines) >= 6
    for line in lines:
        parsed(shlex.split(line)[1:])


def test_every_file_of_the_guide_is_there() -> None:
    named = set(re.findall(r"\b((?:examples|requirements)/[\w./-]+[\w/])", GUIDE)) - {"examples/docker/secrets/"}
    assert len(named) > 5
    assert [name for name in named if not (REPOSITORY / name).exists()] == []


def test_the_guide_s_addresses_are_those_of_the_unit() -> None:
    ops = parsed(shlex.split(settings_of(UNIT.read_text())["ExecStart"][0])[1:])["ops_bind"]
    assert f"http://{ops}/readyz" in GUIDE
    assert urlsplit(f"http://{ops}").hostname == "127.0.0.1"
