"""Alerts in the warehouse: opened, kept up to date while they last, recovered; and the outbox of notifications."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from pipeline.alerts.evidence import Alarm, Message, Summary, message_of
from pipeline.alerts.series import label
from pipeline.warehouse.tables import alert, notification
from pipeline.warehouse.upsert import upsert

QUIET_DAYS = 2  # days without an alarm after which an alert has recovered
KIND = "share"


@dataclass(frozen=True)
class Change:
    """Something to tell people about an alert."""

    alert_id: int
    change: str  # opened or recovered
    day: date


@dataclass(frozen=True)
class Notification:
    """A message that waits for one target."""

    alert_id: int
    change: str
    target: str
    message: Message


def record(connection: Connection, alarm: Alarm, now: datetime) -> Change | None:
    """Store an alarm: a day more of an alert that is known, or a new alert. A day that is known changes nothing."""
    standing = matching(connection, alarm)
    if standing is None:
        return Change(open_alert(connection, alarm, now), "opened", alarm.day)
    if alarm.day > standing.last_on:
        values = evidence_columns(alarm) | {"last_on": alarm.day, "recovered_on": None, "updated_at": now}
        values["members"] = sorted({*standing.members, *alarm.labels})
        connection.execute(update(alert).where(alert.c.alert_id == standing.alert_id).values(values))
    return None


def matching(connection: Connection, alarm: Alarm) -> Row[Any] | None:
    """The alert that tells of the same series on days next to this one."""
    near = timedelta(days=QUIET_DAYS)
    statement = (
        select(alert)
        .where(alert.c.kind == KIND, alert.c.opened_on <= alarm.day + near, alert.c.last_on >= alarm.day - near)
        .order_by(alert.c.opened_on, alert.c.alert_id)
    )
    for row in connection.execute(statement):
        if set(row.members) & set(alarm.labels):
            return row
    return None


def open_alert(connection: Connection, alarm: Alarm, now: datetime) -> int:
    row = evidence_columns(alarm) | {
        "kind": KIND,
        "series": label(alarm.key),
        "members": alarm.labels,
        "opened_on": alarm.day,
        "last_on": alarm.day,
        "created_at": now,
        "updated_at": now,
    }
    keys = ("kind", "series", "opened_on")
    upsert(connection, alert, [row], keys)
    found = select(alert.c.alert_id).where(*(alert.c[name] == row[name] for name in keys))
    return int(connection.execute(found).scalar_one())


def evidence_columns(alarm: Alarm) -> dict[str, Any]:
    return {
        "since": alarm.since,
        "negatives": alarm.negatives,
        "total": alarm.total,
        "share": alarm.share,
        "expected": alarm.expected,
        "expected_high": alarm.expected_high,
        "p_value": alarm.p_value,
        "drivers": [list(driver) for driver in alarm.drivers],
        "quotes": list(alarm.quotes),
    }


def recover(connection: Connection, last_day: date, now: datetime) -> list[Change]:
    """End the alerts that have been quiet long enough."""
    statement = select(alert.c.alert_id, alert.c.last_on).where(
        alert.c.recovered_on.is_(None), alert.c.last_on <= last_day - timedelta(days=QUIET_DAYS)
    )
    changes = []
    for alert_id, last_on in connection.execute(statement).all():
        day = last_on + timedelta(days=QUIET_DAYS)
        connection.execute(update(alert).where(alert.c.alert_id == alert_id).values(recovered_on=day, updated_at=now))
        changes.append(Change(alert_id, "recovered", day))
    return changes


def queue(connection: Connection, changes: Sequence[Change], targets: Sequence[str], now: datetime) -> None:
    """Put the changes into the outbox of each target, in the transaction that made them; the same change once.

    That an alert is over interests only those who were told that it began.
    """
    told = told_of(connection, [change.alert_id for change in changes])
    rows = [
        {"alert_id": change.alert_id, "change": change.change, "target": target, "queued_at": now}
        for change in changes
        for target in targets
        if change.change == "opened" or (change.alert_id, target) in told
    ]
    upsert(connection, notification, rows, ("alert_id", "change", "target"))


def told_of(connection: Connection, alert_ids: Sequence[int]) -> set[tuple[int, str]]:
    """(alert, target) for each opening that is in the outbox."""
    statement = select(notification.c.alert_id, notification.c.target).where(
        notification.c.alert_id.in_(alert_ids), notification.c.change == "opened"
    )
    return set(connection.execute(statement).tuples())


def unsent(connection: Connection, targets: Sequence[str]) -> list[Notification]:
    """What waits in the outbox of the targets, oldest first."""
    statement = (
        select(notification.c.change, notification.c.target, alert)
        .join(alert, alert.c.alert_id == notification.c.alert_id)
        .where(notification.c.sent_at.is_(None), notification.c.target.in_(targets))
        .order_by(notification.c.queued_at, alert.c.alert_id)
    )
    return [
        Notification(row.alert_id, row.change, row.target, message_of(summary_of(row), row.change))
        for row in connection.execute(statement)
    ]


def mark_sent(connection: Connection, note: Notification, now: datetime, error: str | None) -> None:
    connection.execute(
        update(notification)
        .where(
            notification.c.alert_id == note.alert_id,
            notification.c.change == note.change,
            notification.c.target == note.target,
        )
        .values(sent_at=None if error else now, attempts=notification.c.attempts + 1, error=error)
    )


def summary_of(row: Row[Any]) -> Summary:
    return Summary(**{field.name: getattr(row, field.name) for field in fields(Summary)})


def summaries(connection: Connection, only_open: bool = False) -> list[Summary]:
    """The alerts, newest first."""
    statement = select(alert).order_by(alert.c.opened_on.desc(), alert.c.p_value)
    if only_open:
        statement = statement.where(alert.c.recovered_on.is_(None))
    return [summary_of(row) for row in connection.execute(statement)]
