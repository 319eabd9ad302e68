"""One spelling for an address: nothing that looks alike passes for another (design: Email)."""

from __future__ import annotations

import string

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from jsmsso.identity.email_address import NotAnEmailAddress, fold_domain, fold_domain_pattern, fold_email, fold_glob

FOLDED = [
    pytest.param("ada@acme.example", "ada@acme.example", id="as it is"),
    pytest.param("Ada.LOVELACE@ACME.Example", "ada.lovelace@acme.example", id="capitals"),
    pytest.param("ada+jira@acme.example", "ada+jira@acme.example", id="a tag, which is kept"),
    pytest.param("a.d.a@acme.example", "a.d.a@acme.example", id="dots, which are kept"),
    pytest.param("!#$%&'*+-/=?^_`{|}~@acme.example", "!#$%&'*+-/=?^_`{|}~@acme.example", id="every sign that is allowed"),
    pytest.param("ada@bücher.example", "ada@xn--bcher-kva.example", id="an umlaut"),
    pytest.param("ada@XN--BCHER-KVA.example", "ada@xn--bcher-kva.example", id="the same as A-label"),
    pytest.param("ada@straße.example", "ada@xn--strae-oqa.example", id="a sharp s stays one"),
    pytest.param("ada@例え.example", "ada@xn--r8jz45g.example", id="Japanese"),
    pytest.param("ada@1.example", "ada@1.example", id="a digit"),
    pytest.param("a" * 64 + "@acme.example", "a" * 64 + "@acme.example", id="a long local part"),
]


@pytest.mark.parametrize(("text", "folded"), FOLDED)
def test_an_address_has_one_spelling(text: str, folded: str) -> None:
    assert fold_email(text) == folded
    assert fold_email(folded) == folded


REFUSED = [
    pytest.param("", id="nothing"),
    pytest.param("ada", id="no @"),
    pytest.param("@acme.example", id="no local part"),
    pytest.param("ada@", id="no domain"),
    pytest.param("ada@acme.example@evil.example", id="two @"),
    pytest.param('"ada@acme.example"@evil.example', id="an @ in quotes"),
    pytest.param('"ada"@acme.example', id="quotes"),
    pytest.param("ada <ada@acme.example>", id="a name and angle brackets"),
    pytest.param("<ada@acme.example>", id="angle brackets"),
    pytest.param("ada(comment)@acme.example", id="a comment"),
    pytest.param("ada,eve@acme.example", id="a comma"),
    pytest.param("ada;eve@acme.example", id="a semicolon"),
    pytest.param("ada\\@acme.example", id="a backslash"),
    pytest.param(" ada@acme.example", id="a space before"),
    pytest.param("ada@acme.example ", id="a space behind"),
    pytest.param("ada@acme.example\n", id="a line break"),
    pytest.param("ada@acme.example\x00", id="a zero"),
    pytest.param("ada\u200b@acme.example", id="a zero-width space"),
    pytest.param("ada\u202e@acme.example", id="a turn of direction"),
    pytest.param("äda@acme.example", id="an umlaut in the local part"),
    pytest.param("\u0430da@acme.example", id="a Cyrillic a in the local part"),
    pytest.param("ada\uff20acme.example", id="a full-width @"),
    pytest.param("ada@\uff41cme.example", id="a full-width a in the domain"),
    pytest.param("ada@acme。example", id="an ideographic full stop"),
    pytest.param("ada@\u212aelvin.example", id="a Kelvin sign, which lowers to k"),
    pytest.param("ada@\u017fecure.example", id="a long s, which uppers to S"),
    pytest.param("ada@\u0130stanbul.example", id="a Turkish dotted I"),
    pytest.param("ada@BÜCHER.example", id="an umlaut in capitals"),
    pytest.param("ada@o\ufb03ce.example", id="a ligature"),
    pytest.param("ada@b\u00fc\u0308cher.example\u0308", id="a lone accent"),
    pytest.param("ada@bu\u0308cher.example", id="an umlaut in two parts"),
    pytest.param("ada@xn--\u00e4.example", id="half an A-label"),
    pytest.param("ada@acme..example", id="an empty label"),
    pytest.param("ada@.example", id="a dot first"),
    pytest.param("ada@acme.example.", id="a final dot"),
    pytest.param("ada@-acme.example", id="a hyphen first"),
    pytest.param("ada@acme-.example", id="a hyphen last in a label"),
    pytest.param("ada@ac_me.example", id="an underscore"),
    pytest.param("ada@ac me.example", id="a space in the domain"),
    pytest.param("ada@[127.0.0.1]", id="an address literal"),
    pytest.param("ada@acme.example/x", id="a slash"),
    pytest.param("ada@acme.example?x", id="a query"),
    pytest.param("ada@acme.example%00.evil.example", id="an escape"),
    pytest.param("a" * 65 + "@acme.example", id="a local part of 65"),
    pytest.param("ada@" + "a" * 64 + ".example", id="a label of 64"),
    pytest.param("ada@" + "a." * 127 + "a", id="a domain of 255"),
    pytest.param("a" * 64 + "@" + "b" * 60 + "." + "c" * 60 + "." + "d" * 60 + ".ex" + "a" * 6, id="an address of 255"),
    pytest.param("ada@\ud800.example", id="half a character"),
]


@pytest.mark.parametrize("text", REFUSED)
def test_what_is_no_plain_address_is_refused(text: str) -> None:
    with pytest.raises(NotAnEmailAddress):
        fold_email(text)


ADDRESSES = st.builds(
    "{}@{}.{}".format,
    st.text(string.ascii_letters + string.digits + ".+-_", min_size=1, max_size=20),
    st.text(string.ascii_letters + string.digits, min_size=1, max_size=20),
    st.sampled_from(["example", "EXAMPLE", "acme.example", "xn--bcher-kva.example", "bücher.example"]),
)


@given(st.text(max_size=80) | ADDRESSES)
def test_folding_twice_changes_nothing_and_yields_plain_ascii(text: str) -> None:
    try:
        folded = fold_email(text)
    except NotAnEmailAddress:
        assume(False)
        return

    assert fold_email(folded) == folded
    assert folded.isascii()
    assert folded.isprintable()
    assert folded == folded.lower()
    assert folded.count("@") == 1
    assert len(folded) <= 254


@given(ADDRESSES)
def test_only_the_case_of_a_to_z_is_the_same(text: str) -> None:
    local_part, _, domain = text.partition("@")
    if domain.isascii():
        assert fold_email(text.swapcase()) == fold_email(text)
    assert fold_email(local_part.upper() + "@" + domain) == fold_email(text)


@given(st.characters(exclude_categories=["Cs"]), ADDRESSES, st.integers(0, 60))
def test_no_single_character_more_gives_the_same_address(character: str, address: str, place: int) -> None:
    place = min(place, len(address))
    longer = address[:place] + character + address[place:]
    try:
        folded = fold_email(longer)
    except NotAnEmailAddress:
        return

    assert folded != fold_email(address)


@given(st.characters(min_codepoint=128, exclude_categories=["Cs"]), st.sampled_from(string.ascii_letters + string.digits))
def test_no_character_beyond_ascii_stands_for_one_of_ascii(character: str, plain: str) -> None:
    for template in ("a{}a@acme.example", "ada@ac{}me.example"):
        try:
            folded = fold_email(template.format(character))
        except NotAnEmailAddress:
            continue
        assert folded != fold_email(template.format(plain))


@given(st.text())
def test_any_text_is_folded_or_refused(text: str) -> None:
    for fold in (fold_email, fold_domain, fold_glob, fold_domain_pattern):
        try:
            assert fold(text).isascii()
        except NotAnEmailAddress:
            continue


@pytest.mark.parametrize(("domain", "taken"), [("a." * 126 + "a", True), ("a." * 126 + "aa", False), ("a" * 63 + ".b", True)])
def test_a_domain_has_at_most_253_characters(domain: str, taken: bool) -> None:
    if taken:
        assert fold_domain(domain) == domain
        return
    with pytest.raises(NotAnEmailAddress):
        fold_domain(domain)


GLOBS = [
    pytest.param("*@Contractor.ACME.example", "*@contractor.acme.example", id="anybody at a domain"),
    pytest.param("Ada.*@acme.example", "ada.*@acme.example", id="a beginning"),
    pytest.param("*@*.acme.example", "*@*.acme.example", id="anybody below a domain"),
    pytest.param("*@bücher.example", "*@xn--bcher-kva.example", id="a domain with an umlaut"),
    pytest.param("Ada@acme.example", "ada@acme.example", id="no star at all"),
    pytest.param("*@dev-*.acme.example", "*@dev-*.acme.example", id="a part of a label"),
]


@pytest.mark.parametrize(("text", "folded"), GLOBS)
def test_a_glob_is_folded_as_addresses_are(text: str, folded: str) -> None:
    assert fold_glob(text) == folded


@pytest.mark.parametrize("text", ["*", "*@", "@*", "*@a@b", "*@*bücher.example", "*@-*.example", "* @acme.example", "*@acme..example"])
def test_what_is_no_glob_of_addresses_is_refused(text: str) -> None:
    with pytest.raises(NotAnEmailAddress):
        fold_glob(text)


@pytest.mark.parametrize(("text", "folded"), [("*.ACME.example", "*.acme.example"), ("Acme.example", "acme.example")])
def test_a_domain_pattern_is_folded(text: str, folded: str) -> None:
    assert fold_domain_pattern(text) == folded


@pytest.mark.parametrize("text", ["*", "*.", "*acme.example", "**.acme.example", "a.*.example", "*.*.example", "acme.*"])
def test_what_is_no_domain_pattern_is_refused(text: str) -> None:
    with pytest.raises(NotAnEmailAddress):
        fold_domain_pattern(text)
