"""The languages of our own texts."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jsmsso.portal.languages import LANGUAGES, Named, language_of, translated, translations
from tests.portal.hosted_site import HostedSite
from tests.runtime.site import PAGE_LOAD, Browser

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        pytest.param("", "en", id="nothing asked for"),
        pytest.param("de", "de", id="a language of ours"),
        pytest.param("de-CH,fr;q=0.9", "de", id="a region of one"),
        pytest.param("fr;q=0.4, ja;q=0.8", "ja", id="the one that is liked better"),
        pytest.param("sv, da;q=0.9, es;q=0.1", "es", id="the only one we have"),
        pytest.param("sv, *", "en", id="any"),
        pytest.param("en-GB, de;q=0.9", "en", id="English before another"),
        pytest.param("de;q=0, fr;q=0.1", "fr", id="one that is refused"),
        pytest.param("de;q=5, fr;q=x,,;", "en", id="nonsense"),
        pytest.param("DE", "de", id="capitals"),
        pytest.param("zh-Hant-TW,ja", "ja", id="a script and a region"),
        pytest.param("sv," * 500 + "de", "en", id="more than is looked at"),
    ],
)
def test_the_language_that_a_browser_likes_best_is_chosen(accepted: str, expected: str) -> None:
    assert language_of(accepted) == expected


@given(st.text(max_size=600))
def test_any_header_names_a_language_of_ours(accepted: str) -> None:
    assert language_of(accepted) in LANGUAGES


def test_every_text_is_translated_and_the_catalogues_are_up_to_date() -> None:
    done = subprocess.run([sys.executable, ROOT / "scripts/update-catalogues", "--check"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, ""), done.stdout + done.stderr


def test_a_sentence_with_a_name_is_translated_around_the_name() -> None:
    sentence = Named("%(name)s does not answer", "100% IT")
    assert sentence == "100% IT does not answer"
    assert translated(sentence, "de") == "100% IT antwortet nicht"
    assert translated("Try again", "fr") == "Réessayer"
    assert (
        translations("ja").ngettext("Try again in a minute.", "Try again in %(num)s minutes.", 3) % {"num": 3}
        == "3 分後にもう一度お試しください。"
    )


@pytest.mark.parametrize(
    ("language", "home", "sign_in", "dead_end"),
    [
        pytest.param("de", "Wobei können wir Ihnen helfen?", "Bei Customer portals anmelden", "Hier ist nichts", id="de"),
        pytest.param("fr", "Comment pouvons-nous vous aider ?", "Se connecter à Customer portals", "Il n&#39;y a rien ici", id="fr"),
        pytest.param("es", "¿En qué podemos ayudarle?", "Iniciar sesión en Customer portals", "Aquí no hay nada", id="es"),
        pytest.param("ja", "どのようなご用件ですか", "Customer portals にサインイン", "ここには何もありません", id="ja"),
    ],
)
def test_pages_before_and_after_the_login_are_in_the_browsers_language(
    hosted: HostedSite, ann: Browser, language: str, home: str, sign_in: str, dead_end: str
) -> None:
    wanted = {**PAGE_LOAD, "Accept-Language": f"{language}-XX,en;q=0.5"}
    for page, text in (
        (ann.get("/portal/HELP", wanted), home),
        (Browser(hosted.site).get("/", wanted), sign_in),
        (ann.get("/nowhere", wanted), dead_end),
    ):
        assert f'<html lang="{language}"' in page.text
        assert text in page.text
