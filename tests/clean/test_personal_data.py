"""Masking on the corpus, its laws, and what hostile text may not do to it."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.masking import Case, Result, evaluate, klang, read_corpus
from pipeline.clean.personal_data import ALL_KINDS, Kind, find, mask

CORPORA = sorted(Path(__file__).parent.glob("personal_data_*.toml"))
CHECKED = {Kind.CPR, Kind.PERSONNUMMER, Kind.FODSELSNUMMER, Kind.IBAN, Kind.ACCOUNT, Kind.CARD}


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [case for path in CORPORA for case in read_corpus(path)]


@pytest.fixture(scope="module")
def result(cases: list[Case]) -> Result:
    return evaluate(cases, klang)


def test_corpus_is_large_and_covers_every_language_and_kind(cases: list[Case]) -> None:
    assert sum(bool(case.spans) for case in cases) >= 400
    assert sum(not case.spans for case in cases) >= 400
    assert {case.language for case in cases} == {"da", "sv", "nb", "nn", "en"}
    assert {span.kind for case in cases for span in case.spans} == ALL_KINDS


@pytest.mark.parametrize("kind", Kind)
def test_recall_and_precision(result: Result, kind: Kind) -> None:
    assert result.recall(kind) >= (0.99 if kind in CHECKED else 0.95)
    assert result.precision(kind) >= (0.98 if kind in CHECKED else 0.95)


def test_texts_come_out_as_written_in_the_corpus(cases: list[Case]) -> None:
    exact = sum(mask(case.text, country=case.country).text == case.expected for case in cases)
    assert exact / len(cases) >= 0.98


def test_masking_twice_is_masking_once(cases: list[Case]) -> None:
    for case in cases:
        once = mask(case.text, country=case.country).text
        assert mask(once, country=case.country).text == once


_PIECES = st.sampled_from(
    (
        "22334455|22 33 44 55|070-174 06 05|+45|0101901234|010190-1234|1.299,00 kr|12.03.2024|ordre|Hej|Mette|Mvh|Lars"
        "|konto|1234|Nørregade 12|8000 Aarhus|AB 12 345|bil|a@b.dk|[NAME]|4242 4242 4242 4242|https://x.dk/?token=1|tlf"
        "|og|på| | |\n|.|,|-|/|: |(|)"
    ).split("|")
)


@settings(max_examples=400, deadline=None)
@given(st.lists(_PIECES, max_size=14).map("".join))
def test_masking_any_mix_twice_is_masking_it_once(text: str) -> None:
    once = mask(text).text
    assert mask(once).text == once


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=200))
def test_spans_are_ordered_apart_and_inside_the_text(text: str) -> None:
    spans = find(text)
    ends = [0, *(span.end for span in spans)]
    assert all(end <= span.start < span.end <= len(text) for end, span in zip(ends, spans, strict=False))


def test_counts_tell_what_was_masked() -> None:
    masked = mask("Ring på 22 33 44 55 eller 28 11 22 33, eller skriv til a@example.dk.")
    assert masked.counts == {Kind.PHONE: 2, Kind.EMAIL: 1}


def test_kinds_that_are_off_stay_and_do_not_become_another() -> None:
    text = "Mit cpr er 010190-1234, tlf. 22 33 44 55, mail a@example.dk."
    assert mask(text, kinds=frozenset({Kind.EMAIL})).text == text.replace("a@example.dk", "[EMAIL]")
    assert mask(text, kinds=frozenset()).text == text


@pytest.mark.parametrize(
    ("country", "expected"),
    [("DK", "Nr. [CPR]"), ("SE", "Nr. [PHONE]")],
    ids=["born 7 January 1974 in Denmark", "a Swedish mobile telephone"],
)
def test_country_settles_what_fits_two(country: str, expected: str) -> None:
    assert mask("Nr. 0701740605", country=country).text == expected


def test_text_without_personal_data_is_the_same_object() -> None:
    text = "Rigtig god service, og varen kom til tiden."
    assert mask(text).text is text


_HOSTILE = (
    "1|12 |1-|1.|22 33 44 55 |22334455.|22334455 |+45 |+|4242 |010190-|070-174 06 05 |a@|a.|a|Aa |Hej Mette "
    "|Mvh |Lars\n|DK50 |http://|https://a/?token=|konto 1|reg. 1234 |bil AB 12 345 |Aagade 1, "
    "|vej 12, 2. tv |a (at) b dot |navn: |ordre |[|١"
).split("|")


@pytest.mark.timeout(300)
@pytest.mark.parametrize("piece", _HOSTILE)
def test_a_megabyte_of_hostile_text_ends(piece: str) -> None:
    text = piece * (1_000_000 // len(piece))
    assert len(mask(text).text) > 0
