"""What an alert shows: the numbers, what drives them, and quotes of the customers. Pure functions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from statistics import median

from pipeline.alerts.series import Key, label

QUOTES = 4
DRIVERS = 3
READABLE = range(40, 260)  # characters: long enough to tell something, short enough to be read in a notification


@dataclass(frozen=True)
class Negative:
    """A piece of negative feedback in the window of an alert."""

    feedback_id: int
    text: str
    language: str
    product: str | None
    p_negative: float
    created_on: date
    topics: tuple[str, ...] = ()  # those that the customer is negative about


@dataclass(frozen=True)
class Alarm:
    """A group of series that are above what was to be expected on one day, led by the strongest."""

    key: Key
    members: tuple[Key, ...]
    day: date
    since: date
    negatives: int
    total: int
    expected: float
    expected_high: float
    p_value: float
    drivers: tuple[tuple[str, int], ...] = ()
    quotes: tuple[str, ...] = ()

    @property
    def share(self) -> float:
        return self.negatives / self.total if self.total else 0.0

    @property
    def labels(self) -> list[str]:
        return [label(key) for key in self.members]


@dataclass(frozen=True)
class Summary:
    """An alert as it stands in the warehouse."""

    alert_id: int
    series: str
    members: list[str]
    opened_on: date
    last_on: date
    recovered_on: date | None
    since: date
    negatives: int
    total: int
    share: float
    expected: float
    expected_high: float
    p_value: float
    drivers: list[tuple[str, int]]
    quotes: list[str]


@dataclass(frozen=True)
class Message:
    title: str
    lines: tuple[str, ...] = ()

    @property
    def body(self) -> str:
        return "\n".join(self.lines)


def drivers_of(negatives: Sequence[Negative]) -> tuple[tuple[str, int], ...]:
    """The topics that most of the negative feedback is about."""
    return tuple(Counter(topic for one in negatives for topic in one.topics).most_common(DRIVERS))


def quotes_of(negatives: Sequence[Negative], drivers: Sequence[tuple[str, int]]) -> tuple[str, ...]:
    """Typical quotes, not the angriest: about the main topic, of middling certainty; one of each language first."""
    if not negatives:
        return ()
    middle = median(one.p_negative for one in negatives)
    main = drivers[0][0] if drivers else None

    def untypical(one: Negative) -> tuple[bool, bool, float, int]:
        return main not in one.topics, len(one.text) not in READABLE, abs(one.p_negative - middle), one.feedback_id

    ordered = sorted({one.text: one for one in negatives if one.text}.values(), key=untypical)
    first_of_language = list({one.language: one for one in reversed(ordered)}.values())
    chosen = sorted(first_of_language, key=untypical)
    chosen += [one for one in ordered if one not in chosen]
    return tuple(shorten(one.text) for one in chosen[:QUOTES])


def shorten(text: str, most: int = READABLE.stop) -> str:
    line = " ".join(text.split())
    return line if len(line) <= most else line[: most - 1].rsplit(" ", 1)[0] + "…"


def message_of(alert: Summary, change: str) -> Message:
    if change == "recovered":
        return Message(
            f"Back to normal: {alert.series}", (f"Negative feedback is as expected again since {alert.recovered_on}.",)
        )
    lines = [
        f"Since {alert.since:%A} {alert.since}: {alert.negatives} of {alert.total} negative ({alert.share:.0%}), "
        f"expected {alert.expected:.0%} (at most {alert.expected_high:.0%} on 19 of 20 quiet days).",
        f"How sure: chance of this on a quiet day {alert.p_value:.1g}.",
    ]
    if alert.drivers:
        lines.append("About: " + ", ".join(f"{topic} ({count})" for topic, count in alert.drivers))
    lines += [f"“{quote}”" for quote in alert.quotes]
    moved = [name for name in alert.members if name != alert.series]
    if moved:
        lines.append("Moved with it: " + "; ".join(moved))
    return Message(f"More negative feedback than expected: {alert.series}", tuple(lines))
