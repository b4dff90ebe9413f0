"""The heads of Klang's own model: everything that is read from one pass of the encoder.

The weights live in `heads.safetensors` beside the encoder, which is a plain Hugging Face folder. The functions work on
torch tensors through their methods, so that training and scoring share them and torch is not imported with them.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from torch import Tensor

HIDDEN_WIDTHS = {  # name of a head's weight -> how its shape follows from width d, topics t and classes c
    "sentiment.weight": "c d",
    "sentiment.bias": "c",
    "topic.query": "t d",
    "topic.weight": "t d",
    "topic.bias": "t",
    "polarity.weight": "c d",
    "polarity.of_text": "c d",
    "polarity.bias": "c",
}


def mean_pool(hidden: Tensor, mask: Tensor) -> Tensor:
    """Mean of the token vectors: hidden (texts, tokens, d), mask (texts, tokens) of 0 and 1 -> (texts, d)."""
    weights = mask.unsqueeze(-1).to(hidden.dtype)
    return (hidden * weights).sum(1) / weights.sum(1).clamp(min=1)


def topic_attention(hidden: Tensor, mask: Tensor, query: Tensor) -> Tensor:
    """How much each token counts for each topic: (texts, topics, tokens), summing to 1 over the tokens."""
    scores = query @ hidden.transpose(1, 2) / math.sqrt(hidden.shape[-1])
    return scores.masked_fill(mask.unsqueeze(1) == 0, -math.inf).softmax(-1)


def apply_heads(hidden: Tensor, mask: Tensor, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return logits: sentiment (texts, 3), topic (texts, topics), polarity (texts, topics, 3).

    A topic is judged on its own weighted mean of the tokens (label attention: Mullenbach et al. 2018,
    arXiv:1802.05695); its polarity on that vector and on the text as a whole.
    """
    return judge(mean_pool(hidden, mask), topic_attention(hidden, mask, weights["topic.query"]) @ hidden, weights)


def judge(pooled: Tensor, of_topic: Tensor, weights: dict[str, Tensor]) -> dict[str, Tensor]:
    """The logits from the mean of all tokens, (texts, d), and from each topic's, (texts, topics, d)."""
    return {
        "sentiment": pooled @ weights["sentiment.weight"].T + weights["sentiment.bias"],
        "topic": (of_topic * weights["topic.weight"]).sum(-1) + weights["topic.bias"],
        "polarity": of_topic @ weights["polarity.weight"].T
        + (pooled @ weights["polarity.of_text"].T + weights["polarity.bias"]).unsqueeze(1),
    }


class WindowMeans(NamedTuple):
    """The means of a text's windows, with what each window weighs in the means of the text."""

    pooled: Tensor  # (windows, d)
    of_topic: Tensor  # (windows, topics, d)
    tokens: Tensor  # (windows, 1)
    attention: Tensor  # (windows, topics, 1): logarithm of the sum that the softmax divides by


def window_means(hidden: Tensor, mask: Tensor, query: Tensor) -> WindowMeans:
    """Of windows (windows, tokens, d) with their mask (windows, tokens)."""
    scores = query @ hidden.transpose(1, 2) / math.sqrt(hidden.shape[-1])
    scores = scores.masked_fill(mask.unsqueeze(1) == 0, -math.inf)
    return WindowMeans(
        pooled=mean_pool(hidden, mask),
        of_topic=scores.softmax(-1) @ hidden,
        tokens=mask.sum(1, keepdim=True),
        attention=scores.logsumexp(-1, keepdim=True),
    )


def join_windows(windows: Sequence[WindowMeans]) -> tuple[Tensor, Tensor]:
    """The means (1, d) and (1, topics, d) over all tokens of all windows, as if they stood side by side."""
    from torch import cat

    all_of = WindowMeans(*(cat(part) for part in zip(*windows, strict=True)))
    pooled = (all_of.pooled * all_of.tokens).sum(0, keepdim=True) / all_of.tokens.sum()
    return pooled, (all_of.of_topic * all_of.attention.softmax(0)).sum(0, keepdim=True)
