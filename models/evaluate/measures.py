"""The measures of the model card."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

Labels = Sequence[int]


def macro_f1(truth: Labels, found: Labels, classes: int = 3) -> float:
    """Mean over the classes of F1 = 2 TP / (2 TP + FP + FN)."""
    truth_array, found_array = np.asarray(truth), np.asarray(found)
    scores = []
    for label in range(classes):
        hits = int(((truth_array == label) & (found_array == label)).sum())
        wrong = int(((truth_array == label) != (found_array == label)).sum())
        scores.append(2 * hits / (2 * hits + wrong) if hits or wrong else 1.0)
    return float(np.mean(scores))


def accuracy(truth: Labels, found: Labels) -> float:
    return float(np.mean(np.asarray(truth) == np.asarray(found)))


def calibration_error(confidence: Sequence[float], right: Sequence[bool], bins: int = 15) -> float:
    """Expected calibration error: the mean gap of confidence and accuracy over equal bins (Guo et al. 2017)."""
    confidences, hits = np.asarray(confidence), np.asarray(right, dtype=float)
    bin_of = np.minimum((confidences * bins).astype(int), bins - 1)
    gaps = [
        abs(confidences[bin_of == b].mean() - hits[bin_of == b].mean()) * (bin_of == b).mean()
        for b in range(bins)
        if (bin_of == b).any()
    ]
    return float(np.sum(gaps))


def micro_f1(truth: Sequence[set], found: Sequence[set]) -> float:
    """F1 over all (text, item) pairs."""
    hits = sum(len(t & f) for t, f in zip(truth, found, strict=True))
    return 2 * hits / (sum(map(len, truth)) + sum(map(len, found)))
