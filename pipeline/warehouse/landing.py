"""Landing: a page of raw items and its cursor in one transaction.

A payload that changed is a new version; a deleted item gets a tombstone version; an older version never replaces a
newer one. So landing the same page again, or an old export after a new one, changes nothing.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Engine, select, update

from pipeline.records import Counts, Json, Page, RawItem, Rejected
from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.tables import quarantine, raw_item, source_cursor, storable
from pipeline.warehouse.upsert import chunks, upsert

MAX_KEPT = 1_000_000  # characters of a payload that go to quarantine


@dataclass(frozen=True)
class Known:
    """The newest version of an item that the warehouse has."""

    version: int
    payload_hash: str
    updated_at: datetime | None
    deleted_at: datetime | None


def cursors_of(engine: Engine, source: str) -> dict[str, Json]:
    """The cursors of a source by stream."""
    with reading(engine) as connection:
        rows = connection.execute(
            select(source_cursor.c.stream, source_cursor.c.cursor).where(source_cursor.c.source == source)
        )
        return {row.stream: row.cursor for row in rows}


def land(engine: Engine, source: str, page: Page, now: datetime) -> Counts:
    """Store what is new on `page` and move its cursor, all or nothing."""
    with writing(engine) as connection:
        counts = land_items(connection, source, page.items, now)
        quarantined = put_aside(connection, source, "ingest", page.rejected, now)
        move_cursor(connection, source, page, now)
    return replace(counts, read=len(page.items) + len(page.rejected), quarantined=quarantined)


def land_items(connection: Connection, source: str, items: tuple[RawItem, ...], now: datetime) -> Counts:
    items = tuple(replace(item, external_id=storable(item.external_id)) for item in items)
    known = newest_versions(connection, source, [item.external_id for item in items])
    new, changed, deleted = 0, 0, 0
    rows: list[dict[str, Any]] = []
    for item in items:
        before, payload_text = known.get(item.external_id), dump(item.payload)
        after = Known(before.version + 1 if before else 1, hash_of(payload_text), item.updated_at, item.deleted_at)
        if before and not is_newer(after, before):
            continue
        known[item.external_id] = after
        rows.append(version_row(source, item.external_id, payload_text, after, now))
        deleted += item.deleted_at is not None
        new += before is None and item.deleted_at is None
        changed += before is not None and item.deleted_at is None
    supersede(connection, source, rows)
    insert_versions(connection, rows)
    return Counts(new=new, changed=changed, deleted=deleted)


def newest_versions(connection: Connection, source: str, ids: list[str]) -> dict[str, Known]:
    columns = (raw_item.c.version, raw_item.c.payload_hash, raw_item.c.source_updated_at, raw_item.c.deleted_at)
    known = {}
    for chunk in chunks(dict.fromkeys(ids)):
        statement = select(raw_item.c.external_id, *columns).where(
            raw_item.c.source == source, raw_item.c.external_id.in_(chunk), raw_item.c.is_current
        )
        known.update({external_id: Known(*values) for external_id, *values in connection.execute(statement)})
    return known


def is_newer(after: Known, before: Known) -> bool:
    if after.payload_hash == before.payload_hash and bool(after.deleted_at) == bool(before.deleted_at):
        return False
    return before.updated_at is None or after.updated_at is None or after.updated_at >= before.updated_at


def version_row(source: str, external_id: str, payload: str, version: Known, now: datetime) -> dict[str, Any]:
    return {
        "source": source,
        "external_id": external_id,
        "version": version.version,
        "payload": payload,
        "payload_hash": version.payload_hash,
        "source_updated_at": version.updated_at,
        "first_seen_at": now,
        "deleted_at": version.deleted_at,
        "is_current": True,
    }


def supersede(connection: Connection, source: str, rows: list[dict[str, Any]]) -> None:
    """The versions that stood so far are no longer the current ones."""
    for chunk in chunks({row["external_id"] for row in rows if row["version"] > 1}):
        connection.execute(
            update(raw_item)
            .where(raw_item.c.source == source, raw_item.c.external_id.in_(chunk), raw_item.c.is_current)
            .values(is_current=False)
        )


def insert_versions(connection: Connection, rows: list[dict[str, Any]]) -> None:
    newest = {row["external_id"]: row["version"] for row in rows}
    for row in rows:
        row["is_current"] = row["version"] == newest[row["external_id"]]
    if rows:
        connection.execute(raw_item.insert(), rows)


def put_aside(
    connection: Connection, source: str, stage: str, rejected: tuple[Rejected, ...] | list[Rejected], now: datetime
) -> int:
    """Keep what cannot be used, with the reason; the same payload stands there once. Returns how many were given."""
    rows = {
        hash_of(item.payload): {
            "source": source,
            "stage": stage,
            "external_id": item.external_id,
            "payload": item.payload[:MAX_KEPT],
            "payload_hash": hash_of(item.payload),
            "reason": item.reason,
            "first_seen_at": now,
        }
        for item in rejected
    }
    upsert(connection, quarantine, list(rows.values()), ("source", "stage", "payload_hash"))
    return len(rejected)


def move_cursor(connection: Connection, source: str, page: Page, now: datetime) -> None:
    row = {"source": source, "stream": page.stream, "cursor": dict(page.cursor), "updated_at": now}
    upsert(
        connection,
        source_cursor,
        [row],
        ("source", "stream"),
        lambda excluded: {"cursor": excluded.cursor, "updated_at": excluded.updated_at},
    )


def dump(payload: Mapping[str, Any]) -> str:
    """Canonical JSON, so that the order of keys makes no new version; half of a character stays an escape."""
    content = json.dumps(payload, ensure_ascii=False, sort_keys=True, separators=(",", ":"), default=str)
    return content.encode("utf-8", "backslashreplace").decode()


def hash_of(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]
