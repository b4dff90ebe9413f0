"""What a person or a program wants to know of the warehouse: sources, runs, counts, alerts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, case, func, select

from pipeline.settings import Settings
from pipeline.warehouse.alerts import summaries
from pipeline.warehouse.counts import COUNTED, SCORED, TOPICS_OF
from pipeline.warehouse.tables import feedback, quarantine, raw_item, run_log, sentiment, source_cursor, topic


@dataclass(frozen=True)
class SourceStatus:
    """One row of `klang status`."""

    source: str
    kind: str
    feedback: int
    unscored: int
    newest: datetime | None
    waiting: int
    quarantined: int
    last_run: datetime | None
    last_status: str | None
    last_error: str | None
    cursors: dict[str, Any]


def source_statuses(connection: Connection, settings: Settings) -> list[SourceStatus]:
    """One status for each configured source, in the order of klang.toml."""
    pieces = by_source(connection, select(
        feedback.c.source, func.count(), func.sum(case((feedback.c.scored_by.is_(None), 1), else_=0)),
        func.max(feedback.c.created_at),
    ).group_by(feedback.c.source))  # fmt: skip
    waiting = by_source(connection, count_of(raw_item, raw_item.c.cleaned_at.is_(None)))
    aside = by_source(connection, count_of(quarantine, quarantine.c.resolved_at.is_(None)))
    runs = by_source(connection, last_runs())
    cursors: dict[str, dict[str, Any]] = {}
    for row in connection.execute(select(source_cursor)):
        cursors.setdefault(row.source, {})[row.stream] = row.cursor
    statuses = []
    for source in settings.sources:
        name = source.name
        _, count, unscored, newest = pieces.get(name, (name, 0, 0, None))
        _, started, status, error = runs.get(name, (name, None, None, None))
        statuses.append(SourceStatus(
            source=name, kind=source.kind, feedback=count, unscored=int(unscored or 0), newest=newest,
            waiting=waiting[name][1] if name in waiting else 0, quarantined=aside[name][1] if name in aside else 0,
            last_run=started, last_status=status, last_error=error, cursors=cursors.get(name, {}),
        ))  # fmt: skip
    return statuses


def by_source(connection: Connection, statement: Select[Any]) -> dict[str, Row[Any]]:
    return {row[0]: row for row in connection.execute(statement)}


def count_of(table: Any, condition: Any) -> Select[Any]:
    return select(table.c.source, func.count()).where(condition).group_by(table.c.source)


def last_runs() -> Select[Any]:
    ranked = (
        select(
            run_log.c.source, run_log.c.started_at, run_log.c.status, run_log.c.error,
            func.row_number().over(partition_by=run_log.c.source, order_by=run_log.c.started_at.desc()).label("place"),
        )
        .where(run_log.c.stage == "ingest")
        .subquery()
    )  # fmt: skip
    return select(ranked.c.source, ranked.c.started_at, ranked.c.status, ranked.c.error).where(ranked.c.place == 1)


@dataclass(frozen=True)
class Overview:
    """The numbers that `klang run` ends with."""

    sources: list[Row[Any]]  # source, channel, language, negative, neutral, positive
    topics: list[Row[Any]]  # topic, mentions, negative mentions
    quarantined: list[Row[Any]]  # source, external_id, reason
    alerts: list[Any]


def overview(connection: Connection, topics: int = 10) -> Overview:
    def counted(name: str) -> Any:
        return func.sum(case((sentiment.c.sentiment == name, 1), else_=0)).label(name)

    by_language = (
        select(feedback.c.source, feedback.c.channel, feedback.c.language,
               counted("negative"), counted("neutral"), counted("positive"), func.count().label("total"))
        .select_from(SCORED).where(feedback.c.deleted_at.is_(None))
        .group_by(feedback.c.source, feedback.c.channel, feedback.c.language)
        .order_by(feedback.c.source, func.count().desc())
    )  # fmt: skip
    negative = func.sum(case((topic.c.polarity == "negative", 1), else_=0)).label("negative")
    by_topic = (
        select(topic.c.topic, func.count().label("mentions"), negative)
        .select_from(feedback.join(topic, TOPICS_OF)).where(COUNTED)
        .group_by(topic.c.topic).order_by(func.count().desc(), topic.c.topic).limit(topics)
    )  # fmt: skip
    aside = select(quarantine.c.source, quarantine.c.external_id, quarantine.c.reason).where(
        quarantine.c.resolved_at.is_(None)
    )
    return Overview(
        sources=list(connection.execute(by_language)),
        topics=list(connection.execute(by_topic)),
        quarantined=list(connection.execute(aside.order_by(quarantine.c.quarantine_id).limit(10))),
        alerts=summaries(connection, only_open=True),
    )
