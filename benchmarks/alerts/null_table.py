"""Writes `pipeline/alerts/null_odds.py`: how high the odds of an outbreak rise on quiet days.

    python -m benchmarks.alerts.null_table > pipeline/alerts/null_odds.py

Under the expectation a day's score is standard normal and the odds depend only on the information of the days, so one
table over the information serves every series.
"""

import numpy as np
from numpy.typing import NDArray

SEED = 20260101
RATIOS = (1.5, 2.2, 3.3)
START, END = 0.03, 0.2
P_LEVELS = (0.9, 0.7, 0.5, 0.3, 0.1, 0.03, 0.01, 0.003, 0.001, 0.0003, 0.0001, 0.00001)
LOG_INFORMATION = np.linspace(np.log(0.01), np.log(300), 12)
HEADER = '''"""How high the odds of an outbreak rise on quiet days. Written by `python -m benchmarks.alerts.null_table`.

`ODDS[i, j]` is the log of the odds that a share `exp(LOG_P[j])` of quiet days reaches, when a day carries the
information `exp(first + i * step)`, the inverse variance of its log ratio.
"""
'''
WALKS, DAYS, WARM_UP = 200_000, 80, 30


def log_odds_of_quiet_days(information: float, generator: np.random.Generator) -> NDArray[np.float64]:
    """Log odds on days that are quiet, once the start is forgotten."""
    shift = np.log(RATIOS)[:, None] * np.sqrt(information)
    quiet = np.full(WALKS, 1 - START)
    active = np.full((len(RATIOS), WALKS), START / len(RATIOS))
    found = []
    for day in range(DAYS):
        quiet, active = (
            quiet * (1 - START) + active.sum(axis=0) * END,
            active * (1 - END) + quiet * START / len(RATIOS),
        )
        active = active * np.exp(shift * generator.standard_normal(WALKS) - shift**2 / 2)
        scale = quiet + active.sum(axis=0)
        quiet, active = quiet / scale, active / scale
        if day >= WARM_UP:
            found.append(np.log(active.sum(axis=0) / quiet))
    return np.concatenate(found)


def main() -> None:
    generator = np.random.default_rng(SEED)
    levels = 1 - np.array(P_LEVELS)
    step = LOG_INFORMATION[1] - LOG_INFORMATION[0]
    print(HEADER)
    print("import numpy as np\n")
    print(f"LOG_RATIOS = np.log({list(RATIOS)})  # strengths of an outbreak: odds ratio of a share, ratio of a count")
    print(f"START = {START}  # chance that an outbreak starts on a quiet day")
    print(f"END = {END}  # chance that an outbreak ends from one day to the next")
    print(f"STEPS_OF_LOG_INFORMATION = ({LOG_INFORMATION[0]:.6f}, {step:.6f})  # first, step")
    print(f"LOG_P = np.log({list(P_LEVELS)})")
    print("ODDS = np.array(\n    [")
    for log_information in LOG_INFORMATION:
        row = np.quantile(log_odds_of_quiet_days(float(np.exp(log_information)), generator), levels)
        print("        [" + ", ".join(f"{value:.3f}" for value in row) + "],")
    print("    ]\n)")


if __name__ == "__main__":
    main()
