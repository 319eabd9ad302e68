"""What holds for every profile, not only for those that somebody thought of."""

from __future__ import annotations

import re
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from jsmsso.profile.parsing import parse
from jsmsso.profile.round_trip import RoundTrip
from jsmsso.profile.schema import json_schema
from tests.profile.reading_texts import complaints

# Laid out as ruamel.yaml would not do it, so that what is written is put together from its lines and the file's.
OWN_STYLE = """\
---
version: 1     # the first
support:
    text: old  # about to change
    list: [ a,  # inside
            b ]
access:
- deny: everyone
# The end
"""

texts = st.text(st.characters(exclude_categories=("C",), exclude_characters="\u2028\u2029\ufeff"), max_size=30)
tricky = st.sampled_from(
    ["NO", "~", "", "0123", "1_000", "12:30", "- a", "a: b", "#x", "'", '"', "{a", "[a", "*a", "&a", "!a", "%a", "@a", " a ", "null"]
)
values = st.recursive(
    st.one_of(texts, tricky, st.booleans(), st.integers(-(10**9), 10**9)),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(texts, tricky), inner, max_size=3)),
    max_leaves=8,
)


@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass"))))
@settings(deadline=None)
def test_no_bytes_make_the_parser_fail(content: bytes) -> None:
    document = parse(content)
    assert all(complaint.line >= 1 for complaint in document.complaints)


@given(st.sampled_from(sorted(json_schema()["properties"])), values)
@settings(deadline=None, max_examples=150)
def test_whatever_stands_at_a_key_is_read_or_complained_about(key: str, value: Any) -> None:
    edited = RoundTrip("version: 1\npublic_url: https://sso.acme.com\n")
    edited.data[key] = value
    text = edited.text()
    assert text is None or all(one.line >= 1 and one.message for one in complaints(text.encode()))


@given(st.dictionaries(st.one_of(texts, tricky), values, max_size=4))
@settings(deadline=None, max_examples=150)
def test_what_editing_writes_is_what_reading_reads(added: dict[str, Any]) -> None:
    edited = RoundTrip(OWN_STYLE)
    edited.data["support"]["text"] = "changed"
    edited.data["added"] = added
    text = edited.text()
    assert text is not None
    document = parse(text.encode())
    expected = parse(OWN_STYLE.encode()).values
    expected["support"]["text"] = "changed"
    complained = {complaint.message for complaint in document.complaints}
    assert {"# the first", "# about to change", "# inside", "# The end"} <= set(re.findall(r"# [\w ]+", text))
    # Only a key that reading never takes may be complained about; editing's result is validated before it is written.
    assert complained <= {"a key must be a text", "a merge key (<<) is not allowed"}
    assert document.values == expected | {"added": added}
