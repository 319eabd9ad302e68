"""What is wrong with the YAML itself, each said with its line."""

from __future__ import annotations

import pytest

from tests.profile.reading_texts import HEAD, complaints


def only(content: str | bytes, *, head: str = "") -> tuple[int, str]:
    found = complaints(content, head=head)
    assert len(found) == 1, found
    return found[0].line, f"{found[0].key}: {found[0].message}" if found[0].key else found[0].message


@pytest.mark.parametrize(
    "text, line, message",
    [
        pytest.param(f"{HEAD}version: 1\n", 3, "version: the key stands twice, first in line 1", id="duplicate key"),
        pytest.param(f'{HEAD}"version": 1\n', 3, "version: the key stands twice, first in line 1", id="duplicate key in quotes"),
        pytest.param(f"{HEAD}login: &a {{mode: choose}}\n", 3, "login: an anchor (&) is not allowed", id="anchor"),
        pytest.param(f"{HEAD}login: *a\n", 3, "login: an alias (*) is not allowed", id="alias"),
        pytest.param(f"{HEAD}login: !!map {{mode: choose}}\n", 3, "login: a tag (!) is not allowed", id="tag"),
        pytest.param(
            f"{HEAD}support: {{text: !!python/object/apply:os.system [x]}}\n", 3, "support.text: a tag (!) is not allowed", id="python"
        ),
        pytest.param(f"{HEAD}login:\n  <<: {{mode: choose}}\n", 4, "login.<<: a merge key (<<) is not allowed", id="merge key"),
        pytest.param(f"{HEAD}---\nversion: 1\n", 3, "the file has more than one YAML document", id="two documents"),
        pytest.param(f"%YAML 1.1\n---\n{HEAD}", 1, "a YAML directive (%) is not allowed", id="directive"),
        pytest.param(f"{HEAD}login:\n\tmode: choose\n", 4, "this is not YAML: a tab where spaces are due", id="tab"),
        pytest.param(f"{HEAD}a: b: c\n", 3, "this is not YAML: a second colon in one line, or a key indented too far", id="two colons"),
        pytest.param(f"{HEAD}login: {{mode: choose\n", 4, "this is not YAML: a bracket that is not closed", id="open bracket"),
        pytest.param(f'{HEAD}login: "choose\n', 4, "this is not YAML: a quote that is not closed", id="open quote"),
        pytest.param(f"{HEAD}login\n", 4, "this is not YAML: a key without a colon and a space after it", id="no colon"),
        pytest.param(f"{HEAD}\x07", 3, "the character U+0007 may not stand in the file", id="control character"),
        pytest.param(
            f"{HEAD}support: {{text: a\u2028b}}\n", 3, "the character U+2028 may not stand in the file", id="line end of YAML 1.1"
        ),
        pytest.param(
            f'{HEAD}support: {{text: "a\\0b"}}\n', 3, "support.text: the text holds the control character U+0000", id="escaped NUL"
        ),
        pytest.param(f"{HEAD}login: {'[' * 40}{']' * 40}\n", 3, "login: it is nested deeper than 32 levels", id="deep nesting"),
        pytest.param(f"{HEAD}3: x\n", 3, "3: a key must be a text", id="number as key"),
        pytest.param("", 1, "the file is empty", id="empty file"),
        pytest.param("# nothing\n", 1, "the file is empty", id="comments only"),
        pytest.param("- a\n", 1, "found no mapping; allowed: keys with values", id="a list"),
        pytest.param("hello\n", 1, "found no mapping; allowed: keys with values", id="a text"),
    ],
)
def test_yaml_that_cannot_be_used_is_named_with_its_line(text: str, line: int, message: str) -> None:
    assert only(text) == (line, message)


def test_text_that_is_not_utf_8_is_named_with_its_line() -> None:
    assert only(HEAD.encode() + b"support: {text: \xff}\n") == (3, "the file is not UTF-8 text")


def test_utf_16_is_named() -> None:
    assert only(HEAD.encode("utf-16")) == (1, "the file is not UTF-8 text")


def test_a_byte_order_mark_is_passed_over() -> None:
    assert complaints(b"\xef\xbb\xbf" + HEAD.encode()) == ()


def test_windows_line_ends_are_read() -> None:
    assert complaints(HEAD.replace("\n", "\r\n").encode()) == ()


def test_a_file_larger_than_5_mb_is_refused() -> None:
    assert only(b"# " + b"x" * 5_000_000) == (1, "the file is larger than 5 MB")


def test_a_hundred_thousand_brackets_end_in_a_sentence() -> None:
    assert only(b"version: " + b"[" * 100_000) == (1, "version: it is nested deeper than 32 levels")


def test_a_duplicate_key_does_not_hide_the_other_complaints() -> None:
    found = complaints("clock_skew: 1d\nlogin: {mode: choose}\nlogin: {mode: choose}\nfoo: 1\n")
    assert [(one.line, one.key) for one in found] == [(3, "clock_skew"), (5, "login"), (6, "foo")]


def test_an_alias_bomb_is_refused_without_being_expanded() -> None:
    bomb = "a: &a [x, x]\n" + "".join(f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(20))
    assert any("an alias (*) is not allowed" in one.message for one in complaints(bomb))
