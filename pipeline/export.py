"""Views as Parquet files, one a view, streamed in batches."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, text

from pipeline.errors import PermanentError
from pipeline.warehouse.engine import reading
from pipeline.warehouse.views import view_names

BATCH = 10_000
DAY_COLUMNS = ("day", "week", "month")


def export_views(engine: Engine, folder: Path, report: Callable[[str, int], None]) -> None:
    """Write every view to `folder`/<view>.parquet; a file is complete or not there."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise PermanentError(f"cannot write to {folder}: {error.strerror}") from None
    with reading(engine) as connection:
        for name in view_names():
            report(name, export_view(connection, name, folder / f"{name}.parquet"))


def export_view(connection: Connection, name: str, path: Path) -> int:
    import pyarrow
    import pyarrow.parquet

    result = connection.execution_options(stream_results=True).execute(text(f'SELECT * FROM "{name}"'))
    columns, count = list(result.keys()), 0
    schema = schema_of(connection, name)
    temporary = path.with_suffix(".partial")
    with pyarrow.parquet.ParquetWriter(temporary, schema) as writer:
        while rows := result.fetchmany(BATCH):
            values = {column: [row[i] for row in rows] for i, column in enumerate(columns)}
            writer.write_table(
                pyarrow.table({c: converted(v, schema.field(c).type) for c, v in values.items()}, schema)
            )
            count += len(rows)
    temporary.replace(path)
    return count


def schema_of(connection: Connection, name: str) -> Any:
    """Column types from one pass over the view: SQLite's columns have no type of their own."""
    import pyarrow

    result = connection.execute(text(f'SELECT * FROM "{name}"'))
    kinds: dict[str, set[type]] = {column: set() for column in result.keys()}  # noqa: SIM118
    for row in result:
        for column, value in zip(kinds, row, strict=True):
            kinds[column].add(type(value))
    return pyarrow.schema([(column, arrow_type(column, found - {type(None)})) for column, found in kinds.items()])


def arrow_type(column: str, found: set[type]) -> Any:
    import pyarrow

    if column.endswith("_at") or found == {datetime.datetime}:
        return pyarrow.timestamp("us", "UTC")
    if column in DAY_COLUMNS or found == {datetime.date}:
        return pyarrow.date32()
    if found <= {int, bool} and found:
        return pyarrow.int64()
    return pyarrow.float64() if found and found <= {int, float} else pyarrow.string()


def converted(values: list[Any], kind: Any) -> Any:
    """The values as an Arrow array of `kind`; SQLite tells times and dates as text."""
    import pyarrow

    if pyarrow.types.is_timestamp(kind):
        values = [as_utc(value) for value in values]
    elif pyarrow.types.is_date(kind):
        values = [datetime.date.fromisoformat(value) if isinstance(value, str) else value for value in values]
    elif pyarrow.types.is_string(kind):
        values = [value if value is None else str(value) for value in values]
    return pyarrow.array(values, kind)


def as_utc(value: Any) -> datetime.datetime | None:
    time = datetime.datetime.fromisoformat(value) if isinstance(value, str) else value
    return time.replace(tzinfo=datetime.UTC) if time else None
