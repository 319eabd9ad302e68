"""The unit, the image, the compose file and the manifest in ``examples/``, held to what the commands and the profile take."""

from __future__ import annotations

import ast
import fnmatch
import os
import re
import shlex
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import urlopen

import pytest
import typer
import yaml

from jsmsso.cli.app import app
from jsmsso.profile.model import Profile
from jsmsso.profile.readiness import serving_notes
from jsmsso.profile.reading import validate
from jsmsso.profile.secrets import references
from tests.services import REPOSITORY
from tests.services.children import Children, installed_script
from tests.services.home import Home

EXAMPLES = REPOSITORY / "examples"
UNIT = EXAMPLES / "systemd" / "jsmsso.service"
DOCKERFILE = EXAMPLES / "docker" / "Dockerfile"
COMPOSE = yaml.safe_load((EXAMPLES / "docker" / "compose.yaml").read_text())
MANIFEST = {one["kind"]: one for one in yaml.safe_load_all((EXAMPLES / "kubernetes" / "jsmsso.yaml").read_text())}
GUIDE = (REPOSITORY / "docs" / "deployment.md").read_text()


def parsed(arguments: list[str]) -> dict[str, Any]:
    """A command line as the real command reads it. Raises what it would complain with."""
    root: Any = typer.main.get_command(app)
    context = root.make_context("jsmsso", list(arguments))
    while hasattr(context.command, "resolve_command"):
        name, command, rest = context.command.resolve_command(context, [*context._protected_args, *context.args])
        context = command.make_context(name, rest, parent=context)
    return {**context.find_root().params, **context.params}


def profile_at(path: Path) -> Profile:
    return validate(path.read_bytes(), path)


def secrets_below(profile: Profile, folder: str) -> set[str]:
    """The names of the files that a profile expects; all of its secrets must lie there."""
    assert all(one.startswith(f"file:{folder}/") for one in references(profile)), references(profile)
    return {one.removeprefix(f"file:{folder}/") for one in references(profile)}


IN_MANIFEST = validate(MANIFEST["ConfigMap"]["data"]["jsmsso.yaml"].encode(), Path("jsmsso.yaml"))
PROFILES = [
    pytest.param(profile_at(EXAMPLES / "systemd" / "jsmsso.yaml"), id="systemd"),
    pytest.param(profile_at(EXAMPLES / "docker" / "jsmsso" / "jsmsso.yaml"), id="Docker"),
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
    wanted = secrets_below(profile_at(EXAMPLES / "systemd" / "jsmsso.yaml"), f"/run/credentials/{UNIT.name}")
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


def instructions(stage: int) -> list[tuple[str, str]]:
    """The instructions of a stage of the Dockerfile, such as ``("USER", "10001:10001")``."""
    stages = re.split(r"(?m)^(?=FROM )", re.sub(r"(?m)^#.*\n", "", DOCKERFILE.read_text()))[1:]
    return [(word, rest) for word, _, rest in (line.partition(" ") for line in stages[stage].splitlines() if line)]


def one(word: str) -> str:
    """The value of the only instruction of that name in the image itself."""
    (value,) = [rest for name, rest in instructions(1) if name == word]
    return value


def is_in_context(path: str) -> bool:
    """Whether the ignore file lets a path of the repository into the build."""
    let = False
    for line in (DOCKERFILE.parent / "Dockerfile.dockerignore").read_text().split():
        pattern = line.removeprefix("!").removeprefix("**/")
        if any(fnmatch.fnmatchcase(part, pattern) for part in (path, *map(str, Path(path).parents), Path(path).name)):
            let = line.startswith("!")
    return let


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """What the build stage makes: its RUN lines, done here with uv in place of pip, in a folder that has only what it copies."""
    folder = Path(tempfile.mkdtemp(prefix="jsmsso-image-"))
    folder.chmod(0o755)
    context, venv, uv = folder / "src", folder / "venv", installed_script("uv")
    for word, rest in instructions(0):
        if word == "COPY":
            *sources, target = rest.split()
            for source in sources:
                assert is_in_context(source), source
                copy(REPOSITORY / source, context / target / Path(source).name if len(sources) > 1 else context / target)
        elif word == "RUN":
            done = subprocess.run(in_this_place(shlex.split(rest), context, venv, uv), cwd=context, capture_output=True, text=True)
            assert done.returncode == 0, f"{rest}: {done.stdout}{done.stderr}"
    yield venv
    shutil.rmtree(folder)


def copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)


def in_this_place(command: list[str], context: Path, venv: Path, uv: Path) -> list[str | Path]:
    match command:
        case ["pip", "install", "--no-cache-dir", *options]:  # the tools of the build, into an environment of their own
            subprocess.run([uv, "venv", "--quiet", "--python", sys.executable, context.parent / "build"], check=True)
            return [uv, "pip", "install", "--python", context.parent / "build", *options]
        case ["python", "-m", "venv", _]:
            return [uv, "venv", "--quiet", "--python", Path(sys.executable).resolve(), venv]
        case ["/opt/jsmsso/bin/pip", "install", "--no-cache-dir", *options]:
            wheels = [path for option in options for path in (sorted(context.glob(option)) if "*" in option else [option])]
            return [uv, "pip", "install", "--python", venv, *wheels]
        case ["python", *options]:
            return [context.parent / "build" / "bin" / "python", *options]
    raise AssertionError(f"what does {command} do?")


def test_the_image_is_built_from_locked_packages_and_what_is_copied(image: Path) -> None:
    done = subprocess.run([image / "bin" / "jsmsso", "--version"], capture_output=True, text=True, cwd="/")
    assert (done.returncode, done.stdout.startswith("jsmsso ")) == (0, True), done.stderr
    assert subprocess.run([image / "bin" / "python", "-c", "import redis"]).returncode == 0


def test_no_secret_and_no_profile_gets_into_the_build() -> None:
    for path in (
        "jsmsso.yaml",
        "secrets/session_secret",
        ".git/config",
        "examples/docker/secrets/jsm_api_token",
        ".env",
        ".venv/bin/python",
    ):
        assert not is_in_context(path), path
    assert all(word not in ("ADD", "ARG") for stage in (0, 1) for word, _ in instructions(stage))


def test_the_image_runs_as_nobody_of_name_with_commands_that_there_are() -> None:
    user, group = map(int, one("USER").split(":"))
    assert min(user, group) > 1000
    assert ast.literal_eval(one("ENTRYPOINT")) == ["jsmsso"]
    options = parsed(ast.literal_eval(one("CMD")))
    ports = {options[name].rpartition(":")[2] for name in ("bind", "ops_bind")}
    assert set(one("EXPOSE").split()) == ports
    assert f"127.0.0.1:{options['ops_bind'].rpartition(':')[2]}/healthz" in one("HEALTHCHECK")


def test_compose_mounts_every_secret_and_folder_that_the_profile_names() -> None:
    service = COMPOSE["services"]["jsmsso"]
    wanted = secrets_below(profile_at(EXAMPLES / "docker" / "jsmsso" / "jsmsso.yaml"), "/run/secrets")
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


# As it will run ------------------------------------------------------------------------------------

CONFINED = """
set -eu
cd "$FOLDER"
for place in state tmp; do mount --bind $place $place; done
mount -o remount,bind,ro /
for place in $(cut -d' ' -f5 /proc/self/mountinfo | grep -vE "^(/|/proc|/sys|/dev)(/|$)" | grep -v "^$FOLDER"); do
    mount -o remount,bind,ro $place 2>/dev/null || true
done
if touch outside 2>/dev/null; then echo "this root is not read-only"; exit 1; fi
exec setpriv --reuid {user} --regid {group} --clear-groups --no-new-privs --bounding-set -all --inh-caps -all "$@"
"""


@contextmanager
def outside_the_home() -> Iterator[Path]:
    """A folder that another user can reach, which pytest's own are not."""
    folder = Path(tempfile.mkdtemp(prefix="jsmsso-example-"))
    try:
        folder.chmod(0o755)
        yield folder
    finally:
        shutil.rmtree(folder)


def can_confine() -> bool:
    if os.name != "posix" or not hasattr(os, "geteuid") or os.geteuid() or not shutil.which("setpriv") or not shutil.which("unshare"):
        return False
    return subprocess.run(["unshare", "--mount", "true"], capture_output=True).returncode == 0


@pytest.mark.skipif(not can_confine(), reason="only root on Linux can make the container's walls")
def test_the_image_s_command_runs_without_root_on_a_read_only_root(
    image: Path, start: Children, jsmsso_home: Home, free_port: Callable[[], int]
) -> None:
    user, group = one("USER").split(":")
    http, ops = free_port(), free_port()
    with outside_the_home() as folder:
        text = (EXAMPLES / "docker" / "jsmsso" / "jsmsso.yaml").read_text()
        for name in ("state", "tmp", "secrets"):
            (folder / name).mkdir()
            os.chown(folder / name, int(user), int(group))
        for name in secrets_below(validate(text.encode(), Path("jsmsso.yaml")), "/run/secrets"):
            (folder / "secrets" / name).write_text("a secret of 32 bytes and a few more")
            (folder / "secrets" / name).chmod(0o440)
            os.chown(folder / "secrets" / name, 0, int(group))
        (folder / "jsmsso.yaml").write_text(
            text.replace("/run/secrets", str(folder / "secrets")).replace("/var/lib/jsmsso", str(folder / "state"))
        )
        arguments = [part.replace("8080", str(http)).replace("9100", str(ops)) for part in ast.literal_eval(one("CMD"))]
        env = {
            "PATH": f"{image}/bin:/usr/sbin:/usr/bin:/sbin:/bin",
            "HOME": str(folder / "state"),
            "TMPDIR": str(folder / "tmp"),
            "FOLDER": str(folder),
            "JSMSSO_PROFILE": str(folder / "jsmsso.yaml"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }
        script = CONFINED.format(user=user, group=group)
        child = start(["unshare", "--mount", "sh", "-c", script, "sh", "jsmsso", *arguments], env=env, ready=r'"event":"serving"')
        health = ast.literal_eval(one("HEALTHCHECK").partition(" CMD ")[2])
        health[-1] = health[-1].replace("9100", str(ops))
        while subprocess.run([image / "bin" / health[0], *health[1:]], capture_output=True).returncode:
            assert child.running, child.output
        while True:
            try:
                with urlopen(f"http://127.0.0.1:{http}/readyz") as answer:
                    assert answer.status == 200
                    break
            except OSError:
                assert child.running, child.output
        status = Path(f"/proc/{child.pid}/status").read_text()
        assert re.search(rf"(?m)^Uid:\t{user}\t{user}\t", status)
        assert re.search(r"(?m)^CapEff:\t0+$", status)
        assert (folder / "state" / "state.db").stat().st_uid == int(user)
        assert "everybody on this machine may read" not in child.output
        assert child.stop() == 0


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
