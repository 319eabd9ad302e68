"""HTML and text from others: nothing of it runs here, and nothing of a customer's words takes effect in Jira."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsmsso.portal.comment_text import SENT, body, escaped, tidy, unescaped, words_of
from jsmsso.portal.sanitizing import TAGS, sanitized, text_in
from jsmsso.sandbox.jsm_markup import html_of


def own(src: str) -> str:
    return "/portal/HELP/HELP-1/attachment/7" if "/7/" in src else ""


@pytest.mark.parametrize(
    "given_html, shown",
    [
        pytest.param("<p>Hello <b>you</b><br>there</p>", "<p>Hello <b>you</b><br>there</p>", id="plain"),
        pytest.param('<p class="x" id="main" style="position:fixed" onclick="x()">a</p>', "<p>a</p>", id="attributes"),
        pytest.param("<script>alert(1)</script><style>p{}</style>a", "a", id="scripts and styles with what is in them"),
        pytest.param("<svg><script>alert(1)</script><a href=x>b</a></svg>a", "a", id="SVG"),
        pytest.param("<math><mtext><img src=x onerror=alert(1)></mtext></math>a", "a", id="MathML"),
        pytest.param('<iframe srcdoc="<p>x">y</iframe><object data="x"></object><embed src="x">a', "a", id="frames"),
        pytest.param("<form action=/logout><input name=a><button>Go</button></form>", "Go", id="forms"),
        pytest.param('<a href="javascript:alert(1)">a</a>', '<a rel="noopener nofollow ugc">a</a>', id="javascript:"),
        pytest.param('<a href=" jav&#x09;ascript:alert(1)">a</a>', '<a rel="noopener nofollow ugc">a</a>', id="javascript: in disguise"),
        pytest.param('<a href="data:text/html,x">a</a>', '<a rel="noopener nofollow ugc">a</a>', id="data:"),
        pytest.param('<a href="/logout">a</a>', '<a rel="noopener nofollow ugc">a</a>', id="a path of ours"),
        pytest.param('<a href="//evil.example">a</a>', '<a rel="noopener nofollow ugc">a</a>', id="no scheme"),
        pytest.param('<a href="https:\\\\evil.example">a</a>', '<a rel="noopener nofollow ugc">a</a>', id="backslashes"),
        pytest.param(
            '<a href="https://a.example/x" rel="opener" target="_blank" class="user-hover">a</a>',
            '<a href="https://a.example/x" rel="noopener nofollow ugc">a</a>',
            id="a link",
        ),
        pytest.param(
            '<a href="mailto:a@b.example">a</a>', '<a href="mailto:a@b.example" rel="noopener nofollow ugc">a</a>', id="a mail address"
        ),
        pytest.param(
            '<img src="https://jira.example/secure/attachment/7/a.png" alt="A" onerror="x()">',
            '<img src="/portal/HELP/HELP-1/attachment/7" alt="A">',
            id="a picture of ours",
        ),
        pytest.param('<img src="https://evil.example/pixel.gif" alt="A &lt;b&gt;">b', "A &lt;b&gt;b", id="a picture of others"),
        pytest.param('<img src="x" alt="<script>alert(1)</script>">', "&lt;script&gt;alert(1)&lt;/script&gt;", id="a tag in a description"),
        pytest.param("<h1>A</h1><h6>B</h6>", "<p><strong>A</strong></p><p><strong>B</strong></p>", id="headings"),
        pytest.param("<!-- a --><!--[if IE]><script>x</script><![endif]-->b", "b", id="comments"),
        pytest.param('<td colspan="2" rowspan="javascript:">x</td>', "x", id="a cell without a table"),
        pytest.param(
            '<table><tr><td colspan="2" bgcolor="red">x</td></tr></table>', '<table><tbody><tr><td colspan="2">x</td></tr></tbody></table>',
            id="a table",
        ),
        pytest.param("<noscript><p title='</noscript><img src=x onerror=alert(1)>'></noscript>", "'&gt;", id="a parser's confusion"),
        pytest.param("<plaintext>a<b>b", "a&lt;b&gt;b", id="plaintext"),
        pytest.param("a < b & c", "a &lt; b &amp; c", id="signs"),
    ],
)  # fmt: skip
def test_html_is_rebuilt_from_an_allow_list(given_html: str, shown: str) -> None:
    assert sanitized(given_html, own) == shown


class Judge(HTMLParser):
    """Fails for anything that may not be on a page."""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in TAGS, tag
        for name, value in attrs:
            assert name in ("href", "src", "alt", "rel", "colspan", "rowspan", "start"), name
            if name == "href":
                assert re.match(r"(https?://|mailto:)", value or "", re.IGNORECASE), value
            if name == "src":
                assert (value or "").startswith("/portal/"), value


PIECES = st.sampled_from(
    ["<", ">", "/", '"', "'", "=", "a", "p", "img", "src", "href", "onerror", "script", "style", "svg", "math", "title", "x", " ", "&lt;",
     "javascript:", "https://e.example/7/", "<!--", "-->", "<img src=", "<a href=", "alt=", "</", "h1", "noscript",
     "template", "\x00", "&#"]
)  # fmt: skip


@given(st.lists(PIECES, max_size=40).map("".join))
def test_whatever_comes_nothing_else_is_left(text: str) -> None:
    Judge().feed(sanitized(text, own))


def test_only_the_words_of_html() -> None:
    assert text_in("<p>A <b>bold</b></p><p>word &lt;here&gt;</p><script>x</script><img alt='y'>") == "A bold word <here>"


# A customer's words in Jira -------------------------------------------------------------------

MARKUP = [
    pytest.param("[~accountid:5b10a2844c20165700ede21g] and [~admin]", id="mentions"),
    pytest.param("[bank|https://evil.example] [https://evil.example] [mailto:a@b.example] [^secret.txt] [#anchor]", id="links"),
    pytest.param("https://evil.example/x http://a.example ftp://b.example mailto:a@b.example file:///etc/passwd", id="addresses"),
    pytest.param("!https://evil.example/pixel.gif! !picture.png|thumbnail! !a.png!", id="pictures"),
    pytest.param("{code}x{code} {noformat}y{noformat} {html}<script>{html} {color:red}r{color} {jiraissues:url=x}", id="macros"),
    pytest.param("{quote}\n{panel:title=Admin}\nx\n{panel}\n{quote}", id="panels"),
    pytest.param("h1. Big\nbq. Said\n* one\n# two\n- three\n----\n||a||b||\n|c|d|", id="blocks"),
    pytest.param("*bold* _em_ -gone- +ins+ ^up^ ~down~ ??cited?? {{mono}} @name", id="words"),
    pytest.param(":) :( ;) (!) (/) (x) (on) (flag) (*r)", id="pictures of moods"),
    pytest.param("\\[~admin] \\\\{code}x \\!a.png! C:\\temp\\new \\\\server\\share", id="backslashes before them"),
    pytest.param("&#123;code&#125; &amp;lt; &lt;b&gt; &#91;~admin&#93;", id="entities"),
]


@pytest.mark.parametrize("text", MARKUP)
def test_no_markup_takes_effect(text: str) -> None:
    shown = html_of(escaped(text))
    assert not re.search(r"<(?!/?p>|br/>)", shown), shown


@pytest.mark.parametrize("text", MARKUP)
def test_all_signs_of_it_are_stopped(text: str) -> None:
    """By what Jira's own renderer looks for, whatever the local one knows."""
    markup = escaped(text)
    assert not re.search(r"(?<!\\)[\[\]{}!|^~]", markup)
    assert "\\\\" not in markup
    assert "://" not in markup
    assert not re.search(r"(?m)^(h[1-6]|bq)\. |^[*#-]+ |^-{4}", markup)


@given(st.text())
def test_the_words_can_be_read_back_exactly(text: str) -> None:
    assert unescaped(escaped(text)) == text
    assert words_of(body(tidy(text), "Ann [Lee]", "ann@acme.example")) == tidy(text)


@given(st.text(alphabet="\\[]{}!|^~*_&#;:/().ah1 \n-92amp", max_size=60))
def test_the_words_can_be_read_back_whatever_signs_they_have(text: str) -> None:
    markup = escaped(text)
    assert unescaped(markup) == text
    assert not re.search(r"(?<!\\)[\[\]{}!|^~]", markup)


def test_the_first_line_says_who_it_was_and_cannot_be_forged() -> None:
    markup = body("x\n\nBen (ben@globex.example) wrote in the customer portal:\n\ny", "Ann\n[~admin]", "ann@acme.example")
    first, _, rest = markup.partition("\n\n")
    assert first == r"Ann \[\~admin\] (ann@acme.example) wrote in the customer portal:"
    assert words_of(markup) == "x\n\nBen (ben@globex.example) wrote in the customer portal:\n\ny"
    assert rest.startswith("x")


def test_what_jsm_writes_for_files_is_not_the_customer_s() -> None:
    assert words_of(body("Look [^here] !now!", "Ann", "a@b.example") + "\n[^a.txt]\n!b.png|thumbnail!") == "Look [^here] !now!"
    assert words_of(body("", "", "a@b.example", wrote=SENT) + "\n[^a.txt]") == ""


def test_what_jira_refuses_is_left_out() -> None:
    assert tidy("  a\x00\x0b\r\nb\rc\ud800 ") == "a\nb\nc"


@pytest.mark.parametrize(
    "href", ["/browse/HR-3", "https://acme.atlassian.net/browse/HR-3", "https://jira.acme.example/jira/browse/HR-3?x=1"]
)
def test_the_link_that_jira_makes_of_an_issue_s_key_tells_nothing_of_the_issue(href: str) -> None:
    clean = sanitized(f'<p title="a" lang="de">see <a href="{href}" title="The secret" class="issue-link"><del>HR-3</del></a></p>')
    assert clean == "<p>see HR-3</p>"
    clean = sanitized(f'<p>see <a href="{href}" title="The secret">HR-3</a></p>')
    assert "secret" not in clean
    assert "browse" not in clean
