"""What people give away is noticed where it stands, ordinary words never are, and no text takes long."""

from __future__ import annotations

import time

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from community.safety.personal import MAX_FOUND, Disclosure, disclosures, taken_out

ANYTHING = st.text(st.characters(), max_size=300)
calm = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


def seen(text: str, country: str = "GB") -> list[tuple[str, str]]:
    return [(kind, text[start:end]) for kind, start, end in disclosures(text, country)]


@pytest.mark.parametrize(
    ("text", "kind", "words"),
    [
        ("call me on 07911 123456 ok", "phone", "07911 123456"),
        ("my number: +49 170 1234567.", "phone", "+49 170 1234567"),
        ("write to ana.b+x@mail.example.org.", "email", "ana.b+x@mail.example.org"),
        ("my insta is annalights", "handle", "annalights"),
        ("insta: @ana.lights.", "handle", "@ana.lights"),
        ("add me on snapchat: lilbean4", "handle", "lilbean4"),
        ("i'm @ana_b on insta", "handle", "@ana_b"),
        ("🫂🫂 follow me @ana_b", "handle", "@ana_b"),
        ("my discord is bean#1234", "handle", "bean#1234"),
        ("I live at 12 oak tree road now", "address", "12 oak tree road"),
        ("Come to 12 Oak Road", "address", "12 Oak Road"),
        ("Hauptstraße 5, 12345 Berlin", "address", "Hauptstraße 5, 12345 Berlin"),
        ("I am in M1 1AE", "postcode", "M1 1AE"),
        ("my postcode is sw1a 1aa", "postcode", "sw1a 1aa"),
        ("PLZ 10115", "postcode", "10115"),
        ("see https://bank.example@evil.example/x", "link", "https://bank.example@evil.example/x"),
        ("http://192.0.2.1/a", "link", "http://192.0.2.1/a"),
        ("http://3232235777/", "link", "http://3232235777/"),
        ("http://xn--bnk-6ed.example", "link", "http://xn--bnk-6ed.example"),
        ("log in at www.раураӏ.com", "link", "www.раураӏ.com"),
        ("see раураӏ.com now", "link", "раураӏ.com"),
    ],
)
def test_what_people_give_away_is_noticed_where_it_stands(text: str, kind: str, words: str) -> None:
    assert seen(text) == [(kind, words)]


def test_local_numbers_are_read_as_the_authors_country_writes_them() -> None:
    assert seen("call 212-555-0123", "US") == [("phone", "212-555-0123")]
    assert seen("Austin TX 78701", "US") == [("postcode", "78701")]
    assert seen("0170 1234567", "DE") == [("phone", "0170 1234567")]
    assert seen("0170 1234567", "ZZ") == []


@pytest.mark.parametrize(
    "text",
    [
        "Samaritans 116 123 helped, Childline 0800 1111",
        "call 1-800-273-8255 or 988",
        "@Ben thanks for that",
        "my insta is private", "I deleted insta and facebook today", "reddit is great", "snap 10kg 2019", "my facebook is hacked",
        "dig this", "on whatsapp as usual",
        "I weigh 60 61 62 63 64 65 66", "born 12.03.1987 at 11:20", "2019 2020 2021 2022", "2020-01-01 12:00:00 1234567",
        "took b12 1mg and e5 2nd", "I walked 12345 Steps", "seit 20 Jahren und 12000 Schritte",
        "5 minutes away", "the zip of my coat is broken",
        "https://example.org/a?b=1", "münchen.de", "café.fr is nice", "Привет.Как дела", "a@b", "50% @ home",
        "> my number is 07911 123456\nshe wrote that",
    ],
)  # fmt: skip
def test_ordinary_words_helplines_and_what_others_said_are_left_alone(text: str) -> None:
    assert [seen(text, country) for country in ("GB", "US", "DE", "ZZ")] == [[], [], [], []]


def test_a_draft_is_given_back_with_a_plain_word_where_it_stood() -> None:
    text = "Text me on 07911 123456 or a@example.org, please."
    assert taken_out(text, disclosures(text, "GB")) == "Text me on [phone number] or [e-mail address], please."


PARTS = ["07911 123456", "+44", "@", "a@example.org", "insta", " is ", "ana_9", "http://", "раураӏ.com", "1", " ", "\n> ", "SW1A 1AA",
         "12 Oak Road", "zip", "\ud800", "\x00", "’", "🫂"]  # fmt: skip


@calm
@given(
    st.one_of(ANYTHING, st.lists(st.sampled_from(PARTS), max_size=30).map("".join)),
    st.sampled_from(["GB", "US", "DE", "ZZ", "", "xx"]),
)
def test_offsets_lie_in_the_text_in_order_and_apart(text: str, country: str) -> None:
    reached = 0
    for kind, start, end in disclosures(text, country):
        assert reached <= start < end <= len(text)
        assert not text[start].isspace()
        reached = end
        assert kind in ("phone", "email", "address", "postcode", "handle", "link")


@calm
@given(ANYTHING, st.sampled_from(["07911 123456", "ana.b@example.org", "M1 1AE"]))
@example("0/0", "07911 123456")
def test_a_disclosure_is_found_whatever_stands_around_it(around: str, words: str) -> None:
    text = f"{around}\n {words} \n{around}"
    found = [text[start:end] for _, start, end in disclosures(text, "GB")]
    assert words in found or len(found) == MAX_FOUND or "@" in around


HOSTILE = ["1", "1 ", "@", "a@", "a.b@", "1 A B ", "07911 123456 ", "http://", "insta ", "insta is ", "é.", "@aaa insta", "+((", "zip ", "\ud800\x00",
           "a", "add a a a ", "1a ", "0x", "1.1.", "1 Aa Aa Aa Aa ", "live at 1 a a a ", "٣", "www.а."]  # fmt: skip


@pytest.mark.parametrize("part", HOSTILE)
def test_a_million_hostile_characters_take_a_moment(part: str) -> None:
    text = part * (1_000_000 // len(part))
    disclosures("07911 123456", "GB")  # the numbering plan is loaded
    began = time.thread_time()
    assert len(disclosures(text, "GB")) <= MAX_FOUND
    assert time.thread_time() - began < 0.25


def test_a_disclosure_is_a_kind_and_a_place() -> None:
    assert disclosures("a@example.org", "GB") == (Disclosure("email", 0, 13),)
