"""Klang's own model: one encoder pass a text gives sentiment, topics and their polarity.

A text longer than the encoder's positions is read in windows, whose means are joined so that the heads see all of it;
only a few windows are in memory at once. Identical texts are scored once, and texts of like length together.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import chain, groupby
from pathlib import Path
from typing import TYPE_CHECKING

from pipeline.errors import ConfigError
from pipeline.records import NO_WORDS, Score, TopicScore
from pipeline.scoring.heads import WindowMeans, apply_heads, join_windows, judge, window_means

if TYPE_CHECKING:
    from torch import Tensor

SENTIMENTS = ("negative", "neutral", "positive")
TOKENS_A_BATCH = 512  # padding included: what lies between two layers then stays in a core's cache
# Widths in bf16 matter: with a text padded to the longest of its batch, rounding moved one text in 2,000 by .005; with
# widths that follow from the text alone, none of 700 in batches of any size by more than 2e-7.
WIDTH_STEP = 8
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
        from tokenizers import Tokenizer

        from pipeline.scoring.encoder import Encoder

        self.description = read_description(folder)
        self.model_id = self.description.model_id
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.encoder = Encoder(folder, self.device)
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.no_truncation()
        self.tokenizer.no_padding()
        heads = load_file(folder / "heads.safetensors")
        self.heads = {name: value.float().to(self.device) for name, value in heads.items()}
        on_cpu = self.device.type == "cpu"
        self.cores = torch.get_num_threads() if on_cpu else 1
        self.batch_tokens = TOKENS_A_BATCH if on_cpu else 128 * TOKENS_A_BATCH

    def score(self, texts: Sequence[str]) -> list[Score]:
        unique = list(dict.fromkeys(text.strip() for text in texts))
        worded = [text for text in unique if text]
        scores = {"": NO_WORDS} | dict(zip(worded, self.score_unique(worded), strict=True))
        return [scores[text.strip()] for text in texts]

    def score_unique(self, texts: list[str]) -> list[Score]:
        ids = self.encode(texts)
        order = sorted(range(len(texts)), key=lambda i: len(ids[i]))
        short = [i for i in order if len(ids[i]) <= self.encoder.positions]
        batches = list(self.batches(short, ids))[::-1]  # the longest first, so that all cores end together
        with self.workers() as workers:
            found = workers.map(self.score_batch, [[ids[i] for i in batch] for batch in batches])
            scores = dict(zip(chain.from_iterable(batches), chain.from_iterable(found), strict=True))
            scores |= {i: self.score_long(ids[i], workers) for i in order[len(short) :]}
        return [scores[i] for i in range(len(texts))]

    def workers(self) -> ThreadPoolExecutor:
        """Threads that take a batch each: faster than several threads on one batch, which wait for one another."""
        import torch

        return ThreadPoolExecutor(self.cores, initializer=torch.set_num_threads, initargs=(1,))

    def encode(self, texts: list[str]) -> list[list[int]]:
        encodings = self.tokenizer.encode_batch_fast([self.description.prefix + text for text in texts])
        return [encoding.ids for encoding in encodings]

    def batches(self, order: list[int], ids: list[list[int]]) -> Iterator[list[int]]:
        """Batches of one width and at most `batch_tokens`; `order` goes from short to long."""
        for width, same in groupby(order, lambda i: self.width(len(ids[i]))):
            members = list(same)
            size = max(1, self.batch_tokens // width)
            yield from (members[i : i + size] for i in range(0, len(members), size))

    def width(self, length: int) -> int:
        """How wide a text is padded. It depends on nothing but the text, so that its sums are the same in any batch."""
        return min(-(-length // WIDTH_STEP) * WIDTH_STEP, self.encoder.positions)

    def score_batch(self, batch: list[list[int]]) -> list[Score]:
        import torch

        with torch.inference_mode():
            return self.read(apply_heads(*self.hidden(batch), self.heads))

    def score_long(self, ids: list[int], workers: ThreadPoolExecutor) -> Score:
        import torch

        means = list(workers.map(self.means, self.windows(ids)))
        with torch.inference_mode():
            return self.read(judge(*join_windows(means), self.heads))[0]

    def means(self, windows: list[list[int]]) -> WindowMeans:
        import torch

        with torch.inference_mode():
            return window_means(*self.hidden(windows), self.heads["topic.query"])

    def hidden(self, batch: list[list[int]]) -> tuple[Tensor, Tensor]:
        """Token vectors (texts, tokens, d) and their mask (texts, tokens)."""
        import torch

        width = self.width(max(map(len, batch)))
        padded = [ids + [self.encoder.pad] * (width - len(ids)) for ids in batch]
        lengths = torch.tensor([len(ids) for ids in batch], device=self.device)
        mask = (torch.arange(width, device=self.device) < lengths.unsqueeze(1)).float()
        return self.encoder(torch.tensor(padded, device=self.device), mask), mask

    def windows(self, ids: list[int]) -> Iterator[list[list[int]]]:
        """A long text in windows, some at a time, each between the marks of beginning and end."""
        first, *inner, last = ids
        size = self.encoder.positions - 2
        pieces = [[first, *inner[i : i + size], last] for i in range(0, len(inner), size)]
        together = max(1, self.batch_tokens // self.encoder.positions)
        yield from (pieces[i : i + together] for i in range(0, len(pieces), together))

    def read(self, logits: dict[str, Tensor]) -> list[Score]:
        import torch

        shifted = logits["sentiment"] + torch.tensor([0.0, self.description.neutral_bias, 0.0], device=self.device)
        sentiment = (shifted / self.description.temperature).softmax(-1).cpu().tolist()
        topic = logits["topic"].sigmoid().cpu().tolist()
        polarity = logits["polarity"].argmax(-1).cpu().tolist()
        return [Score(p[0], p[1], p[2], self.topics(t, q)) for p, t, q in zip(sentiment, topic, polarity, strict=True)]

    def topics(self, probabilities: list[float], polarities: list[int]) -> tuple[TopicScore, ...]:
        found = [
            TopicScore(name, probability, SENTIMENTS[polarity])
            for name, probability, threshold, polarity in zip(
                self.description.topics, probabilities, self.description.topic_thresholds, polarities, strict=True
            )
            if probability >= threshold
        ]
        return tuple(sorted(found, key=lambda one: -one.probability)[:MAX_TOPICS])
