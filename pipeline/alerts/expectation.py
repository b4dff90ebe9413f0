"""What was to be expected: a daily forecast of a share, or of a count, from the days before it. No I/O.

One dynamic generalised linear model a series (West, Harrison & Migon 1985), run as an extended Kalman filter over
the days and vectorised over the series. The state is the link-scale mean of each of the seven weekdays; they share a
level that drifts as a random walk, so a weekday pattern and a slow trend are learnt together, and a new series starts
from a weak prior. Overdispersion is learnt by weighted moments, shrunk to its prior.
"""

import numpy as np

from pipeline.alerts.families import Family, Floats, Forecast

OUTLIER = 4.0  # predictive sds beyond which a surprise teaches no more
DOUBT = 0.2  # standard errors added to the dispersion: what is not known yet is not taken for certain


class Baseline:
    """The filter's state for a block of series: `forecast` a weekday, then `learn` what came."""

    def __init__(self, series: int, family: Family) -> None:
        prior = family.prior
        self.family = family
        self.link = np.full((7, series), prior.level)
        self.covariance = np.repeat((prior.level_sd**2 + prior.weekday_sd**2 * np.eye(7))[:, :, None], series, axis=2)
        self.precision = np.full(series, prior.dispersion_sd**-2)
        self.moment = self.precision * prior.dispersion
        self.drift = np.zeros(series)  # none before the first feedback: when a file starts must not matter

    def forecast(self, weekday: int, totals: Floats) -> Forecast:
        """The next day's forecast; the level drifts by one day."""
        self.covariance += self.drift
        link, variance = self.link[weekday].copy(), self.covariance[weekday, weekday].copy()
        dispersion = np.clip(self.moment / self.precision + DOUBT / np.sqrt(self.precision), 1e-4, 0.5)
        mean = self.family.mean(link, variance)
        spread = 1 + dispersion * self.family.growth(mean, totals)
        return Forecast(link, variance, dispersion, mean, totals, self.family.slope(mean, totals), spread)

    def learn(self, weekday: int, forecast: Forecast, counts: Floats, trust: Floats) -> None:
        """Take in the day's counts; `trust` in 0..1 weighs them, less the likelier the day is part of an outbreak."""
        expected, limit = forecast.totals * forecast.mean, OUTLIER * np.sqrt(forecast.count_variance)
        surprise = np.clip(counts - expected, -limit, limit)
        self._learn_dispersion(forecast, surprise, trust)
        weight = trust / forecast.spread
        link, variance = self.family.posterior(forecast, (expected + surprise) * weight, forecast.totals * weight)
        gain = self.covariance[weekday] / forecast.variance
        self.link += gain * (link - forecast.link)
        self.covariance += (gain * (variance - forecast.variance))[:, None] * gain
        self.drift[forecast.totals > 0] = self.family.prior.drift_sd**2

    def _learn_dispersion(self, forecast: Forecast, surprise: Floats, trust: Floats) -> None:
        """By moments, E[square] = 1 + dispersion * growth, each day at the inverse variance of its square."""
        growth, slope = self.family.growth(forecast.mean, forecast.totals), np.maximum(forecast.slope, 1e-9)
        doubt = slope * forecast.variance
        square = surprise**2 / slope - doubt
        weight = trust * growth / (2 * (forecast.spread + doubt) ** 2 + 1 / slope)
        self.moment += weight * (square - 1)
        self.precision += weight * growth
