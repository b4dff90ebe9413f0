"""Daily counts: only valid scores of live feedback, the same on both databases."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import Engine

from pipeline.alerts.series import DayCount
from pipeline.warehouse.counts import daily_counts, negatives_of
from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.tables import feedback, sentiment, topic

FIRST, LAST = date(2026, 11, 19), date(2026, 11, 20)
NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
SE, DK = (("country", "SE"),), (("country", "DK"),)


def add(engine: Engine, number: int, label: str = "negative", topics: str = "", **columns: Any) -> None:
    """A scored piece of feedback; `topics` are those that it is negative about."""
    row = {
        "feedback_id": number, "source": "shop", "channel": "review", "external_id": str(number),
        "raw_external_id": str(number), "text": f"tekst {number}", "language": "da", "language_source": "platform",
        "language_confidence": 1.0, "created_at": NOON, "clean_notes": {}, "content_hash": "now", "scored_by": "m@1",
        "country": "SE", **columns,
    }  # fmt: skip
    key = {"feedback_id": number, "content_hash": "now", "model_id": "m@1"}
    score = {"sentiment": label, "p_negative": 0.8, "p_neutral": 0.1, "p_positive": 0.1, "scored_at": NOON}
    with writing(engine) as connection:
        connection.execute(feedback.insert().values(row))
        connection.execute(sentiment.insert().values(key | score))
        for name in topics.split():
            connection.execute(topic.insert().values(key | {"topic": name, "probability": 0.9, "polarity": "negative"}))


def counts(engine: Engine, *by: str) -> list[DayCount]:
    with reading(engine) as connection:
        return sorted(daily_counts(connection, by, FIRST, LAST), key=lambda count: (count.key, count.day))


def test_days_go_from_midnight_to_midnight_in_utc(engine: Engine) -> None:
    times = (
        "18T23:59:59.999999",
        "19T00:00:00",
        "19T23:59:59.999999",
        "20T00:00:00",
        "20T23:59:59.999999",
        "21T00:00:00",
    )
    for number, time in enumerate(times):
        add(engine, number, created_at=datetime.fromisoformat(f"2026-11-{time}+00:00"))
    assert counts(engine) == [DayCount((), FIRST, 2, 2), DayCount((), LAST, 2, 2)]


# feedback that does not count
NOT_COUNTED: dict[str, dict[str, Any]] = {
    "deleted": {"deleted_at": NOON},
    "without words": {"text": ""},
    "waiting for scores": {"scored_by": None},
    "edited since it was scored": {"content_hash": "newer"},
    "scored by a model that is no longer used": {"scored_by": "m@2"},
}


@pytest.mark.parametrize("columns", NOT_COUNTED.values(), ids=NOT_COUNTED)
def test_only_valid_scores_of_live_feedback_count(engine: Engine, columns: dict[str, Any]) -> None:
    add(engine, 1, topics="delivery")
    add(engine, 2, topics="delivery", **columns)
    assert counts(engine) == [DayCount((), LAST, 1, 1)]
    assert [count.negatives for count in counts(engine, "topic")] == [1]
    with reading(engine) as connection:
        assert [one.feedback_id for one in negatives_of(connection, (), FIRST, LAST)] == [1]


def test_counts_by_a_column_leave_out_what_has_none(engine: Engine) -> None:
    add(engine, 1)
    add(engine, 2, "positive")
    add(engine, 3, country="DK")
    add(engine, 4, country=None)
    assert counts(engine, "country") == [DayCount(DK, LAST, 1, 1), DayCount(SE, LAST, 1, 2)]


def test_a_topic_counts_out_of_all_feedback_of_its_country(engine: Engine) -> None:
    add(engine, 1, topics="delivery price")
    add(engine, 2, "positive", topics="price")  # glad, but not about the price
    add(engine, 3, country="DK")
    assert [(count.key, count.negatives, count.total) for count in counts(engine, "country", "topic")] == [
        ((("country", "DK"), ("topic", "delivery")), 0, 1),
        ((("country", "DK"), ("topic", "price")), 0, 1),
        ((("country", "SE"), ("topic", "delivery")), 1, 2),
        ((("country", "SE"), ("topic", "price")), 2, 2),
    ]


def test_the_evidence_is_what_was_counted(engine: Engine) -> None:
    add(engine, 1, topics="delivery staff", product="App")
    add(engine, 2, "positive", topics="delivery")
    add(engine, 3, country="DK", topics="delivery")
    add(engine, 4, created_at=datetime(2026, 11, 18, 12, tzinfo=UTC))
    with reading(engine) as connection:
        by_country = negatives_of(connection, SE, FIRST, LAST)
        by_topic = negatives_of(connection, (*SE, ("topic", "delivery")), FIRST, LAST)
    assert [one.feedback_id for one in by_country] == [1]
    assert [one.feedback_id for one in by_topic] == [1, 2]
    assert (by_country[0].topics, by_country[0].product, by_country[0].created_on) == (
        ("delivery", "staff"),
        "App",
        LAST,
    )


def test_more_negatives_than_a_statement_takes(engine: Engine) -> None:
    for number in range(1, 4):
        add(engine, number, topics="delivery")
    rows = [{"feedback_id": number, "content_hash": "now", "model_id": "m@1"} for number in range(10, 1200)]
    with writing(engine) as connection:
        pattern = dict(connection.execute(feedback.select().limit(1)).mappings().one())
        connection.execute(
            feedback.insert(),
            [pattern | {"feedback_id": row["feedback_id"], "external_id": str(row["feedback_id"])} for row in rows],
        )
        score = {"sentiment": "negative", "p_negative": 1.0, "p_neutral": 0.0, "p_positive": 0.0, "scored_at": NOON}
        connection.execute(sentiment.insert(), [row | score for row in rows])
        connection.execute(
            topic.insert(), [row | {"topic": "price", "probability": 1.0, "polarity": "negative"} for row in rows]
        )
    with reading(engine) as connection:
        found = negatives_of(connection, (), FIRST, LAST)
    assert len(found) == 1193
    assert {one.topics for one in found} == {("delivery",), ("price",)}
