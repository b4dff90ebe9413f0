"""The same text gives the same scores in any company, and every text has an answer."""

import random
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.records import NO_WORDS, Score
from pipeline.scoring.nordic import NordicScorer
from tests.scoring.conftest import SENTENCES, TOPICS

SHIPPED = Path(__file__).parents[2] / "models" / "klang-nordic"


@pytest.fixture(scope="module")
def scorer(small_model: Path) -> NordicScorer:
    return NordicScorer(small_model)


def texts(count: int) -> list[str]:
    """Texts of one word to more than a window."""
    rng = random.Random(5)
    words = " ".join(SENTENCES).split()
    return [" ".join(rng.choices(words, k=rng.choice((1, 3, 8, 20, 60)))) + f" {i}" for i in range(count)]


def assert_same(ours: Score, other: Score, tolerance: float) -> None:
    numbers = [(one.p_negative, one.p_neutral, one.p_positive) for one in (ours, other)]
    assert numbers[0] == pytest.approx(numbers[1], abs=tolerance)
    shown = [{one.topic: one.probability for one in score.topics} for score in (ours, other)]
    assert shown[0] == pytest.approx(shown[1], abs=tolerance)
    assert [one.polarity for one in ours.topics] == [one.polarity for one in other.topics]


@pytest.mark.parametrize("seed", range(3))
def test_scores_are_the_same_in_any_batch(scorer: NordicScorer, seed: int) -> None:
    rng = random.Random(seed)
    given = texts(60)
    together = dict(zip(given, scorer.score(given), strict=True))
    rng.shuffle(given)
    while given:
        batch, given = given[: (size := rng.randint(1, 20))], given[size:]
        for text, score in zip(batch, scorer.score(batch), strict=True):
            assert_same(score, together[text], 1e-5)


def test_probabilities_are_probabilities_and_topics_ours(scorer: NordicScorer) -> None:
    for score in scorer.score(texts(30)):
        assert score.p_negative + score.p_neutral + score.p_positive == pytest.approx(1, abs=1e-5)
        assert {one.topic for one in score.topics} <= set(TOPICS)
        probabilities = [one.probability for one in score.topics]
        assert probabilities == sorted(probabilities, reverse=True)
        assert all(0.3 <= probability <= 1 for probability in probabilities)


@pytest.mark.parametrize("text", ["", "   ", "\n\t", "\u2028"])
def test_a_text_without_a_character_is_neutral(scorer: NordicScorer, text: str) -> None:
    assert scorer.score([text]) == [NO_WORDS]


@pytest.mark.parametrize(
    "text",
    ["😡😡😡", "!!!", "Bra butikk! Men leveringen var treg. Very slow. Ikke bra.", "\x00", "a" * 3000, "漢字"],
    ids=["emoji", "marks", "mixed languages", "nul", "one long word", "another script"],
)
def test_every_other_text_is_scored_by_the_model(scorer: NordicScorer, text: str) -> None:
    (score,) = scorer.score([text])
    assert score.p_negative + score.p_neutral + score.p_positive == pytest.approx(1, abs=1e-5)
    assert score != NO_WORDS


def test_identical_texts_are_encoded_once(scorer: NordicScorer, monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[str] = []
    encode = scorer.encode
    monkeypatch.setattr(scorer, "encode", lambda texts: encoded.extend(texts) or encode(texts))
    first, other, again = scorer.score(["Bra!", "Dårlig.", " Bra! "])
    assert encoded == ["Bra!", "Dårlig."]
    assert first == again != other


def test_the_end_of_a_long_text_counts(scorer: NordicScorer) -> None:
    start = " ".join(SENTENCES) * 20
    ours, other = scorer.score([start + " Rigtig god service!", start + " Priset var för högt,"])
    assert ours != other


def test_a_text_of_a_megabyte_is_scored_window_by_window(scorer: NordicScorer, monkeypatch: pytest.MonkeyPatch) -> None:
    most = 0
    hidden = scorer.hidden

    def recorded(batch: list[list[int]]) -> object:
        nonlocal most
        most = max(most, sum(map(len, batch)))
        return hidden(batch)

    monkeypatch.setattr(scorer, "hidden", recorded)
    text = (" ".join(SENTENCES) + " ") * (1_000_000 // len(" ".join(SENTENCES)))
    (score,) = scorer.score([text])
    assert score.p_negative + score.p_neutral + score.p_positive == pytest.approx(1, abs=1e-5)
    assert 0 < most <= scorer.batch_tokens


def test_a_folder_whose_description_is_broken_is_refused(tmp_path: Path) -> None:
    (tmp_path / "klang.json").write_text("{}")
    with pytest.raises(ConfigError, match=r"no usable klang\.json"):
        NordicScorer(tmp_path)


def test_the_shipped_model_loads_offline_with_plain_transformers(monkeypatch: pytest.MonkeyPatch) -> None:
    from transformers import AutoModel, AutoTokenizer

    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    model = AutoModel.from_pretrained(SHIPPED, add_pooling_layer=False)
    tokenizer = AutoTokenizer.from_pretrained(SHIPPED)
    vectors = model(**tokenizer("query: Hurtig levering", return_tensors="pt")).last_hidden_state
    assert vectors.shape[-1] == model.config.hidden_size


def test_the_shipped_model_knows_praise_from_blame_in_any_batch() -> None:
    scorer = NordicScorer(SHIPPED)
    praise = ["Fantastisk service, kan varmt anbefales!", "Mycket nöjd med köpet, snabb leverans.", "Kjempefornøyd!"]
    blame = ["Elendig service, aldrig igen.", "Varan gick sönder och ingen svarar.", "Utrolig dårlig, hold dere unna!"]
    together = scorer.score([*praise, *blame, *texts(40)])
    assert [score.sentiment for score in together[:6]] == ["positive"] * 3 + ["negative"] * 3
    for text, score in zip([*praise, *blame], together, strict=False):
        assert_same(scorer.score([text])[0], score, 1e-3)
