"""Complaints about ``portals[].request_types``: they name the place as it stands in the file, and nothing that only we call so."""

from __future__ import annotations

import pytest

from tests.profile.reading_texts import complaints

PORTAL = "id: '3', key: HELP, service_desk: '3', name: A, url: https://a.example/3, mode: hosted"
ITEM = "portals[0].request_types.allow[0]"


@pytest.mark.parametrize(
    "item, key, message",
    [
        pytest.param("{}", ITEM, "found nothing in it", id="nothing in it"),
        pytest.param("{nam: Get IT help}", f"{ITEM}.nam", "the key is unknown", id="an unknown key"),
        pytest.param("{some: Get IT help}", f"{ITEM}.some", "the key is unknown", id="a key that we call an item of this kind"),
        pytest.param("{name: 5}", f"{ITEM}.name", "allowed: a text", id="a number for a name"),
        pytest.param("{group: []}", f"{ITEM}.group", "the list is empty", id="an empty list"),
        pytest.param("{group: [Equipment, 5]}", f"{ITEM}.group[1]", "allowed: a text", id="a number in a list"),
        pytest.param("{organization: {a: b}}", f"{ITEM}.organization", "allowed: ", id="a mapping for a name"),
        pytest.param("[Get IT help]", ITEM, "found a list", id="a list in a list"),
        pytest.param("5", ITEM, "allowed: ", id="a number"),
        pytest.param("''", ITEM, "the text is empty", id="an empty name"),
    ],
)
def test_a_complaint_about_an_item_has_the_path_that_was_written(item: str, key: str, message: str) -> None:
    found = complaints(f"portals: [{{{PORTAL}, request_types: {{allow: [{item}]}}}}]\n")
    assert [one.key for one in found] == [key]
    assert message in found[0].message
