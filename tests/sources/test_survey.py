"""The kind `survey`: the score keeps its own scale, and must lie on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, RecordError
from pipeline.settings import SourceSettings
from pipeline.sources.base import make_source

FIELDS = {"external_id": "id", "created_at": "at", "text": "why", "rating": "score"}


def survey(score: str, fields: dict[str, str] = FIELDS) -> Any:
    return make_source(
        SourceSettings("nps", "survey", {"path": "in.csv", "fields": fields, "score": score}, folder=Path())
    )


def row(score: object) -> dict[str, object]:
    return {"id": "1", "at": "2026-11-20", "why": "", "score": score}


@pytest.mark.parametrize(
    ("kind", "score", "most"),
    [("nps", "0", 10), ("nps", "10", 10), ("csat", "1", 5), ("csat", 5, 5), ("smiley", "3", 3)],
)
def test_a_score_keeps_its_scale(kind: str, score: object, most: float) -> None:
    (draft,) = survey(kind).drafts(row(score))
    assert (draft.rating, draft.rating_max) == (float(str(score)), most)


@pytest.mark.parametrize(
    ("kind", "score"),
    [("nps", "11"), ("nps", "-1"), ("csat", "0"), ("smiley", "4"), ("nps", ""), ("nps", "nan"), ("nps", "good")],
)
def test_a_score_off_the_scale_goes_to_quarantine(kind: str, score: str) -> None:
    with pytest.raises(RecordError, match="score"):
        list(survey(kind).drafts(row(score)))


def test_a_score_that_is_none_of_the_known_lists_them() -> None:
    with pytest.raises(ConfigError, match=r"'stars'.*nps, csat, smiley"):
        survey("stars")


def test_a_survey_needs_a_score_column() -> None:
    with pytest.raises(ConfigError, match=r"fields\.rating"):
        survey("nps", {name: column for name, column in FIELDS.items() if name != "rating"})
