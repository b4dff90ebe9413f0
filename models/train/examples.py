"""Training examples: what each source can say, how often it is shown, and how its texts are varied.

The data are described in the README beside the files. What matters here:
- some sources have no neutral class; their loss must not push the neutral probability of natural text down;
- Danish neutrals are mostly lower-case and without punctuation, so case and punctuation are varied over all classes.
"""

from __future__ import annotations

import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

SENTIMENTS = ("negative", "neutral", "positive")
TOPICS = (
    "delivery", "product", "service_work", "customer_service", "staff", "price", "returns", "payment",
    "website_app", "ordering", "availability", "premises", "waiting_time", "trust", "contract", "communication",
)  # fmt: skip
WITHOUT_NEUTRAL = ("scandisent_mt", "swedish_reviews", "tp2")
LABELS = Path(__file__).parent / "labels" / "topics.jsonl.gz"

# Passes over a source in the whole of the first stage: Norwegian and Swedish are scarce, English is plenty.
PASSES = {"norec_sentence": 4.0, "swerec": 3.0, "swedish_reviews": 2.0, "scandisent_mt": 0.5}
DANISH_PASSES = 1.4
DANISH_NEUTRAL_PASSES = 4.0


@dataclass(frozen=True)
class Example:
    """One text with what is known of it; None where its source says nothing."""

    text: str
    source: str
    sentiment: int | None = None
    has_neutral: bool = True
    topics: tuple[tuple[int, int], ...] | None = None  # (topic, polarity) pairs


def read(path: Path) -> Iterator[dict[str, Any]]:
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def text_key(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def sentiment_examples(path: Path) -> list[Example]:
    return [
        Example(
            text=row["text"],
            source=row["source"],
            sentiment=SENTIMENTS.index(row["label"]),
            has_neutral=not row["source"].startswith(WITHOUT_NEUTRAL),
        )
        for row in read(path)
    ]


def topic_pairs(topics: list[list[str]]) -> tuple[tuple[int, int], ...]:
    return tuple((TOPICS.index(topic), SENTIMENTS.index(polarity)) for topic, polarity in topics)


def topic_examples(path: Path) -> list[Example]:
    return [
        Example(
            text=row["text"],
            source=f"topics_{row['lang']}",
            sentiment=SENTIMENTS.index(row["sentiment"]),
            topics=topic_pairs(row["topics"]),
        )
        for row in read(path)
    ]


def labelled_by_key(texts: dict[str, Example]) -> list[Example]:
    """Topic labels kept in the repository by the hash of their text; the texts come from the sentiment data."""
    if not LABELS.exists():
        return []
    found = ((texts.get(row["key"]), row["topics"]) for row in read(LABELS))
    return [
        Example(text=example.text, source="topics_keyed", sentiment=example.sentiment,
                has_neutral=example.has_neutral, topics=topic_pairs(topics))
        for example, topics in found if example is not None
    ]  # fmt: skip


def passes(example: Example) -> float:
    for prefix, count in PASSES.items():
        if example.source.startswith(prefix):
            return count
    return DANISH_NEUTRAL_PASSES if example.sentiment == 1 else DANISH_PASSES


def mixture(examples: list[Example], rng: random.Random, scale: float = 1.0) -> list[Example]:
    """Each example as often as its source's number of passes says; fractions are drawn."""
    chosen = []
    for example in examples:
        wanted = passes(example) * scale
        chosen += [example] * (int(wanted) + (rng.random() < wanted % 1))
    rng.shuffle(chosen)
    return chosen


def vary(text: str, rng: random.Random) -> str:
    """Change case and punctuation at random, so that neither tells the class."""
    draw = rng.random()
    if text.islower() and draw < 0.4:
        return sentence_case(text)
    if draw < 0.12:
        return text.lower()
    if draw < 0.18:
        return re.sub(r"[.,!?;:]+", "", text.lower())
    if draw < 0.23:
        return re.sub(r"[.,!?;:]+", " ", text)
    return text.upper() if draw < 0.24 else text


def sentence_case(text: str) -> str:
    starts = re.sub(r"(^|[.!?]\s+)(\w)", lambda match: match[1] + match[2].upper(), text)
    return starts if re.search(r"[.!?]\s*$", starts) else f"{starts}."
