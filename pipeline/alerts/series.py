"""Series of daily counts, and which of the series that alarm together tell one story."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

import numpy as np
from numpy.typing import NDArray

Key = tuple[tuple[str, str], ...]  # ("country", "SE"), ("topic", "delivery"); empty: all feedback
SAME_STORY = 0.5  # share of the smaller set of negatives that two series must have in common


@dataclass(frozen=True)
class DayCount:
    key: Key
    day: date
    negatives: int
    total: int


@dataclass(frozen=True)
class Table:
    """Counts of shape (series, days) for consecutive days from `first`."""

    keys: tuple[Key, ...]
    first: date
    negatives: NDArray[np.int64]
    totals: NDArray[np.int64]

    def day(self, column: int) -> date:
        return self.first + timedelta(days=column)


def tabulate(counts: Iterable[DayCount], first: date, last: date) -> Table:
    """Days without feedback count 0; days outside `first` to `last` are left out."""
    rows = [count for count in counts if first <= count.day <= last]
    keys = tuple(sorted({count.key for count in rows}))
    position = {key: row for row, key in enumerate(keys)}
    shape = (len(keys), (last - first).days + 1)
    negatives, totals = np.zeros(shape, np.int64), np.zeros(shape, np.int64)
    for count in rows:
        at = position[count.key], (count.day - first).days
        negatives[at] += count.negatives
        totals[at] += count.total
    return Table(keys, first, negatives, totals)


def label(key: Key) -> str:
    return " ".join(f"{column}={value}" for column, value in key) or "all feedback"


def grouped(keys: Sequence[Key], members: Mapping[Key, frozenset[int]]) -> list[list[Key]]:
    """Put series into groups that tell one story: those that share most of the negative feedback of the smaller one.

    `keys` stand in the order of their evidence, the strongest first, which then leads its group.
    """
    groups: list[list[Key]] = []
    for key in keys:
        for group in groups:
            if overlap(members[key], members[group[0]]) >= SAME_STORY:
                group.append(key)
                break
        else:
            groups.append([key])
    return groups


def overlap(one: frozenset[int], other: frozenset[int]) -> float:
    smaller = min(len(one), len(other))
    return len(one & other) / smaller if smaller else 0.0
