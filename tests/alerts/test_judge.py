"""Verdicts become alarms: one for each story and day."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, timedelta

import pytest

from pipeline.alerts.evidence import Alarm, Negative
from pipeline.alerts.judge import alarms
from pipeline.alerts.series import DayCount, Key

LAST = date(2026, 11, 20)
SE: Key = (("country", "SE"),)
DK: Key = (("country", "DK"),)
ALL: Key = ()


def history(key: Key, *shares: tuple[int, float], total: int = 20) -> list[DayCount]:
    """Days up to LAST with the share of negatives: (days, share) pairs, the newest last."""
    daily = [share for days, share in shares for _ in range(days)]
    first = LAST - timedelta(days=len(daily) - 1)
    return [DayCount(key, first + timedelta(days=n), round(share * total), total) for n, share in enumerate(daily)]


def nobody(key: Key, first: date, last: date) -> list[Negative]:
    return []


def people(shared: bool) -> Callable[[Key, date, date], list[Negative]]:
    """The negatives of a series: the same for all series, or others for each."""

    def negatives_of(key: Key, first: date, last: date) -> list[Negative]:
        start = 0 if shared else 100 * len(str(key))
        return [
            Negative(start + n, f"Pakke {n} kom aldrig frem, og ingen svarer.", "da", None, 0.8, last, ("delivery",))
            for n in range(9)
        ]

    return negatives_of


def judged(counts: list[DayCount], negatives_of: Callable[..., list[Negative]] = nobody, days: int = 7) -> list[Alarm]:
    return list(alarms(counts, LAST, days, 2.0, negatives_of))


def test_without_feedback_nothing_alarms() -> None:
    assert judged([]) == []


def test_quiet_days_alarm_nobody() -> None:
    assert judged(history(ALL, (90, 0.2))) == []


def test_a_spike_alarms_on_its_days_with_its_numbers() -> None:
    found = judged(history(ALL, (90, 0.2), (2, 0.9)))
    assert found[-1].day == LAST
    assert {alarm.day for alarm in found} <= {LAST, LAST - timedelta(days=1)}
    last = found[-1]
    assert last.since <= last.day
    assert last.negatives <= last.total
    assert last.share > last.expected_high > last.expected
    assert last.p_value < 0.01


def test_only_the_last_days_are_judged_and_none_after_the_last() -> None:
    tomorrow = DayCount(ALL, LAST + timedelta(days=1), 20, 20)
    counts = [*history(ALL, (90, 0.2), (3, 0.9), (20, 0.2)), tomorrow]
    assert judged(counts, days=7) == []
    assert judged(counts, days=30) != []


@pytest.mark.parametrize(("shared", "stories"), [(True, 1), (False, 2)])
def test_series_that_share_their_negatives_are_one_alarm(shared: bool, stories: int) -> None:
    counts = history(SE, (90, 0.2), (1, 0.95)) + history(ALL, (90, 0.2), (1, 0.95), total=40)
    found = [alarm for alarm in judged(counts, people(shared)) if alarm.day == LAST]
    assert len(found) == stories
    assert sum(len(alarm.members) for alarm in found) == 2
    assert all(alarm.key == alarm.members[0] for alarm in found)


def test_a_quiet_series_does_not_move_with_a_loud_one() -> None:
    found = judged(history(SE, (90, 0.2), (1, 0.95)) + history(DK, (91, 0.2)), people(shared=True))
    assert {alarm.members for alarm in found} == {(SE,)}


def test_an_alarm_has_drivers_and_quotes_of_its_window() -> None:
    (alarm,) = [a for a in judged(history(SE, (90, 0.2), (1, 0.95)), people(shared=True)) if a.day == LAST]
    assert alarm.drivers == (("delivery", 9),)
    assert len(alarm.quotes) == 4


def test_judging_twice_says_the_same() -> None:
    counts = history(SE, (90, 0.2), (2, 0.9)) + history(ALL, (90, 0.2), (2, 0.7), total=60)
    assert judged(counts, people(shared=True)) == judged(counts[::-1], people(shared=True))
