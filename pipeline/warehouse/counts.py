"""Daily counts of negative feedback, and the feedback behind an alarm. Only valid scores of live feedback count."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, FromClause, Integer, Select, and_, case, cast, func, or_, select

from pipeline.alerts.evidence import Negative
from pipeline.alerts.series import DayCount, Key
from pipeline.warehouse.tables import feedback, sentiment, topic
from pipeline.warehouse.upsert import chunks

SCORED: FromClause = feedback.join(
    sentiment,
    and_(
        sentiment.c.feedback_id == feedback.c.feedback_id,
        sentiment.c.content_hash == feedback.c.content_hash,
        sentiment.c.model_id == feedback.c.scored_by,
    ),
)
TOPICS_OF = and_(
    topic.c.feedback_id == feedback.c.feedback_id,
    topic.c.content_hash == feedback.c.content_hash,
    topic.c.model_id == feedback.c.scored_by,
)
# There are words to judge: `scored_text` is not empty. The view feedback_scored says the same as has_text.
HAS_TEXT = or_(feedback.c.text != "", and_(feedback.c.channel != "email", func.coalesce(feedback.c.title, "") != ""))
COUNTED = and_(feedback.c.deleted_at.is_(None), HAS_TEXT)
DAY = func.date(feedback.c.created_at)


def within(first: date, last: date) -> ColumnElement[bool]:
    """Feedback of the days `first` to `last`, both included."""
    return and_(feedback.c.created_at >= midnight(first), feedback.c.created_at < midnight(last + timedelta(days=1)))


def midnight(day: date) -> datetime:
    return datetime.combine(day, time(), UTC)


def daily_counts(connection: Connection, by: Sequence[str], first: date, last: date) -> Iterator[DayCount]:
    """Counts for each day and each value of the columns `by`.

    A series with a topic counts the feedback that is negative about it, out of all feedback of its other columns: so
    a topic that is suddenly on everybody's lips shows, and a campaign that brings more of everything does not.
    """
    plain = [name for name in by if name != "topic"]
    totals = {
        (day, values): (negatives, total)
        for day, values, negatives, total in plain_counts(connection, plain, first, last)
    }
    if "topic" not in by:
        for (day, values), (negatives, total) in totals.items():
            yield DayCount(key_of(plain, values), day, negatives, total)
        return
    mentions = {(day, values, name): count for day, values, name, count in topic_counts(connection, plain, first, last)}
    names = sorted({name for _, _, name in mentions})
    for (day, values), (_, total) in totals.items():
        for name in names:
            key = tuple(sorted((*key_of(plain, values), ("topic", name))))
            yield DayCount(key, day, mentions.get((day, values, name), 0), total)


def plain_counts(
    connection: Connection, by: list[str], first: date, last: date
) -> Iterator[tuple[date, tuple[str, ...], int, int]]:
    columns = [feedback.c[name] for name in by]
    negatives = func.sum(case((sentiment.c.sentiment == "negative", 1), else_=0))
    statement = (
        select(DAY, cast(negatives, Integer), func.count(), *columns)
        .select_from(SCORED)
        .where(COUNTED, within(first, last), *(column.is_not(None) for column in columns))
        .group_by(DAY, *columns)
    )
    for day, negative, total, *values in connection.execute(statement):
        yield as_date(day), tuple(values), negative, total


def topic_counts(
    connection: Connection, by: list[str], first: date, last: date
) -> Iterator[tuple[date, tuple[str, ...], str, int]]:
    columns = [feedback.c[name] for name in by]
    statement = (
        select(DAY, topic.c.topic, func.count(), *columns)
        .select_from(feedback.join(topic, TOPICS_OF))
        .where(
            COUNTED, within(first, last), topic.c.polarity == "negative", *(column.is_not(None) for column in columns)
        )
        .group_by(DAY, topic.c.topic, *columns)
    )
    for day, name, count, *values in connection.execute(statement):
        yield as_date(day), tuple(values), name, count


def key_of(by: Sequence[str], values: Sequence[str]) -> Key:
    return tuple(sorted(zip(by, values, strict=True)))


def as_date(value: Any) -> date:
    return value if isinstance(value, date) else date.fromisoformat(value)


def negatives_of(connection: Connection, key: Key, first: date, last: date) -> list[Negative]:
    """The negative feedback of a series on the days `first` to `last`."""
    rows = connection.execute(negative_rows(key).where(COUNTED, within(first, last))).all()
    topics = negative_topics(connection, [row.feedback_id for row in rows])
    return [
        Negative(
            feedback_id=row.feedback_id,
            text=row.text,
            language=row.language,
            product=row.product,
            p_negative=row.p_negative,
            created_on=row.created_at.date(),
            topics=topics.get(row.feedback_id, ()),
        )
        for row in rows
    ]


def negative_rows(key: Key) -> Select[Any]:
    columns = ("feedback_id", "text", "language", "product", "created_at")
    statement = select(*(feedback.c[name] for name in columns), sentiment.c.p_negative).select_from(SCORED)
    statement = statement.order_by(feedback.c.feedback_id)
    topics = [value for column, value in key if column == "topic"]
    if topics:
        about = select(topic.c.topic).where(TOPICS_OF, topic.c.polarity == "negative", topic.c.topic == topics[0])
        statement = statement.where(about.exists())
    else:
        statement = statement.where(sentiment.c.sentiment == "negative")
    return statement.where(*(feedback.c[column] == value for column, value in key if column != "topic"))


def negative_topics(connection: Connection, ids: list[int]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    for chunk in chunks(ids):
        statement = (
            select(feedback.c.feedback_id, topic.c.topic)
            .select_from(feedback.join(topic, TOPICS_OF))
            .where(feedback.c.feedback_id.in_(chunk), topic.c.polarity == "negative")
            .order_by(feedback.c.feedback_id, topic.c.probability.desc(), topic.c.topic)
        )
        for feedback_id, name in connection.execute(statement):
            found[feedback_id] = (*found.get(feedback_id, ()), name)
    return found
