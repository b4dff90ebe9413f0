"""Verdicts -> alarms: day by day, the series that tell one story as one alarm with its evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from datetime import date, timedelta

import numpy as np

from pipeline.alerts.detect import Verdict, share_verdicts
from pipeline.alerts.evidence import Alarm, Negative, drivers_of, quotes_of
from pipeline.alerts.series import DayCount, Key, Table, grouped, tabulate

LONGEST_WINDOW = 7  # days of evidence that are shown; what is older is no news
NegativesOf = Callable[[Key, date, date], list[Negative]]


def alarms(
    counts: Sequence[DayCount], last_day: date, days: int, budget: float, negatives_of: NegativesOf
) -> Iterator[Alarm]:
    """The alarms of the last `days` days up to `last_day`, oldest first.

    `negatives_of` gives the negative feedback of a series between two days; `budget` is the number of false alarms a
    month over all series together.
    """
    if not counts:
        return
    table = tabulate(counts, min(count.day for count in counts), last_day)
    verdict = share_verdicts(table.negatives, table.totals, table.first, budget=budget, evaluate_last=days)
    for column in range(verdict.alarm.shape[1]):
        yield from alarms_of_day(table, verdict, column, negatives_of)


def alarms_of_day(table: Table, verdict: Verdict, column: int, negatives_of: NegativesOf) -> Iterator[Alarm]:
    """`column` counts the judged days, which are the last ones of the table."""
    judged = verdict.alarm.shape[1]
    position = table.totals.shape[1] - judged + column
    day = table.day(position)
    rows = sorted(np.flatnonzero(verdict.alarm[:, column]), key=lambda row: (verdict.p_value[row, column], row))
    windows = np.minimum(verdict.window[:, column], LONGEST_WINDOW)
    since = {table.keys[row]: day - timedelta(days=int(windows[row]) - 1) for row in rows}
    found = {key: negatives_of(key, start, day) for key, start in since.items()}
    ids = {key: frozenset(one.feedback_id for one in negatives) for key, negatives in found.items()}
    for group in grouped(list(since), ids):
        row, start = table.keys.index(group[0]), since[group[0]]
        window = slice(max((start - table.first).days, 0), position + 1)
        drivers = drivers_of(found[group[0]])
        yield Alarm(
            key=group[0],
            members=tuple(group),
            day=day,
            since=start,
            negatives=int(table.negatives[row, window].sum()),
            total=int(table.totals[row, window].sum()),
            expected=float(verdict.expected[row, column]),
            expected_high=float(verdict.high[row, column]),
            p_value=float(verdict.p_value[row, column]),
            drivers=drivers,
            quotes=quotes_of(found[group[0]], drivers),
        )
