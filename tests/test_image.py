"""The image of ``examples/docker/Dockerfile``: built as it says, with what it copies alone, and run as it will run."""

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
from urllib.request import urlopen

import pytest

from jsmsso.profile.reading import validate
from tests.reading_examples import DOCKERFILE, EXAMPLES, instructions, one, parsed, secrets_below
from tests.services import REPOSITORY
from tests.services.children import Children, installed_script
from tests.services.home import Home


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
            (folder / "secrets" / name).write_text("a-secret-of-32-bytes-and-a-few-more")
            (folder / "secrets" / name).chmod(0o440)
            os.chown(folder / "secrets" / name, 0, int(group))
        (folder / "jsmsso.yaml").write_text(
            text.replace("/run/secrets", str(folder / "secrets")).replace("/var/lib/jsmsso", str(folder / "state"))
        )
        arguments = [part.replace("8080", str(http)).replace("9464", str(ops)) for part in ast.literal_eval(one("CMD"))]
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
        health[-1] = health[-1].replace("9464", str(ops))
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
