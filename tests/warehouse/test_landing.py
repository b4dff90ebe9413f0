"""Landing: every version once, in its order, with the cursor in the same transaction."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest
from sqlalchemy import Engine, select

from pipeline.errors import TransientError
from pipeline.records import Counts, Page, RawItem, Rejected
from pipeline.warehouse.engine import reading
from pipeline.warehouse.landing import cursors_of, dump, hash_of, land
from pipeline.warehouse.tables import quarantine, raw_item

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)


def item(external_id: str, text: str, minute: int | None = 0, deleted: bool = False) -> RawItem:
    at = None if minute is None else NOW + timedelta(minutes=minute)
    return RawItem(external_id, {"text": text}, at, at if deleted else None)


def page(*items: RawItem, cursor: int = 1, rejected: tuple[Rejected, ...] = ()) -> Page:
    return Page("main", {"row": cursor}, items, rejected)


def versions(engine: Engine) -> list[tuple[str, int, str, bool, bool]]:
    """(id, version, text, is a tombstone, is current) of every raw item."""
    with reading(engine) as connection:
        rows = connection.execute(select(raw_item).order_by(raw_item.c.external_id, raw_item.c.version)).all()
    return [
        (row.external_id, row.version, json.loads(row.payload)["text"], row.deleted_at is not None, row.is_current)
        for row in rows
    ]


# what lands, page by page, and the versions that stand in the end
HISTORIES: dict[str, tuple[list[list[RawItem]], list[tuple[Any, ...]]]] = {
    "the same twice": ([[item("1", "a")], [item("1", "a")]], [("1", 1, "a", False, True)]),
    "the same, touched later": ([[item("1", "a")], [item("1", "a", 5)]], [("1", 1, "a", False, True)]),
    "an edit": ([[item("1", "a")], [item("1", "b", 1)]], [("1", 1, "a", False, False), ("1", 2, "b", False, True)]),
    "an old version after a new one": ([[item("1", "b", 1)], [item("1", "a", 0)]], [("1", 1, "b", False, True)]),
    "both versions on a page": (
        [[item("1", "a"), item("1", "b", 1)]],
        [("1", 1, "a", False, False), ("1", 2, "b", False, True)],
    ),
    "both versions on a page, the newer first": ([[item("1", "b", 1), item("1", "a")]], [("1", 1, "b", False, True)]),
    "two more on a page": (
        [[item("1", "a")], [item("1", "b", 1), item("1", "c", 2)]],
        [("1", 1, "a", False, False), ("1", 2, "b", False, False), ("1", 3, "c", False, True)],
    ),
    "an edit by a vendor that tells no times": (
        [[item("1", "a", None)], [item("1", "b", None)]],
        [("1", 1, "a", False, False), ("1", 2, "b", False, True)],
    ),
    "a tombstone": (
        [[item("1", "a")], [item("1", "a", 1, deleted=True)], [item("1", "a", 1, deleted=True)]],
        [("1", 1, "a", False, False), ("1", 2, "a", True, True)],
    ),
    "an old version after the tombstone": (
        [[item("1", "a")], [item("1", "a", 1, deleted=True)], [item("1", "a")]],
        [("1", 1, "a", False, False), ("1", 2, "a", True, True)],
    ),
    "restored": (
        [[item("1", "a")], [item("1", "a", 1, deleted=True)], [item("1", "a", 2)]],
        [("1", 1, "a", False, False), ("1", 2, "a", True, False), ("1", 3, "a", False, True)],
    ),
    "deleted before it was ever seen": ([[item("1", "a", 0, deleted=True)]], [("1", 1, "a", True, True)]),
}


@pytest.mark.parametrize(("pages", "expected"), HISTORIES.values(), ids=HISTORIES)
def test_versions_stand_in_their_order(engine: Engine, pages: list[list[RawItem]], expected: list[Any]) -> None:
    for items in pages:
        land(engine, "shop", page(*items), NOW)
    assert versions(engine) == expected
    if all(item.updated_at for items in pages for item in items):  # then landing all of it again changes nothing
        for items in pages:
            land(engine, "shop", page(*items), NOW)
        assert versions(engine) == expected


def test_counts_tell_what_landed(engine: Engine) -> None:
    bad = Rejected("???", "no id")
    first = land(engine, "shop", page(item("1", "a"), item("2", "b"), item("3", "c"), rejected=(bad,)), NOW)
    assert first == Counts(read=4, new=3, quarantined=1)
    second = land(engine, "shop", page(item("1", "a"), item("2", "x", 1), item("3", "c", 1, deleted=True)), NOW)
    assert second == Counts(read=3, changed=1, deleted=1)


def test_sources_do_not_share_their_ids(engine: Engine) -> None:
    for source in ("shop", "app"):
        assert land(engine, source, page(item("1", source)), NOW).new == 1
    assert cursors_of(engine, "shop") == cursors_of(engine, "app") == {"main": {"row": 1}}


def test_the_order_of_keys_makes_no_version() -> None:
    assert dump({"a": 1, "b": {"c": 2, "d": 3}}) == dump({"b": {"d": 3, "c": 2}, "a": 1})
    assert hash_of(dump({"a": 1})) != hash_of(dump({"a": 2}))


# payloads that a careless driver or database refuses
STRANGE = (
    {"text": "cut emoji \ud83d"},
    {"text": "nul \x00"},
    {"text": "Blåbær 🫐", "when": NOW},
    {"text": float("nan")},
)


@pytest.mark.parametrize("payload", STRANGE, ids=["lone surrogate", "nul", "letters and a time", "nan"])
def test_any_payload_lands_and_comes_back(engine: Engine, payload: dict[str, Any]) -> None:
    land(engine, "shop", page(RawItem("1", payload)), NOW)
    assert land(engine, "shop", page(RawItem("1", payload)), NOW).changed == 0
    with reading(engine) as connection:
        stored = json.loads(connection.execute(select(raw_item.c.payload)).scalar_one())
    assert dump(stored) == dump(json.loads(json.dumps(payload, default=str)))


def test_what_cannot_be_used_is_kept_once_with_its_reason(engine: Engine) -> None:
    bad = (Rejected("a\x00b\ud83d", "row 3 has a nul \x00", "7"), Rejected("c", "no id"))
    for _ in range(2):
        land(engine, "shop", page(rejected=bad), NOW)
    with reading(engine) as connection:
        rows = connection.execute(select(quarantine).order_by(quarantine.c.quarantine_id)).all()
    assert [(row.stage, row.external_id) for row in rows] == [("ingest", "7"), ("ingest", None)]
    assert rows[0].payload.startswith("a")
    assert rows[1].reason == "no id"


def test_a_page_lands_whole_or_not_at_all(engine: Engine) -> None:
    land(engine, "shop", page(item("1", "a"), cursor=1), NOW)
    naive = RawItem("3", {"text": "c"}, datetime(2026, 1, 1))
    with pytest.raises(Exception, match="without a zone"):
        land(engine, "shop", page(item("2", "b"), naive, cursor=2), NOW)
    assert [row[0] for row in versions(engine)] == ["1"]
    assert cursors_of(engine, "shop") == {"main": {"row": 1}}


def test_two_runs_that_land_the_same_page_at_once_double_nothing(engine: Engine) -> None:
    """One of them may be told to try again; when it does, all is there once."""
    pages = [page(*(item(str(n), f"text {version}", version) for n in range(60)), cursor=version) for version in (1, 2)]
    together = Barrier(2)

    def run(_: int) -> None:
        for one in pages:
            together.wait()
            for _attempt in range(3):
                try:
                    land(engine, "shop", one, NOW)
                    break
                except TransientError:
                    continue
            else:
                raise AssertionError("three attempts were not enough")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(run, range(2)))
    assert sorted(versions(engine)) == sorted(
        (str(n), version, f"text {version}", False, version == 2) for n in range(60) for version in (1, 2)
    )
