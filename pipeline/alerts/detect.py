"""Which days are above what was to be expected, judged with the days before them. Pure statistics, no I/O.

How a day is judged, per series:

1. `expectation.Baseline` forecasts the share, with its uncertainty and overdispersion, from earlier days.
2. The day's counts become a normal score through the exact mid-p of the predictive distribution: beta-binomial for a
   share, negative binomial for a volume. Mid-p (Lancaster 1961) is not randomised, so a rerun agrees, and not as
   conservative as the plain tail: quiet days reach p = 0.01 about as often as they should, and a series of fewer than
   ten a day about half as often.
3. A hidden Markov model (quiet, or an outbreak of one of three strengths; Le Strat & Carrat 1999) turns the scores into
   the odds that the series is in an outbreak today. All windows and starts are weighed at once, as in the
   Shiryaev-Roberts procedure (Shiryaev 1963) and scan statistics (Kulldorff 1997), so a spike of one strong day and a
   slow burn of ten weak ones are both found, and a spike that has ended is let go.
4. The odds become a p-value: their tail over quiet days, tabulated by the information a day carries (`null_odds`).
5. The more likely an outbreak, the less the day teaches the baseline, so that it hides no later one; the idea of
   Farrington's down-weighting (Farrington 1996, Noufaily 2013), done sequentially.

The dial is a budget of false alarms a month over all series together; `threshold` turns it into a p-value. It
bounds the expected number of days that alarm, as Bonferroni does, whatever the dependence between the series.
"""

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, fields
from datetime import date

import numpy as np
from numpy.typing import NDArray

from pipeline.alerts.expectation import Baseline
from pipeline.alerts.families import Count, Family, Flags, Floats, Forecast, Share, normal_score
from pipeline.alerts.null_odds import END, LOG_P, LOG_RATIOS, ODDS, START, STEPS_OF_LOG_INFORMATION

Ints = NDArray[np.int64]
DAYS_PER_MONTH = 365.25 / 12
BLOCK = 5000  # series worked on at once: large enough for numpy, small enough for the processor's cache
MEMORY = 0.8  # how much of yesterday's mean information counts today; about the length of an outbreak
CAUTION = 0.1  # odds of an outbreak of 1 / CAUTION halve what a day teaches the baseline
PATIENCE = 21  # days after which a lasting change is the new expectation
WARM_UP = 7  # days of feedback that only teach, before a series is judged
NORMAL_95 = 1.959964


@dataclass(frozen=True)
class Verdict:
    """One judgement for each series and day, arrays of shape (series, days judged)."""

    expected: Floats  # share, or complaints a day
    low: Floats  # of the interval that holds 95 % of quiet days, at that day's total
    high: Floats
    p_value: Floats  # of "an outbreak is going on", one-sided; uniform over quiet days
    alarm: Flags
    window: Ints  # days up to and with this one that the evidence comes from


def threshold(budget: float, series: int) -> float:
    """The p-value at which a day alarms, for `budget` false alarm days a month over `series` series together."""
    if not budget > 0:
        raise ValueError(f"the budget of false alarms a month must be above 0, not {budget}")
    return min(1.0, budget / (DAYS_PER_MONTH * max(series, 1)))


def share_verdicts(
    negatives: Ints, totals: Ints, first_date: date, *, budget: float, evaluate_last: int | None = None
) -> Verdict:
    """Is the share of negatives above what was to be expected?

    `negatives` and `totals` are whole numbers of shape (series, days) for consecutive days from `first_date`; a day
    without feedback has total 0. `evaluate_last=n` judges only the last n days, by the same rule and with the same
    result as judging all: late feedback is taken in by passing the corrected counts and judging the days it may touch.
    ValueError where the shapes differ or a count is impossible.
    """
    if negatives.shape != totals.shape or negatives.ndim != 2:
        raise ValueError(f"negatives {negatives.shape} and totals {totals.shape} must have one shape (series, days)")
    if (negatives < 0).any() or (negatives > totals).any():
        raise ValueError("every day needs 0 <= negatives <= total")
    return _verdicts(Share(), negatives, totals, first_date, budget, evaluate_last)


def volume_verdicts(counts: Ints, first_date: date, *, budget: float, evaluate_last: int | None = None) -> Verdict:
    """Are there more complaints a day than was to be expected? Arguments as in `share_verdicts`.

    This is an alert on volume: a campaign that brings three times the feedback raises it, at whatever share.
    """
    if counts.ndim != 2 or (counts < 0).any():
        raise ValueError("counts must have shape (series, days) and no negative number")
    return _verdicts(Count(), counts, np.ones_like(counts), first_date, budget, evaluate_last)


def _verdicts(
    family: Family, counts: Ints, totals: Ints, first_date: date, budget: float, evaluate_last: int | None
) -> Verdict:
    series, days = counts.shape
    first_judged = 0 if evaluate_last is None else max(days - evaluate_last, 0)
    limit = threshold(budget, series)

    def judge(start: int) -> Verdict:
        block = slice(start, start + BLOCK)
        return _judge_block(family, counts[block], totals[block], first_date.weekday(), first_judged, limit)

    return _joined(_in_threads(judge, range(0, max(series, 1), BLOCK)))


def _in_threads(judge: Callable[[int], Verdict], starts: range) -> list[Verdict]:
    """Numpy releases the interpreter's lock, so blocks of series use all cores."""
    with ThreadPoolExecutor(max_workers=os.cpu_count()) as pool:
        return list(pool.map(judge, starts))


def _joined(parts: list[Verdict]) -> Verdict:
    return Verdict(*(np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(Verdict)))


def _judge_block(
    family: Family, counts: Ints, totals: Ints, first_weekday: int, first_judged: int, limit: float
) -> Verdict:
    series, days = counts.shape
    count_of_day, total_of_day = (np.ascontiguousarray(x.T, dtype=float) for x in (counts, totals))
    baseline, outbreak = Baseline(series, family), Outbreak(series)
    expected, low, high, p_value = (np.empty((days - first_judged, series)) for _ in range(4))
    window = np.empty((days - first_judged, series), dtype=np.int64)
    for day in range(days):
        weekday = (first_weekday + day) % 7
        forecast = baseline.forecast(weekday, total_of_day[day])
        outbreak.observe(normal_score(family, count_of_day[day], forecast), forecast)
        baseline.learn(weekday, forecast, count_of_day[day], outbreak.trust())
        if day >= first_judged:
            row = day - first_judged
            expected[row], p_value[row], window[row] = forecast.mean, outbreak.p_value(), outbreak.window
            low[row], high[row] = _interval(family, forecast)
    alarm = (p_value <= limit) & (totals.T[first_judged:] > 0)
    return Verdict(expected.T, low.T, high.T, p_value.T, alarm.T, window.T)


def _interval(family: Family, forecast: Forecast) -> tuple[Floats, Floats]:
    """95 % of quiet days, normal on the link scale; everything where there is nothing to go by."""
    reach = NORMAL_95 / np.sqrt(np.maximum(forecast.information, 1e-9))
    none = np.zeros_like(reach)
    return family.mean(forecast.link - reach, none), family.mean(forecast.link + reach, none)


class Outbreak:
    """The hidden Markov model's state for a block of series: probabilities of quiet and of three strengths."""

    def __init__(self, series: int) -> None:
        strengths = len(LOG_RATIOS)
        self.quiet = np.full(series, END / (START + END))
        self.active = np.full((strengths, series), START / (START + END) / strengths)
        self.mean_information = np.zeros(series)
        self.evidence = np.zeros(series)
        self.window = np.ones(series, dtype=np.int64)
        self.days_seen = np.zeros(series, dtype=np.int64)

    def observe(self, score: Floats, forecast: Forecast) -> None:
        """Take in a day by its normal score."""
        information = np.where(self.days_seen >= WARM_UP, forecast.information, 0)
        self.days_seen += forecast.totals > 0
        self._one_night()
        before = self.odds()
        shift = LOG_RATIOS[:, None] * np.sqrt(information)
        log_ratio = shift * score - shift**2 / 2
        most = np.maximum(log_ratio.max(axis=0), 0)  # taken out of both sides: nothing overflows
        quiet, active = self.quiet * np.exp(-most), self.active * np.exp(log_ratio - most)
        scale = quiet + active.sum(axis=0)
        self.quiet, self.active = quiet / scale, active / scale
        self._since_when(np.log(self.odds() / before))
        earlier = np.where(self.mean_information > 0, self.mean_information, information)
        self.mean_information = MEMORY * earlier + (1 - MEMORY) * information

    def _one_night(self) -> None:
        """An outbreak may start or end."""
        going_on, starting = self.active * (1 - END), self.quiet * START
        self.quiet = self.quiet * (1 - START) + self.active.sum(axis=0) * END
        self.active = going_on + starting / len(LOG_RATIOS)

    def _since_when(self, evidence: Floats) -> None:
        """The outbreak starts where the cumulative sum of the evidence was last at its lowest (Page 1954)."""
        self.window = np.where(self.evidence > 1e-6, self.window + 1, 1)
        self.evidence = np.maximum(self.evidence + evidence, 0)

    def odds(self) -> Floats:
        """Odds of an outbreak going on, finite and above 0."""
        return np.asarray(np.maximum(self.active.sum(axis=0), 1e-300) / np.maximum(self.quiet, 1e-300))

    def trust(self) -> Floats:
        """How much the day may teach: little in an outbreak, unless that has lasted."""
        return np.asarray(np.maximum(1 / (1 + CAUTION * self.odds()), np.minimum(self.window / PATIENCE, 1) ** 2))

    def p_value(self) -> Floats:
        """How often quiet days show such odds: the table, linear in log p, and extended by its last slope."""
        place = np.log(np.maximum(self.mean_information, 1e-12))
        bounds = _table_at(place)
        log_odds = np.log(self.odds())
        log_p = np.full(log_odds.shape, LOG_P[0])
        last = len(LOG_P) - 2
        for level, rise in enumerate(np.diff(LOG_P)):
            part = (log_odds - bounds[level]) / (bounds[level + 1] - bounds[level])
            log_p += rise * np.clip(part, 0, None if level == last else 1)
        start = np.log1p(-np.exp(LOG_P[:2]))
        below = (log_odds - bounds[0]) / (bounds[1] - bounds[0]) * (start[1] - start[0]) + start[0]
        return np.asarray(np.where(log_odds < bounds[0], -np.expm1(np.minimum(below, 0)), np.exp(log_p)))


def _table_at(log_information: Floats) -> Floats:
    """Rows of the table at this information, linear between its grid points: shape (levels, series)."""
    first, step = STEPS_OF_LOG_INFORMATION
    place = np.clip((log_information - first) / step, 0, len(ODDS) - 1 - 1e-9)
    row = place.astype(np.int64)
    part = place - row
    return np.asarray(ODDS[row].T * (1 - part) + ODDS[row + 1].T * part)
