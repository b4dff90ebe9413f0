"""The kind `file`: fields by name, conversations, and what goes to quarantine."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from pipeline.errors import ConfigError, PermanentError, RecordError
from pipeline.records import Json
from pipeline.settings import SourceSettings
from pipeline.sources.base import Skip, channel_of, make_source

FIELDS = {"external_id": "id", "created_at": "at", "text": "body", "rating": "stars", "author": "user.mail"}
ROW = {"id": 7, "at": "2026-11-20T10:00:00+01:00", "body": "Fint", "stars": "4,5", "user": {"mail": "kim@post.example"}}


def source(folder: Path, path: str = "in.csv", fields: Mapping[str, str] = FIELDS, **options: Any) -> Any:
    return make_source(SourceSettings("shop", "file", {"path": path, "fields": fields, **options}, folder=folder))


def test_a_row_becomes_a_draft(tmp_path: Path) -> None:
    (draft,) = source(tmp_path).drafts(ROW)
    assert (draft.external_id, draft.text, draft.author) == ("7", "Fint", "kim@post.example")
    assert (draft.rating, draft.rating_max) == (4.5, 5.0)
    assert draft.created_at == datetime(2026, 11, 20, 9, tzinfo=UTC)


def test_a_column_with_a_dot_in_its_name_comes_before_a_path(tmp_path: Path) -> None:
    (draft,) = source(tmp_path).drafts({**ROW, "user.mail": "flat@post.example"})
    assert draft.author == "flat@post.example"


@pytest.mark.parametrize(
    ("value", "rating"),
    [("4", 4), (4, 4), ("4,5", 4.5), ("4.5", 4.5), ("", None), (None, None), ("nan", None), (float("nan"), None)],
)
def test_a_rating_may_be_written_in_many_ways(tmp_path: Path, value: object, rating: float | None) -> None:
    (draft,) = source(tmp_path).drafts({**ROW, "stars": value})
    assert draft.rating == rating


# (what is wrong with a row, words of the reason)
BAD_ROWS: tuple[tuple[Json, str], ...] = (
    ({"id": ""}, "no id in 'id'"),
    ({"id": None}, "no id in 'id'"),
    ({"at": ""}, "no time in 'at'"),
    ({"at": "yesterday"}, "at is not a time: 'yesterday'"),
    ({"at": "0001-01-01T00:00:00+01:00"}, "at is not a time"),
)


@pytest.mark.parametrize(("change", "words"), BAD_ROWS)
def test_a_row_that_is_no_item_says_why(tmp_path: Path, change: Json, words: str) -> None:
    items, rejected = source(tmp_path).items([{**ROW, **change}, ROW])
    assert len(items) == 1
    assert words in rejected[0].reason
    assert "Fint" in rejected[0].payload


def test_a_rating_that_is_no_number_says_so(tmp_path: Path) -> None:
    with pytest.raises(RecordError, match="stars is not a number: 'many'"):
        list(source(tmp_path).drafts({**ROW, "stars": "many"}))


def message(name: str | None, role: str, **more: Any) -> dict[str, Any]:
    return {"id": name, "role": role, "text": f"text {name}", "created_at": "2026-11-20T10:00:00Z", **more}


def test_the_customers_public_messages_are_feedback_each(tmp_path: Path) -> None:
    tickets = source(tmp_path, messages={"list": "log"}, channel="ticket")
    log = [
        message("1", "customer"),
        message("2", "agent"),
        message("3", "customer", public=False),
        message("4", "customer"),
    ]
    drafts = list(tickets.drafts({"id": "T", "at": "2026-11-20", "log": log}))
    assert [(draft.external_id, draft.thread_id, draft.text) for draft in drafts] == [
        ("T/1", "T", "text 1"),
        ("T/4", "T", "text 4"),
    ]


def test_a_conversation_of_agents_is_skipped(tmp_path: Path) -> None:
    with pytest.raises(Skip, match="no_customer_text"):
        list(
            source(tmp_path, messages={"list": "log"}).drafts(
                {"id": "T", "at": "2026-11-20", "log": [message("1", "agent")]}
            )
        )


@pytest.mark.parametrize(
    ("log", "words"),
    [
        (None, "no list of objects in 'log'"),
        ("text", "no list of objects"),
        (["text"], "no list of objects"),
        ([message(None, "customer")], "no id in 'id'"),  # two of them would be taken for one
        ([message("1", "customer", created_at=None)], "created_at is not a time"),
    ],
)
def test_a_conversation_that_does_not_fit_says_why(tmp_path: Path, log: object, words: str) -> None:
    with pytest.raises(RecordError, match=words):
        list(source(tmp_path, messages={"list": "log"}).drafts({"id": "T", "at": "2026-11-20", "log": log}))


# (options, words of the message)
BAD_OPTIONS: tuple[tuple[dict[str, Any], str], ...] = (
    ({"fields": {"id": "id"}}, r"unknown fields\.id; known: .*external_id"),
    ({"fields": {"external_id": "id", "created_at": "at"}}, r"needs fields\.text"),
    ({"fields": {"external_id": "id", "text": "body"}}, r"needs fields\.created_at"),
    ({"messages": {"lists": "log"}}, r"unknown messages\.lists"),
)


@pytest.mark.parametrize(("options", "words"), BAD_OPTIONS)
def test_wrong_options_say_what_is_needed(tmp_path: Path, options: dict[str, Any], words: str) -> None:
    with pytest.raises(ConfigError, match=words):
        source(tmp_path, **options)


def test_a_glob_reads_its_files_in_their_order(tmp_path: Path) -> None:
    folder = tmp_path / "exports [2026]"  # brackets of a folder are no pattern
    folder.mkdir()
    for name in ("b.csv", "a.csv", "c.txt"):
        (folder / name).write_text("id,at,body,stars\n")
    assert [page.stream for page in source(folder, "*.csv").pages({})] == ["a.csv", "b.csv"]


def test_no_file_is_an_error_that_names_the_path(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match=r"'shop' finds no file at .*in\.csv; check its path"):
        list(source(tmp_path).pages({}))


def test_two_files_of_one_name_would_share_a_cursor(tmp_path: Path) -> None:
    for folder in ("one", "two"):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / "in.csv").touch()
    with pytest.raises(ConfigError, match=r"two files named in\.csv"):
        list(source(tmp_path, "**/*.csv").pages({}))


def test_the_channel_is_the_kinds_own_or_the_one_that_is_set(tmp_path: Path) -> None:
    assert channel_of(SourceSettings("a", "file", {})) == "review"
    assert channel_of(SourceSettings("a", "file", {"channel": "social"})) == "social"
    assert channel_of(SourceSettings("a", "survey", {})) == "survey"
