"""The files that ``email_in`` names."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from jsmsso.errors import NotReady
from jsmsso.identity.access import AllOf, AnyOf, EmailIn, Everyone, Rule, decide
from jsmsso.identity.customer import Customer
from jsmsso.profile.address_lists import AddressList, with_lists


class Clock:
    seconds = 0.0

    def __call__(self) -> float:
        return self.seconds


def written(folder: Path, content: str | bytes) -> AddressList:
    (folder / "list.txt").write_bytes(content if isinstance(content, bytes) else content.encode())
    return AddressList("list.txt", folder)


LINES = [
    pytest.param("ada@acme.example", True, id="the address"),
    pytest.param("ADA@Acme.Example", True, id="in capitals"),
    pytest.param("  ada@acme.example\t# our first", True, id="spaces and a comment"),
    pytest.param("eve@evil.example\r\nada@acme.example\r\n", True, id="line ends of Windows"),
    pytest.param("\ufeffada@acme.example", True, id="a byte order mark"),
    pytest.param("*@acme.example", True, id="everybody at the domain"),
    pytest.param("*@ACME.example", True, id="everybody at the domain, in capitals"),
    pytest.param("# ada@acme.example\n", False, id="a comment"),
    pytest.param("*@sub.acme.example\n*@example", False, id="other domains"),
    pytest.param("xada@acme.example\nada@acme.example.evil.example", False, id="addresses that are alike"),
    pytest.param("", False, id="nothing"),
]


@pytest.mark.parametrize(("content", "holds"), LINES)
def test_who_stands_in_a_list(tmp_path: Path, content: str, holds: bool) -> None:
    assert written(tmp_path, content).holds("ada@acme.example") is holds


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        pytest.param("ada@acme.example\n\nada\n", "line 3: it needs exactly one @", id="no address"),
        pytest.param("a*@acme.example", "line 1: a * stands only for everybody at a domain", id="a star in an address"),
        pytest.param("*@*.acme.example", "line 1: ", id="a star in a domain"),
        pytest.param("ada@acme.example, eve@acme.example", "line 1: it needs exactly one @", id="two in a line"),
        pytest.param("\u0430da@acme.example", "line 1: ", id="a Cyrillic a"),
        pytest.param(b"\xff\xfe", "not UTF-8", id="no text"),
        pytest.param("x\n" * 9, "and 4 more", id="many wrong lines"),
    ],
)
def test_what_is_no_list_is_refused_by_line(tmp_path: Path, content: str | bytes, complaint: str) -> None:
    with pytest.raises(NotReady, match=r"list\.txt") as caught:
        written(tmp_path, content)
    assert complaint in caught.value.message


@pytest.mark.parametrize("make", ["nothing", "folder", "pipe"])
def test_what_is_no_file_is_refused(tmp_path: Path, make: str) -> None:
    path = tmp_path / "list.txt"
    if make == "folder":
        path.mkdir()
    elif make == "pipe":
        os.mkfifo(path)
    with pytest.raises(NotReady, match=r"email_in: list\.txt cannot be read"):
        AddressList("list.txt", tmp_path)


def test_a_list_is_read_again_when_it_changed(tmp_path: Path) -> None:
    clock, said = Clock(), list[tuple[str, str]]()
    path = tmp_path / "list.txt"
    path.write_text("ada@acme.example\n")
    addresses = AddressList("list.txt", tmp_path, say=lambda name, wrong: said.append((name, wrong)), clock=clock)

    path.write_text("eve@acme.example\n")
    assert addresses.holds("ada@acme.example"), "it is looked at once a second"
    clock.seconds += 1
    assert not addresses.holds("ada@acme.example")
    assert addresses.holds("eve@acme.example")
    assert said == [("list.txt", "")]


def test_a_list_that_became_unreadable_counts_as_it_was_read_and_is_said_once(tmp_path: Path) -> None:
    clock, said = Clock(), list[tuple[str, str]]()
    path = tmp_path / "list.txt"
    path.write_text("ada@acme.example\n")
    addresses = AddressList("list.txt", tmp_path, say=lambda name, wrong: said.append((name, wrong)), clock=clock)

    path.write_text("eve@acme.example\nada@@\n")
    for _ in range(3):
        clock.seconds += 1
        assert addresses.holds("ada@acme.example")
        assert not addresses.holds("eve@acme.example")
    assert [wrong.partition("\n")[0] for _, wrong in said] == ["email_in: list.txt has lines that are no addresses:"]

    path.unlink()
    clock.seconds += 1
    assert addresses.holds("ada@acme.example")
    path.write_text("eve@acme.example\n")
    clock.seconds += 1
    assert not addresses.holds("ada@acme.example")
    assert [bool(wrong) for _, wrong in said] == [True, True, False]


def test_thousands_of_lines(tmp_path: Path) -> None:
    addresses = written(tmp_path, "".join(f"person{number}@acme.example\n" for number in range(20_000)))
    assert addresses.holds("person19999@acme.example")
    assert not addresses.holds("person20000@acme.example")


def test_rules_look_into_their_lists_also_inside_others(tmp_path: Path) -> None:
    (tmp_path / "list.txt").write_text("ada@acme.example\n")
    ada = Customer("p", "https://op.example", "1", "ada@acme.example")
    rules = (Rule("deny", AllOf((Everyone(), AnyOf((EmailIn("list.txt"),))))), Rule("allow", Everyone()))
    known: dict[str, AddressList] = {}

    bound = with_lists(rules, tmp_path, known=known)

    assert str(decide(bound, ada, {})) == "Denied by rule 1: deny all of (everyone; any of (email in list.txt))"
    assert decide(bound, Customer("p", "https://op.example", "2", "eve@acme.example"), {}).allowed
    assert list(known) == ["list.txt"]


@pytest.mark.parametrize(("effect", "number"), [("allow", 0), ("deny", 1)])
def test_a_list_that_nobody_read_lets_nobody_in(effect: str, number: int) -> None:
    decision = decide([Rule(effect, EmailIn("list.txt"))], Customer("p", "i", "1", "ada@acme.example"), {})  # type: ignore[arg-type]
    assert (decision.allowed, decision.number) == (False, number)
