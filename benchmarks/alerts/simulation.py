"""Daily counts of feedback with a known truth: weekday patterns, drift, overdispersion, spikes, campaigns, gaps."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit, logit

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class World:
    """The ranges that a series' truth is drawn from; pairs are (least, most)."""

    name: str
    volume: tuple[float, float]
    share: tuple[float, float]
    odds_ratio: tuple[float, float]
    length: tuple[int, int]
    dispersion: tuple[float, ...]
    drift: tuple[float, ...]
    ramps: float  # part of the spikes that rise slowly
    slow_burns: float  # part of the spikes that are weak and long
    weekday_sd: float = 0.15
    volume_weekday_sd: float = 0.25
    gaps: float = 0.2  # part of the series that miss a tenth of the days


COMMON = World("common", (8, 300), (0.1, 0.4), (1.8, 4), (3, 8), (0, 0.005, 0.01, 0.02), (0, 0.01, 0.02), 0.2, 0.0)
HARD = World(
    "hard", (2, 500), (0.05, 0.5), (1.5, 4), (1, 10), (0, 0.005, 0.01, 0.02, 0.05), (0, 0.01, 0.02, 0.03), 0.25, 0.15
)
WORLDS = (COMMON, HARD)


@dataclass(frozen=True)
class Truth:
    """Simulated counts, shape (series, days), and what is true of each day."""

    negatives: Ints
    totals: Ints
    share: Floats  # without the spike
    dispersion: Floats  # (series,)
    spike: Flags
    campaign: Flags
    earlier: Flags  # an outbreak in the history
    quiet: Flags  # judged days that are in no spike or earlier outbreak, nor within ten days after the spike


def simulate(world: World, seed: int, series: int = 550, days: int = 150, history: int = 42) -> Truth:
    """One share spike a series, or for an eighth of them a campaign: three times the volume at the same share.

    An eighth of the spikes come while volume falls to 40 %; every fourth series has an earlier outbreak in its
    history. The first `history` days are not judged.
    """
    random = np.random.default_rng(seed)
    day = np.arange(days)
    base = logit(random.uniform(*world.share, series))[:, None]
    walk = np.cumsum(random.normal(0, 1, (series, days)), axis=1) * random.choice(world.drift, series)[:, None]
    quiet_link = base + walk + _weekday_effects(random, series, world.weekday_sd)[:, day % 7]
    campaign_series = random.random(series) < 1 / 8
    onset = random.integers(history + 28, days - 12, series)
    rise, spike_days = _spikes(random, world, onset, day)
    rise[campaign_series] = 0
    earlier, earlier_days = _earlier_outbreaks(random, onset, day)
    totals = _totals(random, world, day, spike_days, campaign_series)
    dispersion = random.choice(world.dispersion, series)
    negatives = _beta_binomial(random, totals, expit(quiet_link + rise + earlier), dispersion)
    spike = spike_days & ~campaign_series[:, None]
    after = (day >= onset[:, None]) & (day < (onset + spike_days.sum(axis=1) + 10)[:, None]) & ~campaign_series[:, None]
    quiet = (day >= history) & ~spike & ~after & ~earlier_days
    campaign = spike_days & campaign_series[:, None]
    return Truth(negatives, totals, expit(quiet_link), dispersion, spike, campaign, earlier_days, np.asarray(quiet))


def _weekday_effects(random: np.random.Generator, series: int, sd: float) -> Floats:
    effects = random.normal(0, sd, (series, 7))
    return np.asarray(effects - effects.mean(axis=1, keepdims=True))


def _spikes(random: np.random.Generator, world: World, onset: Ints, day: Ints) -> tuple[Floats, Flags]:
    """(what each day's link rises by, days of the spike)."""
    series = len(onset)
    kind = random.random(series)
    slow_burn, ramp = kind < world.slow_burns, kind > 1 - world.ramps
    length = random.integers(world.length[0], world.length[1] + 1, series)
    length = np.where(slow_burn, 10, np.where(ramp, np.maximum(length, 3), length))
    since = day - onset[:, None]
    during = (since >= 0) & (since < length[:, None])
    height = np.log(world.odds_ratio[0]) + random.random(series) * np.log(world.odds_ratio[1] / world.odds_ratio[0])
    shape = np.where(ramp[:, None], (since + 1) / length[:, None], np.where(slow_burn[:, None], 0.6, 1.0))
    return during * shape * height[:, None], during


def _earlier_outbreaks(random: np.random.Generator, onset: Ints, day: Ints) -> tuple[Floats, Flags]:
    """A quarter of the series had an outbreak of 3 to 7 days at least ten days before."""
    series = len(onset)
    start = random.integers(20, onset - 16)
    since = day - start[:, None]
    during = (since >= 0) & (since < random.integers(3, 8, series)[:, None]) & (random.random(series) < 0.25)[:, None]
    return during * np.log(random.uniform(1.5, 4, series))[:, None], during


def _totals(random: np.random.Generator, world: World, day: Ints, event: Flags, campaign_series: Flags) -> Ints:
    series, days = event.shape
    volume = np.exp(random.uniform(*np.log(world.volume), series))[:, None]
    weekday = np.exp(_weekday_effects(random, series, world.volume_weekday_sd))[:, day % 7]
    growth = np.exp(random.normal(0, 0.4, series)[:, None] * day / days)
    noise = random.gamma(20, 1 / 20, (series, days))
    falling = (random.random(series) < 1 / 8) & ~campaign_series
    factor = np.where(event & campaign_series[:, None], 3.0, np.where(event & falling[:, None], 0.4, 1.0))
    missing = (random.random(series) < world.gaps)[:, None] & (random.random((series, days)) < 0.1)
    return np.where(missing, 0, random.poisson(volume * weekday * growth * noise * factor))


def _beta_binomial(random: np.random.Generator, totals: Ints, share: Floats, dispersion: Floats) -> Ints:
    size = (1 / np.maximum(dispersion, 1e-9) - 1)[:, None]
    mixed = random.beta(share * size, (1 - share) * size)
    return random.binomial(totals, np.where(dispersion[:, None] > 0, mixed, share))
