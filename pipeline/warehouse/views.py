"""The views of sql/views: written once in PostgreSQL's dialect, translated by sqlglot for the warehouse at hand."""

from __future__ import annotations

import hashlib
from graphlib import TopologicalSorter
from pathlib import Path
from typing import NamedTuple

import sqlglot
from sqlalchemy import Connection, Engine, delete, insert, inspect, select, text
from sqlalchemy.exc import DBAPIError
from sqlglot import ErrorLevel, exp

from pipeline.errors import PermanentError
from pipeline.warehouse.engine import writing
from pipeline.warehouse.tables import view_version

# How SQLite's DATE() goes to the Monday of a week, and to the first day of a month.
PERIOD_STARTS = {"WEEK": ("weekday 0", "-6 days"), "MONTH": ("start of month",)}
TO_BE_REWRITTEN = (exp.TimestampTrunc, exp.Sub, exp.JSONExtractScalar)


class View(NamedTuple):
    name: str
    definition: str  # the CREATE VIEW statement
    digest: str  # of the definition and of the views that it reads


def view_names(folder: Path | None = None) -> tuple[str, ...]:
    """The names of all views, in alphabetical order."""
    return tuple(path.stem for path in view_files(folder))


def refresh_views(engine: Engine, folder: Path | None = None) -> list[str]:
    """Bring the views up to date, in one transaction; return the names of those made, made anew or dropped.

    A view is made anew where its definition, or that of a view it reads, is not the one told by `view_version`, or
    where it is missing. PermanentError where something else in the database hangs on a view that has to go.
    """
    views = read_views(engine.dialect.name, folder)
    with writing(engine) as connection:
        if engine.dialect.name == "postgresql":  # a SQLite writer is alone anyway
            connection.execute(text("LOCK TABLE view_version IN EXCLUSIVE MODE"))
        recorded = dict(connection.execute(select(view_version)).tuples().all())
        present = recorded.keys() & set(inspect(connection).get_view_names())
        stale = [view for view in views if view.name not in present or recorded[view.name] != view.digest]
        gone = sorted(recorded.keys() - {view.name for view in views})
        changed = [view.name for view in stale] + gone
        drop_views(connection, changed)
        for view in stale:
            connection.execute(text(view.definition.replace(":", r"\:")))
            connection.execute(insert(view_version).values(name=view.name, definition_hash=view.digest))
    return changed


def drop_views(connection: Connection, names: list[str]) -> None:
    """Drop `names` and forget their versions. PostgreSQL takes all at once, and so finds the order by itself."""
    connection.execute(delete(view_version).where(view_version.c.name.in_(names)))
    together = [", ".join(names)] if names and connection.dialect.name == "postgresql" else names
    for target in together:
        try:
            connection.execute(text(f"DROP VIEW IF EXISTS {target}"))
        except DBAPIError as error:
            if type(error.orig).__name__ != "DependentObjectsStillExist":
                raise
            reason = " ".join(str(error.orig).splitlines()[:2])
            raise PermanentError(
                f"Klang's views have changed, but views of your own read them: {reason}; "
                "drop yours, run klang migrate, then make them again"
            ) from error


def read_views(dialect: str, folder: Path | None = None) -> list[View]:
    """All views in the SQL of `dialect` (sqlite or postgresql), each after those that it reads."""
    files = {path.stem: path.read_text(encoding="utf-8") for path in view_files(folder)}
    queries = {name: sqlglot.parse_one(content, read="postgres") for name, content in files.items()}
    reads = {name: sorted(tables(query) & queries.keys()) for name, query in queries.items()}
    views: dict[str, View] = {}
    for name in TopologicalSorter(reads).static_order():
        definition = f"CREATE VIEW {name} AS\n{translate(queries[name], dialect)}"
        content = "\n".join([definition, *(views[read].digest for read in reads[name])])
        views[name] = View(name, definition, hashlib.sha256(content.encode()).hexdigest())
    return list(views.values())


def tables(query: exp.Expr) -> set[str]:
    return {table.name for table in query.find_all(exp.Table)}


def view_files(folder: Path | None = None) -> list[Path]:
    """The files of `folder`, by default of sql/views: inside the package when installed, beside it in a checkout."""
    package = Path(__file__).parents[1]
    candidates = [folder] if folder else [package / "sql" / "views", package.parent / "sql" / "views"]
    for candidate in candidates:
        if candidate.is_dir():
            return sorted(candidate.glob("*.sql"))
    raise PermanentError(f"there is no folder {candidates[0]} with the views; install klang-feedback again")


def translate(query: exp.Expr, dialect: str) -> str:
    """`query` in the SQL of `dialect`, without comments, so that a better comment replaces no view."""
    query = query.copy()
    if dialect == "sqlite":
        for node in reversed(list(query.find_all(*TO_BE_REWRITTEN))):  # inner ones first
            node.replace(sqlite_form(node))
    target = "postgres" if dialect == "postgresql" else dialect
    return query.sql(dialect=target, pretty=True, comments=False, unsupported_level=ErrorLevel.RAISE)


def sqlite_form(node: exp.Expr) -> exp.Expr:
    """What sqlglot does not put as SQLite reads it: starts of periods, date - interval, date - date, json ->> key."""
    if isinstance(node, exp.JSONExtractScalar):  # SQLite has had ->> since 3.38 only
        return exp.Anonymous(this="JSON_EXTRACT", expressions=[node.this, node.expression])
    if isinstance(node, exp.TimestampTrunc):
        return sqlite_date(node.this, *PERIOD_STARTS[node.text("unit")])
    if isinstance(node.expression, exp.Interval):
        return sqlite_date(node.this, f"-{node.expression.name} {node.expression.text('unit')}")
    if all(side.is_type("date") for side in (node.this, node.expression)):
        days = exp.Sub(this=exp.func("JULIANDAY", node.this), expression=exp.func("JULIANDAY", node.expression))
        return exp.cast(exp.paren(days), "int")
    return node


def sqlite_date(value: exp.Expr, *modifiers: str) -> exp.Expr:
    return exp.func("DATE", value, *map(exp.Literal.string, modifiers), dialect="sqlite")
