"""Prints the table: `python -m benchmarks.alerts [--seeds 1000-1004]`.

Detection: part of the spikes with an alarm on at least one of their days, at the score that 1 % or 0.3 % of quiet days
reach. Delay: days from a spike's first day to its first alarm, over the spikes found. Campaign: part of the days of a
tripled-volume campaign that alarm at the 1 % score. Budget: alarms on quiet days over those the default budget allows.
"""

import argparse
import os
import platform
import time
from collections.abc import Callable
from datetime import date

import numpy as np
from rich.console import Console
from rich.table import Table

from benchmarks.alerts import rivals
from benchmarks.alerts.simulation import WORLDS, Floats, Truth, World, simulate
from pipeline.alerts.detect import share_verdicts, threshold

MONDAY = date(2026, 1, 5)
BUDGET = 2.0


def klang(truth: Truth) -> Floats:
    verdict = share_verdicts(truth.negatives, truth.totals, MONDAY, budget=BUDGET)
    return np.asarray(-np.log(verdict.p_value))


METHODS: dict[str, Callable[[Truth], Floats]] = {
    "Klang": klang,
    "oracle: true share, one day": rivals.oracle,
    "two-proportion z, 3 days": rivals.two_proportions,
    "Farrington flexible, offset": rivals.farrington,
    "trend + weekday residual z": rivals.residual_z,
    "EARS C2": rivals.ears_c2,
    "z-score of daily counts": rivals.count_z,
    "z-score of weekly counts": rivals.weekly_counts,
}


def measures(truth: Truth, score: Floats) -> list[float]:
    """Detection at 1 % and at 0.3 %, delay at 1 %, campaign alarms at 1 %."""
    one, third = (np.quantile(score[truth.quiet], 1 - rate, method="higher") for rate in (0.01, 0.003))
    spiked = truth.spike.any(axis=1)
    hits = (score >= one) & truth.spike
    found = hits.any(axis=1)
    delay = hits.argmax(axis=1)[found] - truth.spike.argmax(axis=1)[found]
    at_third = ((score >= third) & truth.spike).any(axis=1)
    return [found[spiked].mean(), at_third[spiked].mean(), delay.mean(), (score >= one)[truth.campaign].mean()]


def table_of(world: World, seeds: range) -> Table:
    truths = [simulate(world, seed) for seed in seeds]
    table = Table(title=f"{world.name} world, seeds {seeds[0]}-{seeds[-1]}, 550 series x 150 days each")
    for column in ("method", "found at 1 %", "at 0.3 %", "delay, days", "campaign", "budget", "CPU ms a series"):
        table.add_column(column, justify="left" if column == "method" else "right")
    for name, method in METHODS.items():
        start = time.process_time()
        scores = [method(truth) for truth in truths]
        cost = (time.process_time() - start) / len(seeds) / len(truths[0].totals) * 1000
        found, at_third, delay, campaign = np.mean(
            [measures(truth, score) for truth, score in zip(truths, scores, strict=True)], axis=0
        )
        budget = f"{_realised(truths, scores):.2f}" if method is klang else ""
        table.add_row(name, f"{found:.3f}", f"{at_third:.3f}", f"{delay:.1f}", f"{campaign:.3f}", budget, f"{cost:.2f}")
    return table


def _realised(truths: list[Truth], scores: list[Floats]) -> float:
    """Quiet days that alarm over those expected at the default budget."""
    limit = threshold(BUDGET, len(truths[0].totals))
    alarms = sum(int((score[truth.quiet] >= -np.log(limit)).sum()) for truth, score in zip(truths, scores, strict=True))
    return float(alarms / sum(limit * truth.quiet.sum() for truth in truths))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seeds", default="1000-1004", help="first-last; default %(default)s")
    first, last = map(int, parser.parse_args().seeds.split("-"))
    console = Console(width=110)
    for world in WORLDS:
        console.print(table_of(world, range(first, last + 1)))
    machine = f"{platform.machine()}, {os.cpu_count()} cores"
    console.print(f"{machine}, Python {platform.python_version()}, numpy {np.__version__}")


if __name__ == "__main__":
    main()
