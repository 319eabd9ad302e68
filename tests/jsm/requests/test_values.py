from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jsmsso.jsm.requests.adf import document, is_document, plain_text
from jsmsso.jsm.requests.type_form import Choice, FormField, Kind
from jsmsso.jsm.requests.values import (
    NO_ADDRESS,
    NO_DAY,
    NO_LABEL,
    NO_MOMENT,
    NO_NUMBER,
    NOT_OFFERED,
    REQUIRED,
    TOO_LONG_LINE,
    TOO_LONG_TEXT,
    UNKNOWN_KIND,
    field_value,
)

PLACES = (Choice("1", "Berlin", (Choice("2", "Office"), Choice("3", "Warehouse"))), Choice("4", "Lyon"))


def field(kind: Kind, *, required: bool = False) -> FormField:
    return FormField("customfield_1", "A field", "", required, kind, PLACES, (), "", "")


@pytest.mark.parametrize(
    ("kind", "given", "sent"),
    [
        pytest.param("text", [" Broken laptop "], "Broken laptop", id="one line"),
        pytest.param("textarea", ["One\r\nTwo\x00"], "One\nTwo", id="several lines"),
        pytest.param("number", ["3"], 3, id="a whole number"),
        pytest.param("number", ["-2.50"], -2.5, id="a fraction"),
        pytest.param("date", ["2026-11-23"], "2026-11-23", id="a day"),
        pytest.param("datetime", ["2026-11-23T10:05+01:00"], "2026-11-23T10:05:00.000+0100", id="a moment"),
        pytest.param("datetime", ["2026-11-23T09:05:01Z"], "2026-11-23T09:05:01.000+0000", id="a moment in UTC"),
        pytest.param("choice", ["4"], {"id": "4"}, id="a choice"),
        pytest.param("radio", ["1"], {"id": "1"}, id="a radio button"),
        pytest.param("choices", ["1", "4", "1"], [{"id": "1"}, {"id": "4"}], id="several choices"),
        pytest.param("checkboxes", ["4"], [{"id": "4"}], id="one of several boxes"),
        pytest.param("cascading", ["1", "3"], {"id": "1", "child": {"id": "3"}}, id="a choice within a choice"),
        pytest.param("cascading", ["1", ""], {"id": "1"}, id="the first of two choices"),
        pytest.param("user", ["abc"], {"accountId": "abc"}, id="a person"),
        pytest.param("users", ["abc", "def"], [{"accountId": "abc"}, {"accountId": "def"}], id="several people"),
        pytest.param("labels", ["one", "two", "one"], ["one", "two"], id="labels"),
        pytest.param("attachment", ["temp1", "temp2"], ["temp1", "temp2"], id="files"),
        pytest.param("url", ["https://acme.com/a?b"], "https://acme.com/a?b", id="an address"),
        pytest.param("text", ["  "], None, id="nothing"),
    ],
)
def test_what_was_filled_in_becomes_what_jsm_takes(kind: Kind, given: list[str], sent: Any) -> None:
    assert field_value(field(kind), given) == sent


@pytest.mark.parametrize(
    ("kind", "given", "said"),
    [
        pytest.param("text", ["a\nb"], TOO_LONG_LINE, id="two lines in one"),
        pytest.param("text", ["x" * 256], TOO_LONG_LINE, id="a long line"),
        pytest.param("rich", ["x" * 32_768], TOO_LONG_TEXT, id="a long text"),
        pytest.param("number", ["nan"], NO_NUMBER, id="not a number"),
        pytest.param("number", ["1e400"], NO_NUMBER, id="more than a number can be"),
        pytest.param("number", ["\u0661"], NO_NUMBER, id="digits of another script"),
        pytest.param("date", ["2026-02-30"], NO_DAY, id="a day that is none"),
        pytest.param("date", ["20261123"], NO_DAY, id="a day written otherwise"),
        pytest.param("datetime", ["2026-11-23T10:05"], NO_MOMENT, id="a time of no zone"),
        pytest.param("choice", ["9"], NOT_OFFERED, id="a choice that is not offered"),
        pytest.param("choice", ["2"], NOT_OFFERED, id="a choice of the second list"),
        pytest.param("cascading", ["4", "2"], NOT_OFFERED, id="a second choice of another first one"),
        pytest.param("labels", ["two words"], NO_LABEL, id="a label with a space"),
        pytest.param("url", ["javascript:alert(1)"], NO_ADDRESS, id="no web address"),
        pytest.param("url", ["https://[x"], NO_ADDRESS, id="a broken address"),
        pytest.param("unsupported", ["x"], UNKNOWN_KIND, id="a field that cannot be built"),
    ],
)
def test_what_jsm_would_not_take_is_said_at_the_field(kind: Kind, given: list[str], said: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        field_value(field(kind), given)
    assert str(refused.value) == said


def test_a_required_field_has_to_be_filled_in() -> None:
    with pytest.raises(ValueError, match=REQUIRED):
        field_value(field("choice", required=True), ["", " "])


def test_a_person_is_named_otherwise_on_data_center() -> None:
    assert field_value(field("user"), ["ann@example.com"], cloud=False) == {"name": "ann@example.com"}


def test_a_text_becomes_paragraphs_and_line_breaks_and_no_markup() -> None:
    assert document("Hello *team*\n[~admin]\n\n\n!x.png!\r\n") == {
        "type": "doc",
        "version": 1,
        "content": [
            {
                "type": "paragraph",
                "content": [{"type": "text", "text": "Hello *team*"}, {"type": "hardBreak"}, {"type": "text", "text": "[~admin]"}],
            },
            {"type": "paragraph", "content": [{"type": "text", "text": "!x.png!"}]},
        ],
    }


@given(st.text(max_size=80) | st.text("a \n\r\t", max_size=20))
@example("")
@example("\n \n\n a")
def test_every_text_has_a_document_with_all_its_words(text: str) -> None:
    made = document(text)
    assert is_document(made)
    assert made["content"]
    nodes = [node for paragraph in made["content"] for node in paragraph["content"]]
    assert all(node["text"] for node in nodes if node["type"] == "text")
    assert plain_text(made).split() == text.split()
