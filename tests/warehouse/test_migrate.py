"""Migrations, on both databases: from nothing, twice, down again, and the same schema as the tables in Python."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Engine, inspect, text

from pipeline.errors import PermanentError
from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.migrate import alembic_config, migrate, revision_of
from pipeline.warehouse.tables import metadata


def test_migrating_from_nothing_makes_every_table(empty_engine: Engine) -> None:
    assert revision_of(empty_engine) is None
    assert migrate(empty_engine)
    assert set(inspect(empty_engine).get_table_names()) == {*metadata.tables, "alembic_version"}


def test_migrating_twice_changes_nothing(empty_engine: Engine) -> None:
    migrate(empty_engine)
    before = revision_of(empty_engine)
    assert migrate(empty_engine) == []
    assert revision_of(empty_engine) == before


def test_the_migrated_schema_is_that_of_the_tables(empty_engine: Engine) -> None:
    migrate(empty_engine)
    with reading(empty_engine) as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_downgrading_leaves_nothing_and_upgrading_works_again(empty_engine: Engine) -> None:
    applied = migrate(empty_engine)
    config = alembic_config()
    with writing(empty_engine) as connection:
        config.attributes["connection"] = connection
        command.downgrade(config, "base")
    assert inspect(empty_engine).get_table_names() == ["alembic_version"]
    assert migrate(empty_engine) == applied


def test_a_migration_that_fails_leaves_all_as_it_was(empty_engine: Engine) -> None:
    with writing(empty_engine) as connection:
        connection.execute(text("CREATE TABLE topic (topic TEXT)"))  # in the way of the last step
    with pytest.raises(Exception, match="topic"):
        migrate(empty_engine)
    assert inspect(empty_engine).get_table_names() == ["topic"]


def test_a_schema_of_a_newer_klang_is_left_alone(empty_engine: Engine) -> None:
    migrate(empty_engine)
    with writing(empty_engine) as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    with pytest.raises(PermanentError, match=r"'9999' of a newer Klang; upgrade"):
        migrate(empty_engine)


IMPORTS = (
    "import sys\nfrom pipeline.warehouse.engine import open_warehouse\nfrom pipeline.warehouse.migrate import migrate"
)


def test_processes_that_migrate_at_once_do_not_meet(empty_engine: Engine, in_processes: Callable[..., None]) -> None:
    url = empty_engine.url.render_as_string(hide_password=False)
    in_processes(IMPORTS, "migrate(open_warehouse(sys.argv[1]))", (url,), (url,))
    assert migrate(empty_engine) == []
