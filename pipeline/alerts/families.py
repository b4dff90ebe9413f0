"""The two kinds of daily counts, each with its predictive distribution: `Share` and `Count`. No I/O.

All arrays have shape (series,). The link is the logit of a share and the logarithm of a count.
"""

from dataclasses import dataclass, fields
from typing import Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.special import betainc, expit, gammaln, logit, ndtri_exp

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]
NOTABLE = 1.5  # predictive sds above the mean from which a score is computed exactly
SMALL_VARIANCE = 0.5  # of a count, below which every score is computed exactly


@dataclass(frozen=True)
class Prior:
    """Beliefs before the first day. All but the dispersion are on the link scale."""

    level: float
    level_sd: float
    weekday_sd: float
    drift_sd: float  # of one day
    dispersion: float
    dispersion_sd: float


@dataclass(frozen=True)
class Forecast:
    """A day's forecast, given its total and the days before it."""

    link: Floats  # mean of the link
    variance: Floats  # of the link: what is not known of the share or the level
    dispersion: Floats
    mean: Floats  # of one unit
    totals: Floats
    slope: Floats  # of the expected count in the link; its variance without overdispersion
    spread: Floats  # how many times overdispersion inflates that

    @property
    def count_variance(self) -> Floats:
        """Of the count, all doubts together."""
        return self.slope * (self.spread + self.slope * self.variance)

    @property
    def information(self) -> Floats:
        """Of the day's count about a rise of the link: an inverse variance."""
        return self.slope / (self.spread + self.slope * self.variance)

    def at(self, index: NDArray[np.int64]) -> "Forecast":
        return Forecast(*(getattr(self, field.name)[index] for field in fields(self)))


class Family(Protocol):
    """What distinguishes a share from a count."""

    prior: Prior

    def mean(self, link: Floats, variance: Floats) -> Floats:
        """Expected value of one unit, for a link that is normal with this mean and variance."""

    def slope(self, mean: Floats, totals: Floats) -> Floats:
        """Change of the expected count with the link; equals its variance without overdispersion."""

    def growth(self, mean: Floats, totals: Floats) -> Floats:
        """How overdispersion inflates that variance: by the factor 1 + dispersion * growth."""

    def posterior(self, forecast: Forecast, counts: Floats, totals: Floats) -> tuple[Floats, Floats]:
        """Mean and variance of the link after these counts, which need not be whole."""

    def skewness(self, forecast: Forecast) -> Floats:
        """Skewness of the predictive distribution."""

    def log_tail(self, counts: Floats, forecast: Forecast) -> Floats:
        """log(P(Y > count) + P(Y = count) / 2) where the count is above its mean, else the same of the lower tail."""


class Share:
    """Negatives among totals: beta-binomial, its dispersion the correlation within a day (Griffiths 1973)."""

    prior = Prior(level=-1.1, level_sd=1.2, weekday_sd=0.2, drift_sd=0.015, dispersion=0.008, dispersion_sd=0.015)

    def mean(self, link: Floats, variance: Floats) -> Floats:
        """Mean of a logistic-normal, by MacKay's approximation (1992)."""
        return np.asarray(np.clip(expit(link / np.sqrt(1 + np.pi / 8 * variance)), 1e-6, 1 - 1e-6))

    def posterior(self, forecast: Forecast, counts: Floats, totals: Floats) -> tuple[Floats, Floats]:
        """Conjugate: the beta distribution with this mean and variance of the logit, plus the counts."""
        size = 1 / (forecast.variance * forecast.mean * (1 - forecast.mean))
        mean = (forecast.mean * size + counts) / (size + totals)
        variance = np.minimum(1 / ((size + totals) * mean * (1 - mean)), forecast.variance)
        return np.asarray(logit(mean) * np.sqrt(1 + np.pi / 8 * variance)), variance

    def slope(self, mean: Floats, totals: Floats) -> Floats:
        return totals * mean * (1 - mean)

    def growth(self, mean: Floats, totals: Floats) -> Floats:
        return np.maximum(totals - 1, 0)

    def skewness(self, forecast: Forecast) -> Floats:
        size, mean, totals = self._size(forecast), forecast.mean, np.maximum(forecast.totals, 1)
        spread = (1 + size) / (totals * mean * (1 - mean) * (totals + size))
        return np.asarray((size + 2 * totals) * (1 - 2 * mean) / (size + 2) * np.sqrt(spread))

    def log_tail(self, counts: Floats, forecast: Forecast) -> Floats:
        size, mean, totals = self._size(forecast), forecast.mean, forecast.totals
        above = counts > totals * mean
        alpha = np.where(above, mean, 1 - mean) * size
        return beta_binomial_log_tail(np.where(above, counts, totals - counts), totals, alpha, size - alpha)

    def _size(self, forecast: Forecast) -> Floats:
        """alpha + beta of the predictive beta-binomial: overdispersion and the doubt about the share together."""
        doubt = forecast.mean * (1 - forecast.mean) * forecast.variance
        return 1 / (forecast.dispersion + doubt / (1 + doubt)) - 1


class Count:
    """Complaints a day: negative binomial. `totals` is 1 on a day with data and 0 on a day without."""

    prior = Prior(level=2.0, level_sd=2.0, weekday_sd=0.4, drift_sd=0.03, dispersion=0.06, dispersion_sd=0.1)

    def mean(self, link: Floats, variance: Floats) -> Floats:
        """Mean of a lognormal."""
        return np.asarray(np.exp(np.clip(link + variance / 2, -12, 20)))

    def posterior(self, forecast: Forecast, counts: Floats, totals: Floats) -> tuple[Floats, Floats]:
        """Conjugate: the gamma distribution with this mean and variance of the logarithm, plus the counts."""
        shape = 1 / forecast.variance
        mean = forecast.mean * (shape + counts) / (shape + forecast.mean * totals)
        variance = 1 / (shape + counts)
        return np.log(mean) - variance / 2, variance

    def slope(self, mean: Floats, totals: Floats) -> Floats:
        return totals * mean

    def growth(self, mean: Floats, totals: Floats) -> Floats:
        return mean

    def skewness(self, forecast: Forecast) -> Floats:
        inverse_shape = 1 / self._shape(forecast)
        return (1 + 2 * forecast.mean * inverse_shape) / np.sqrt(forecast.mean * (1 + forecast.mean * inverse_shape))

    def log_tail(self, counts: Floats, forecast: Forecast) -> Floats:
        return negative_binomial_log_tail(counts, forecast.mean, self._shape(forecast))

    def _shape(self, forecast: Forecast) -> Floats:
        """Variance is mean + mean**2 / shape: overdispersion and the doubt about the mean together."""
        return 1 / (forecast.dispersion + np.expm1(np.minimum(forecast.variance, 3)))


def normal_score(family: Family, counts: Floats, forecast: Forecast) -> Floats:
    """The day's counts as a standard normal score, through the mid-p of the predictive distribution (Lancaster 1961).

    Exact wherever a day speaks for an outbreak and for the smallest counts; otherwise the second-order expansion of
    Cornish & Fisher (1938), at a tenth of the cost. 0 on a day without feedback.
    """
    variance = forecast.count_variance
    surprise = counts - forecast.totals * forecast.mean
    raw = np.maximum(surprise / np.sqrt(np.maximum(variance, 1e-12)), -3)
    sixth = family.skewness(forecast) / 6
    score = raw - sixth * (raw**2 - 1) + sixth**2 * raw * (4 * raw**2 - 7)
    exact = np.flatnonzero((forecast.totals > 0) & ((raw > NOTABLE) | (variance < SMALL_VARIANCE)))
    log_tail = family.log_tail(counts[exact], forecast.at(exact))
    score[exact] = np.copysign(ndtri_exp(np.minimum(log_tail, -1e-12)), raw[exact])
    return np.where(forecast.totals > 0, score, 0.0)


def beta_binomial_log_tail(counts: Floats, totals: Floats, alpha: Floats, beta: Floats) -> Floats:
    """log(P(Y > count) + P(Y = count) / 2) for Y ~ beta-binomial(totals, alpha, beta).

    Exact to about 1e-6 of the tail: the probability of `count`, then its recurrence upwards.
    """
    log_pmf = (
        gammaln(totals + 1) - gammaln(counts + 1) - gammaln(totals - counts + 1)
        + gammaln(counts + alpha) - gammaln(alpha) + gammaln(totals - counts + beta) - gammaln(beta)
        + gammaln(alpha + beta) - gammaln(totals + alpha + beta)
    )  # fmt: skip
    return np.asarray(log_pmf + np.log(0.5 + _terms_above(counts, totals, alpha, beta)))


def _terms_above(counts: Floats, totals: Floats, alpha: Floats, beta: Floats) -> Floats:
    """Sum of P(Y = k) / P(Y = count) over k > count, eight k at a time; series leave as their terms vanish."""
    result = np.zeros(counts.shape)
    index = np.flatnonzero(counts < totals)
    state = np.stack([counts, totals, alpha, beta, np.ones(counts.shape)])[:, index]
    while index.size:
        k, n, a, b, last = state
        k = k + np.arange(8.0)[:, None]
        terms = (n - k) * (k + a) / ((k + 1) * np.maximum(n - k - 1 + b, 1e-9))
        terms[0] *= last
        np.multiply.accumulate(terms, axis=0, out=terms)
        result[index] += terms.sum(axis=0)
        state[0], state[4] = k[-1] + 1, terms[-1]
        more = np.flatnonzero(terms[-1] > 1e-7 * (result[index] + 0.5))
        index, state = index[more], state[:, more]
    return result


def negative_binomial_log_tail(counts: Floats, mean: Floats, shape: Floats) -> Floats:
    """The same for variance mean + mean**2 / shape, of the tail on the count's side of the mean."""
    success = shape / (shape + mean)
    log_pmf = gammaln(counts + shape) - gammaln(shape) - gammaln(counts + 1)
    log_pmf = log_pmf + shape * np.log(success) + counts * np.log1p(-success)
    upper = betainc(counts + 1, shape, 1 - success)
    lower = np.where(counts > 0, betainc(shape, np.maximum(counts, 1), success), 0.0)
    beyond = np.where(counts > mean, upper, lower)
    return np.asarray(np.logaddexp(np.log(np.maximum(beyond, 1e-300)), log_pmf - np.log(2)))
