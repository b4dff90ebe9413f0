"""Raw items become feedback: the newest version counts, however the versions fall into batches."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, select

from pipeline.records import Feedback, Language, Page, RawItem, Rejected
from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.feedback import Cleaned, Pending, pending_items, store_cleaned
from pipeline.warehouse.landing import land
from pipeline.warehouse.tables import feedback, quarantine, raw_item

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
DANISH = Language("da", "platform", 1.0)
Version = str | None  # "a b": messages a and b; "": nothing of a customer; "!": broken; None: deleted


def land_versions(engine: Engine, versions: Sequence[Version], external_id: str = "T") -> None:
    for minute, version in enumerate(versions):
        at = NOW + timedelta(minutes=minute)
        item = RawItem(external_id, {"messages": version, "n": minute}, at, at if version is None else None)
        land(engine, "shop", Page("main", {}, (item,)), NOW)


def message(name: str, text: str) -> Feedback:
    return Feedback(name, "ticket", text, None, DANISH, NOW)


def clean(item: Pending) -> Cleaned:
    version = item.payload["messages"]
    if version is None:
        return Cleaned(item)
    if version == "!":
        return Cleaned(item, rejected=Rejected(f"broken {item.raw_id}", "broken", item.external_id))
    if version == "":
        return Cleaned(item, skipped="no_customer_text")
    names = version.split()
    return Cleaned(item, tuple(message(f"{item.external_id}/{n}", f"{n} of {item.payload['n']}") for n in names))


def clean_all(engine: Engine, batch: int) -> None:
    while items := pending_items(engine, "shop", batch):
        store_cleaned(engine, "shop", [clean(item) for item in items], NOW)


def live(engine: Engine) -> dict[str, str]:
    with reading(engine) as connection:
        query = select(feedback.c.external_id, feedback.c.text).where(feedback.c.deleted_at.is_(None))
        return dict(connection.execute(query).tuples().all())


def deleted(engine: Engine) -> set[str]:
    with reading(engine) as connection:
        query = select(feedback.c.external_id).where(feedback.c.deleted_at.is_not(None))
        return set(connection.execute(query).scalars())


def in_quarantine(engine: Engine) -> int:
    with reading(engine) as connection:
        return len(connection.execute(select(quarantine).where(quarantine.c.resolved_at.is_(None))).all())


# (versions of one conversation, what lives in the end, what is deleted, what stays in quarantine)
HISTORIES: dict[str, tuple[list[Version], dict[str, str], set[str], int]] = {
    "written": (["a b"], {"T/a": "a of 0", "T/b": "b of 0"}, set(), 0),
    "edited": (["a b", "a b"], {"T/a": "a of 1", "T/b": "b of 1"}, set(), 0),
    "a message more": (["a", "a b"], {"T/a": "a of 1", "T/b": "b of 1"}, set(), 0),
    "a message taken away": (["a b", "a"], {"T/a": "a of 1"}, {"T/b"}, 0),
    "a message that comes back": (["a b", "a", "a b"], {"T/a": "a of 2", "T/b": "b of 2"}, set(), 0),
    "no customer's words any more": (["a b", ""], {}, {"T/a", "T/b"}, 0),
    "deleted": (["a b", None], {}, {"T/a", "T/b"}, 0),
    "deleted and restored": (["a b", None, "a"], {"T/a": "a of 2"}, {"T/b"}, 0),
    "a broken edit keeps the words before it": (["a b", "!"], {"T/a": "a of 0", "T/b": "b of 0"}, set(), 1),
    "mended": (["a", "!", "a b"], {"T/a": "a of 2", "T/b": "b of 2"}, set(), 0),
    "broken, then deleted": (["a", "!", None], {}, {"T/a"}, 0),
    "broken from the start": (["!"], {}, set(), 1),
    "twice broken": (["a", "!", "!"], {"T/a": "a of 0"}, set(), 2),
    "never seen alive": ([None], {}, set(), 0),
}


@pytest.mark.parametrize("batch", [1, 2, 500])
@pytest.mark.parametrize(("versions", "lives", "gone", "waits"), HISTORIES.values(), ids=HISTORIES)
def test_the_newest_version_counts_however_they_are_batched(
    sqlite_engine: Engine, versions: list[Version], lives: dict[str, str], gone: set[str], waits: int, batch: int
) -> None:
    land_versions(sqlite_engine, versions)
    clean_all(sqlite_engine, batch)
    assert (live(sqlite_engine), deleted(sqlite_engine), in_quarantine(sqlite_engine)) == (lives, gone, waits)


def test_both_databases_agree_on_many_conversations_in_one_batch(engine: Engine) -> None:
    for name, (versions, *_) in HISTORIES.items():
        land_versions(engine, versions, name)
    clean_all(engine, 500)
    expected = {
        key.replace("T/", f"{name}/"): text for name, (_, lives, *_) in HISTORIES.items() for key, text in lives.items()
    }
    assert live(engine) == expected
    assert in_quarantine(engine) == sum(waits for *_, waits in HISTORIES.values())


def test_a_run_that_was_overtaken_changes_nothing(engine: Engine) -> None:
    """It read version 1, another run cleaned versions 1 and 2, and only then it stores."""
    land_versions(engine, ["a"])
    late = [clean(item) for item in pending_items(engine, "shop", 10)]
    land_versions(engine, ["a", "a"])
    clean_all(engine, 10)
    store_cleaned(engine, "shop", late, NOW)
    assert live(engine) == {"T/a": "a of 1"}


def test_words_that_change_wait_for_scoring_and_others_do_not(engine: Engine) -> None:
    land_versions(engine, ["a"], "T")
    land_versions(engine, ["a"], "U")
    clean_all(engine, 10)
    with writing(engine) as connection:
        connection.execute(feedback.update().values(scored_by="model@1"))
    land_versions(engine, ["a", "a"], "T")  # other words
    item = RawItem("U", {"messages": "a", "n": 0, "stars": 5}, NOW + timedelta(hours=1))  # the same words
    land(engine, "shop", Page("main", {}, (item,)), NOW)
    clean_all(engine, 10)
    with reading(engine) as connection:
        rows = dict(connection.execute(select(feedback.c.external_id, feedback.c.scored_by)).tuples().all())
    assert rows == {"T/a": None, "U/a": "model@1"}


def test_why_an_item_was_skipped_is_kept(engine: Engine) -> None:
    land_versions(engine, [""])
    clean_all(engine, 10)
    with reading(engine) as connection:
        assert connection.execute(select(raw_item.c.skipped)).scalar_one() == "no_customer_text"


def test_any_text_can_be_stored(engine: Engine) -> None:
    """A nul, which PostgreSQL refuses, and half a character, which no database takes."""
    land_versions(engine, ["a"])
    (item,) = pending_items(engine, "shop", 10)
    strange = Feedback("T/a", "review", "x\x00\ud83d", "t\x00", DANISH, NOW, product="p\ud83d", url="u\x00")
    store_cleaned(engine, "shop", [Cleaned(item, (strange,))], NOW)
    assert live(engine)["T/a"].startswith("x")
