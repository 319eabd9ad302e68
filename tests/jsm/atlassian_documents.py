"""Atlassian's OpenAPI documents as judges of what goes to and comes from JSM.

The documents are Atlassian's and are not part of this repository: ``JSMSSO_ATLASSIAN_OPENAPI`` names the folder
that holds ``jsm-openapi.json`` and ``jira-platform-openapi.json``. Calls that the documents lack are listed in
:mod:`tests.jsm.beyond_the_documents`; any other call is a failure.
"""

from __future__ import annotations

import copy
import json
import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from jsmsso.sandbox.local_jsm import Seen
from tests.jsm.beyond_the_documents import ANSWERS, CALLS, ERRORS, FIELDS, FILE, PARAMETERS, SAME_ON_DATA_CENTER

FOLDER = os.environ.get("JSMSSO_ATLASSIAN_OPENAPI", "")
NAMES = ("jsm-openapi.json", "jira-platform-openapi.json")


def missing_documents() -> str:
    """Why the documents cannot judge here; empty where they can."""
    if not FOLDER:
        return "JSMSSO_ATLASSIAN_OPENAPI names no folder with Atlassian's OpenAPI documents"
    absent = [name for name in NAMES if not (Path(FOLDER) / name).is_file()]
    return f"{FOLDER} lacks {', '.join(absent)}" if absent else ""


def complaints(seen: Iterable[Seen], context_path: str = "") -> list[str]:
    """What Atlassian's documents find wrong with these calls and their answers."""
    found = []
    for call in seen:
        path = call.path.removeprefix(context_path)
        found += [f"{call.method} {path}: {complaint}" for complaint in _judge(call, path)]
    return sorted(set(found))


@dataclass(frozen=True)
class _Operation:
    """One call: of a document, or of the list of those that the documents lack."""

    parameters: dict[str, Any]
    body: dict[str, Any] | None
    answers: dict[int, dict[str, Any] | None]
    takes_files: bool = False


def _judge(call: Seen, path: str) -> list[str]:
    operation = _operation(call.method, path)
    if operation is None:
        return ["no document knows this call, and it is not listed beyond them"]
    found = [f"the query parameter {name} is not known" for name, _ in call.query if name not in operation.parameters]
    for name, value in call.query:
        schema = operation.parameters.get(name)
        if schema is not None:
            found += [f"{name}={value}: {error}" for error in _errors(_from_text(value, schema), schema)]
    if call.headers.get("content-type", "").startswith("multipart/form-data"):
        found += [] if operation.takes_files else ["files where the call takes none"]
    elif call.body:
        found += ["a body where the call has none"] if operation.body is None else _errors(json.loads(call.body), operation.body)
    if call.fault:
        return found  # the answer is broken on purpose
    if call.status < 400 and call.status not in operation.answers:
        return [*found, f"the status {call.status} is not known"]
    if call.status == 204 or 300 <= call.status < 400:
        return [*found, "an answer where there is none"] if call.answer else found
    if call.status < 400 and (operation.answers[call.status] is FILE or (not call.answer and operation.answers[call.status] == {})):
        return found
    schema = operation.answers.get(call.status) or (ERRORS if call.status >= 400 else None)
    if schema is not None and call.answer_type == "application/json":
        found += [f"{call.status}: {error}" for error in _errors(json.loads(call.answer), schema)]
    elif call.status < 400:
        found.append(f"an answer of type {call.answer_type}")
    return found


def _from_text(value: str, schema: dict[str, Any]) -> Any:
    kind = schema.get("type")
    if kind == "integer" and value.lstrip("-").isdigit():
        return int(value)
    if kind == "boolean" and value in ("true", "false"):
        return value == "true"
    if kind == "array":
        return [_from_text(value, schema.get("items", {}))]
    return value


def _operation(method: str, path: str) -> _Operation | None:
    for pattern, operations in _operations():
        if pattern.fullmatch(path) and method.lower() in operations:
            return operations[method.lower()]
    return None


@cache
def _operations() -> list[tuple[re.Pattern[str], dict[str, _Operation]]]:
    listed = [
        (
            _pattern(path),
            {
                method: _Operation(
                    call["parameters"], call.get("body"), {call.get("status", 200): call["answer"]} | call.get("other_answers", {})
                )
            },
        )
        for (method, path), call in CALLS.items()
    ]
    return listed + [operation for name in NAMES for operation in _operations_of(name)]


def _operations_of(name: str) -> Iterable[tuple[re.Pattern[str], dict[str, _Operation]]]:
    paths = sorted(_document(name)["paths"].items(), key=lambda item: item[0].count("{"))
    for path, methods in paths:
        operations = {}
        for method, described in methods.items():
            parameters = {p["name"]: _in(name, p["schema"]) for p in described.get("parameters", []) if p["in"] == "query"}
            parameters |= PARAMETERS.get((method, path), {})
            bodies = described.get("requestBody", {}).get("content", {})
            body = bodies.get("application/json", {}).get("schema")
            answers = {
                int(status): _in(name, schema)
                for status, answer in described["responses"].items()
                for schema in [answer.get("content", {}).get("application/json", {}).get("schema")]
            }
            answers |= ANSWERS.get((method, path), {})
            operations[method] = _Operation(parameters, _in(name, body), answers, bool(set(bodies) - {"application/json"}))
        yield _pattern(path), operations
        older = {method: operation for method, operation in operations.items() if (method, path) in SAME_ON_DATA_CENTER}
        if older:
            yield _pattern(path.replace("/rest/api/3/", "/rest/api/2/")), older


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(re.escape(part) for part in re.split(r"\{[^}]+\}", path)))


def _in(name: str, schema: dict[str, Any] | None) -> Any:
    """The schema with its references made to point into its document."""
    if schema is None:
        return None
    return json.loads(json.dumps(schema).replace('"#/components', f'"urn:{name}#/components'))


def _errors(value: Any, schema: dict[str, Any]) -> list[str]:
    validator = Draft202012Validator(schema, registry=_registry())
    return [f"{'.'.join(map(str, error.absolute_path)) or 'answer'}: {error.message[:200]}" for error in validator.iter_errors(value)]


@cache
def _registry() -> Registry[Any]:
    resources = [(f"urn:{name}", Resource.from_contents(_document(name), default_specification=DRAFT202012)) for name in NAMES]
    return Registry().with_resources(resources)


@cache
def _document(name: str) -> dict[str, Any]:
    document = json.loads((Path(FOLDER) / name).read_text(encoding="utf-8"))
    document = copy.deepcopy(document)
    for (where, schema), fields in FIELDS.items():
        if where == name:
            document["components"]["schemas"][schema]["properties"] |= fields
    return document
