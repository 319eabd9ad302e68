"""YAML 1.2 for reading and for editing alike."""

from __future__ import annotations

import math

import pytest

from jsmsso.profile.parsing import parse
from jsmsso.profile.round_trip import RoundTrip

SCALARS = [
    pytest.param("NO", "NO", id="a project key that YAML 1.1 reads as false"),
    pytest.param("yes", "yes", id="yes"),
    pytest.param("on", "on", id="on"),
    pytest.param("y", "y", id="y"),
    pytest.param("off", "off", id="off"),
    pytest.param("true", True, id="true"),
    pytest.param("True", True, id="True"),
    pytest.param("FALSE", False, id="FALSE"),
    pytest.param("tRUE", "tRUE", id="true in mixed case"),
    pytest.param("~", None, id="tilde"),
    pytest.param("", None, id="nothing"),
    pytest.param("null", None, id="null"),
    pytest.param("nULL", "nULL", id="null in mixed case"),
    pytest.param("0123", 123, id="leading zero is decimal"),
    pytest.param("0o17", 15, id="octal"),
    pytest.param("0x1F", 31, id="hexadecimal"),
    pytest.param("0b11", "0b11", id="binary is YAML 1.1"),
    pytest.param("1_000", "1_000", id="underscores are YAML 1.1"),
    pytest.param("0x_1F", "0x_1F", id="hexadecimal with underscore"),
    pytest.param("12:30:45", "12:30:45", id="base 60 is YAML 1.1"),
    pytest.param("1:30", "1:30", id="minutes"),
    pytest.param("-17", -17, id="negative"),
    pytest.param("+17", 17, id="with a plus"),
    pytest.param("1e3", 1000.0, id="exponent"),
    pytest.param("1.50", 1.5, id="fraction"),
    pytest.param(".5", 0.5, id="fraction without a zero"),
    pytest.param(".inf", math.inf, id="infinity"),
    pytest.param("-.INF", -math.inf, id="minus infinity"),
    pytest.param("inf", "inf", id="infinity without a point"),
    pytest.param("2027-05-01", "2027-05-01", id="a date is text"),
    pytest.param("2027-05-01T10:00:00Z", "2027-05-01T10:00:00Z", id="a time is text"),
    pytest.param("'NO'", "NO", id="single quotes"),
    pytest.param('"0123"', "0123", id="double quotes"),
    pytest.param('"~"', "~", id="quoted tilde"),
    pytest.param("=", "=", id="equals sign"),
    pytest.param("1.2.3.4", "1.2.3.4", id="IP address"),
    pytest.param("08", 8, id="no octal digit"),
    pytest.param("1e", "1e", id="half an exponent"),
    pytest.param("a#b", "a#b", id="hash inside a word"),
    pytest.param("keyring:cognito/client_secret", "keyring:cognito/client_secret", id="colon without a space"),
]


@pytest.mark.parametrize("written, meant", SCALARS)
def test_reading_and_editing_take_a_scalar_for_the_same(written: str, meant: object) -> None:
    text = f"key: {written}\n"
    read = parse(text.encode()).values["key"]
    edited = RoundTrip(text).data["key"]
    assert read == edited == meant
    assert isinstance(read, bool) == isinstance(edited, bool) == isinstance(meant, bool)
    assert isinstance(edited, type(read))


def test_a_number_that_is_none_is_none_in_both() -> None:
    assert math.isnan(parse(b"key: .nan").values["key"])
    assert math.isnan(RoundTrip("key: .nan\n").data["key"])


@pytest.mark.parametrize("written, meant", SCALARS)
def test_a_scalar_survives_being_written_anew(written: str, meant: object) -> None:
    edited = RoundTrip(f"old: {written}\n")
    edited.data["new"] = edited.data["old"]
    text = edited.text()
    assert text is not None
    assert text.splitlines()[0].rstrip() == f"old: {written}".rstrip()
    assert parse(text.encode()).values == {"old": meant, "new": meant}


@pytest.mark.parametrize("key", ["NO", '"NO"', "'0123'", '"a: b"', "12:30"])
def test_keys_read_alike_in_both(key: str) -> None:
    text = f"{key}: x\n"
    assert list(parse(text.encode()).values) == list(RoundTrip(text).data)
