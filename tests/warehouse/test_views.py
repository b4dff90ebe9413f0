"""Every view on SQLite and PostgreSQL: the cases of view_cases, a reference in Python, and the same rows on both."""

from __future__ import annotations

import csv
import json
import random
import re
import shutil
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Table, inspect, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.types import JSON, Boolean, Date, Float, Integer

from pipeline.errors import KlangError, PermanentError
from pipeline.warehouse import tables
from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.tables import UtcDateTime, metadata
from pipeline.warehouse.views import read_views, refresh_views, view_files, view_names

Row = dict[str, Any]
CASES = Path(__file__).parent / "view_cases"
EXPECTED = sorted(CASES.glob("*/expected/*.csv"))
ORDER = [table.name for table in metadata.sorted_tables]
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

# What a case does not tell of a row, because it does not matter there.
DEFAULTS: dict[str, Row] = {
    "feedback": {
        "channel": "review",
        "language": "sv",
        "text": "",
        "language_source": "platform",
        "language_confidence": 1.0,
        "clean_notes": {},
        "content_hash": "h",
    },
    "sentiment": {"content_hash": "h", "p_negative": 0.5, "p_neutral": 0.25, "p_positive": 0.25, "scored_at": LONG_AGO},
    "topic": {"content_hash": "h"},
    "raw_item": {"payload": "{}", "payload_hash": "h", "first_seen_at": LONG_AGO},
    "quarantine": {"stage": "clean", "payload": "{}", "reason": "no date", "first_seen_at": LONG_AGO},
    "alert": {"members": [], "created_at": LONG_AGO, "updated_at": LONG_AGO},
    "notification": {"queued_at": LONG_AGO},
}

# The contract with those who query: names and their order.
COLUMNS = {
    "alerts_open": "alert_id kind series opened_on last_on days_open since negatives total share expected "
    "expected_high p_value drivers quotes notified_at",
    "driver_impact": "topic contribution volume_effect score_effect leave_one_out score_without mentions_before "
    "mentions_now texts_before texts_now score_before score_now change",
    "driver_impact_by_segment": "segment_kind segment topic contribution volume_effect score_effect leave_one_out "
    "score_without mentions_before mentions_now texts_before texts_now score_before score_now change",
    "feedback_scored": "feedback_id source channel external_id thread_id author_key product country title text rating "
    "rating_max language language_source language_confidence created_at updated_at day url clean_notes "
    "has_text sentiment p_negative p_neutral p_positive model_id topics",
    "feedback_topics": "feedback_id source channel country language product created_at day topic probability polarity "
    "sentiment model_id title text url",
    "satisfaction": "month source channel country product feedback star_ratings stars nps_answers promoters detractors "
    "nps csat_answers satisfied csat texts negative_share net_sentiment",
    "sentiment_daily": "day source channel country language product feedback negatives neutrals positives unscored "
    "without_text negative_share",
    "source_health": "source feedback last_feedback_at days_silent last_success_at last_run_at last_run_status "
    "last_run_error last_run_read last_run_new last_run_changed last_run_deleted last_run_quarantined "
    "raw_waiting feedback_waiting quarantine_open",
    "topic_weekly": "week country source topic feedback mentions negative_mentions neutral_mentions positive_mentions "
    "share_of_feedback negative_share mentions_change share_change",
}


# ---- cases


@pytest.mark.parametrize("expected", EXPECTED, ids=lambda path: f"{path.parts[-3]}-{path.stem}")
def test_view_gives_the_expected_rows(engine: Engine, expected: Path) -> None:
    load_case(engine, expected.parents[1] / "given")
    refresh_views(engine)
    wanted = read_csv(expected)
    found = [{name: row[name] for name in wanted[0]} for row in rows_of(engine, expected.stem)]
    assert_same(found, [{name: as_expected(cell) for name, cell in row.items()} for row in wanted])


def test_every_view_has_a_case() -> None:
    assert {path.stem for path in EXPECTED} == set(view_names())


@pytest.mark.parametrize("name", view_names())
def test_view_of_an_empty_warehouse_has_its_columns_and_no_rows(engine: Engine, name: str) -> None:
    refresh_views(engine)
    with reading(engine) as connection:
        result = connection.execute(text(f"SELECT * FROM {name}"))
        assert list(result.keys()) == COLUMNS[name].split()
        assert result.all() == []


def as_expected(cell: str) -> object:
    """An empty cell is NULL; numbers may be fractions, as 1/3."""
    try:
        return float(Fraction(cell)) if cell else None
    except ValueError:
        return cell


def assert_same(found: list[Row], wanted: list[Row]) -> None:
    """The same rows in any order; numbers may differ in the last digits."""
    assert len(found) == len(wanted)
    for row, other in zip(sorted(found, key=sort_key), sorted(wanted, key=sort_key), strict=True):
        assert row == {name: approximate(value) for name, value in other.items()}


def sort_key(row: Row) -> list[str]:
    return [f"{value:.9f}" if isinstance(value, int | float) else str(value) for value in row.values()]


def approximate(value: object) -> object:
    return pytest.approx(value, abs=1e-12) if isinstance(value, float) else value


# ---- rows in and out


def load_case(engine: Engine, folder: Path) -> None:
    for name in sorted((path.stem for path in folder.glob("*.csv")), key=ORDER.index):
        table = metadata.tables[name]
        insert_rows(engine, table, [as_row(table, cells) for cells in read_csv(folder / f"{name}.csv")])


def read_csv(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def as_row(table: Table, cells: Mapping[str, str]) -> Row:
    row = dict.fromkeys(cells) | DEFAULTS.get(table.name, {})
    if table.name == "feedback":
        row |= {"external_id": cells["feedback_id"], "raw_external_id": cells["feedback_id"]}
    row |= {name: as_value(table.c[name].type, cell) for name, cell in cells.items() if cell and name != "why"}
    return {name: value for name, value in row.items() if name != "why"}


def as_value(kind: object, cell: str) -> object:
    readers: list[tuple[type, Callable[[str], object]]] = [
        (UtcDateTime, lambda value: datetime.fromisoformat(value).replace(tzinfo=UTC)),
        (Date, date.fromisoformat),
        (JSON, json.loads),
        (Boolean, lambda value: value == "1"),
        (Integer, int),
        (Float, float),
    ]
    return next((read(cell) for known, read in readers if isinstance(kind, known)), cell)


def insert_rows(engine: Engine, table: Table, rows: list[Row]) -> None:
    with writing(engine) as connection:
        connection.execute(table.insert(), rows)


def rows_of(engine: Engine, name: str) -> list[Row]:
    """The rows of a view as both databases can tell them: times as text, truth as 1 and 0."""
    with reading(engine) as connection:
        return [
            {key: plain(value) for key, value in row.items()}
            for row in connection.execute(text(f"SELECT * FROM {name}")).mappings()
        ]


def plain(value: object) -> object:
    if isinstance(value, datetime):
        return value.isoformat(" ")
    if isinstance(value, date):
        return value.isoformat()
    assert value is None or isinstance(value, bool | int | float | str), (
        f"{value!r} is not a type that both databases have"
    )
    if isinstance(value, str):
        return value.removesuffix(".000000")
    return int(value) if isinstance(value, bool) else value


# ---- many rows


SENTIMENTS = ("negative", "neutral", "positive")
VALUE = {"negative": -1, "neutral": 0, "positive": 1}


def fill(engine: Engine, seed: int, count: int = 400) -> None:
    """`count` made-up feedback rows over 80 days, with everything that may be missing missing at times."""
    pick = random.Random(seed)
    numbers = range(1, count + 1)
    keys = [{"feedback_id": n, "content_hash": "old", "model_id": model} for n in numbers for model in ("m1", "m2")]
    insert_rows(engine, tables.feedback, [random_feedback(pick, number) for number in numbers])
    insert_rows(engine, tables.sentiment, [random_score(pick) | key for key in keys])
    insert_rows(engine, tables.topic, [key | mention for key in keys for mention in random_mentions(pick)])


def random_feedback(pick: random.Random, number: int) -> Row:
    return DEFAULTS["feedback"] | {
        "feedback_id": number,
        "external_id": str(number),
        "raw_external_id": str(number),
        "source": pick.choice(["shop", "nps", "mail"]),
        "channel": pick.choice(["review", "survey", "email"]),
        "product": pick.choice(["App", "Webshop", None]),
        "country": pick.choice(["DK", "NO", "SE", None]),
        "text": pick.choice(["", "a", "b", "c", "d"]),
        "rating": pick.choice([None, 0.0, 1.0, 3.0, 4.0, 5.0, 9.0]),
        "rating_max": pick.choice([3.0, 5.0, 10.0]),
        "created_at": LONG_AGO + timedelta(seconds=pick.randrange(80 * 86400)),
        "deleted_at": pick.choice([LONG_AGO] + 9 * [None]),
        "content_hash": pick.choice(["new"] + 4 * ["old"]),
        "scored_by": pick.choice([None, "m1", "m1", "m2", "m2", "m2"]),
    }


def random_score(pick: random.Random) -> Row:
    return DEFAULTS["sentiment"] | {"sentiment": pick.choice(SENTIMENTS), "p_negative": pick.random()}


def random_mentions(pick: random.Random) -> list[Row]:
    names = pick.sample(["delivery", "price", "staff", "trust"], pick.randrange(4))
    chances = [0.6, 0.7, pick.random()]
    return [{"topic": n, "probability": pick.choice(chances), "polarity": pick.choice(SENTIMENTS)} for n in names]


@pytest.mark.parametrize("seed", range(3))
def test_both_databases_give_the_same_rows(sqlite_engine: Engine, postgres_engine: Engine, seed: int) -> None:
    for engine in (sqlite_engine, postgres_engine):
        fill(engine, seed)
        refresh_views(engine)
    for name in view_names():
        here, there = rows_of(sqlite_engine, name), rows_of(postgres_engine, name)
        assert here or name in ("alerts_open", "source_health")
        if here:
            assert_same(here, there)


@pytest.mark.parametrize("seed", range(3))
def test_contributions_are_those_of_the_definition_and_sum_to_the_change(engine: Engine, seed: int) -> None:
    fill(engine, seed)
    refresh_views(engine)
    rows = rows_of(engine, "driver_impact")
    wanted = reference_contributions(rows_of(engine, "feedback_scored"), rows_of(engine, "feedback_topics"))
    assert {row["topic"]: pytest.approx(row["contribution"], abs=1e-12) for row in rows} == wanted
    for segment in by_segment(rows_of(engine, "driver_impact_by_segment")):
        change = segment[0]["score_now"] - segment[0]["score_before"]
        assert sum(row["contribution"] for row in segment) == pytest.approx(change, abs=1e-12)
        assert {row["change"] for row in segment} == {change}
        for row in segment:
            assert row["volume_effect"] + row["score_effect"] == pytest.approx(row["contribution"], abs=1e-12)


def by_segment(rows: list[Row]) -> Iterable[list[Row]]:
    found = defaultdict(list)
    for row in rows:
        found[row["segment_kind"], row["segment"]].append(row)
    assert len(found) == 1 + 3 + 3 + 2  # all, sources, countries, products
    return found.values()


def reference_contributions(feedback: list[Row], mentions: list[Row]) -> dict[str, Fraction]:
    """The definition in the comment of driver_impact.sql, text by text and in exact fractions."""
    judged = [row for row in feedback if row["text"] and row["sentiment"]]
    newest = max(date.fromisoformat(row["day"]) for row in judged)
    periods: tuple[list[Row], list[Row]] = ([], [])
    for row in judged:
        age = (newest - date.fromisoformat(row["day"])).days // 28
        if age < 2:
            periods[age].append(row)
    now, before = periods
    usual = Fraction(sum(VALUE[row["sentiment"]] for row in before), len(before))
    found: dict[str, Fraction] = defaultdict(Fraction)
    for sign, texts in ((1, now), (-1, before)):
        for row in texts:
            own = [mention for mention in mentions if mention["feedback_id"] == row["feedback_id"]]
            topics = (
                [m["topic"] for m in own if m["polarity"] == row["sentiment"]] or [m["topic"] for m in own] or ["none"]
            )
            for mention in own:
                found[mention["topic"]] += 0
            for name in topics:
                found[name] += sign * (VALUE[row["sentiment"]] - usual) / len(texts) / len(topics)
    return dict(found)


def test_leave_one_out_is_the_score_without_the_texts_of_the_topic(engine: Engine) -> None:
    fill(engine, 7)
    refresh_views(engine)
    judged = [row for row in rows_of(engine, "feedback_scored") if row["text"] and row["sentiment"]]
    first = str(max(date.fromisoformat(row["day"]) for row in judged) - timedelta(days=27))
    now = {row["feedback_id"]: VALUE[row["sentiment"]] for row in judged if row["day"] >= first}
    mentions = {(row["topic"], row["feedback_id"]) for row in rows_of(engine, "feedback_topics")}
    rows = {row["topic"]: row for row in rows_of(engine, "driver_impact") if row["topic"] != "none"}
    assert len(rows) == 4
    for topic, row in rows.items():
        rest = [score for number, score in now.items() if (topic, number) not in mentions]
        assert row["score_without"] == pytest.approx(sum(rest) / len(rest), abs=1e-12)
        assert row["leave_one_out"] == pytest.approx(sum(now.values()) / len(now) - sum(rest) / len(rest), abs=1e-12)
        assert row["mentions_now"] == len(now) - len(rest)


def test_daily_counts_add_up_to_all_live_feedback(engine: Engine) -> None:
    fill(engine, 11)
    refresh_views(engine)
    rows = rows_of(engine, "sentiment_daily")
    parts = ("negatives", "neutrals", "positives", "unscored", "without_text")
    assert all(row["feedback"] == sum(row[part] for part in parts) for row in rows)
    assert sum(row["feedback"] for row in rows) == len(rows_of(engine, "feedback_scored"))


# ---- keeping the views up to date


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of sql/views to change."""
    return Path(shutil.copytree(view_files()[0].parent, tmp_path / "views"))


def edit(path: Path, old: str, new: str) -> None:
    content = path.read_text(encoding="utf-8")
    assert old in content
    path.write_text(content.replace(old, new), encoding="utf-8")


def test_first_refresh_makes_all_views_and_the_second_changes_nothing(engine: Engine) -> None:
    assert sorted(refresh_views(engine)) == list(view_names()) == sorted(COLUMNS)
    assert refresh_views(engine) == []
    assert sorted(inspect(engine).get_view_names()) == list(view_names())


def test_views_come_after_those_they_read() -> None:
    names = [view.name for view in read_views("sqlite")]
    assert names.index("feedback_scored") < names.index("driver_impact_by_segment") < names.index("driver_impact")


def test_two_refreshes_at_once_make_every_view_once(engine: Engine) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(refresh_views, 4 * [engine]))
    assert sorted(name for names in made for name in names) == list(view_names())


def test_a_changed_view_and_those_that_read_it_are_made_anew(engine: Engine, folder: Path) -> None:
    refresh_views(engine, folder)
    edit(
        folder / "driver_impact_by_segment.sql",
        "    segment_kind,\n    segment,\n    topic,",
        "    segment_kind,\n    segment,\n    1 AS added,\n    topic,",
    )
    assert refresh_views(engine, folder) == ["driver_impact_by_segment", "driver_impact"]
    assert "added" in {column["name"] for column in inspect(engine).get_columns("driver_impact_by_segment")}
    assert refresh_views(engine, folder) == []


def test_a_better_comment_replaces_nothing(engine: Engine, folder: Path) -> None:
    refresh_views(engine, folder)
    edit(folder / "feedback_scored.sql", "-- Start here.", "-- Begin here.")
    assert refresh_views(engine, folder) == []


def test_a_view_without_its_file_is_dropped(engine: Engine, folder: Path) -> None:
    refresh_views(engine, folder)
    (folder / "driver_impact.sql").unlink()
    (folder / "driver_impact_by_segment.sql").unlink()
    assert refresh_views(engine, folder) == ["driver_impact", "driver_impact_by_segment"]
    assert sorted(inspect(engine).get_view_names()) == sorted(
        set(COLUMNS) - {"driver_impact", "driver_impact_by_segment"}
    )


def test_a_view_that_somebody_dropped_comes_back(engine: Engine) -> None:
    refresh_views(engine)
    with writing(engine) as connection:
        connection.execute(text("DROP VIEW topic_weekly"))
    assert refresh_views(engine) == ["topic_weekly"]


def test_a_view_that_cannot_be_made_leaves_all_as_it_was(engine: Engine, folder: Path) -> None:
    refresh_views(engine, folder)
    edit(folder / "satisfaction.sql", "AS stars", "AS mean_stars")
    (folder / "feedback.sql").write_text("SELECT 1 AS name_of_a_table", encoding="utf-8")
    with pytest.raises((DBAPIError, KlangError)):
        refresh_views(engine, folder)
    (folder / "feedback.sql").unlink()
    assert refresh_views(engine, view_files()[0].parent) == []


def test_views_may_hold_percent_signs_and_colons(engine: Engine, folder: Path) -> None:
    (folder / "odd.sql").write_text("SELECT 'a:b 100 %' AS value, 'a:b' LIKE '%:b' AS alike", encoding="utf-8")
    refresh_views(engine, folder)
    assert rows_of(engine, "odd") == [{"value": "a:b 100 %", "alike": 1}]


def test_a_view_of_ones_own_is_never_dropped_silently(postgres_engine: Engine, folder: Path) -> None:
    refresh_views(postgres_engine, folder)
    with writing(postgres_engine) as connection:
        connection.execute(text("CREATE VIEW mine AS SELECT * FROM satisfaction"))
    edit(folder / "satisfaction.sql", "AS stars", "AS mean_stars")
    with pytest.raises(PermanentError, match=r"view mine depends on view satisfaction.*drop yours"):
        refresh_views(postgres_engine, folder)
    assert refresh_views(postgres_engine) == []


def test_a_warehouse_without_tables_says_what_to_do(empty_engine: Engine) -> None:
    with pytest.raises(PermanentError, match="run: klang migrate"):
        refresh_views(empty_engine)


def test_a_folder_that_is_missing_is_named(engine: Engine, tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="nowhere"):
        refresh_views(engine, tmp_path / "nowhere")


# ---- what is written about them


@pytest.mark.parametrize("name", view_names())
def test_comment_tells_of_every_column_and_its_example_runs(engine: Engine, name: str) -> None:
    content = next(path for path in view_files() if path.stem == name).read_text(encoding="utf-8")
    comment = content.partition("\n\n")[0].replace("--", "")
    columns = comment.partition("Example:")[0]
    assert comment.startswith(f" {name}: one row per ")
    assert [
        column for column in COLUMNS[name].split() if not re.search(rf"^  .*\b{column}\b", columns, re.MULTILINE)
    ] == []
    refresh_views(engine)
    with reading(engine) as connection:
        connection.execute(text(comment.partition("Example:")[2].partition("\n")[2]))


def test_readme_lists_every_view() -> None:
    readme = (view_files()[0].parents[1] / "README.md").read_text(encoding="utf-8")
    assert set(re.findall(r"^\| `(\w+)` \|", readme, re.MULTILINE)) == set(view_names())
