"""Alerts in the warehouse: running again changes nothing, and each change is told to each target once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Barrier, Thread
from typing import Any

import pytest
from sqlalchemy import Engine, select

from pipeline.alerts.evidence import Alarm
from pipeline.alerts.series import Key
from pipeline.errors import TransientError
from pipeline.flow import Flow
from pipeline.settings import AlertSettings, Settings, Target
from pipeline.warehouse import alerts
from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.tables import alert, notification

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # Apprise imports it
NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
TODAY = date(2026, 11, 20)
SE: Key = (("country", "SE"),)
DK: Key = (("country", "DK"),)
ALL: Key = ()


def alarm(ago: int, key: Key = SE, *others: Key) -> Alarm:
    """An alarm of `ago` days before the last day."""
    day = TODAY - timedelta(days=ago)
    return Alarm(
        key,
        (key, *others),
        day,
        day - timedelta(days=1),
        12,
        20 + ago,
        0.2,
        0.35,
        0.001,
        (("delivery", 9),),
        ("Borte.",),
    )


def record(engine: Engine, *found: Alarm, last_day: date = TODAY) -> list[str]:
    """Store as a run does; returns the changes."""
    with writing(engine) as connection:
        opened = [change for one in found if (change := alerts.record(connection, one, NOW))]
        return [change.change for change in [*opened, *alerts.recover(connection, last_day, NOW)]]


def stored(engine: Engine) -> list[tuple[Any, ...]]:
    """(series, opened, last, recovered), in days before the last day."""

    def ago(day: date | None) -> int | None:
        return None if day is None else (TODAY - day).days

    with reading(engine) as connection:
        rows = connection.execute(select(alert).order_by(alert.c.opened_on, alert.c.series)).all()
    return [(row.series, ago(row.opened_on), ago(row.last_on), ago(row.recovered_on)) for row in rows]


# (alarms in the order of their days, the alerts that stand)
STORIES: dict[str, tuple[list[Alarm], list[tuple[Any, ...]]]] = {
    "one day": ([alarm(0)], [("country=SE", 0, 0, None)]),
    "days in a row": ([alarm(2), alarm(1), alarm(0)], [("country=SE", 2, 0, None)]),
    "a day of rest between": ([alarm(2), alarm(0)], [("country=SE", 2, 0, None)]),
    "two stories": ([alarm(6), alarm(0)], [("country=SE", 6, 6, 4), ("country=SE", 0, 0, None)]),
    "another leads the next day": ([alarm(1, SE, ALL), alarm(0, ALL, SE)], [("country=SE", 1, 0, None)]),
    "two at once": ([alarm(0, SE), alarm(0, DK)], [("country=DK", 0, 0, None), ("country=SE", 0, 0, None)]),
    "over": ([alarm(5), alarm(4)], [("country=SE", 5, 4, 2)]),
    "quiet for a day": ([alarm(1)], [("country=SE", 1, 1, None)]),
    "one that drew in another": (
        [alarm(2, SE), alarm(2, DK), alarm(1, SE, DK), alarm(0, DK)],
        [("country=DK", 2, 2, 0), ("country=SE", 2, 0, None)],
    ),
}


@pytest.mark.parametrize(("found", "expected"), STORIES.values(), ids=STORIES)
def test_alarms_become_alerts_and_again_change_nothing(
    engine: Engine, found: list[Alarm], expected: list[tuple[Any, ...]]
) -> None:
    record(engine, *found)
    assert stored(engine) == expected
    assert record(engine, *found) == []
    assert stored(engine) == expected


def test_day_by_day_gives_the_same_as_all_at_once(engine: Engine) -> None:
    found = [alarm(9), alarm(8), alarm(3), alarm(2), alarm(1)]
    changes = []
    for ago in range(9, -1, -1):
        last_day = TODAY - timedelta(days=ago)
        window = [one for one in found if last_day - timedelta(days=6) <= one.day <= last_day]
        changes += record(engine, *window, last_day=last_day)
    assert changes == ["opened", "recovered", "opened"]
    assert stored(engine) == [("country=SE", 9, 8, 6), ("country=SE", 3, 1, None)]


def test_an_alert_keeps_the_evidence_of_its_last_day_and_all_its_members(engine: Engine) -> None:
    record(engine, alarm(1, SE, ALL), alarm(0, SE, DK), alarm(1, SE))
    with reading(engine) as connection:
        (summary,) = alerts.summaries(connection)
    assert summary.total == 20
    assert summary.members == ["all feedback", "country=DK", "country=SE"]
    assert (summary.share, summary.drivers, summary.quotes) == (0.6, [["delivery", 9]], ["Borte."])


def test_only_open_alerts_can_be_asked_for(engine: Engine) -> None:
    record(engine, alarm(9), alarm(0, DK))
    with reading(engine) as connection:
        assert [one.series for one in alerts.summaries(connection)] == ["country=DK", "country=SE"]
        assert [one.series for one in alerts.summaries(connection, only_open=True)] == ["country=DK"]


class Receiver(ThreadingHTTPServer):
    """A web service that takes Apprise's JSON, noting (path, first words of the title); it refuses some paths."""

    def __init__(self) -> None:
        self.messages: list[tuple[str, str]] = []
        self.refused: set[str] = set()
        super().__init__(("127.0.0.1", 0), Take)

    def url(self, path: str) -> str:
        return f"json://127.0.0.1:{self.server_port}{path}"


class Take(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        title = json.loads(self.rfile.read(int(self.headers["Content-Length"])))["title"]
        accepted = self.path not in self.server.refused
        if accepted:
            self.server.messages.append((self.path, title.partition(":")[0]))
        self.send_response(200 if accepted else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        pass


OPENED, RECOVERED = "More negative feedback than expected", "Back to normal"


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    server = Receiver()
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield server
    server.shutdown()
    thread.join()
    server.server_close()


def flow(engine: Engine, settings: Settings, *urls: str) -> Flow:
    return Flow(replace(settings, alerts=AlertSettings(notify=tuple(Target(url) for url in urls))), engine)


def run(flow: Flow, found: Sequence[Alarm], last_day: date = TODAY) -> None:
    flow.store_alarms(list(found), last_day)
    flow.notify()


def outbox(engine: Engine) -> list[tuple[str, bool, int, str | None]]:
    """(change, was sent, attempts, error)."""
    with reading(engine) as connection:
        rows = connection.execute(select(notification).order_by(notification.c.alert_id, notification.c.change)).all()
    return [(row.change, row.sent_at is not None, row.attempts, row.error) for row in rows]


def test_each_change_is_told_to_each_target_once(engine: Engine, settings: Settings, receiver: Receiver) -> None:
    both = flow(engine, settings, receiver.url("/one"), receiver.url("/two"))
    for ago in (2, 1, 0, 0, -1, -2, -2):
        run(both, [alarm(2), alarm(1), alarm(0)][: 3 - max(ago, 0)], TODAY - timedelta(days=ago))
    assert sorted(receiver.messages) == sorted(
        (path, title) for path in ("/one", "/two") for title in (OPENED, RECOVERED)
    )
    assert [row[:3] for row in outbox(engine)] == [("opened", True, 1)] * 2 + [("recovered", True, 1)] * 2


def test_a_target_that_fails_keeps_its_message_and_stops_no_other(
    engine: Engine, settings: Settings, receiver: Receiver
) -> None:
    both = flow(engine, settings, receiver.url("/down"), receiver.url("/one"))
    receiver.refused = {"/down"}
    for _ in range(2):
        run(both, [alarm(0)])
    assert receiver.messages == [("/one", OPENED)]
    assert sorted(row[:3] for row in outbox(engine)) == [("opened", False, 2), ("opened", True, 1)]
    receiver.refused = set()
    run(both, [alarm(0)])
    assert receiver.messages == [("/one", OPENED), ("/down", OPENED)]
    assert all(was_sent and error is None for _, was_sent, _, error in outbox(engine))


@pytest.mark.parametrize(
    ("target", "words"),
    [(Target(connection="absent"), "'absent' is not set"), (Target("nonsense"), "not an Apprise URL")],
)
def test_a_wrong_target_is_an_error_of_its_own_alone(
    engine: Engine, settings: Settings, receiver: Receiver, target: Target, words: str
) -> None:
    targets = (target, Target(receiver.url("/one")))
    run(Flow(replace(settings, alerts=AlertSettings(notify=targets)), engine), [alarm(0)])
    assert receiver.messages == [("/one", OPENED)]
    assert sum(words in str(error) for *_, error in outbox(engine)) == 1


def test_a_target_that_is_no_longer_configured_gets_nothing(
    engine: Engine, settings: Settings, receiver: Receiver
) -> None:
    receiver.refused = {"/old"}
    run(flow(engine, settings, receiver.url("/old")), [alarm(0)])
    receiver.refused = set()
    run(flow(engine, settings, receiver.url("/new")), [alarm(0)])
    assert receiver.messages == []


def test_a_backfill_tells_nobody(engine: Engine, settings: Settings, receiver: Receiver) -> None:
    """Ninety days at once: alerts of the past, one that is just over, and one that goes on since a week."""
    past = [alarm(ago) for ago in range(90, 20, -10)]
    just_over = [alarm(ago, DK) for ago in (6, 5, 4, 3)]
    going_on = [alarm(ago, ALL) for ago in range(7, -1, -1)]
    found = sorted([*past, *just_over, *going_on], key=lambda one: one.day)
    run(flow(engine, settings, receiver.url("/one")), found)
    assert len(stored(engine)) == 9
    assert receiver.messages == []
    assert outbox(engine) == []


def test_two_runs_at_once_open_and_queue_one(engine: Engine, settings: Settings) -> None:
    found, together = [alarm(1, SE, ALL), alarm(0, SE), alarm(0, DK)], Barrier(2)
    both = flow(engine, settings, "json://one", "json://two")

    def one(_: int) -> None:
        together.wait()
        for _attempt in range(3):
            try:
                both.store_alarms(found, TODAY)
                return
            except TransientError:
                continue
        raise AssertionError("three attempts were not enough")

    with ThreadPoolExecutor(2) as pool:
        list(pool.map(one, range(2)))
    assert stored(engine) == [("country=SE", 1, 0, None), ("country=DK", 0, 0, None)]
    assert len(outbox(engine)) == 4
