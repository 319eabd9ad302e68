"""A path that is let through is read by Tomcat and by nginx as it was read here."""

from __future__ import annotations

import posixpath
import re
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from jsmsso.runtime.site_paths import MAX_PATH, SitePaths, readable_path
from tests.runtime.test_forward_auth import LOOKALIKES, OTHER, SHARED, STRANGE

PIECES = [
    "/", "//", "/./", "/../", "/..;/", "..", ".", ";", ";x=1", "\\", "#", "?", "%", "%2f", "%2F", "%2e", "%2E%2e", "%5c", "%3b", "%23",
    "%3f", "%00", "%0a", "%20", "%25", "%252e", "%252f", "%c3%a4", "%c0%af", "%ff", "%e2%80%a8", "%34", "%53", "a", "4", "04", "s", "/_/",
    "/s/x/_/", "/servicedesk/customer/portal/", "/Servicedesk/", "HR-1", "~", "*", "é", "\u2028", " ", "\t", "",
]  # fmt: skip
PATHS = st.lists(st.sampled_from(PIECES), max_size=8).map(lambda pieces: "/" + "".join(pieces))


def as_tomcat(raw: str) -> bytes:
    """CoyoteAdapter: what follows ``;`` in a segment is dropped, then it is decoded, then dot segments and double slashes go."""
    decoded = unquote_to_bytes("/".join(segment.partition(";")[0] for segment in raw.split("/"))).replace(b"\\", b"/")
    return _normalised(decoded)


def as_nginx(raw: str) -> bytes:
    """ngx_http_parse_complex_uri: up to ``?`` or ``#``, decoded, slashes merged, dot segments gone."""
    return _normalised(unquote_to_bytes(re.split(r"[?#]", raw, maxsplit=1)[0]))


def _normalised(path: bytes) -> bytes:
    ends = path.endswith((b"/", b"/.", b"/.."))
    short = posixpath.normpath(re.sub(b"/+", b"/", path))
    return short + b"/" if ends and short != b"/" else short


@given(PATHS | st.text(max_size=40).map(lambda text: "/" + text))
@example("/a/..;/b")
@example("/a/%2e%2e/b")
def test_nobody_reads_a_path_in_another_way(raw: str) -> None:
    path = readable_path(raw)
    if path is not None:
        assert path.encode() == as_tomcat(raw) == as_nginx(raw)
        assert unquote_to_bytes(path) == path.encode(), "a program that decodes it again reads the same"


@given(PATHS, st.sampled_from(["", "/jira"]))
def test_every_readable_path_has_one_place(raw: str, context: str) -> None:
    path = readable_path(context + raw)
    if path is not None:
        assert SitePaths((), f"https://a.example{context}").place_of(path).kind in ("shared", "other", "strange")


@pytest.mark.parametrize("raw", [path for path in STRANGE if "?" not in path])
def test_strange_paths_are_unreadable(raw: str) -> None:
    assert readable_path(raw) is None


@pytest.mark.parametrize("raw", [*SHARED, *OTHER, *LOOKALIKES])
def test_plain_paths_are_readable(raw: str) -> None:
    raw = raw.partition("?")[0]
    assert (readable_path(raw) or "").encode() == unquote_to_bytes(raw)


def test_a_long_path_is_readable_and_a_longer_one_is_not() -> None:
    assert readable_path("/" + "a" * (MAX_PATH - 1))
    assert readable_path("/" + "a" * MAX_PATH) is None
