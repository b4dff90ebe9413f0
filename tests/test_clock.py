"""Times: always aware, always UTC, and what is no time says so."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from pipeline.clock import now, parse_time, record_time
from pipeline.errors import RecordError

SIX = datetime(2026, 11, 21, 6, tzinfo=UTC)
TIMES: tuple[tuple[object, datetime], ...] = (
    ("2026-11-21T06:00:00Z", SIX),
    ("2026-11-21T07:00:00+01:00", SIX),
    ("2026-11-21 06:00", SIX),  # without a zone it counts as UTC
    (" 2026-11-21T06:00:00 ", SIX),
    ("2026-11-21", datetime(2026, 11, 21, tzinfo=UTC)),
    ("20261121", datetime(2026, 11, 21, tzinfo=UTC)),  # eight digits are a day, not seconds
    (SIX.timestamp(), SIX),
    (str(int(SIX.timestamp())), SIX),
    (datetime(2026, 11, 21, 6), SIX),  # as Parquet gives it
)
NO_TIMES: tuple[object, ...] = (
    "soon",
    "",
    "2026-13-01",
    "2026-02-29",
    float("nan"),
    float("inf"),
    10**20,
    True,
    None,
    [],
    "0001-01-01T00:00:00+02:00",  # what some systems write for "never": before the first day in UTC
    "9999-12-31T23:59:59-05:00",
)


@pytest.mark.parametrize(("value", "expected"), TIMES)
def test_a_time_in_a_record_is_aware_and_in_utc(value: object, expected: datetime) -> None:
    found = record_time(value, "created")
    assert found == expected
    assert found.tzinfo is UTC


@pytest.mark.parametrize("value", NO_TIMES, ids=str)
def test_what_is_no_time_goes_to_quarantine_with_the_field(value: object) -> None:
    with pytest.raises(RecordError, match="created is not a time"):
        record_time(value, "created")


@pytest.mark.parametrize("text", [value for value in NO_TIMES if isinstance(value, str)])
def test_parsing_raises_one_kind_of_error(text: str) -> None:
    with pytest.raises(ValueError):
        parse_time(text)


def test_a_fixed_time_stands_for_the_clock() -> None:
    assert now(SIX) is SIX
    assert now().tzinfo is UTC
