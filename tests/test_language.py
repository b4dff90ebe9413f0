"""The language detector: what it answers, that it says when it does not know, and the phrases it must tell apart."""

from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.language import SURE, language_of, languages_of
from pipeline.language_model import LANGUAGES, NO_FEATURE, features, probabilities

CASES = Path(__file__).parent / "language_cases.tsv"
PHRASES = [line.split("\t") for line in CASES.read_text("utf-8").splitlines()[1:]]
TEXTS = [text for _, text in PHRASES]
CODES = ["da", "sv", "nb", "nn", "en"]


def share_right(code: str) -> float:
    found = languages_of([text for expected, text in PHRASES if expected == code])
    return sum(language.code == code for language in found) / len(found)


@pytest.mark.parametrize("code", CODES)
def test_short_phrases_are_told_apart(code: str) -> None:
    assert share_right(code) >= 0.92


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("da", "Jeg har ventet i tre uger på at få mine penge tilbage, og ingen svarer på mine mails."),
        ("sv", "Jag har väntat i tre veckor på att få tillbaka mina pengar, och ingen svarar på mina mejl."),
        ("nb", "Jeg har ventet i tre uker på å få pengene tilbake, og ingen svarer på e-postene mine."),
        ("nn", "Eg har venta i tre veker på å få pengane attende, og ingen svarar på e-postane mine."),
        ("en", "I have waited three weeks to get my money back, and nobody answers my emails."),
        ("de", "Ich warte seit drei Wochen auf mein Geld, und niemand beantwortet meine Nachrichten."),
        ("fi", "Olen odottanut rahojani kolme viikkoa, eikä kukaan vastaa viesteihini."),
        ("nl", "Ik wacht al drie weken op mijn geld en niemand beantwoordt mijn berichten."),
        ("fr", "J'attends mon argent depuis trois semaines et personne ne répond à mes messages."),
        ("pl", "Czekam na pieniądze od trzech tygodni i nikt nie odpowiada na moje wiadomości."),
        ("ru", "Я жду свои деньги уже три недели, и никто не отвечает на мои письма."),
    ],
)
def test_a_sentence_is_sure(code: str, text: str) -> None:
    for written in (text, text.upper(), text.lower()):
        found = language_of(written)
        assert (found.code, found.source) == (code, "detector")
        assert SURE <= found.confidence <= 1


@pytest.mark.parametrize(
    ("platform", "text", "code"),
    [
        ("da-DK", "Great shop", "da"),
        ("sv_SE", "", "sv"),
        ("NB", "Kjempebra", "nb"),
        ("no", "Jeg fikk ikke svar fra dere", "nb"),
        ("no-NO", "Eg fekk ikkje svar frå dykk", "nn"),
        ("no", "👍", "nb"),
    ],
)
def test_the_platform_comes_first(platform: str, text: str, code: str) -> None:
    found = language_of(text, platform, "FI")
    assert (found.code, found.source, found.confidence) == (code, "platform", 1.0)


@pytest.mark.parametrize("platform", ["", "auto", "  ", "x", None])
def test_a_platform_that_says_nothing_is_passed_over(platform: str | None) -> None:
    assert language_of("Rigtig sød betjening, men maden var kold", platform).source == "detector"


@pytest.mark.parametrize(("country", "code"), [("DK", "da"), ("NO", "nb"), ("dk", "da")])
def test_the_country_decides_what_the_words_do_not(country: str, code: str) -> None:
    assert language_of("God service", country=country).code == code


def test_the_country_does_not_outweigh_the_words() -> None:
    assert language_of("Jag är mycket nöjd med mitt köp och kommer tillbaka", country="DK").code == "sv"


def test_ambiguous_words_are_uncertain() -> None:
    assert language_of("God service").source == "uncertain"


@pytest.mark.parametrize("detector", ["klang", "langdetect"])
@pytest.mark.parametrize("text", ["", "   ", "👍👍", "5/5", "+45 22 33 44 55", "?!", "\ud800"])
def test_no_letters_is_no_language(text: str, detector: str) -> None:
    found = language_of(text, country="DK", detector=detector)
    assert (found.code, found.source, found.confidence) == ("und", "uncertain", 0.0)


def test_langdetect_can_be_chosen_and_is_steady() -> None:
    texts = ["Pakken kom to dager for sent", "Vi kommer gärna tillbaka hit", "Eg fekk aldri svar frå dykk"]
    first = [language_of(text, detector="langdetect") for text in texts]
    assert first == [language_of(text, detector="langdetect") for text in texts]
    assert [found.code for found in first][1] == "sv"


def test_nordic_letters_typed_without_their_key() -> None:
    assert language_of("Jeg har koebt en jakke, som er alt for daarlig syet").code == "da"
    assert language_of("Jag ar mycket nojd med mitt kop och personalen").code == "sv"


def test_decomposed_letters_count_as_one() -> None:
    assert language_of("Va\u030ar go\u0308r allt ba\u0308ttre") == language_of("Vår gör allt bättre")


def test_a_megabyte_is_read_at_its_beginning() -> None:
    assert language_of("Varan var trasig när den kom. " * 40_000).code == "sv"


@given(st.lists(st.one_of(st.sampled_from(TEXTS), st.text(max_size=30)), max_size=12))
def test_a_text_gets_the_same_answer_in_any_batch(texts: list[str]) -> None:
    together = probabilities(texts)
    assert together.shape == (len(texts), len(LANGUAGES))
    for row, text in zip(together, texts, strict=True):
        np.testing.assert_array_equal(row, probabilities([text])[0])


@given(st.text())
def test_any_text_has_an_answer(text: str) -> None:
    assert probabilities([text]).sum() == pytest.approx(1)
    found = language_of(text)
    assert 0 <= found.confidence <= 1
    assert found.code == "und" or len(found.code) >= 2


def test_features_are_the_ngrams_and_words_written_out() -> None:
    buckets, starts = features(["så!! Så", "", "gik"])
    counts = (buckets != NO_FEATURE).sum(axis=1)
    # A word of n letters has n 1-grams, then n+1, n, n-1 ... longer ones with its edges, and itself.
    assert [counts[a:b].sum() for a, b in pairwise(starts)] == [2 * (2 + 3 + 2 + 1 + 1), 0, 3 + 4 + 3 + 2 + 1 + 1]
    assert set(buckets[starts[0] : starts[1]].ravel()) - {NO_FEATURE} == set(features(["så"])[0].ravel()) - {NO_FEATURE}


def test_long_batches_are_cut() -> None:
    texts = TEXTS * 40
    np.testing.assert_array_equal(probabilities(texts)[-len(TEXTS) :], probabilities(TEXTS))
