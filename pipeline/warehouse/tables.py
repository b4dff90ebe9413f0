"""The tables. Timestamps are UTC without a zone, so that SQL reads the same on every database."""

from __future__ import annotations

from datetime import UTC, datetime

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    DateTime,
    Dialect,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import JSON

metadata = MetaData(
    naming_convention={
        "pk": "pk_%(table_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    }
)
Id = BigInteger().with_variant(Integer, "sqlite")  # SQLite counts up INTEGER keys only


class UtcDateTime(TypeDecorator[datetime]):
    """An aware datetime in Python, its UTC clock time in the database."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is not None and value.tzinfo is None:
            raise ValueError(f"a time without a zone reached the warehouse: {value}")
        return value.astimezone(UTC).replace(tzinfo=None) if value else None

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        return value.replace(tzinfo=UTC) if value else None


class AnyText(TypeDecorator[str]):
    """Text as a source may send it, without what no database takes: NUL, and half of a character of two."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else storable(value)


def storable(value: str) -> str:
    return value.replace("\0", "").encode("utf-16", "surrogatepass").decode("utf-16", "replace")


UNCLEANED = text("cleaned_at IS NULL")

raw_item = Table(
    "raw_item",
    metadata,
    Column("raw_id", Id, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("external_id", AnyText, nullable=False),
    Column("version", Integer, nullable=False),
    Column("payload", Text),  # JSON as received; emptied when its retention time is over
    Column("payload_hash", Text, nullable=False),
    Column("source_updated_at", UtcDateTime),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("missing_since", UtcDateTime),
    Column("deleted_at", UtcDateTime),  # set on a tombstone
    Column("is_current", Boolean, nullable=False),
    Column("cleaned_at", UtcDateTime),
    Column("skipped", Text),  # why no feedback came of it: auto_reply, bounce, no_customer_text, …
    UniqueConstraint("source", "external_id", "version"),
    Index("ix_raw_item_uncleaned", "raw_id", sqlite_where=UNCLEANED, postgresql_where=UNCLEANED),
)

source_cursor = Table(
    "source_cursor",
    metadata,
    Column("source", Text, primary_key=True),
    Column("stream", AnyText, primary_key=True),
    Column("cursor", JSON, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
)

feedback = Table(
    "feedback",
    metadata,
    Column("feedback_id", Id, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("channel", Text, nullable=False),  # review, email, ticket, survey or social
    Column("external_id", AnyText, nullable=False),
    Column("raw_external_id", AnyText, nullable=False),  # the raw item that it comes from
    Column("thread_id", AnyText),
    Column("author_key", Text),
    Column("product", AnyText),
    Column("country", AnyText),
    Column("title", AnyText),
    Column("text", AnyText, nullable=False),
    Column("rating", Float),
    Column("rating_max", Float),
    Column("language", AnyText, nullable=False),
    Column("language_source", Text, nullable=False),
    Column("language_confidence", Float, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime),
    Column("deleted_at", UtcDateTime),
    Column("url", AnyText),
    Column("clean_notes", JSON, nullable=False),  # what was cut and masked, by kind
    Column("content_hash", Text, nullable=False),
    Column("scored_by", Text),  # the model whose scores of this content count; empty when it waits for scoring
    UniqueConstraint("source", "external_id"),
    Index("ix_feedback_raw", "source", "raw_external_id"),
    Index("ix_feedback_created_at", "created_at"),
    Index("ix_feedback_content_hash", "content_hash"),
)

sentiment = Table(
    "sentiment",
    metadata,
    Column("feedback_id", Id, ForeignKey("feedback.feedback_id", ondelete="CASCADE"), primary_key=True),
    Column("content_hash", Text, primary_key=True),
    Column("model_id", Text, primary_key=True),
    Column("sentiment", Text, nullable=False),
    Column("p_negative", Float, nullable=False),
    Column("p_neutral", Float, nullable=False),
    Column("p_positive", Float, nullable=False),
    Column("scored_at", UtcDateTime, nullable=False),
    Index("ix_sentiment_content_hash", "content_hash", "model_id"),
)

topic = Table(
    "topic",
    metadata,
    Column("feedback_id", Id, ForeignKey("feedback.feedback_id", ondelete="CASCADE"), primary_key=True),
    Column("content_hash", Text, primary_key=True),
    Column("model_id", Text, primary_key=True),
    Column("topic", Text, primary_key=True),
    Column("probability", Float, nullable=False),
    Column("polarity", Text, nullable=False),
)

alert = Table(
    "alert",
    metadata,
    Column("alert_id", Id, primary_key=True, autoincrement=True),
    Column("kind", Text, nullable=False),  # share or volume
    Column("series", Text, nullable=False),  # the series that tells it best, as in "country=SE topic=delivery"
    Column("members", JSON, nullable=False),  # every series that moved with it
    Column("opened_on", Date, nullable=False),
    Column("last_on", Date, nullable=False),
    Column("recovered_on", Date),
    Column("since", Date, nullable=False),  # the first of the days that the evidence comes from
    Column("negatives", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("share", Float, nullable=False),
    Column("expected", Float, nullable=False),
    Column("expected_high", Float, nullable=False),
    Column("p_value", Float, nullable=False),
    Column("drivers", JSON, nullable=False),
    Column("quotes", JSON, nullable=False),
    Column("created_at", UtcDateTime, nullable=False),
    Column("updated_at", UtcDateTime, nullable=False),
    UniqueConstraint("kind", "series", "opened_on"),
)

notification = Table(
    "notification",
    metadata,
    Column("alert_id", Id, ForeignKey("alert.alert_id", ondelete="CASCADE"), primary_key=True),
    Column("change", Text, primary_key=True),  # opened or recovered
    Column("target", Text, primary_key=True),
    Column("queued_at", UtcDateTime, nullable=False),
    Column("sent_at", UtcDateTime),
    Column("attempts", Integer, nullable=False, server_default="0"),
    Column("error", Text),
)

quarantine = Table(
    "quarantine",
    metadata,
    Column("quarantine_id", Id, primary_key=True, autoincrement=True),
    Column("source", Text, nullable=False),
    Column("stage", Text, nullable=False),  # ingest or clean
    Column("external_id", AnyText),
    Column("payload", AnyText, nullable=False),
    Column("payload_hash", Text, nullable=False),
    Column("reason", AnyText, nullable=False),
    Column("first_seen_at", UtcDateTime, nullable=False),
    Column("resolved_at", UtcDateTime),
    UniqueConstraint("source", "stage", "payload_hash"),
    Index("ix_quarantine_item", "source", "external_id"),
)

run_log = Table(
    "run_log",
    metadata,
    Column("run_id", Text, primary_key=True),
    Column("stage", Text, nullable=False),
    Column("source", Text),
    Column("started_at", UtcDateTime, nullable=False),
    Column("finished_at", UtcDateTime),
    Column("status", Text, nullable=False),  # running, success or failed
    Column("counts", JSON, nullable=False),
    Column("error", Text),
    Index("ix_run_log_source", "source", "stage", "started_at"),
)

view_version = Table(
    "view_version",
    metadata,
    Column("name", Text, primary_key=True),
    Column("definition_hash", Text, nullable=False),
)
