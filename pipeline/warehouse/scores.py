"""Feedback that waits for scoring, and the scores that come of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Engine, func, or_, select, update

from pipeline.records import Score, TopicScore, scored_text
from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.tables import feedback, sentiment, topic
from pipeline.warehouse.upsert import chunks, upsert


@dataclass(frozen=True)
class Unscored:
    feedback_id: int
    content_hash: str
    text: str


def waits_for(model_id: str) -> ColumnElement[bool]:
    return or_(feedback.c.scored_by.is_(None), feedback.c.scored_by != model_id)


def unscored_ranges(engine: Engine, model_id: str, size: int) -> list[tuple[int, int]]:
    """Ranges of feedback ids, first and last, that hold at most `size` texts each to be scored."""
    numbered = select(
        feedback.c.feedback_id,
        ((func.row_number().over(order_by=feedback.c.feedback_id) - 1) // size).label("chunk"),
    ).where(waits_for(model_id)).subquery()  # fmt: skip
    statement = (
        select(func.min(numbered.c.feedback_id), func.max(numbered.c.feedback_id))
        .group_by(numbered.c.chunk)
        .order_by(numbered.c.chunk)
    )
    with reading(engine) as connection:
        return [(first, last) for first, last in connection.execute(statement)]


def count_unscored(engine: Engine, model_id: str) -> int:
    with reading(engine) as connection:
        return connection.execute(select(func.count()).select_from(feedback).where(waits_for(model_id))).scalar_one()


def unscored(engine: Engine, model_id: str, first: int, last: int, count: int) -> Iterator[list[Unscored]]:
    """The texts in a range of ids that wait for `model_id`, `count` at a time."""
    columns = (feedback.c.feedback_id, feedback.c.content_hash, feedback.c.channel, feedback.c.title, feedback.c.text)
    while True:
        statement = (
            select(*columns)
            .where(waits_for(model_id), feedback.c.feedback_id.between(first, last))
            .order_by(feedback.c.feedback_id)
            .limit(count)
        )
        with reading(engine) as connection:
            rows = connection.execute(statement).all()
        if not rows:
            return
        yield [Unscored(row[0], row[1], scored_text(row[2], row[3], row[4])) for row in rows]
        first = rows[-1].feedback_id + 1


def known_scores(engine: Engine, model_id: str, hashes: Sequence[str]) -> dict[str, Score]:
    """Scores that the model has already given to the same content, by content hash."""
    known: dict[str, Score] = {}
    with reading(engine) as connection:
        for chunk in chunks(dict.fromkeys(hashes)):
            of = (sentiment.c.model_id == model_id, sentiment.c.content_hash.in_(chunk))
            rows = connection.execute(select(sentiment).where(*of)).all()
            topics = topics_of(connection, model_id, {row.feedback_id for row in rows}, chunk)
            for row in rows:
                about = topics.get((row.feedback_id, row.content_hash), ())
                known[row.content_hash] = Score(row.p_negative, row.p_neutral, row.p_positive, about)
    return known


def topics_of(
    connection: Connection, model_id: str, ids: set[int], hashes: list[str]
) -> dict[tuple[int, str], tuple[TopicScore, ...]]:
    """By feedback id and content hash: feedback that was edited has the topics of each of its contents."""
    found: dict[tuple[int, str], tuple[TopicScore, ...]] = {}
    for chunk in chunks(ids):
        statement = (
            select(topic)
            .where(topic.c.model_id == model_id, topic.c.feedback_id.in_(chunk), topic.c.content_hash.in_(hashes))
            .order_by(topic.c.probability.desc(), topic.c.topic)
        )
        for row in connection.execute(statement):
            one = TopicScore(row.topic, row.probability, row.polarity)
            key = (row.feedback_id, row.content_hash)
            found[key] = (*found.get(key, ()), one)
    return found


def store_scores(
    engine: Engine, model_id: str, texts: Sequence[Unscored], scores: Mapping[str, Score], now: datetime
) -> None:
    """Write the scores (by content hash) of `texts` and point the feedback at them, all or nothing."""
    with writing(engine) as connection:
        for batch in chunks(texts):
            keys = [{"feedback_id": t.feedback_id, "content_hash": t.content_hash, "model_id": model_id} for t in batch]
            rows = [key | sentiment_columns(scores[t.content_hash], now) for key, t in zip(keys, batch, strict=True)]
            upsert(connection, sentiment, rows, ("feedback_id", "content_hash", "model_id"))
            topics = [
                key | {"topic": one.topic, "probability": one.probability, "polarity": one.polarity}
                for key, t in zip(keys, batch, strict=True)
                for one in scores[t.content_hash].topics
            ]
            upsert(connection, topic, topics, ("feedback_id", "content_hash", "model_id", "topic"))
            # Words that were edited meanwhile have another hash: their scores count nothing and they go on waiting.
            scored = sentiment.c
            connection.execute(
                update(feedback)
                .where(feedback.c.feedback_id.in_([t.feedback_id for t in batch]))
                .where(
                    select(scored.model_id)
                    .where(
                        scored.feedback_id == feedback.c.feedback_id,
                        scored.content_hash == feedback.c.content_hash,
                        scored.model_id == model_id,
                    )
                    .exists()
                )
                .values(scored_by=model_id)
            )


def sentiment_columns(score: Score, now: datetime) -> dict[str, Any]:
    return {
        "sentiment": score.sentiment,
        "p_negative": score.p_negative,
        "p_neutral": score.p_neutral,
        "p_positive": score.p_positive,
        "scored_at": now,
    }
