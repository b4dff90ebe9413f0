"""The run log: one row a run, whatever becomes of it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import Engine, select

from pipeline.errors import KlangError, TransientError
from pipeline.records import Counts
from pipeline.warehouse.engine import reading
from pipeline.warehouse.run_log import logged
from pipeline.warehouse.tables import run_log

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)


def runs(engine: Engine) -> list[dict[str, Any]]:
    with reading(engine) as connection:
        return [dict(row) for row in connection.execute(select(run_log)).mappings()]


def test_a_run_is_there_while_it_runs_and_ends_with_its_counts(engine: Engine) -> None:
    with logged(engine, "ingest", "shop", NOW) as run:
        assert runs(engine)[0]["status"] == "running"
        run.counts += Counts(read=3, new=2)
    (row,) = runs(engine)
    assert (row["stage"], row["source"], row["status"], row["error"]) == ("ingest", "shop", "success", None)
    assert (row["started_at"], row["finished_at"]) == (NOW, NOW)
    assert row["counts"] == {"read": 3, "new": 2, "changed": 0, "deleted": 0, "quarantined": 0}


# (what is raised, what the log says)
FAILURES = (
    (TransientError("the shop does not answer\nand more"), "the shop does not answer"),
    (KlangError(), "KlangError"),
    (ValueError("hunter2"), "ValueError"),  # another's text may hold anything
    (KeyboardInterrupt(), "KeyboardInterrupt"),
)


@pytest.mark.parametrize(("error", "words"), FAILURES, ids=lambda value: type(value).__name__)
def test_a_run_that_fails_says_why_and_what_it_did(engine: Engine, error: BaseException, words: str) -> None:
    with pytest.raises(type(error)), logged(engine, "score", None, NOW) as run:
        run.counts += Counts(read=1)
        raise error
    (row,) = runs(engine)
    assert (row["status"], row["error"], row["counts"]["read"]) == ("failed", words, 1)
