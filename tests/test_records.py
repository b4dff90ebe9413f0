"""The records that pass between the stages."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from pipeline.records import Counts, RawItem, Score, scored_text


@pytest.mark.parametrize(
    ("probabilities", "sentiment"),
    [
        ((0.6, 0.3, 0.1), "negative"),
        ((0.2, 0.5, 0.3), "neutral"),
        ((0.1, 0.2, 0.7), "positive"),
        ((0.0, 1.0, 0.0), "neutral"),
    ],
)
def test_the_likeliest_sentiment_counts(probabilities: tuple[float, float, float], sentiment: str) -> None:
    assert Score(*probabilities).sentiment == sentiment


@pytest.mark.parametrize(
    ("channel", "title", "text", "expected"),
    [
        ("review", "Dårligt", "Kom aldrig.", "Dårligt\nKom aldrig."),
        ("review", None, "Kom aldrig.", "Kom aldrig."),
        ("review", "Dårligt", "", "Dårligt"),
        ("email", "SV: Ordre 5", "Kom aldrig.", "Kom aldrig."),  # the subject of an answer is somebody else's
    ],
)
def test_what_the_model_reads(channel: str, title: str | None, text: str, expected: str) -> None:
    assert scored_text(channel, title, text) == expected


def test_counts_add_up() -> None:
    assert Counts(1, 2, 3, 4, 5) + Counts(10, 20, 30, 40, 50) == Counts(11, 22, 33, 44, 55)


def test_records_are_frozen() -> None:
    item = RawItem("1", {})
    with pytest.raises(FrozenInstanceError):
        item.external_id = "2"  # type: ignore[misc]
