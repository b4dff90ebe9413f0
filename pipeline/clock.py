"""The one place where the clock is read, and where times are parsed."""

from __future__ import annotations

from datetime import UTC, datetime

from pipeline.errors import RecordError


def now(fixed: datetime | None = None) -> datetime:
    """The time that a run counts as its own: the clock, or the time that stands for it (KLANG_NOW)."""
    return fixed or datetime.now(UTC)


def parse_time(text: str) -> datetime:
    """An ISO 8601 time in UTC; without a zone it counts as UTC. ValueError where it is none."""
    value = datetime.fromisoformat(text.strip())
    try:
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)
    except OverflowError:  # the first or the last day there is, in another zone: what some systems write for "never"
        raise ValueError(f"{text!r} is no day in UTC") from None


def record_time(value: object, field: str) -> datetime:
    """A time in a record: ISO 8601, or seconds since 1970. RecordError where it is none."""
    try:
        seconds = isinstance(value, int | float) and not isinstance(value, bool)
        if seconds or (isinstance(value, str) and value.isdigit() and len(value) >= 9):
            return datetime.fromtimestamp(float(str(value)), UTC)
        return parse_time(str(value))
    except (ValueError, OverflowError, OSError):
        raise RecordError(
            f"{field} is not a time: {str(value)[:60]!r}; ISO 8601 is expected, as 2026-11-21T06:00:00+01:00"
        ) from None
