"""Text and HTML fragments: what a reader would see, in clean Unicode."""

import json
import unicodedata

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pipeline.clean.text import clean_text, html_to_text, normalise

MEGABYTE = 1_000_000
MARKUP = st.lists(
    st.sampled_from(
        ["<b>", "</b>", "<br/>", "<p>", "&amp;", "amp;", "&lt;", "lt;", "<", ">", "&", "\n", " ", "å", "<!--", "\u200d"]
    )
).map("".join)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("  Fin  vare \r\n\r\n\r\n\r\nTak \t", "Fin vare\n\nTak"),
        ("A\u030a, a\u0308 og o\u0308", "Å, ä og ö"),
        ("ska\u00addet\u200b gik\ufeff fint\x00\x07", "skadet gik fint"),
        ("pris\u00a0kr.\u202f79", "pris kr. 79"),
        ("\u202efdp.exe\u202c", "fdp.exe"),
        ("linje\u2028næste\x0bsidste", "linje\nnæste\nsidste"),
        ("Elsker den 👨‍👩‍👧 ❤️‍🔥 👍🏽 🇳🇴", "Elsker den 👨‍👩‍👧 ❤️‍🔥 👍🏽 🇳🇴"),
        ("ord\u200ddeling", "orddeling"),
        ("Kvaliteten er <b>meget</b> d&aring;rlig", "Kvaliteten er meget dårlig"),
        ("første<br />\nandet<br>tredje", "første\nandet\ntredje"),
        ("linje\nlinje &amp; mere", "linje\nlinje & mere"),
        ("<p>et</p><p>to</p>", "et\n\nto"),
        ("jeg <3 jer, 2 < 3 og 5 > 4", "jeg <3 jer, 2 < 3 og 5 > 4"),
        ("skriv til <anna@kunde.example>", "skriv til <anna@kunde.example>"),
        ("H&M og Marks & Spencer", "H&M og Marks & Spencer"),
        ("&amp;amp;aelig;", "æ"),
        ("\ud83d\ude00 og \ud83d", "😀 og \ufffd"),
        ("", ""),
    ],
)
def test_clean_text(given: str, expected: str) -> None:
    assert clean_text(given) == expected


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("<div>a</div><div><br></div><div>b<br></div>c", "a\n\nb\nc"),
        ("<ul><li>et<li>to</ul>", "- et\n- to"),
        ("<table><tr><td>a</td><td>b</td></tr><tr><td>c</td></tr></table>", "a b\nc"),
        ("x<script>alert('<b>')</script><style>p{}</style><!-- skjult -->y", "xy"),
        ("x<script>aldrig lukket", "x"),
        ('<p title="a > b">c</p>', "c"),
        ('før<span style="display: none">skjult</span> efter', "før efter"),
        ("<!DOCTYPE html><html><head><title>t</title></head><body>hej</body></html>", "hej"),
        ("linje\n   i\tkilden", "linje i kilden"),
        ("<p class=MsoNormal>a<o:p></o:p></p><p class=MsoNormal>b</p>", "a\nb"),
        ('sød <img alt="😍" src="x"><img alt="logo" src="y">', "sød 😍"),
        ("<![if !supportLists]>punkt<![endif]>", "punkt"),
        ("kun tekst", "kun tekst"),
    ],
)
def test_html_to_text(given: str, expected: str) -> None:
    assert html_to_text(given) == expected


@given(st.text())
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once
    assert unicodedata.is_normalized("NFC", once)


@settings(max_examples=300)
@given(MARKUP)
def test_cleaning_markup_twice_is_cleaning_it_once(text: str) -> None:
    once = clean_text(text)
    assert clean_text(once) == once


@given(st.text(st.characters(codec="utf-8")))
def test_words_without_markup_survive(text: str) -> None:
    """Letters and digits are never lost from text that holds no markup."""
    letters = "".join(filter(str.isalnum, unicodedata.normalize("NFC", text.replace("<", "").replace("&", ""))))
    assert "".join(filter(str.isalnum, clean_text(text.replace("<", "").replace("&", "")))) == letters


@given(st.text())
def test_clean_text_can_be_stored(text: str) -> None:
    """PostgreSQL refuses NUL and half surrogates."""
    cleaned = clean_text(text)
    assert "\x00" not in cleaned
    assert json.loads(json.dumps(cleaned.encode().decode())) == cleaned


HOSTILE = {
    "opened": "<" * MEGABYTE,
    "declared": "<!" * (MEGABYTE // 2),
    "nested": "<div>" * (MEGABYTE // 10),
    "never closed": "<div " * (MEGABYTE // 5),
    "quoted": '<a "' * (MEGABYTE // 4),
    "escaped again and again": "&" + "amp;" * (MEGABYTE // 4),
    "tag in tag": "<b<br>r>" * (MEGABYTE // 20),
    "comments": "<!--" * (MEGABYTE // 4),
    "scripts": "<script>" * (MEGABYTE // 8),
    "cdata": "<![CDATA[" * (MEGABYTE // 9),
    "crossed": "<b><i>" * (MEGABYTE // 20) + "</b></i>" * (MEGABYTE // 20),
    "attributes": "<a " + "x " * (MEGABYTE // 2) + ">",
    "spaces": " " * MEGABYTE + "x",
    "blank lines": "\n " * (MEGABYTE // 2) + "x",
    "joiners": "\u200d" * MEGABYTE,
    "marks": "a" + "\u0301\u0323" * (MEGABYTE // 2),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_is_cleaned(name: str) -> None:
    """A megabyte that is quadratic for careless expressions and parsers: it would take hours, not seconds."""
    cleaned = clean_text(HOSTILE[name])
    assert len(cleaned) <= MEGABYTE
    assert "<script" not in cleaned
    assert len(html_to_text(HOSTILE[name])) <= MEGABYTE


def test_marks_on_one_letter_are_limited() -> None:
    assert len(normalise("a" + "\u0323" * 1000 + "b")) < 40
