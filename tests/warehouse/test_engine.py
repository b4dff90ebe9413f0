"""Connections: errors in one line without a password, and SQLite writers that wait for one another."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine, func, make_url, select, text
from sqlalchemy.exc import ProgrammingError

from pipeline.errors import ConfigError, KlangError, PermanentError, TransientError
from pipeline.warehouse.engine import open_warehouse, reading, writing
from pipeline.warehouse.tables import feedback, run_log

ONE_RUN = {"stage": "score", "status": "success", "counts": {}, "started_at": datetime(2026, 11, 21, 6, tzinfo=UTC)}

# (URL, words of the message)
WRONG_URLS = (
    ("klang.db", "not a SQLAlchemy URL"),
    ("", "not a SQLAlchemy URL"),
    ("mysql://hunter2@db/klang", "not on mysql"),
    ("duckdb:///klang.duckdb", "not on duckdb"),
    ("sqlite+nonsense:///klang.db", "driver"),
)


@pytest.mark.parametrize(("url", "words"), WRONG_URLS)
def test_a_wrong_url_says_what_is_right(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        open_warehouse(url)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://klang:hunter2@127.0.0.1:1/klang",
        "postgresql+psycopg://klang:hunter2@127.0.0.1:1/klang",
        "postgresql://klang@127.0.0.1:1/klang?password=hunter2",
    ],
)
def test_a_server_that_is_down_may_come_back(url: str) -> None:
    engine = open_warehouse(url)
    with pytest.raises(TransientError, match=r"127\.0\.0\.1.*is it running") as caught, reading(engine):
        pass
    assert "hunter2" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_database_that_is_not_there_is_named(postgres_url: str) -> None:
    engine = open_warehouse(make_url(postgres_url).set(database="absent").render_as_string(hide_password=False))
    with pytest.raises(TransientError, match=r"absent.*does not exist") as caught, reading(engine):
        pass
    assert "\n" not in str(caught.value)


def test_a_warehouse_without_tables_names_the_command(empty_engine: Engine) -> None:
    for access in (reading, writing):
        with pytest.raises(PermanentError, match="klang migrate") as caught, access(empty_engine) as connection:
            connection.execute(select(feedback))
        assert "\n" not in str(caught.value)


def test_an_old_schema_names_the_command(engine: Engine) -> None:
    with writing(engine) as connection:
        connection.execute(text("ALTER TABLE run_log DROP COLUMN error"))
    with pytest.raises(PermanentError, match="klang migrate"), reading(engine) as connection:
        connection.execute(select(run_log))


def test_the_same_row_from_two_runs_may_be_tried_again(engine: Engine) -> None:
    with pytest.raises(TransientError, match="at the same time") as caught, writing(engine) as connection:
        connection.execute(run_log.insert(), [{"run_id": "1", **ONE_RUN}, {"run_id": "1", **ONE_RUN}])
    assert "\n" not in str(caught.value)


def test_wrong_sql_is_our_mistake_and_keeps_its_traceback(postgres_engine: Engine) -> None:
    with pytest.raises(ProgrammingError), reading(postgres_engine) as connection:
        connection.execute(text("SELEC 1"))


def test_a_file_that_is_no_database_is_named(tmp_path: Path) -> None:
    (tmp_path / "klang.db").write_text("not a database, but long enough to be taken for one " * 50)
    with (
        pytest.raises(PermanentError, match=r"klang\.db.*not a database") as caught,
        reading(open_warehouse(f"sqlite:///{tmp_path / 'klang.db'}")),
    ):
        pass
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("path", ["", "taken/klang.db"])  # a folder, and a folder that is a file
def test_a_path_that_cannot_be_a_database_is_named(tmp_path: Path, path: str) -> None:
    (tmp_path / "taken").touch()
    with pytest.raises(KlangError, match=str(tmp_path)), reading(open_warehouse(f"sqlite:///{tmp_path / path}")):
        pass


def test_the_folder_of_a_sqlite_file_is_made(tmp_path: Path) -> None:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'var' / 'deep' / 'klang.db'}")
    with reading(engine) as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    engine.dispose()


def test_an_exception_rolls_the_whole_block_back(engine: Engine) -> None:
    with pytest.raises(ZeroDivisionError), writing(engine) as connection:
        connection.execute(run_log.insert(), [{"run_id": "1", **ONE_RUN}])
        1 / 0  # noqa: B018
    with reading(engine) as connection:
        assert connection.execute(select(func.count()).select_from(run_log)).scalar() == 0


IMPORTS = """
import sys
from datetime import UTC, datetime
from sqlalchemy import func, select
from pipeline.warehouse.engine import open_warehouse, writing
from pipeline.warehouse.tables import run_log
"""
WRITE_TWENTY_ROWS = """
url, worker = sys.argv[1:]
for number in range(20):
    with writing(open_warehouse(url)) as connection:
        before = connection.execute(select(func.count()).select_from(run_log)).scalar()
        row = {"run_id": f"{worker}-{number}", "stage": "score", "status": "success", "counts": {}}
        connection.execute(run_log.insert().values(started_at=datetime.now(UTC), error=str(before), **row))
"""


def test_writing_processes_wait_for_one_another(sqlite_engine: Engine, in_processes: Callable[..., None]) -> None:
    in_processes(IMPORTS, WRITE_TWENTY_ROWS, *[(sqlite_engine.url, worker) for worker in range(2)])
    with reading(sqlite_engine) as connection:
        seen = sorted(int(row) for row in connection.execute(select(run_log.c.error)).scalars())
    assert seen == list(range(40))  # every writer saw all rows of those before it
