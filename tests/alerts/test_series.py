"""Counts by day as a table, and which series tell one story."""

from __future__ import annotations

from datetime import date

import pytest

from pipeline.alerts.series import DayCount, Key, grouped, label, overlap, tabulate

ALL: Key = ()
SE: Key = (("country", "SE"),)
DELIVERY: Key = (("country", "SE"), ("topic", "delivery"))


def test_counts_stand_in_a_table_of_consecutive_days() -> None:
    counts = [
        DayCount(SE, date(2026, 11, 3), 1, 2),
        DayCount(ALL, date(2026, 11, 1), 3, 9),
        DayCount(ALL, date(2026, 11, 1), 1, 1),  # the same day again adds up
        DayCount(ALL, date(2026, 10, 31), 5, 5),  # before the first day
        DayCount(SE, date(2026, 11, 4), 5, 5),  # after the last
    ]
    table = tabulate(counts, date(2026, 11, 1), date(2026, 11, 3))
    assert table.keys == (ALL, SE)
    assert table.negatives.tolist() == [[4, 0, 0], [0, 0, 1]]
    assert table.totals.tolist() == [[10, 0, 0], [0, 0, 2]]
    assert table.day(2) == date(2026, 11, 3)


def test_no_counts_make_an_empty_table() -> None:
    assert tabulate([], date(2026, 11, 1), date(2026, 11, 3)).totals.shape == (0, 3)


@pytest.mark.parametrize(
    ("key", "words"), [(ALL, "all feedback"), (SE, "country=SE"), (DELIVERY, "country=SE topic=delivery")]
)
def test_a_series_has_a_name_for_people(key: Key, words: str) -> None:
    assert label(key) == words


@pytest.mark.parametrize(
    ("one", "other", "share"),
    [({1, 2}, {2, 3, 4}, 0.5), ({1}, {1, 2, 3}, 1.0), ({1}, {2}, 0.0), (set(), {1}, 0.0), (set(), set(), 0.0)],
)
def test_overlap_is_the_share_of_the_smaller_set(one: set[int], other: set[int], share: float) -> None:
    assert overlap(frozenset(one), frozenset(other)) == overlap(frozenset(other), frozenset(one)) == share


def test_series_with_the_same_negatives_are_one_story() -> None:
    members = {
        DELIVERY: frozenset({1, 2, 3, 4}),
        SE: frozenset({1, 2, 3, 4, 5}),
        ALL: frozenset({1, 2, 3, 4, 5, 6}),
        (("product", "App"),): frozenset({7, 8}),
    }
    assert grouped(list(members), members) == [[DELIVERY, SE, ALL], [(("product", "App"),)]]


def test_the_strongest_leads_its_group() -> None:
    members = {SE: frozenset({1}), ALL: frozenset({1})}
    assert grouped([SE, ALL], members) == [[SE, ALL]]
    assert grouped([ALL, SE], members) == [[ALL, SE]]
