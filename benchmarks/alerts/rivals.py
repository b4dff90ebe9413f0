"""What one would otherwise use. Each returns a score for every series and day, higher for more alarming.

All judge a day with only the days before it, except `oracle`, which knows the true share and overdispersion.
"""

import numpy as np
from scipy.stats import betabinom

from benchmarks.alerts.simulation import Floats, Ints, Truth


def oracle(truth: Truth) -> Floats:
    """Exact mid-p of the day's negatives under the true share and overdispersion."""
    size = (1 / np.maximum(truth.dispersion, 1e-5) - 1)[:, None]
    true = betabinom(truth.totals, truth.share * size, (1 - truth.share) * size)
    return -np.log(np.maximum(true.sf(truth.negatives) + true.pmf(truth.negatives) / 2, 1e-300))


def weekly_counts(truth: Truth) -> Floats:
    """z-score of the week's negatives against the four weeks before, as obsei 1.1 does."""
    week = _rolling(truth.negatives, 7)
    earlier = np.stack([_back(week, 7 * step) for step in range(1, 5)])
    return np.asarray((week - earlier.mean(axis=0)) / np.maximum(earlier.std(axis=0, ddof=1), 1))


def count_z(truth: Truth) -> Floats:
    """z-score of the day's negatives against the 28 days before."""
    earlier = np.stack([_back(truth.negatives, step) for step in range(1, 29)])
    return np.asarray((truth.negatives - earlier.mean(axis=0)) / np.maximum(earlier.std(axis=0, ddof=1), 0.5))


def ears_c2(truth: Truth) -> Floats:
    """EARS C2 (Hutwagner 2003): the day's negatives against seven days, two days before it left out."""
    earlier = np.stack([_back(truth.negatives, step) for step in range(3, 10)])
    return np.asarray((truth.negatives - earlier.mean(axis=0)) / np.maximum(earlier.std(axis=0, ddof=1), 0.5))


def two_proportions(truth: Truth) -> Floats:
    """z-score of the share of three days against the 28 days before."""
    negatives, totals = _rolling(truth.negatives, 3), _rolling(truth.totals, 3)
    before_negatives, before_totals = (_back(_rolling(x, 28), 3) for x in (truth.negatives, truth.totals))
    share = (before_negatives + 0.5) / (before_totals + 1)
    error = np.sqrt(share * (1 - share) * (1 / np.maximum(totals, 1) + 1 / np.maximum(before_totals, 1)))
    return np.where(totals > 0, (negatives / np.maximum(totals, 1) - share) / error, 0.0)


def farrington(truth: Truth) -> Floats:
    """Quasi-Poisson regression on trend and weekday with the total as offset, outliers down-weighted.

    After Farrington flexible (Noufaily 2013), with 12 weeks of days for its years of weeks; exceedance on the 2/3
    power scale.
    """
    return _by_day(truth, 84, _farrington_day)


def residual_z(truth: Truth) -> Floats:
    """Residual of the day's share from a trend and a weekday pattern over 12 weeks, as Prophet's default."""
    return _by_day(truth, 84, _residual_day)


def _by_day(truth: Truth, window: int, judge) -> Floats:  # type: ignore[no-untyped-def]
    score = np.zeros(truth.totals.shape)
    for day in range(28, truth.totals.shape[1]):
        days = np.arange(max(0, day - window), day + 1)
        design = np.column_stack([(days - day) / window, *(days % 7 == weekday for weekday in range(7))]).astype(float)
        score[:, day] = judge(design, truth.negatives[:, days], truth.totals[:, days])
    return score


def _farrington_day(design: Floats, negatives: Ints, totals: Ints) -> Floats:
    past, offset = design[:-1], np.log(np.maximum(totals, 1e-9))
    use = (totals[:, :-1] > 0).astype(float)
    weight, beta = use, np.zeros((len(totals), past.shape[1]))
    beta[:, 1:] = np.log((negatives[:, :-1].sum(axis=1) + 0.5) / (totals[:, :-1].sum(axis=1) + 1))[:, None]
    for _ in range(2):
        for _ in range(4):
            mean = np.exp(np.clip(beta @ past.T + offset[:, :-1], -20, 20))
            beta = beta + _solve(past, weight * mean, weight * (negatives[:, :-1] - mean))
        mean = np.exp(np.clip(beta @ past.T + offset[:, :-1], -20, 20))
        pearson = (negatives[:, :-1] - mean) / np.sqrt(mean + 1e-9)
        spread = np.maximum((weight * pearson**2).sum(axis=1) / np.maximum(weight.sum(axis=1) - 8, 1), 1)
        standard = pearson / np.sqrt(spread)[:, None]
        weight = use * np.where(standard > 2.58, (2.58 / np.maximum(standard, 2.58)) ** 2, 1)
    expected = np.exp(np.clip(beta @ design[-1] + offset[:, -1], -20, 20))
    doubt = _variance(past, weight * mean, design[-1]) * spread
    sd = expected ** (2 / 3) * 2 / 3 * np.sqrt(np.maximum(spread / np.maximum(expected, 0.1) + doubt, 1e-9))
    score = (negatives[:, -1] ** (2 / 3) - expected ** (2 / 3)) / np.maximum(sd, 1e-3)
    return np.where(totals[:, -1] > 0, score, 0.0)


def _residual_day(design: Floats, negatives: Ints, totals: Ints) -> Floats:
    share, use = negatives / np.maximum(totals, 1), (totals > 0).astype(float)
    beta = _solve(design[:-1], use[:, :-1], use[:, :-1] * share[:, :-1])
    residual = use * (share - beta @ design.T)
    sd = np.sqrt((residual[:, :-1] ** 2).sum(axis=1) / np.maximum(use[:, :-1].sum(axis=1) - 8, 1))
    return residual[:, -1] / np.maximum(sd, 0.005)


def _solve(design: Floats, weight: Floats, residual: Floats) -> Floats:
    return np.asarray(np.linalg.solve(_normal_matrix(design, weight), (residual @ design)[..., None])[..., 0])


def _variance(design: Floats, weight: Floats, row: Floats) -> Floats:
    inverse = np.linalg.inv(_normal_matrix(design, weight))
    return np.asarray(np.einsum("i,sij,j->s", row, inverse, row))


def _normal_matrix(design: Floats, weight: Floats) -> Floats:
    products = (design[:, :, None] * design[:, None, :]).reshape(len(design), -1)
    matrix = (weight @ products).reshape(len(weight), design.shape[1], design.shape[1])
    return np.asarray(matrix + 1e-3 * np.eye(design.shape[1]))


def _rolling(values: Ints, days: int) -> Ints:
    total = np.cumsum(values, axis=1)
    return np.asarray(total - _back(total, days))


def _back(values: Ints, days: int) -> Ints:
    """Values of some days earlier, 0 before the first."""
    moved = np.zeros_like(values)
    moved[:, days:] = values[:, : values.shape[1] - days]
    return moved
