"""A classifier of the hub in the place of our own."""

from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.records import NO_WORDS
from pipeline.scoring.foreign import ForeignScorer, label_columns
from pipeline.scoring.registry import load_scorer
from tests.scoring.conftest import POSITIONS, SENTENCES


def test_labels_are_told_apart_by_their_names(small_classifier: Path) -> None:
    from transformers import pipeline

    theirs = pipeline("text-classification", model=str(small_classifier), device="cpu", top_k=None)(SENTENCES)
    for score, labels in zip(load_scorer(str(small_classifier), {}).score(SENTENCES), theirs, strict=True):
        expected = {one["label"]: one["score"] for one in labels}
        assert score.p_positive == pytest.approx(expected["POS"], abs=1e-4)
        assert score.p_negative == pytest.approx(expected["NEG"], abs=1e-4)
        assert score.p_neutral == 0
        assert score.topics == ()


def test_long_texts_are_read_to_their_end(small_classifier: Path) -> None:
    scorer = ForeignScorer(str(small_classifier), {})
    start = " ".join(SENTENCES) * 10
    assert len(start.split()) > POSITIONS
    ours, other = scorer.score([start + " Rigtig god service!", start + " Priset var för högt,"])
    assert ours != other
    assert ours.p_negative + ours.p_neutral + ours.p_positive == pytest.approx(1, abs=1e-5)


def test_order_repeats_and_empty_texts(small_classifier: Path) -> None:
    scorer = ForeignScorer(str(small_classifier), {})
    one, empty, other, again = scorer.score([SENTENCES[0], "", SENTENCES[1], f" {SENTENCES[0]} "])
    assert one == again != other
    assert empty == NO_WORDS


@pytest.mark.parametrize(
    ("id2label", "labels", "expected"),
    [
        ({0: "negative", 1: "neutral", 2: "positive"}, {}, ([0], [1], [2])),
        ({0: "LABEL_0", 1: "LABEL_1", 2: "LABEL_2"}, {}, ([0], [1], [2])),
        ({i: f"{i + 1} star{'s' if i else ''}" for i in range(5)}, {}, ([0, 1], [2], [3, 4])),
        ({0: "bad", 1: "good"}, {"bad": "negative", "good": "positive"}, ([0], [], [1])),
        ({0: "LABEL_0", 1: "LABEL_1"}, {"LABEL_1": "positive"}, ([0], [], [1])),  # ours go before what we guess
    ],
)
def test_label_columns(id2label: dict, labels: dict, expected: tuple) -> None:
    found = label_columns("m", id2label, labels)
    assert (found["negative"], found["neutral"], found["positive"]) == expected


def test_a_label_of_unknown_meaning_says_what_to_write() -> None:
    with pytest.raises(ConfigError, match=r'\[model\] labels = \{ "joy"'):
        label_columns("m", {0: "joy"}, {})


def test_a_model_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(ConfigError, match="cannot load the model") as error:
        ForeignScorer(str(tmp_path / "empty"), {})
    assert "\n" not in str(error.value)
