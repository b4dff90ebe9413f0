"""Insert-or-update in one statement, on both databases."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, Table, tuple_
from sqlalchemy.dialects import postgresql, sqlite

Row = Mapping[str, Any]
T = TypeVar("T")
CHUNK = 500  # rows a statement; SQLite allows 32,766 parameters


def chunks(items: Iterable[T], size: int = CHUNK) -> Iterator[list[T]]:
    iterator = iter(items)
    while taken := list(islice(iterator, size)):
        yield taken


def upsert(
    connection: Connection,
    table: Table,
    rows: Sequence[Row],
    keys: Sequence[str],
    update: Callable[[Any], Mapping[str, Any]] | None = None,
) -> None:
    """Insert `rows`; where one with the same `keys` stands already, do `update` or, without it, leave it alone.

    `update` gets the row that was to be inserted (`excluded`) and returns column -> new value. Rows must differ in
    their keys.
    """
    insert = postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert
    for chunk in chunks(rows):
        statement = insert(table).values(chunk)
        if update:
            statement = statement.on_conflict_do_update(
                index_elements=list(keys), set_=dict(update(statement.excluded))
            )
        else:
            statement = statement.on_conflict_do_nothing(index_elements=list(keys))
        connection.execute(statement)


def is_one_of(columns: Sequence[ColumnElement[Any]], values: Sequence[tuple[Any, ...]]) -> ColumnElement[bool]:
    """The condition that the columns together are one of the tuples."""
    return tuple_(*columns).in_(values)
