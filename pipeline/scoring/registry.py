"""Scorers by name: Klang's own model folder, any Hugging Face classifier, or the dummy of the tests."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

from pipeline.errors import ConfigError
from pipeline.records import NO_WORDS, Score, TopicScore

DUMMY = "dummy"


class Scorer(Protocol):
    """Gives each text its score, in order. `model_id` names the weights: other weights, another id."""

    model_id: str

    def score(self, texts: Sequence[str]) -> list[Score]: ...


def load_scorer(name: str, labels: Mapping[str, str]) -> Scorer:
    """The scorer for `[model] name`; `labels` maps a foreign model's labels to ours."""
    if name == DUMMY:
        return DummyScorer()
    if (Path(name) / "klang.json").exists():
        from pipeline.scoring.nordic import NordicScorer

        return NordicScorer(Path(name))
    if name.startswith("/") and not Path(name).is_dir():
        raise ConfigError(f"there is no model folder {name}; set [model] name to a folder or a Hugging Face id")
    from pipeline.scoring.foreign import ForeignScorer

    return ForeignScorer(name, labels)


def model_id_of(name: str) -> str:
    """The id that scores of this model carry, without loading the weights where they are our own."""
    if name == DUMMY:
        return DummyScorer.model_id
    if (Path(name) / "klang.json").exists():
        from pipeline.scoring.nordic import read_description

        return read_description(Path(name)).model_id
    return load_scorer(name, {}).model_id


class DummyScorer:
    """Deterministic and meaningless: makes the flow testable in seconds."""

    model_id = "dummy@1"

    def score(self, texts: Sequence[str]) -> list[Score]:
        return [self.score_one(text) for text in texts]

    def score_one(self, text: str) -> Score:
        if not text.strip():
            return NO_WORDS
        digest = hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
        negative, neutral, positive = (1 + value for value in digest[:3])
        total = negative + neutral + positive
        topic = TopicScore(("delivery", "product", "staff", "price")[digest[3] % 4], 0.9, "neutral")
        return Score(negative / total, neutral / total, positive / total, (topic,) if digest[4] % 2 else ())
