"""Which file is the profile."""

from __future__ import annotations

from pathlib import Path

import pytest

from jsmsso.profile.locating import locate_profile
from tests.services.home import Home


def test_the_option_comes_first(jsmsso_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSMSSO_PROFILE", "/other.yaml")
    jsmsso_home.profile.touch()
    assert locate_profile("/named.yaml") == Path("/named.yaml")


def test_the_variable_comes_before_the_folder(jsmsso_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("JSMSSO_PROFILE", "/other.yaml")
    jsmsso_home.profile.touch()
    assert locate_profile() == Path("/other.yaml")


def test_the_folder_comes_before_the_configuration(jsmsso_home: Home) -> None:
    jsmsso_home.profile.touch()
    theirs = Path(jsmsso_home.env["XDG_CONFIG_HOME"]) / "jsmsso" / "jsmsso.yaml"
    theirs.parent.mkdir(parents=True)
    theirs.touch()
    assert locate_profile() == Path("jsmsso.yaml")
    jsmsso_home.profile.unlink()
    assert locate_profile() == theirs


def test_a_new_profile_gets_a_place_in_this_folder(jsmsso_home: Home) -> None:
    assert locate_profile() == Path("jsmsso.yaml")


def test_a_tilde_is_the_home(jsmsso_home: Home) -> None:
    assert locate_profile("~/x.yaml") == jsmsso_home.path / "x.yaml"


def test_a_link_to_nothing_is_still_the_profile(jsmsso_home: Home) -> None:
    jsmsso_home.profile.symlink_to("gone.yaml")
    (Path(jsmsso_home.env["XDG_CONFIG_HOME"]) / "jsmsso").mkdir(parents=True)
    (Path(jsmsso_home.env["XDG_CONFIG_HOME"]) / "jsmsso" / "jsmsso.yaml").touch()
    assert locate_profile() == Path("jsmsso.yaml")
