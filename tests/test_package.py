"""The package as an administrator gets it: the built wheel, alone in an environment of its own."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from dataclasses import dataclass
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tests.services import REPOSITORY
from tests.services.children import installed_script

PAGES = [*REPOSITORY.glob("*.md"), *(REPOSITORY / "docs").rglob("*.md")]


def run(*command: str | Path, cwd: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True)


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder, cwd=REPOSITORY)
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("jsmsso-*.whl"))


@dataclass(frozen=True)
class Installed:
    """The command in an environment that has nothing but the wheel and what it depends on."""

    scripts: Path
    folder: Path

    def __call__(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {"HOME": str(self.folder), "PATH": "/usr/bin:/bin", "LC_ALL": "C.UTF-8"}
        return subprocess.run([self.scripts / "jsmsso", *arguments], cwd=self.folder, env=environment, capture_output=True, text=True)


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    folder = tmp_path_factory.mktemp("installed")
    uv = installed_script("uv")
    made = run(uv, "venv", "--python", sys.executable, folder / "venv", cwd=folder)
    assert made.returncode == 0, made.stderr
    # The lock as constraints: the versions that are tested, already in uv's cache.
    lock = REPOSITORY / "requirements" / "dev.txt"
    put = run(uv, "pip", "install", "--python", folder / "venv", "--constraint", lock, wheel, cwd=folder)
    assert put.returncode == 0, put.stderr
    return Installed(folder / "venv" / "bin", folder)


def test_the_wheel_carries_the_code_its_types_and_the_licence_and_no_tests(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    assert "jsmsso/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    outside = [name for name in names if not name.startswith("jsmsso/") and ".dist-info/" not in name]
    assert outside == []
    folders_and_files = [part for name in names for part in name.split("/")]
    assert {part for part in folders_and_files if part == "tests" or part.startswith(("test_", "conftest"))} == {"test_connection.py"}


def test_every_file_that_the_code_reads_at_run_time_is_in_the_wheel(wheel: Path) -> None:
    listed = run("git", "ls-files", "-co", "--exclude-standard", "jsmsso", cwd=REPOSITORY)
    if listed.returncode:
        pytest.skip("this is no git checkout")
    here = {name for name in listed.stdout.split() if (REPOSITORY / name).exists()}
    assert here <= set(zipfile.ZipFile(wheel).namelist())


def test_the_installed_command_tells_its_version(installed: Installed) -> None:
    done = installed("--version")
    assert (done.returncode, done.stderr) == (0, "")
    assert re.fullmatch(r"jsmsso \d+\.\d+\.\d+\S*\n", done.stdout)


def test_the_installed_command_helps_with_every_command(installed: Installed) -> None:
    done = installed("--help")
    assert (done.returncode, done.stderr) == (0, "")
    commands = re.findall(r"^\W+([a-z][a-z-]+)  +[A-Z]", done.stdout, re.MULTILINE)
    assert {"provider", "test-connection", "portals", "serve", "demo"} <= set(commands)
    for command in commands:
        helped = installed(command, "--help")
        assert helped.returncode == 0, f"{command}: {helped.stdout}{helped.stderr}"


def test_the_installed_command_prints_the_provider_types_as_one_document(installed: Installed) -> None:
    done = installed("provider", "types", "--json")
    assert (done.returncode, done.stderr) == (0, "")
    types = json.loads(done.stdout)
    assert {"cognito", "oidc"} <= {entry["type"] for entry in types}
    assert all(entry.keys() >= {"type", "name", "documentation"} for entry in types)


def test_the_demo_says_what_to_install_where_its_extra_is_missing(installed: Installed) -> None:
    done = installed("demo", "--check")
    assert done.returncode == 6, done.stdout + done.stderr
    assert "jsmsso[demo]" in done.stderr
    assert "Traceback" not in done.stderr


def test_every_module_can_be_imported_without_the_extras(installed: Installed) -> None:
    walk = (
        "import importlib, jsmsso, pkgutil\n"
        "for module in pkgutil.walk_packages(jsmsso.__path__, 'jsmsso.'):\n"
        "    importlib.import_module(module.name)\n"
    )
    done = run(installed.scripts / "python", "-W", "error", "-c", walk, cwd=installed.folder)
    assert done.returncode == 0, done.stderr


def test_the_locks_hold_every_dependency_of_the_package() -> None:
    description = tomllib.loads((REPOSITORY / "pyproject.toml").read_text())
    wanted = [*description["project"]["dependencies"]]
    for extra in description["project"]["optional-dependencies"].values():
        wanted += extra
    for group in description["dependency-groups"].values():
        wanted += [entry for entry in group if isinstance(entry, str)]
    text = (REPOSITORY / "requirements" / "dev.txt").read_text()
    locked: dict[str, list[str]] = {}
    for name, version in re.findall(r"^([\w.-]+)==(\S+)", text, re.MULTILINE):
        locked.setdefault(canonicalize_name(name), []).append(version)
    missing = [
        requirement
        for requirement in map(Requirement, wanted)
        if not any(requirement.specifier.contains(version) for version in locked.get(canonicalize_name(requirement.name), []))
    ]
    assert missing == [], "run `make lock`"


def test_no_lock_names_an_address_and_every_entry_has_hashes() -> None:
    for path in [*(REPOSITORY / "requirements").glob("*.txt"), REPOSITORY / "tests" / "services" / "package-lock.json"]:
        text = path.read_text()
        assert "resolved" not in text, path
        if path.suffix == ".txt":
            assert "://" not in text, path
            assert text.count("==") <= text.count(" \\\n    --hash="), path


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(REPOSITORY)))
def test_links_in_the_documentation_lead_to_files_that_are_there(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#|mailto:)([^)#\s]+)", page.read_text())
    assert [target for target in targets if not (page.parent / target).exists()] == []
