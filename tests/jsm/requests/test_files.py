from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsmsso.jsm.requests.attachments import safe_name, safe_type


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        pytest.param("screenshot 1.png", "screenshot 1.png", id="as it is"),
        pytest.param("Bericht für März.pdf", "Bericht für März.pdf", id="other letters"),
        pytest.param("../../etc/passwd", "passwd", id="folders"),
        pytest.param("C:\\Users\\ann\\a.txt", "a.txt", id="folders of Windows"),
        pytest.param('a"; filename="b.exe', "a_; filename=_b.exe", id="quotes"),
        pytest.param("a\r\nX-Evil: 1", "a_X-Evil_ 1", id="a header of its own"),
        pytest.param("invoice\u202efdp.exe", "invoice_fdp.exe", id="a name that reads backwards"),
        pytest.param("...", "file", id="nothing but dots"),
        pytest.param("", "file", id="nothing"),
        pytest.param("x" * 300 + ".tar", "x" * 196 + ".tar", id="a long name keeps its ending"),
    ],
)
def test_a_files_name_is_one_line_without_folders_or_tricks(name: str, safe: str) -> None:
    assert safe_name(name) == safe


@given(st.text(max_size=300) | st.text('a./\\"\r\n:', max_size=40))
def test_no_name_gets_out_of_its_header(name: str) -> None:
    safe = safe_name(name)
    assert 0 < len(safe) <= 200
    assert safe.isprintable() or not any(c in safe for c in "\r\n\x00")
    assert not set(safe) & set('\r\n"\\/')
    safe.encode()
    assert safe_name(safe) == safe


@pytest.mark.parametrize(
    ("told", "type_"),
    [
        pytest.param("Image/PNG", "image/png", id="capitals"),
        pytest.param("text/html; charset=utf-8", "text/html", id="parameters"),
        pytest.param("text/html\r\nX-Evil: 1", "application/octet-stream", id="a header of its own"),
        pytest.param("", "application/octet-stream", id="nothing"),
        pytest.param("png", "application/octet-stream", id="no type"),
    ],
)
def test_a_files_type_is_one_or_unknown(told: str, type_: str) -> None:
    assert safe_type(told) == type_
