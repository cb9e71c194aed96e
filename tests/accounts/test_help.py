"""Help now: the numbers can be tapped."""

from __future__ import annotations

import re

import pytest

from community.safety import countries, helplines_for
from tests.accounts.visitors import Browser, words
from tests.people import Stage

EVERYWHERE = [*countries(), "ZZ"]


@pytest.mark.parametrize("country", EVERYWHERE)
def test_every_number_of_every_line_can_be_tapped(country: str) -> None:
    for line in helplines_for(country):
        numbers = re.findall(r"\d[\d -]*\d|\d", line.phone)
        called = [number.dial for number in line.numbers]
        for number in numbers[:1] if "then" in line.phone else numbers:
            assert re.sub(r"\D", "", number) in [dial.lstrip("+") for dial in called], f"{line.name}: {line.phone}"
        assert bool(line.text) == bool(line.text_numbers), line.text
        assert all(re.fullmatch(r"\+?\d+", number.dial) for number in (*line.numbers, *line.text_numbers))


@pytest.mark.parametrize(
    ("country", "links"),
    [
        ("DE", ["tel:116123", "tel:08001110111", "tel:08001110222"]),
        ("NL", ["tel:113", "tel:08000113"]),
        ("US", ["tel:988", "tel:18664887386", "sms:741741", "sms:678678"]),
        ("ZZ", ["tel:112", "tel:911", "tel:999", "tel:000", "tel:111"]),
        ("IN", ["tel:+919820466726"]),
    ],
)
def test_the_page_links_the_main_crisis_numbers(stage: Stage, country: str, links: list[str]) -> None:
    page = Browser(stage).get(f"/help?country={country}")
    for link in links:
        assert f'href="{link}"' in page.text, link


def test_what_stands_around_a_number_is_said_and_not_dialled(stage: Stage) -> None:
    assert re.search(r"988\s*, then 1", words(Browser(stage).get("/help?country=US")))
    assert re.search(r"112\s+\(Europe and most mobile phones\)", words(Browser(stage).get("/help?country=ZZ")))
