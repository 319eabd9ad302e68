from __future__ import annotations

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jsmsso.jsm.requests.jql import quoted, quoted_words

ANY_TEXT = st.text(st.characters(), max_size=60) | st.text("\"'\\ \n()*?~:+-ANDORu0041", max_size=40)


def read_string(jql: str) -> tuple[str, str]:
    """The first JQL string's value and what stands behind it, as Atlassian's lexer reads a string in double quotes."""
    assert jql[0] == '"'
    value, place = "", 1
    while jql[place] != '"':
        assert jql[place] not in "\r\n\x00", "a string ends at the end of its line"
        if jql[place] != "\\":
            value, place = value + jql[place], place + 1
            continue
        escape = jql[place + 1]
        if escape == "u":
            value, place = value + chr(int(jql[place + 2 : place + 6], 16)), place + 6
        else:
            value, place = value + {"t": "\t", "n": "\n", "r": "\r", '"': '"', "'": "'", "\\": "\\", " ": " "}[escape], place + 2
    return value, jql[place + 1 :]


@given(ANY_TEXT)
@example('" OR reporter != "')
@example("\\")
@example('\\" OR 1=1')
@example("\u2028\ud800\x00")
def test_nothing_gets_out_of_the_quotes_and_the_value_is_the_same(text: str) -> None:
    assert read_string(quoted(text) + " AND project = HELP") == (text, " AND project = HELP")


@given(ANY_TEXT)
@example('"laptop" AND reporter:(*)')
def test_words_are_nothing_but_words_to_the_search(text: str) -> None:
    jql = quoted_words(text)
    if not jql:
        return
    value, rest = read_string(jql)
    assert rest == ""
    assert value.strip() == value != ""
    assert not set(value) & set('+-&|!(){}[]^~*?\\:/"')
    assert not set(value.split()) & {"AND", "OR", "NOT", "TO"}


@pytest.mark.parametrize(
    ("typed", "sent"),
    [
        pytest.param("broken laptop", '"broken laptop"', id="words"),
        pytest.param("  HELP-12 ", '"HELP 12"', id="a key"),
        pytest.param("NOT mine OR yours", '"not mine or yours"', id="Lucene's operators"),
        pytest.param("*", "", id="nothing but operators"),
        pytest.param("Büro 漢字", '"Büro 漢字"', id="other languages"),
        pytest.param("x" * 900, f'"{"x" * 200}"', id="more than anybody types"),
    ],
)
def test_what_a_customer_types_is_searched_as_words(typed: str, sent: str) -> None:
    assert quoted_words(typed) == sent
