"""Raw items that wait for cleaning, and the feedback that comes of them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, case, select, update

from pipeline.records import Counts, Feedback, Json, Rejected
from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.landing import hash_of, put_aside
from pipeline.warehouse.tables import feedback, quarantine, raw_item
from pipeline.warehouse.upsert import chunks, upsert

UPDATED = (
    "raw_external_id", "thread_id", "author_key", "product", "country", "title", "text", "rating", "rating_max",
    "language", "language_source", "language_confidence", "created_at", "updated_at", "deleted_at", "url",
    "clean_notes", "content_hash",
)  # fmt: skip


@dataclass(frozen=True)
class Pending:
    """A version of a raw item that waits for cleaning."""

    raw_id: int
    external_id: str
    payload: Json
    deleted_at: datetime | None


@dataclass(frozen=True)
class Cleaned:
    """What came of a raw item: feedback, or the reason for none."""

    item: Pending
    feedback: tuple[Feedback, ...] = ()
    skipped: str | None = None
    rejected: Rejected | None = None


def pending_items(engine: Engine, source: str, count: int) -> list[Pending]:
    """The oldest items that wait, all versions in their order."""
    columns = (raw_item.c.raw_id, raw_item.c.external_id, raw_item.c.payload, raw_item.c.deleted_at)
    statement = (
        select(*columns)
        .where(raw_item.c.source == source, raw_item.c.cleaned_at.is_(None))
        .order_by(raw_item.c.raw_id)
        .limit(count)
    )
    with reading(engine) as connection:
        return [Pending(row[0], row[1], json.loads(row[2] or "{}"), row[3]) for row in connection.execute(statement)]


def store_cleaned(engine: Engine, source: str, cleaned: Sequence[Cleaned], now: datetime) -> Counts:
    """Write the feedback of a batch and mark its raw items as cleaned, all or nothing."""
    with writing(engine) as connection:
        cleaned = still_waiting(connection, cleaned)
        usable = [result for result in cleaned if not result.rejected]
        final = settle(usable, now)
        write_feedback(connection, source, final, now)
        for item in {result.item.external_id: result.item for result in usable}.values():
            mark_vanished(connection, source, item, final, now)
        rejected = [result.rejected for result in cleaned if result.rejected]
        put_aside(connection, source, "clean", rejected, now)
        last = {result.item.external_id: result for result in cleaned}
        resolve(connection, source, [external_id for external_id, result in last.items() if not result.rejected], now)
        mark_cleaned(connection, cleaned, now)
    return Counts(read=len(cleaned), new=len(final), quarantined=len(rejected))


def still_waiting(connection: Connection, cleaned: Sequence[Cleaned]) -> list[Cleaned]:
    """Those that no other run has cleaned meanwhile: it may have gone on to newer versions, which must stand."""
    waiting: set[int] = set()
    for chunk in chunks(sorted(result.item.raw_id for result in cleaned)):
        open_ones = select(raw_item.c.raw_id).where(raw_item.c.raw_id.in_(chunk), raw_item.c.cleaned_at.is_(None))
        waiting.update(connection.execute(open_ones.order_by(raw_item.c.raw_id).with_for_update()).scalars())
    return [result for result in cleaned if result.item.raw_id in waiting]


def settle(usable: Iterable[Cleaned], now: datetime) -> dict[str, tuple[str, Feedback]]:
    """The last word on each piece of feedback in a batch: (raw item, feedback) by external id.

    The versions count in their order, so that the result is the same however the versions fall into batches.
    """
    final: dict[str, tuple[str, Feedback]] = {}
    for result in usable:
        raw, deleted_at = result.item.external_id, result.item.deleted_at
        held = {} if deleted_at else {one.external_id: (raw, one) for one in result.feedback}
        for external_id, (owner, before) in final.items():
            if owner == raw and external_id not in held and before.deleted_at is None:
                final[external_id] = (raw, replace(before, deleted_at=deleted_at or now))
        final.update(held)
    return final


def write_feedback(connection: Connection, source: str, final: dict[str, tuple[str, Feedback]], now: datetime) -> None:
    rows = [feedback_row(source, raw, one) for raw, one in final.values()]
    upsert(
        connection,
        feedback,
        rows,
        ("source", "external_id"),
        lambda excluded: {
            **{name: excluded[name] for name in UPDATED},
            # Words that changed wait for scoring again; the old scores stay until they are replaced.
            "scored_by": case((feedback.c.content_hash == excluded.content_hash, feedback.c.scored_by), else_=None),
        },
    )


def feedback_row(source: str, raw_external_id: str, one: Feedback) -> dict[str, Any]:
    return {
        "source": source,
        "channel": one.channel,
        "external_id": one.external_id,
        "raw_external_id": raw_external_id,
        "thread_id": one.thread_id,
        "author_key": one.author_key,
        "product": one.product,
        "country": one.country,
        "title": one.title,
        "text": one.text,
        "rating": one.rating,
        "rating_max": one.rating_max,
        "language": one.language.code,
        "language_source": one.language.source,
        "language_confidence": one.language.confidence,
        "created_at": one.created_at,
        "updated_at": one.updated_at,
        "deleted_at": one.deleted_at,
        "url": one.url,
        "clean_notes": dict(one.notes),
        "content_hash": hash_of(one.scored_text),
    }


def mark_vanished(
    connection: Connection, source: str, item: Pending, final: dict[str, tuple[str, Feedback]], now: datetime
) -> None:
    """What earlier versions of an item held and its newest does not (all of it, for a tombstone) is deleted."""
    own = [one for raw, one in final.values() if raw == item.external_id]
    connection.execute(
        update(feedback)
        .where(
            feedback.c.source == source,
            feedback.c.raw_external_id == item.external_id,
            feedback.c.external_id.not_in([one.external_id for one in own if one.deleted_at is None]),
            feedback.c.deleted_at.is_(None),
        )
        .values(deleted_at=item.deleted_at or now)
    )


def resolve(connection: Connection, source: str, external_ids: list[str], now: datetime) -> None:
    """A later version that fits ends the quarantine of an item."""
    for chunk in chunks(external_ids):
        connection.execute(
            update(quarantine)
            .where(
                quarantine.c.source == source, quarantine.c.external_id.in_(chunk), quarantine.c.resolved_at.is_(None)
            )
            .values(resolved_at=now)
        )


def mark_cleaned(connection: Connection, cleaned: Sequence[Cleaned], now: datetime) -> None:
    for reason in {result.skipped for result in cleaned}:
        ids = [result.item.raw_id for result in cleaned if result.skipped == reason]
        for chunk in chunks(ids):
            statement = update(raw_item).where(raw_item.c.raw_id.in_(chunk)).values(cleaned_at=now, skipped=reason)
            connection.execute(statement)
