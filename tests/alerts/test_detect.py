"""Days above expectation: exact small cases, calibration, and what must and must not alarm."""

from datetime import date

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import betabinom, kstest, nbinom, norm

from pipeline.alerts.detect import WARM_UP, Outbreak, Verdict, share_verdicts, threshold, volume_verdicts
from pipeline.alerts.families import (
    Forecast,
    Share,
    beta_binomial_log_tail,
    negative_binomial_log_tail,
    normal_score,
)

MONDAY = date(2026, 1, 5)


def counts(seed: int, series: int, days: int, volume: float, share: float, dispersion: float = 0.0):
    """Beta-binomial negatives among Poisson totals."""
    random = np.random.default_rng(seed)
    totals = random.poisson(volume, (series, days))
    size = 1 / dispersion - 1 if dispersion else 0
    daily = random.beta(share * size, (1 - share) * size, totals.shape) if dispersion else share
    return random.binomial(totals, daily), totals


def judged(negatives: np.ndarray, totals: np.ndarray, **options) -> Verdict:
    return share_verdicts(negatives, totals, MONDAY, budget=options.pop("budget", 2), **options)


def test_tail_of_two_fair_coins_by_hand() -> None:
    """alpha = beta = 1 makes 0, 1 and 2 of 2 equally likely: mid-p of 1 is 1/3 + 1/6."""
    tail = beta_binomial_log_tail(*(np.full(1, value) for value in (1.0, 2.0, 1.0, 1.0)))
    assert np.exp(tail) == pytest.approx([0.5])


@given(st.integers(1, 400), st.data(), st.floats(0.01, 0.99), st.floats(0.001, 0.4))
def test_beta_binomial_tail_is_exact(total: int, data: st.DataObject, share: float, dispersion: float) -> None:
    count, size = data.draw(st.integers(0, total)), 1 / dispersion - 1
    law = betabinom(total, share * size, (1 - share) * size)
    expected = law.pmf(np.arange(count + 1, total + 1)).sum() + law.pmf(count) / 2
    tail = beta_binomial_log_tail(*(np.full(1, float(x)) for x in (count, total, share * size, (1 - share) * size)))
    assert np.exp(tail[0]) == pytest.approx(expected, rel=1e-5, abs=1e-200)


@given(st.integers(0, 300), st.floats(0.1, 200), st.floats(0.5, 1000))
def test_negative_binomial_tail_is_exact(count: int, mean: float, shape: float) -> None:
    law = nbinom(shape, shape / (shape + mean))
    beyond = law.sf(count) if count > mean else law.cdf(count - 1)
    tail = negative_binomial_log_tail(np.array([float(count)]), np.array([mean]), np.array([shape]))
    assert np.exp(tail[0]) == pytest.approx(beyond + law.pmf(count) / 2, rel=1e-6, abs=1e-200)


def certain(mean: float, total: float, dispersion: float = 1e-4) -> Forecast:
    """A forecast of a share that leaves no doubt about it."""
    slope, spread = total * mean * (1 - mean), 1 + dispersion * (total - 1)
    return Forecast(*(np.full(1, x) for x in (0.0, 0.0, dispersion, mean, total, slope, spread)))


def test_score_of_three_of_three_negatives() -> None:
    """Share .2: the chance of 3 of 3 is .008, its half .004."""
    assert normal_score(Share(), np.array([3.0]), certain(0.2, 3)) == pytest.approx([norm.isf(0.2**3 / 2)], abs=0.01)


def test_expansion_of_the_score_agrees_with_the_exact_tail() -> None:
    """Of 200 with share .2 and dispersion .02, from the lower tail to where the exact score takes over."""
    negatives = np.arange(24.0, 56.0)
    score = [normal_score(Share(), np.array([count]), certain(0.2, 200, 0.02))[0] for count in negatives]
    law = betabinom(200, 0.2 * 49, 0.8 * 49)
    assert score == pytest.approx(norm.isf(law.sf(negatives) + law.pmf(negatives) / 2), abs=0.03)


def test_no_feedback_scores_nothing() -> None:
    assert normal_score(Share(), np.zeros(1), certain(0.3, 0)) == 0


@pytest.mark.parametrize("information", [0.05, 1.0, 12.0])
def test_odds_of_quiet_days_follow_the_table(information: float) -> None:
    """Ideal scores, days of equal information: p-values are uniform, the table needs no more."""
    random, outbreak = np.random.default_rng(3), Outbreak(20_000)
    sure = np.zeros(20_000)
    day = Forecast(sure, sure, sure, sure + 0.2, sure + 100, sure + information, sure + 1)
    for _ in range(30 + WARM_UP):
        outbreak.observe(random.standard_normal(20_000), day)
    p_value = outbreak.p_value()
    assert kstest(p_value, "uniform").statistic < 0.06
    assert (p_value <= 0.01).mean() == pytest.approx(0.01, rel=0.3)


def test_threshold_spends_the_budget() -> None:
    """550 series and two false alarms a month leave 1 in 8,370 a day."""
    assert 1 / threshold(2, 550) == pytest.approx(8370, rel=1e-3)
    with pytest.raises(ValueError, match="above 0"):
        threshold(0, 10)


@pytest.mark.parametrize(
    ("volume", "share", "dispersion", "least", "most"),
    [
        (200, 0.2, 0.01, 0.5, 1.5),
        (40, 0.3, 0.0, 0.4, 1.4),
        (8, 0.15, 0.0, 0.2, 1.5),
        (2, 0.3, 0.0, 0.1, 1.5),  # so few that the mid-p itself cannot reach small values
    ],
)
def test_p_values_are_calibrated(volume: float, share: float, dispersion: float, least: float, most: float) -> None:
    """After four weeks of history, over 180,000 quiet days."""
    negatives, totals = counts(5, 1500, 148, volume, share, dispersion)
    p_value = judged(negatives, totals, evaluate_last=120).p_value
    for level in (0.05, 0.01, 0.001):
        assert least <= (p_value <= level).mean() / level <= most


def test_calibrated_in_the_far_tail() -> None:
    """At 1e-4 there are some 40 days among 400,000: between a quarter and twice as many."""
    negatives, totals = counts(6, 4000, 128, 60, 0.25, 0.01)
    p_value = judged(negatives, totals, evaluate_last=100).p_value
    assert 10 <= (p_value <= 1e-4).sum() <= 80


def test_p_values_of_a_large_series_are_near_uniform() -> None:
    negatives, totals = counts(7, 3000, 100, 400, 0.3, 0.005)
    assert kstest(judged(negatives, totals, evaluate_last=1).p_value[:, 0], "uniform").statistic < 0.06


def test_p_values_stay_apart_in_the_tail() -> None:
    """Spikes of growing size rank, far beyond the table."""
    negatives, totals = np.full((5, 60), 10), np.full((5, 60), 100)
    negatives[:, -1] = [30, 45, 60, 80, 100]
    last = judged(negatives, totals).p_value[:, -1]
    assert (np.diff(last) < 0).all() and (last > 0).all()


def test_weekday_pattern_is_expected() -> None:
    """Mondays at 40 % among days at 15 % are no news."""
    share = np.where(np.arange(120) % 7 == 0, 0.4, 0.15)
    totals = np.full((200, 120), 80)
    negatives = np.random.default_rng(8).binomial(totals, share)
    verdict = judged(negatives, totals)
    assert verdict.alarm[:, 60:].sum() <= 2
    assert verdict.expected[:, 112].mean() == pytest.approx(0.4, abs=0.04)
    assert verdict.expected[:, 113].mean() == pytest.approx(0.15, abs=0.03)


def test_campaign_raises_no_share_alert_but_a_volume_alert() -> None:
    negatives, totals = counts(9, 400, 100, 60, 0.2, 0.005)
    more, more_totals = counts(10, 400, 5, 180, 0.2, 0.005)
    negatives[:, -5:], totals[:, -5:] = more, more_totals
    assert (judged(negatives, totals).p_value[:, -5:] <= 0.01).mean() <= 0.015
    volume = volume_verdicts(totals, MONDAY, budget=2)
    assert volume.alarm[:, -5:].any(axis=1).mean() > 0.95
    assert volume.alarm[:, :-5].sum() <= 5


def test_spike_in_falling_volume_is_found() -> None:
    """Twice the share of half the volume: as many negatives as ever."""
    negatives, totals = counts(11, 300, 100, 80, 0.2)
    negatives[:, -4:], totals[:, -4:] = counts(12, 300, 4, 40, 0.4)
    assert judged(negatives, totals).alarm[:, -4:].any(axis=1).mean() > 0.9
    assert volume_verdicts(negatives, MONDAY, budget=2).alarm[:, -4:].mean() < 0.01


def test_slow_burn_is_found_over_days() -> None:
    """Ten days at 1.7 times the odds: no single day is enough."""
    negatives, totals = counts(13, 300, 110, 100, 0.2)
    negatives[:, -10:], totals[:, -10:] = counts(14, 300, 10, 100, 0.298)
    verdict = judged(negatives, totals, evaluate_last=10)
    assert verdict.alarm.any(axis=1).mean() > 0.8
    assert np.median(verdict.window[:, -1][verdict.alarm[:, -1]]) >= 5


def test_an_earlier_outbreak_hides_no_later_one() -> None:
    """Expected share after six bad days stays near the quiet 20 %, not near their 50 %."""
    negatives, totals = counts(15, 300, 90, 80, 0.2)
    negatives[:, 70:76], totals[:, 70:76] = counts(16, 300, 6, 80, 0.5)
    assert judged(negatives, totals).expected[:, 76:80].mean() == pytest.approx(0.2, abs=0.02)


def test_a_lasting_change_becomes_the_expectation() -> None:
    negatives, totals = counts(17, 200, 180, 100, 0.2)
    negatives[:, 80:], totals[:, 80:] = counts(18, 200, 100, 100, 0.35)
    verdict = judged(negatives, totals)
    assert verdict.alarm[:, 82].mean() > 0.7
    assert verdict.alarm[:, -1].mean() < 0.05
    assert verdict.expected[:, -1].mean() == pytest.approx(0.35, abs=0.03)


def test_a_spike_that_ended_is_let_go() -> None:
    negatives, totals = counts(19, 300, 100, 100, 0.2)
    negatives[:, 80:84], totals[:, 80:84] = counts(20, 300, 4, 100, 0.45)
    alarm = judged(negatives, totals).alarm
    assert alarm[:, 83].mean() > 0.9 and alarm[:, 85:90].mean() < 0.02


def test_days_without_feedback_never_alarm_and_teach_nothing() -> None:
    negatives, totals = counts(21, 50, 80, 30, 0.2)
    negatives[:, 60:70] = totals[:, 60:70] = 0
    verdict = judged(negatives, totals)
    assert not verdict.alarm[:, 60:70].any()
    assert verdict.expected[:, 70] == pytest.approx(verdict.expected[:, 63], abs=0.01)
    assert np.isfinite(verdict.p_value).all()


def test_when_a_file_starts_does_not_matter() -> None:
    """Empty days before the first feedback change nothing (whole weeks, to keep the weekdays)."""
    negatives, totals = counts(22, 20, 50, 20, 0.3)
    padded = judged(np.pad(negatives, ((0, 0), (70, 0))), np.pad(totals, ((0, 0), (70, 0))), evaluate_last=50)
    assert padded.p_value == pytest.approx(judged(negatives, totals).p_value, rel=1e-9)


def test_one_day_of_history_is_enough_to_answer_and_too_little_to_alarm() -> None:
    verdict = judged(np.array([[3, 9], [0, 1]]), np.array([[10, 10], [1, 1]]))
    assert verdict.p_value.shape == (2, 2) and not verdict.alarm.any()
    assert ((verdict.low < verdict.expected) & (verdict.expected < verdict.high)).all()


def test_no_series_and_no_days() -> None:
    assert judged(np.zeros((0, 5), int), np.zeros((0, 5), int)).p_value.shape == (0, 5)
    assert judged(np.zeros((3, 0), int), np.zeros((3, 0), int)).alarm.shape == (3, 0)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_only_one_kind_of_feedback_stays_finite(share: float) -> None:
    totals = np.full((3, 700), 50)
    verdict = judged((totals * share).astype(int), totals)
    assert np.isfinite(verdict.p_value).all() and not verdict.alarm[:, 1:].any()


def test_extreme_counts_stay_finite_and_ranked() -> None:
    """Millions a day; all negative at the end, more so in the second series; none at all in the third."""
    totals = np.full((3, 60), 2_000_000)
    negatives = totals // 5
    negatives[:, -1] = [600_000, 2_000_000, 0]
    with np.errstate(all="raise", under="ignore"):
        last = judged(negatives, totals).p_value[:, -1]
        volume = volume_verdicts(negatives, MONDAY, budget=2).p_value[:, -1]
    assert np.isfinite(last).all() and 0 < last[1] <= last[0] < 1e-6 and last[2] > 0.1
    assert np.isfinite(volume).all() and 0 < volume[1] <= volume[0] < 0.1


def test_interval_holds_most_quiet_days() -> None:
    negatives, totals = counts(23, 400, 120, 100, 0.25, 0.01)
    verdict = judged(negatives, totals, evaluate_last=60)
    share = negatives[:, -60:] / totals[:, -60:]
    assert 0.93 < ((verdict.low <= share) & (share <= verdict.high)).mean() < 0.98


@settings(max_examples=10, deadline=None)
@given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 60))
def test_the_future_the_order_and_the_days_asked_for_change_nothing(seed: int, series: int, days: int) -> None:
    negatives, totals = counts(seed, series, days + 5, 15, 0.3, 0.02)
    whole = judged(negatives, totals).p_value
    assert np.array_equal(judged(negatives[:, :days], totals[:, :days]).p_value, whole[:, :days])
    assert np.array_equal(judged(negatives, totals, evaluate_last=1).p_value, whole[:, -1:])
    order = np.random.default_rng(seed).permutation(series)
    assert judged(negatives[order], totals[order]).p_value == pytest.approx(whole[order], rel=1e-9)


def test_impossible_counts_are_refused() -> None:
    with pytest.raises(ValueError, match="0 <= negatives <= total"):
        judged(np.array([[4]]), np.array([[3]]))
    with pytest.raises(ValueError, match="one shape"):
        judged(np.zeros((2, 3), int), np.zeros((3, 2), int))
    with pytest.raises(ValueError, match="no negative number"):
        volume_verdicts(np.array([[-1]]), MONDAY, budget=2)


@pytest.mark.parametrize("volume", [1, 12, 150])
def test_volume_p_values_are_calibrated(volume: float) -> None:
    """Overdispersed counts (negative binomial, dispersion .05) with a weekend of half the volume."""
    random = np.random.default_rng(24)
    mean = volume * np.where(np.arange(150) % 7 >= 5, 0.5, 1.0) * random.gamma(20, 1 / 20, (1000, 150))
    p_value = volume_verdicts(random.poisson(mean), MONDAY, budget=2, evaluate_last=90).p_value
    assert 0.3 <= (p_value <= 0.01).mean() / 0.01 <= 1.7
    assert (p_value <= 0.001).mean() / 0.001 <= 2.5
