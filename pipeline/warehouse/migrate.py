"""Schema up to date, by Alembic; the same migrations on both databases."""

from __future__ import annotations

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Engine, text

from pipeline.errors import PermanentError
from pipeline.warehouse.engine import reading, writing

FOLDER = Path(__file__).parent / "migrations"


def migrate(engine: Engine) -> list[str]:
    """Bring the schema to the newest revision; returns the revisions that were applied, none where it was there."""
    config = alembic_config()
    before, wanted = revision_of(engine), ScriptDirectory.from_config(config).get_current_head()
    if before == wanted:
        return []
    check_known(config, before)
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":  # a SQLite writer is alone anyway
            connection.execute(text("SELECT pg_advisory_xact_lock(hashtext('klang migrate'))"))
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
    steps = ScriptDirectory.from_config(config).iterate_revisions(wanted or "head", before or "base")
    return [step.revision for step in steps][::-1]


def alembic_config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(FOLDER))
    config.set_main_option("path_separator", "os")
    return config


def revision_of(engine: Engine) -> str | None:
    with reading(engine) as connection:
        return MigrationContext.configure(connection).get_current_revision()


def check_known(config: Config, revision: str | None) -> None:
    known = {step.revision for step in ScriptDirectory.from_config(config).walk_revisions()}
    if revision is not None and revision not in known:
        raise PermanentError(f"the warehouse has the schema {revision!r} of a newer Klang; upgrade this one")
