"""The file of a bulk load: what is read from it, and what is said of one that cannot be used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from jsmsso.cli.bulk_load.csv_file import read_csv
from jsmsso.cli.bulk_load.rows import Row, RowsInvalid
from jsmsso.errors import UsageError
from tests.cli.people import make_stage
from tests.services.home import Home, Ran

KEYS = ("HELP", "HR")
ANN = "ann@acme.example"


def read(folder: Path, content: bytes | str) -> list[Row]:
    path = folder / "customers.csv"
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    return read_csv(str(path), KEYS)


@pytest.mark.parametrize(
    "content",
    [
        pytest.param("email,display_name\nann@acme.example,Ann Lee\n", id="commas"),
        pytest.param(
            "email;display_name\r\nann@acme.example;Ann Lee\r\n", id="semicolons and Windows line ends, as Excel writes in Europe"
        ),
        pytest.param("email\tdisplay_name\nann@acme.example\tAnn Lee\n", id="tabs"),
        pytest.param("sep=;\nemail;display_name\nann@acme.example;Ann Lee", id="Excel's own first line"),
        pytest.param("\ufeffemail,display_name\nann@acme.example,Ann Lee\n", id="a byte order mark"),
        pytest.param(" Email , Display Name \n ANN@ACME.example , Ann Lee \n", id="spaces and capitals"),
        pytest.param("display_name,email\nAnn Lee,ann@acme.example\n", id="columns in another order"),
        pytest.param("email,first_name,last_name\nann@acme.example,Ann,Lee\n", id="first and last name"),
        pytest.param("email,first_name,display_name\nann@acme.example,Anna,Ann Lee\n", id="a display name goes before the others"),
        pytest.param("email,display_name\n\nann@acme.example,Ann Lee\n,\n\n", id="empty lines"),
    ],
)
def test_files_as_programs_write_them_are_read(tmp_path: Path, content: str) -> None:
    [row] = read(tmp_path, content)
    assert (row.email, row.display_name, row.organizations, row.portals) == (ANN, "Ann Lee", None, ())


def test_several_organizations_and_portals_stand_between_semicolons(tmp_path: Path) -> None:
    content = 'email;organizations;portals\nann@acme.example;"Acme; Globex;;Acme";"HELP;HR"\nbob@bücher.example;;\n'
    ann, bob = read(tmp_path, content)
    assert (ann.line, ann.organizations, ann.portals) == (2, ("Acme", "Globex"), ("HELP", "HR"))
    assert (bob.line, bob.email, bob.display_name, bob.organizations) == (3, "bob@xn--bcher-kva.example", "bob@xn--bcher-kva.example", ())


@pytest.mark.parametrize(
    ("content", "line", "said"),
    [
        pytest.param(
            b"email,first_name\nann@acme.example,Ann\nb@acme.example,Z\xfcrich\n", 3, "not UTF-8: found the byte fc", id="Latin-1"
        ),
        pytest.param("email\nann@acme.example\n".encode("utf-16"), 1, "UTF-16", id="UTF-16"),
        pytest.param("", 1, "column email is missing", id="an empty file"),
        pytest.param("name,mail\nAnn,ann@acme.example\n", 1, "column email is missing", id="no column email"),
        pytest.param("ann@acme.example\nbob@acme.example\n", 1, "column email is missing", id="no header"),
        pytest.param("email,organisations\nann@acme.example,Acme\n", 1, "Did you mean organizations?", id="a mistyped column"),
        pytest.param("email,email\na@acme.example,b@acme.example\n", 1, "email is there twice", id="a column twice"),
        pytest.param("email,portals\n", 0, "no customer in it", id="a header alone"),
        pytest.param("email\nann@acme.example\nANN@Acme.Example\n", 3, "ann@acme.example stands in line 2 already", id="an address twice"),
        pytest.param("email\nann\n", 2, "needs exactly one @", id="no address"),
        pytest.param("email,first_name\n,Ann\n", 2, "email: it is empty", id="no address beside a name"),
        pytest.param('email\n"Ann <ann@acme.example>"\n', 2, "not plain printable ASCII", id="a name with the address"),
        pytest.param("email\n\u0430@acme.example\n", 2, "not plain printable ASCII", id="a Cyrillic look-alike"),
        pytest.param('email,display_name\nann@acme.example,"Ann\nLee"\nb@b.example,B\n', 2, "cannot be shown", id="a line end in a name"),
        pytest.param("email,display_name\nann@acme.example,Ann\x1b[31m\n", 2, "cannot be shown", id="an escape sequence in a name"),
        pytest.param(f"email,display_name\nann@acme.example,{'A' * 256}\n", 2, "at most 255", id="a name that is too long"),
        pytest.param("email,portals\nann@acme.example,help\n", 2, "Did you mean HELP?", id="a portal that is not there"),
        pytest.param(
            f"email;organizations\nann@acme.example;{';'.join(map(str, range(3)))}\n",
            2,
            "more fields",
            id="semicolons without quotation marks",
        ),
        pytest.param('email,organizations\nann@acme.example,"Acme\nb@b.example,B\n', 3, "no CSV from here on", id="an open quotation mark"),
        pytest.param(
            'email,organizations\nann@acme.example,"' + ";".join(map(str, range(101))) + '"\n', 2, "found 101", id="too many organizations"
        ),
        pytest.param(
            "email\n" + "".join(f"c{n}@acme.example\n" for n in range(100_000)) + "c0@acme.example\n",
            100_002,
            "c0@acme.example stands in line 2 already",
            id="100,001 lines",
        ),
    ],
)
def test_a_file_that_cannot_be_used_names_the_line(tmp_path: Path, content: bytes | str, line: int, said: str) -> None:
    with pytest.raises(RowsInvalid) as caught:
        read(tmp_path, content)
    assert said in caught.value.message
    assert line in [complaint.line for complaint in caught.value.complaints]
    assert line == 0 or f"line {line}: " in caught.value.message
    assert caught.value.exit_code == 2


def test_a_hundred_thousand_customers_are_read(tmp_path: Path) -> None:
    content = "email,organizations\n" + "".join(f"c{number}@acme.example,Acme\n" for number in range(100_000))
    rows = read(tmp_path, content)
    assert (len(rows), rows[-1].line, rows[-1].organizations) == (100_000, 100_001, ("Acme",))


def test_every_line_that_is_wrong_is_named_at_once_and_a_wrong_file_does_not_flood_the_screen(tmp_path: Path) -> None:
    with pytest.raises(RowsInvalid) as caught:
        read(tmp_path, "email\n" + "nobody\n" * 500)
    assert "has 500 problems" in caught.value.message
    assert "and 480 more" in caught.value.message
    assert len(caught.value.message.splitlines()) == 22


def test_the_command_tells_all_of_it_to_programs_too(jsmsso_home: Home, jsmsso: Callable[..., Ran]) -> None:
    make_stage(jsmsso_home, None)
    site = {"url": "https://jsm.example", "email": "bot@acme.example", "api_token": "env:TOKEN", "customers": {"create": True}}
    jsmsso_home.profile.write_text(json.dumps(json.loads(jsmsso_home.profile.read_text()) | {"jsm": site}))
    done = jsmsso("customers", "sync", "--file", "-", "--json", typed="email\nann@acme.example\nann\n")
    error = done.json()["error"]
    assert (done.code, error["code"]) == (2, "file_invalid")
    assert "nothing was written" in error["message"]
    assert [(one["line"], one["key"]) for one in error["complaints"]] == [(3, "email")]


@pytest.mark.parametrize("file", ["none.csv", ".", "a\0b"])
def test_a_file_that_cannot_be_read_is_a_wrong_use(tmp_path: Path, file: str) -> None:
    with pytest.raises(UsageError, match="cannot be read"):
        read_csv(str(tmp_path / file), KEYS)
