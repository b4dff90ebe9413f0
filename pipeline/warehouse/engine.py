"""Connections to the warehouse: SQLite in WAL mode or PostgreSQL, told apart by the URL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, NoSuchModuleError, OperationalError

from pipeline.errors import ConfigError, KlangError, PermanentError, TransientError

BUSY_TIMEOUT_S = 60  # how long a SQLite writer waits for another one
DIALECTS = ("sqlite", "postgresql")
OUTDATED = ("UndefinedTable", "UndefinedColumn", "no such table", "no such column")
IN_THE_WAY = ("UniqueViolation", "UNIQUE constraint", "DeadlockDetected", "SerializationFailure", "LockNotAvailable")


# Nordic letters stay letters, for those who read JSON columns in SQL.
as_json = partial(json.dumps, ensure_ascii=False)


def open_warehouse(url: str) -> Engine:
    """Return an engine for `url`; nothing is connected yet, but a SQLite file's folder is made."""
    try:
        parsed = make_url(url)
    except ArgumentError:
        raise ConfigError(
            "the warehouse URL is not a SQLAlchemy URL; write sqlite:///var/klang.db or postgresql+psycopg://…"
        ) from None
    if parsed.get_backend_name() not in DIALECTS:
        raise ConfigError(f"the warehouse runs on SQLite or PostgreSQL, not on {parsed.get_backend_name()}")
    try:
        if parsed.get_backend_name() == "sqlite":
            return open_sqlite(url, parsed.database)
        return create_engine(parsed.set(drivername="postgresql+psycopg"), pool_pre_ping=True, json_serializer=as_json)
    except NoSuchModuleError as error:
        raise ConfigError(f"no driver for the warehouse URL: {error}") from None


def open_sqlite(url: str, database: str | None) -> Engine:
    if database and database != ":memory:":
        try:
            Path(database).parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ConfigError(f"cannot make the folder of the warehouse {database}: {error.strerror}") from None
    engine = create_engine(url, connect_args={"timeout": BUSY_TIMEOUT_S}, json_serializer=as_json)
    event.listen(engine, "connect", set_pragmas)
    event.listen(engine, "begin", begin_as_asked)
    return engine


def set_pragmas(connection: Any, _record: Any) -> None:
    # The driver's own transaction handling starts a transaction too late for a reader that becomes a writer.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON", "cache_size=-65536"):
        connection.execute(f"PRAGMA {pragma}")


def begin_as_asked(connection: Connection) -> None:
    # A writer takes the lock at once: a reader that upgrades later gets SQLITE_BUSY without any waiting.
    connection.exec_driver_sql("BEGIN IMMEDIATE" if connection.get_execution_options().get("klang_write") else "BEGIN")


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """A connection for reading."""
    with friendly(engine), engine.connect() as connection:
        yield connection


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed at the end of the block, rolled back by an exception."""
    with friendly(engine), engine.connect().execution_options(klang_write=True) as connection, connection.begin():
        yield connection


@contextmanager
def friendly(engine: Engine) -> Iterator[None]:
    """Turn the driver's errors into ours, without the password a URL may hold; our own mistakes stay as they are."""
    try:
        yield
    except DBAPIError as error:
        url = engine.url.difference_update_query(["password", "sslpassword"])
        ours = explained(error, url.render_as_string(hide_password=True))
        if ours is None:
            raise
        raise ours from error


def explained(error: DBAPIError, where: str) -> KlangError | None:
    reason = next(iter(str(error.orig).strip().splitlines()), "")
    signs = f"{type(error.orig).__name__} {reason}"
    if any(sign in signs for sign in OUTDATED):
        return PermanentError(f"the warehouse {where} has no current schema ({reason}); run: klang migrate")
    if any(sign in signs for sign in IN_THE_WAY):
        return TransientError(f"another run wrote the same rows to the warehouse {where} at the same time; try again")
    if isinstance(error, OperationalError):
        return TransientError(f"cannot use the warehouse {where}: {reason}; is it running, and is the URL right?")
    if "InsufficientPrivilege" in signs or "not a database" in signs:
        return PermanentError(f"cannot use the warehouse {where}: {reason}; check its URL and its user's rights")
    return None
