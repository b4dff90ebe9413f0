"""The run log: one row for each run of a stage, written even when it fails."""

from __future__ import annotations

import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Engine, update

from pipeline.clock import now as clock_now
from pipeline.errors import KlangError
from pipeline.records import Counts
from pipeline.warehouse.engine import writing
from pipeline.warehouse.tables import run_log


@dataclass
class Run:
    """What a stage has done so far; the stage adds to `counts` as it goes."""

    counts: Counts = field(default_factory=Counts)


@contextmanager
def logged(engine: Engine, stage: str, source: str | None, fixed_now: datetime | None) -> Iterator[Run]:
    """Log the block as one run: running, then success or failed with the first line of the error."""
    run_id, run = uuid.uuid4().hex, Run()
    row: dict[str, Any] = {"run_id": run_id, "stage": stage, "source": source, "status": "running", "counts": {}}
    with writing(engine) as connection:
        connection.execute(run_log.insert().values(started_at=clock_now(fixed_now), **row))
    try:
        yield run
    except BaseException as error:
        finish(engine, run_id, {"status": "failed", "error": reason_of(error)}, run, clock_now(fixed_now))
        raise
    finish(engine, run_id, {"status": "success"}, run, clock_now(fixed_now))


def finish(engine: Engine, run_id: str, outcome: Mapping[str, str], run: Run, now: datetime) -> None:
    with writing(engine) as connection:
        connection.execute(
            update(run_log)
            .where(run_log.c.run_id == run_id)
            .values(finished_at=now, counts=asdict(run.counts), **outcome)
        )


def reason_of(error: BaseException) -> str:
    """Our own errors say what is wrong in one line; of others only the kind is kept, their text may hold anything."""
    return str(error).splitlines()[0][:500] if isinstance(error, KlangError) and str(error) else type(error).__name__
