"""The figures of the model card: sentiment by language and source, calibration, topics, on the development files.

    python -m models.evaluate.report --data ../shared/data

The texts go through the scorer that `klang score` and `klang predict` use.
"""

from __future__ import annotations

import argparse
import platform
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from models.evaluate.measures import accuracy, calibration_error, macro_f1, micro_f1
from models.train.examples import SENTIMENTS, TOPICS, read
from pipeline.records import Score
from pipeline.scoring.registry import load_scorer

Rows = list[tuple[dict[str, Any], Score]]
DANISH_WITHOUT_NEUTRAL = "tp2"
GROUPS: dict[str, tuple[int, Callable[[dict[str, Any]], bool]]] = {
    "Danish reviews": (3, lambda row: row["lang"] == "da" and row["source"] != DANISH_WITHOUT_NEUTRAL),
    "Danish reviews, natural style": (
        3,
        lambda row: row["lang"] == "da" and row["source"] != DANISH_WITHOUT_NEUTRAL and row.get("style") == "natural",
    ),
    "Danish reviews, two classes (tp2)": (2, lambda row: row["source"] == DANISH_WITHOUT_NEUTRAL),
    "Swedish SweReC": (3, lambda row: row["source"] == "swerec"),
    "Swedish reviews, two classes": (2, lambda row: row["source"] == "swedish_reviews"),
    "Norwegian NoReC sentences": (3, lambda row: row["source"] == "norec_sentence"),
}


def label_of(score: Score, classes: int) -> int:
    """Of two classes the likelier of negative and positive, as the truth has no neutral."""
    if classes == 2:
        return 0 if score.p_negative > score.p_positive else 2
    return SENTIMENTS.index(score.sentiment)


def sentiment_lines(rows: Rows) -> list[str]:
    lines = ["| texts | n | accuracy | macro-F1 | ECE |", "|---|---|---|---|---|"]
    for name, (classes, belongs) in GROUPS.items():
        group = [(row, score) for row, score in rows if belongs(row)]
        truth = [SENTIMENTS.index(row["label"]) for row, _ in group]
        found = [label_of(score, classes) for _, score in group]
        confidence = [max(score.p_negative, score.p_neutral, score.p_positive) for _, score in group]
        right = [t == SENTIMENTS.index(score.sentiment) for t, (_, score) in zip(truth, group, strict=True)]
        f1 = f"{macro_f1(truth, found):.3f}" if classes == 3 else "-"
        error = f"{calibration_error(confidence, right):.3f}"
        lines.append(f"| {name} | {len(group)} | {accuracy(truth, found):.3f} | {f1} | {error} |")
    return lines


def topic_lines(rows: Rows) -> list[str]:
    truth = [{tuple(pair) for pair in row["topics"]} for row, _ in rows]
    found = [{(topic.topic, topic.polarity) for topic in score.topics} for _, score in rows]
    plain = [({name for name, _ in t}, {name for name, _ in f}) for t, f in zip(truth, found, strict=True)]
    whole = micro_f1([t for t, _ in plain], [f for _, f in plain])
    lines = [f"All topics, micro-F1: {whole:.3f}; with polarity: {micro_f1(truth, found):.3f} ({len(rows)} texts)", ""]
    lines += ["| topic | mentions | F1 |", "|---|---|---|"]
    for name in TOPICS:
        mentions = sum(name in t for t, _ in plain)
        one = micro_f1([t & {name} for t, _ in plain], [f & {name} for _, f in plain]) if mentions else 0.0
        lines.append(f"| {name} | {mentions} | {one:.2f} |")
    return lines


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", default="models/klang-nordic")
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    arguments = parser.parse_args()
    scorer = load_scorer(str(Path(arguments.model).absolute()), {})
    sentiment, topics = (list(read(arguments.data / f"{name}_dev.jsonl.gz")) for name in ("sentiment", "topics"))
    start = time.perf_counter()
    scores = scorer.score([row["text"] for row in sentiment])
    rate = len(sentiment) / (time.perf_counter() - start)
    print("\n".join(sentiment_lines(list(zip(sentiment, scores, strict=True)))), end="\n\n")
    scores = scorer.score([row["text"] for row in topics])
    print("\n".join(topic_lines(list(zip(topics, scores, strict=True)))))
    print(f"\n{scorer.model_id}, {rate:.0f} texts a second on {platform.processor() or platform.machine()}")


if __name__ == "__main__":
    main()
