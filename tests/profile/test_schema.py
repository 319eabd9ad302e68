"""The JSON Schema that editors complete the profile by, and the reference written from the same model."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from jsmsso.profile.parsing import parse
from jsmsso.profile.schema import json_schema

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def validator() -> jsonschema.Draft202012Validator:
    jsonschema.Draft202012Validator.check_schema(json_schema())
    return jsonschema.Draft202012Validator(json_schema())


@pytest.mark.parametrize("path", sorted((ROOT / "examples").glob("*.yaml")), ids=lambda path: path.name)
def test_the_schema_takes_the_examples(validator: jsonschema.Draft202012Validator, path: Path) -> None:
    assert [error.message for error in validator.iter_errors(parse(path.read_bytes()).values)] == []


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("colour: red\n", id="unknown key"),
        pytest.param("clock_skew: 60\n", id="time without a unit"),
        pytest.param("session: {secret: hunter2}\n", id="literal secret"),
        pytest.param("login: {mode: chose}\n", id="choice"),
        pytest.param("providers: {p: {type: cognitto, client_id: x}}\n", id="provider type"),
        pytest.param("providers: {'A b': {type: oidc, client_id: x}}\n", id="provider name"),
        pytest.param("portals: [{id: 3}]\n", id="number for a text"),
        pytest.param("access: [{allow: all}]\n", id="rule"),
        pytest.param("jsm:\n", id="no value"),
    ],
)
def test_the_schema_refuses_what_reading_refuses(validator: jsonschema.Draft202012Validator, text: str) -> None:
    assert list(validator.iter_errors(parse(f"version: 1\npublic_url: https://a.example\n{text}".encode()).values))


def test_every_key_has_a_description() -> None:
    schema = json_schema()
    models: dict[str, Any] = {"Profile": schema, **schema["$defs"]}
    without = [
        f"{name}.{key}"
        for name, model in models.items()
        for key, one in model.get("properties", {}).items()
        if not {"description", "$ref"} & set(one)
    ]
    assert without == []


def test_the_full_example_has_every_key() -> None:
    schema = json_schema()
    used = (ROOT / "examples" / "full.yaml").read_text()
    models: dict[str, Any] = {"Profile": schema, **schema["$defs"]}
    keys = {key for name, model in models.items() if name != "Endpoints" for key in model.get("properties", {})}
    assert sorted(key for key in keys if f"{key}:" not in used) == []


def test_the_reference_is_what_the_model_says() -> None:
    done = subprocess.run([sys.executable, ROOT / "docs" / "generate.py", "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
