"""What is set aside of a long list comes back as it was, and the result is the one that editing the whole file has."""

from __future__ import annotations

import random
from pathlib import Path

import pytest

from jsmsso.jsm.portals import PulledPortal
from jsmsso.jsm.writing import write_portals
from jsmsso.profile import setting_aside
from jsmsso.profile.editing import editing
from jsmsso.profile.parsing import parse
from jsmsso.profile.reading import read_profile

HEAD = """\
version: 1
public_url: https://sso.acme.com   # ours
jsm: {url: https://acme.atlassian.net, email: a@b.de, api_token: env:TOKEN}
portals:
"""
TAIL = "# The end of the portals\nlogin: {mode: choose}   # as it was\n"


def native(number: int) -> str:
    return f"https://acme.atlassian.net/servicedesk/customer/portal/{number}"


def pulled(number: int, name: str = "") -> PulledPortal:
    return PulledPortal(str(number), f"D{number}", str(number), name or f"Desk {number}", native(number))


def entry(number: int, style: random.Random, indent: str) -> str:
    """One portal as an administrator may have left it."""
    values = {"id": f'"{number}"', "key": f"D{number}", "service_desk": f"'{number}'", "name": f"Desk {number}", "url": native(number)}
    values["mode"] = "hosted"
    more = style.choice(["", "", "# about this one", "visibility: private", 'name_of: "- # no entry"'])
    if more.startswith("visibility"):
        values["visibility"] = "default"
    text = style.choice(["", "", "\n", f"{indent}# before {number}\n", f"    # deep, before {number}\n"])
    if style.random() < 0.3:
        comment = "   " + more if more.startswith("#") else ""
        return text + f"{indent}- {{{', '.join(f'{key}: {value}' for key, value in values.items())}}}{comment}\n"
    lines = [f"{key}: {value}" for key, value in values.items()]
    if more.startswith("#"):
        lines[2] += "  " + more
    return text + f"{indent}- " + f"\n{indent}  ".join(lines) + "\n"


def written(tmp_path: Path, text: str, now: tuple[PulledPortal, ...], *, prune: bool) -> str:
    path = tmp_path / "jsmsso.yaml"
    path.write_bytes(text.encode())
    write_portals(path, now, "hosted", prune=prune)
    again = write_portals(path, now, "hosted", prune=prune)
    assert again[0].is_empty
    assert not again[1]
    return path.read_bytes().decode()


@pytest.mark.parametrize("seed", range(60))
def test_a_shortened_file_is_edited_to_the_same_text_as_the_whole_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    dice = random.Random(seed)
    indent = dice.choice(["", "  ", "    "])
    count = dice.randint(1, 30)
    text = HEAD + "".join(entry(number, dice, indent) for number in range(1, count + 1)) + dice.choice(["", TAIL])
    if dice.random() < 0.2:
        text = text.replace("\n", "\r\n")
    now = [pulled(number) for number in range(1, count + 1)]
    for _ in range(dice.randint(0, 4)):
        number = dice.randrange(len(now))
        now[number] = pulled(number + 1, dice.choice(["New: name", "NO", "Ärger", "a # b"]))
    gone = {dice.randrange(count) for _ in range(dice.randint(0, 3))} if count > 4 else set()
    now = [portal for number, portal in enumerate(now) if number not in gone]
    now += [pulled(count + number) for number in range(1, dice.randint(1, 4))]
    prune = dice.random() < 0.5
    monkeypatch.setattr(setting_aside, "MANY", 1_000)
    whole = written(tmp_path, text, tuple(now), prune=prune)
    monkeypatch.setattr(setting_aside, "MANY", 1)
    shortened = written(tmp_path, text, tuple(now), prune=prune)
    assert parse(shortened.encode()).values == parse(whole.encode()).values
    if not prune:  # where an entry is deleted, a comment about it stays in the one place or the other
        assert filled_lines(shortened) == filled_lines(whole)


def filled_lines(text: str) -> list[str]:
    """Without the empty ones."""
    return [line for line in text.splitlines() if line.strip()]


def many(count: int = 200) -> str:
    return HEAD + "".join(entry(number, random.Random(number), "  ") for number in range(1, count + 1)) + TAIL


def test_what_is_set_aside_is_not_read_again_and_stays_to_the_letter(tmp_path: Path) -> None:
    now = [pulled(number) for number in range(1, 201)]
    now[99] = pulled(100, "Another name")
    path = tmp_path / "jsmsso.yaml"
    path.write_text(many())
    with editing(path) as document:
        entries = document.entries("portals", {99})
        assert len(entries.values) < 10
        assert entries[99]["key"] == "D100"
    assert not document.written
    write_portals(path, tuple(now), "hosted", prune=False)
    before, after = many().splitlines(), path.read_text().splitlines()
    assert [line for line, was in zip(after, before, strict=True) if line != was] == [
        line.replace("Desk 100", "Another name") for line in before if "name: Desk 100" in line
    ]


@pytest.mark.parametrize(
    "portals",
    [
        pytest.param("  [" + ",\n   ".join(f"{{id: {n}}}" for n in range(200)) + "]\n", id="a list in brackets"),
        pytest.param("".join(f"  -\n    id: {n}\n" for n in range(200)), id="a dash on a line of its own"),
        pytest.param("".join(f"  - # {n}\n    id: {n}\n" for n in range(200)), id="a comment behind the dash"),
        pytest.param("  - - id: 0\n" + "".join(f"  - id: {n}\n" for n in range(199)), id="a list in the list"),
        pytest.param("  {a: b}\n", id="no list"),
        pytest.param("  - id: 1\n", id="a short list"),
    ],
)
def test_a_list_that_is_written_otherwise_is_left_whole(portals: str) -> None:
    text = "portals:\n" + portals
    found = setting_aside.set_aside(text, parse(text.encode()), "portals", {0})
    assert found is None or setting_aside.put_back(found.text, found.runs) == text


def test_a_lone_carriage_return_keeps_the_file_whole() -> None:
    text = "portals:\n" + "".join(f"  - id: {n}\n" for n in range(200)) + "#\r#\n"
    assert setting_aside.set_aside(text, parse(text.encode()), "portals", {0}) is None


def test_nothing_is_read_for_editing_where_nothing_is_to_be_changed(tmp_path: Path) -> None:
    path = tmp_path / "jsmsso.yaml"
    path.write_text(many(3))
    with editing(path) as document:
        assert document.profile == read_profile(path)
    assert not document.written
    assert path.read_text() == many(3)
