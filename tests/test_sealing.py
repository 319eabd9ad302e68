"""Sealed texts: only what was sealed here, for this purpose, opens."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsmsso.sealing import Sealer

SECRET, NEW_SECRET = "s" * 32, "n" * 32
PLACE = "https://sso.acme.example"
ALPHABET = string.ascii_letters + string.digits + "-_"


@pytest.fixture(scope="module")
def sealer() -> Sealer:
    return Sealer([SECRET], PLACE)


@given(content=st.binary(max_size=2000), purpose=st.text(max_size=30))
def test_what_was_sealed_opens(content: bytes, purpose: str) -> None:
    sealer = Sealer([SECRET], PLACE)
    text = sealer.seal(purpose, content)

    assert sealer.open(purpose, text) == content
    assert set(text) <= set(ALPHABET)
    assert len(text) <= len(content) * 4 / 3 + 40


def test_the_same_content_is_sealed_differently_each_time(sealer: Sealer) -> None:
    assert len({sealer.seal("session", b"ada") for _ in range(100)}) == 100


def test_the_content_does_not_show(sealer: Sealer) -> None:
    from base64 import urlsafe_b64decode

    text = sealer.seal("session", b"ada@acme.example")

    assert b"ada@" not in urlsafe_b64decode(text + "==")


def test_every_single_changed_letter_is_noticed(sealer: Sealer) -> None:
    text = sealer.seal("session", b"x")

    for place, letter in enumerate(text):
        for other in ALPHABET:
            if other != letter:
                assert sealer.open("session", text[:place] + other + text[place + 1 :]) is None


@pytest.mark.parametrize(
    "changed",
    [
        pytest.param(lambda text: text[:-1], id="a letter less"),
        pytest.param(lambda text: text + "A", id="a letter more"),
        pytest.param(lambda text: text + "AAAA", id="three bytes more"),
        pytest.param(lambda text: text + "=", id="padded"),
        pytest.param(lambda text: text + "==", id="padded twice"),
        pytest.param(lambda text: text + "\n", id="a line break behind"),
        pytest.param(lambda text: " " + text, id="a space before"),
        pytest.param(lambda text: text[:9] + "!" + text[9:], id="a letter that base64 skips"),
        pytest.param(lambda text: text.replace("-", "+").replace("_", "/") + "+", id="the other alphabet"),
        pytest.param(lambda text: text + text, id="twice"),
        pytest.param(lambda _: "", id="nothing"),
        pytest.param(lambda _: "A" * 38, id="too short"),
        pytest.param(lambda _: "ä" * 60, id="letters beyond ASCII"),
        pytest.param(lambda _: "\ud800", id="half a character"),
        pytest.param(lambda text: "C" + text[1:], id="another version"),
    ],
)
def test_anything_else_does_not_open(sealer: Sealer, changed: object) -> None:
    assert callable(changed)
    assert sealer.open("session", changed(sealer.seal("session", b"ada"))) is None


@given(text=st.text(max_size=400))
def test_no_text_of_strangers_opens(text: str) -> None:
    assert Sealer([SECRET], PLACE).open("session", text) is None


@pytest.mark.parametrize(
    "other",
    [
        pytest.param(lambda text: Sealer([SECRET], PLACE).open("login", text), id="another purpose"),
        pytest.param(lambda text: Sealer([SECRET], "https://other.example").open("session", text), id="another deployment"),
        pytest.param(lambda text: Sealer([SECRET], PLACE + "/").open("session", text), id="another path"),
        pytest.param(lambda text: Sealer([NEW_SECRET], PLACE).open("session", text), id="another secret"),
    ],
)
def test_what_was_sealed_for_another_use_does_not_open(sealer: Sealer, other: object) -> None:
    assert callable(other)
    assert other(sealer.seal("session", b"ada")) is None


def test_a_rotation_opens_old_texts_and_seals_new_ones() -> None:
    before, during, after = Sealer([SECRET], PLACE), Sealer([NEW_SECRET, SECRET], PLACE), Sealer([NEW_SECRET], PLACE)
    old, new = before.seal("session", b"old"), during.seal("session", b"new")

    assert (during.open("session", old), during.open("session", new)) == (b"old", b"new")
    assert (before.open("session", new), after.open("session", new)) == (None, b"new")
    assert after.open("session", old) is None


@pytest.mark.parametrize(
    "secrets",
    [
        pytest.param([], id="none"),
        pytest.param([""], id="an empty one"),
        pytest.param(["s" * 31], id="31 bytes"),
        pytest.param([SECRET, "short"], id="a short one behind a good one"),
    ],
)
def test_a_secret_that_can_be_guessed_is_refused(secrets: list[str]) -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        Sealer(secrets, PLACE)
