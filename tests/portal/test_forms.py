"""Forms: fields become inputs, answers are read and judged, and nothing that is sent makes an exception out of it."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from werkzeug.datastructures import FileStorage

from jsmsso.jsm.requests.type_form import Choice, FormField, Kind, TypeForm
from jsmsso.portal.acting import Form
from jsmsso.portal.forms import words
from jsmsso.portal.forms.reading import Filled, read_form
from jsmsso.portal.forms.widgets import widgets

BERLIN = ZoneInfo("Europe/Berlin")
COLOURS = (Choice("1", "Red"), Choice("2", "Green", (Choice("3", "Dark"), Choice("4", "Light"))))
KINDS: tuple[Kind, ...] = (
    "text", "textarea", "rich", "number", "date", "datetime", "choice", "choices", "cascading", "checkboxes", "radio", "user", "users",
    "attachment", "labels", "url", "unsupported",
)  # fmt: skip


def field(kind: Kind, *, required: bool = False, default: tuple[str, ...] = (), id_: str = "") -> FormField:
    choices = COLOURS if kind in ("choice", "choices", "cascading", "checkboxes", "radio") else ()
    return FormField(id_ or kind, kind.title(), "", required, kind, choices, default, "", "")


def form_of(*fields: FormField) -> TypeForm:
    return TypeForm(fields, can_raise_on_behalf=True, can_add_participants=True)


def read(one: FormField, *typed: str, limit: int = 1000, files: Sequence[tuple[str, bytes]] = ()) -> Filled:
    chosen = tuple((f"f-{one.id}", FileStorage(io.BytesIO(content), filename=name)) for name, content in files)
    return read_form(form_of(one), Form({f"f-{one.id}": typed}, chosen), BERLIN, cloud=True, file_limit=limit)


@pytest.mark.parametrize(
    "kind, typed, value",
    [
        pytest.param("text", [" Screen "], "Screen", id="a line"),
        pytest.param("textarea", ["a\r\nb"], "a\nb", id="several lines"),
        pytest.param("number", ["2,5"], 2.5, id="a decimal comma"),
        pytest.param("number", ["40"], 40, id="a whole number"),
        pytest.param("date", ["2026-12-01"], "2026-12-01", id="a day"),
        pytest.param("datetime", ["2026-12-01T09:30"], "2026-12-01T09:30:00.000+0100", id="a moment in the customer's zone"),
        pytest.param("datetime", ["2026-07-01T09:30"], "2026-07-01T09:30:00.000+0200", id="a moment in summer"),
        pytest.param("choice", ["1"], {"id": "1"}, id="one of a list"),
        pytest.param("radio", ["2"], {"id": "2"}, id="a radio button"),
        pytest.param("choices", ["1", "2", "1"], [{"id": "1"}, {"id": "2"}], id="several of a list"),
        pytest.param("checkboxes", ["2"], [{"id": "2"}], id="a box"),
        pytest.param("cascading", ["2/4"], {"id": "2", "child": {"id": "4"}}, id="both lists of a cascading field"),
        pytest.param("cascading", ["2"], {"id": "2"}, id="the first list alone"),
        pytest.param("labels", ["mail  slow"], ["mail", "slow"], id="labels"),
        pytest.param("url", ["https://acme.example/a"], "https://acme.example/a", id="a web address"),
    ],
)
def test_what_is_typed_is_what_jsm_takes(kind: Kind, typed: list[str], value: Any) -> None:
    filled = read(field(kind), *typed)
    assert (filled.values, filled.wrong) == ({kind: value}, {})


@pytest.mark.parametrize(
    "kind, typed",
    [
        pytest.param("number", "1,000", id="a thousand or one"),
        pytest.param("number", "nan", id="no number"),
        pytest.param("date", "2026-02-30", id="a day that is not in the calendar"),
        pytest.param("datetime", "tomorrow", id="no moment"),
        pytest.param("choice", "9", id="a value that is not offered"),
        pytest.param("cascading", "1/3", id="a child of another value"),
        pytest.param("user", "ada", id="a name instead of an address"),
        pytest.param("user", "a@b.example c@d.example", id="two people where one fits"),
        pytest.param("url", "javascript:alert(1)", id="a script"),
        pytest.param("text", "x" * 256, id="a line that is too long"),
    ],
)
def test_an_answer_that_jsm_would_not_take_is_said_beside_its_field(kind: Kind, typed: str) -> None:
    filled = read(field(kind), typed)
    assert list(filled.wrong) == [kind]
    assert filled.values == {}
    shown = widgets(form_of(field(kind)), filled.given, filled.wrong, BERLIN)
    assert shown[0].wrong


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind != "unsupported"])
def test_a_required_field_that_is_empty_is_asked_for(kind: Kind) -> None:
    assert read(field(kind, required=True)).wrong == {kind: words.REQUIRED}
    assert read(field(kind, required=True), "  ").wrong == {kind: words.REQUIRED}
    assert read(field(kind)).wrong == {}


def test_people_are_whole_addresses_in_one_spelling_each_once() -> None:
    filled = read(field("users"), "Ada@ACME.example, ben@acme.example;ada@acme.example")
    assert filled.people == {"users": ("ada@acme.example", "ben@acme.example")}
    assert filled.values == {}


def test_a_field_that_the_type_does_not_have_is_not_taken() -> None:
    sent = Form({"f-text": ("a",), "f-priority": ("1",), "token": ("x",), "text": ("b",)})
    filled = read_form(form_of(field("text")), sent, BERLIN, cloud=True, file_limit=0)
    assert filled.values == {"text": "a"}


@pytest.mark.parametrize(
    "limit, files, wrong",
    [
        pytest.param(10, [("a.txt", b"x" * 10)], {}, id="as large as may be"),
        pytest.param(9, [("a.txt", b"x" * 10)], {"attachment": words.FILE_TOO_LARGE}, id="too large"),
        pytest.param(0, [("a.txt", b"x")], {"attachment": words.NO_FILES}, id="a site that takes none"),
        pytest.param(10, [("a.txt", b"x")] * 31, {"attachment": words.TOO_MANY_FILES}, id="too many"),
    ],
)
def test_files_are_judged_before_they_are_sent_on(limit: int, files: list[tuple[str, bytes]], wrong: dict[str, str]) -> None:
    filled = read(field("attachment"), limit=limit, files=files)
    assert filled.wrong == wrong
    assert [file.read() for file in filled.files] == [content for _, content in files]


def test_a_page_shows_the_defaults_until_something_was_typed() -> None:
    form = form_of(field("choice", default=("2",)), field("cascading", default=("2", "3")), field("date", default=("2026-12-01",)))
    shown = widgets(form, None, {}, BERLIN)
    assert [option.value for option in shown[0].options if option.is_chosen] == ["2"]
    assert [child.value for option in shown[1].options for child in option.options if child.is_chosen] == ["2/3"]
    assert shown[2].value == "2026-12-01"
    again = widgets(form, {"choice": ("1",)}, {}, BERLIN)
    assert [option.value for option in again[0].options if option.is_chosen] == ["1"]
    assert again[2].value == ""


ODD = ["", " ", "\x00", "\ud800", "1/3", "2/", "/", "a@b@c", "@", "9" * 400, "1e999", "-0", "\u0661", "\xb2"]
MOMENTS = ["0001-01-01T00:00", "9999-12-31T23:59", "9999-12-31T23:59:59-14:00"]
anything = st.text(max_size=40) | st.sampled_from([*ODD, *MOMENTS])


@given(
    st.lists(st.tuples(st.sampled_from(KINDS), st.booleans(), st.lists(anything, max_size=4)), max_size=6),
    st.lists(st.tuples(st.text(max_size=8), st.binary(max_size=20)), max_size=3),
    st.lists(anything, max_size=3),
    st.sampled_from([BERLIN, ZoneInfo("Pacific/Kiritimati"), ZoneInfo("America/St_Johns")]),
)
@settings(deadline=None, max_examples=200)
def test_nothing_that_is_sent_makes_the_reader_fail(
    sent: list[tuple[Kind, bool, list[str]]], files: list[tuple[str, bytes]], default: list[str], zone: ZoneInfo
) -> None:
    fields = [field(kind, required=required, id_=f"{kind}{n}", default=tuple(default)) for n, (kind, required, _) in enumerate(sent)]
    values = {f"f-{one.id}": tuple(typed) for one, (_, _, typed) in zip(fields, sent, strict=True)}
    chosen = tuple((f"f-{one.id}", FileStorage(io.BytesIO(content), filename=name)) for one in fields for name, content in files)
    form = form_of(*fields)
    filled = read_form(form, Form(values, chosen), zone, cloud=True, file_limit=15)
    assert set(filled.wrong) <= {one.id for one in fields}
    assert not set(filled.wrong) & set(filled.values)
    widgets(form, filled.given, filled.wrong, zone)
    widgets(form, None, {}, zone)


def test_every_sentence_about_a_value_can_be_translated() -> None:
    from jsmsso.jsm.requests import values

    said = {text for name, text in vars(values).items() if name.isupper() and isinstance(text, str) and text.endswith(".")}
    assert said == set(words.OF_VALUES)
