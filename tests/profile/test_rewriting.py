from __future__ import annotations

import pytest

from jsmsso.profile.parsing import parse
from jsmsso.profile.rewriting import Rewriting

LIST = "portals:\n  - id: 1\n    {}\n    key: HELP\n"


@pytest.mark.parametrize(
    "line, new, becomes",
    [
        pytest.param("name: IT help", "New", "name: New", id="plain"),
        pytest.param("name: 'IT help'", "New", "name: New", id="single quotes"),
        pytest.param('name: "IT help"', "New", "name: New", id="double quotes"),
        pytest.param("name:   IT help", "New", "name:   New", id="more spaces"),
        pytest.param("name: IT help   # ours", "New", "name: New   # ours", id="a comment behind it"),
        pytest.param('name: "IT help" # ours', "a # b", 'name: "a # b" # ours', id="a # in the new text"),
        pytest.param("name: IT help", "NO", 'name: "NO"', id="what YAML 1.1 takes for false"),
        pytest.param("name: IT help", "12", 'name: "12"', id="a number"),
        pytest.param("name: IT help", "a: b", 'name: "a: b"', id="a colon"),
        pytest.param("name: IT help", 'say "hi" \\', 'name: "say \\"hi\\" \\\\"', id="quotes and a backslash"),
        pytest.param("name: IT help", "Ärger 日本", "name: Ärger 日本", id="not ASCII"),
    ],
)
def test_a_text_is_replaced_in_its_line(line: str, new: str, becomes: str) -> None:
    text = LIST.format(line)
    rewriting = Rewriting(text, parse(text.encode()))
    assert rewriting.replace(("portals", 0), {"name": ("IT help", new)})
    assert rewriting.text == LIST.format(becomes)
    assert parse(rewriting.text.encode()).values["portals"][0] == {"id": 1, "name": new, "key": "HELP"}


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(LIST.format("name: IT\n      help"), id="on two lines"),
        pytest.param(LIST.format("name:\n      IT help"), id="below its key"),
        pytest.param(LIST.format("name: >-\n      IT help"), id="folded"),
        pytest.param(LIST.format('name: "IT\\x20help"'), id="an escape"),
        pytest.param(LIST.format("name: IT help2"), id="another text than is known"),
        pytest.param(LIST.format("other: IT help"), id="no such key"),
        pytest.param("portals: [{id: 1, name: IT help, key: HELP}]\n", id="in brackets"),
        pytest.param(LIST.format("name: IT help") + "#\r#\n", id="a lone carriage return"),
    ],
)
def test_what_is_written_otherwise_is_left_to_the_whole_way(text: str) -> None:
    rewriting = Rewriting(text, parse(text.encode()))
    assert not rewriting.replace(("portals", 0), {"name": ("IT help", "New")})
    assert rewriting.text == text


def test_all_of_a_mappings_texts_are_replaced_or_none() -> None:
    text = LIST.format("name: IT help")
    rewriting = Rewriting(text, parse(text.encode()))
    assert not rewriting.replace(("portals", 0), {"name": ("IT help", "New"), "key": ("OTHER", "NEW")})
    assert rewriting.text == text
    assert rewriting.replace(("portals", 0), {"name": ("IT help", "New"), "key": ("HELP", "NEW")})
    assert rewriting.text == LIST.replace("HELP", "NEW").format("name: New")


def test_windows_line_ends_stay() -> None:
    text = LIST.format("name: IT help").replace("\n", "\r\n")
    rewriting = Rewriting(text, parse(text.encode()))
    assert rewriting.replace(("portals", 0), {"name": ("IT help", "New")})
    assert rewriting.text == LIST.format("name: New").replace("\n", "\r\n")
