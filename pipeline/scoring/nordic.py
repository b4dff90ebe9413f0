"""Klang's own model: one encoder pass a text gives sentiment, topics and their polarity.

A text longer than the encoder's positions is read in windows whose token vectors are laid side by side, so the heads
see all of it. Identical texts are scored once, and texts of like length together.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.errors import ConfigError
from pipeline.records import Score, TopicScore
from pipeline.scoring.heads import apply_heads
from pipeline.scoring.registry import NO_WORDS

SENTIMENTS = ("negative", "neutral", "positive")
TOKENS_A_BATCH = 4096  # padding included; larger batches gain nothing on a CPU
MAX_TOPICS = 4


@dataclass(frozen=True)
class Description:
    """klang.json: what the numbers of the heads mean."""

    model_id: str
    prefix: str
    topics: tuple[str, ...]
    topic_thresholds: tuple[float, ...]
    temperature: float
    neutral_bias: float  # added to the neutral logit, fitted on the development data


def read_description(folder: Path) -> Description:
    try:
        content = json.loads((folder / "klang.json").read_text(encoding="utf-8"))
        return Description(
            model_id=content["model_id"],
            prefix=content["prefix"],
            topics=tuple(content["topics"]),
            topic_thresholds=tuple(content["topic_thresholds"]),
            temperature=float(content["temperature"]),
            neutral_bias=float(content["neutral_bias"]),
        )
    except (OSError, ValueError, KeyError) as error:
        raise ConfigError(f"the model folder {folder} has no usable klang.json: {error!r}") from None


class NordicScorer:
    def __init__(self, folder: Path) -> None:
        import torch
        from safetensors.torch import load_file
        from transformers import AutoModel, AutoTokenizer
        from transformers.utils import logging

        logging.disable_progress_bar()
        self.description = read_description(folder)
        self.model_id = self.description.model_id
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        encoder = AutoModel.from_pretrained(folder, add_pooling_layer=False, dtype=torch.float32)
        self.encoder = encoder.eval().to(self.device)
        self.heads = {
            name: value.float().to(self.device) for name, value in load_file(folder / "heads.safetensors").items()
        }
        self.window = self.encoder.config.max_position_embeddings - 2

    def score(self, texts: Sequence[str]) -> list[Score]:
        unique = list(dict.fromkeys(text.strip() for text in texts))
        worded = [text for text in unique if text]
        scores = {"": NO_WORDS} | dict(zip(worded, self.score_unique(worded), strict=True))
        return [scores[text.strip()] for text in texts]

    def score_unique(self, texts: list[str]) -> list[Score]:
        ids = [self.encode(text) for text in texts]
        order = sorted(range(len(texts)), key=lambda i: len(ids[i]))
        scores: list[Score] = [NO_WORDS] * len(texts)
        for batch in batched(order, ids, self.window + 2):
            for i, score in zip(batch, self.score_batch([ids[i] for i in batch]), strict=True):
                scores[i] = score
        return scores

    def encode(self, text: str) -> list[int]:
        encoded: list[int] = self.tokenizer(self.description.prefix + text, verbose=False)["input_ids"]
        return encoded

    def score_batch(self, batch: list[list[int]]) -> list[Score]:
        import torch

        with torch.inference_mode():
            if len(batch[0]) > self.window + 2:
                hidden = torch.cat([self.hidden([window])[0][0] for window in self.windows(batch[0])]).unsqueeze(0)
                mask = torch.ones(hidden.shape[:2], device=self.device)
            else:
                hidden, mask = self.hidden(batch)
            return self.read(apply_heads(hidden, mask, self.heads))

    def hidden(self, batch: list[list[int]]) -> tuple[Any, Any]:
        padded = self.tokenizer.pad({"input_ids": batch}, return_tensors="pt").to(self.device)
        mask = padded["attention_mask"]
        return self.encoder(input_ids=padded["input_ids"], attention_mask=mask).last_hidden_state, mask

    def windows(self, ids: list[int]) -> list[list[int]]:
        """The inner ids in pieces, each between the marks of beginning and end."""
        first, *inner, last = ids
        return [[first, *inner[i : i + self.window], last] for i in range(0, len(inner), self.window)]

    def read(self, logits: dict[str, Any]) -> list[Score]:
        import torch

        shifted = logits["sentiment"] + torch.tensor([0.0, self.description.neutral_bias, 0.0], device=self.device)
        sentiment = (shifted / self.description.temperature).softmax(-1).cpu().tolist()
        topic = logits["topic"].sigmoid().cpu().tolist()
        polarity = logits["polarity"].argmax(-1).cpu().tolist()
        return [Score(*p, self.topics(t, q)) for p, t, q in zip(sentiment, topic, polarity, strict=True)]

    def topics(self, probabilities: list[float], polarities: list[int]) -> tuple[TopicScore, ...]:
        found = [
            TopicScore(name, probability, SENTIMENTS[polarity])
            for name, probability, threshold, polarity in zip(
                self.description.topics, probabilities, self.description.topic_thresholds, polarities, strict=True
            )
            if probability >= threshold
        ]
        return tuple(sorted(found, key=lambda one: -one.probability)[:MAX_TOPICS])


def batched(order: list[int], ids: list[list[int]], longest: int) -> list[list[int]]:
    """Batches of at most TOKENS_A_BATCH with their padding; a text that needs windows goes alone."""
    batches: list[list[int]] = []
    for i in order:  # from short to long, so the newest text sets the width
        width = len(ids[i])
        if batches and width <= longest and (len(batches[-1]) + 1) * width <= TOKENS_A_BATCH:
            batches[-1].append(i)
        else:
            batches.append([i])
    return batches
