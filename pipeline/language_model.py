"""The arithmetic of Klang's language detector: a linear model over hashed character n-grams and words.

A text is lower-cased and cut at everything that is not a letter. Its features are the n-grams of 1 to 5 symbols within
a word, where the edge of the word is a symbol too, and the whole words; each is hashed to a row of weights (Weinberger
et al. 2009). The rows are int8 and are summed as integers, so a text gets the same probabilities in any batch. The sum
is divided by a power of the number of features, chosen with the weights so that the probabilities are calibrated for
short and long texts alike. `models/train/language.py` makes the weights.
"""

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.int32]
Hashes = NDArray[np.uint32]

LANGUAGES = ("da", "sv", "nb", "nn", "en", "other")
WEIGHTS = "language_model.npz"
LONGEST = 5
FEATURES = LONGEST + 1  # at each symbol: one n-gram of each length, and the word that begins there
BITS = 18
NO_FEATURE = 1 << BITS  # the row after the last one; its weights are zero
MAX_CHARACTERS = 1000  # of a text; more of it tells no more
BATCH_CHARACTERS = 100_000
MULTIPLIER = np.uint32(0x01000193)
SPREAD = np.uint32(0x9E3779B1)
LATIN_END = 0x250


@dataclass(frozen=True)
class Weights:
    """`rows` (2**BITS + 1, languages) int8; a text's logits are bias + scale * sum of rows / features ** exponent."""

    rows: NDArray[np.int8]
    bias: NDArray[np.float64]
    scale: float
    exponent: float


@cache
def packaged_weights() -> Weights:
    with files("pipeline").joinpath(WEIGHTS).open("rb") as stream, np.load(stream) as stored:
        rows = np.vstack([stored["rows"], np.zeros((1, len(LANGUAGES)), np.int8)])
        return Weights(rows, stored["bias"], float(stored["scale"]), float(stored["exponent"]))


def probabilities(texts: Sequence[str], weights: Weights | None = None) -> NDArray[np.float64]:
    """How likely each text is in each of LANGUAGES: (texts, languages), rows sum to 1.

    A text without letters gets the same probability for all.
    """
    weights = weights or packaged_weights()
    parts = [softmax(logits(batch, weights)) for batch in batches(texts)]
    return np.concatenate(parts) if parts else np.empty((0, len(LANGUAGES)))


def batches(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    first, characters = 0, 0
    for position, text in enumerate(texts):
        characters += min(len(text), MAX_CHARACTERS)
        if characters >= BATCH_CHARACTERS:
            yield texts[first : position + 1]
            first, characters = position + 1, 0
    if first < len(texts):
        yield texts[first:]


def logits(texts: Sequence[str], weights: Weights) -> NDArray[np.float64]:
    buckets, starts = features(texts)
    sums = summed(weights.rows[buckets].sum(axis=1, dtype=np.int32), starts)
    counts = summed((buckets != NO_FEATURE).sum(axis=1, dtype=np.int32)[:, None], starts)
    found = weights.bias + weights.scale * sums / np.maximum(counts, 1) ** weights.exponent
    return np.where(counts > 0, found, 0.0)


def summed(values: Integers, starts: Integers) -> Integers:
    """Sums of `values` (symbols, columns) from each start to the next."""
    running = np.zeros((len(values) + 1, values.shape[1]), np.int32)
    np.cumsum(values, axis=0, out=running[1:])
    return np.diff(running[starts], axis=0)


def softmax(values: NDArray[np.float64]) -> NDArray[np.float64]:
    exponentials = np.exp(values - values.max(axis=1, keepdims=True))
    return np.asarray(exponentials / exponentials.sum(axis=1, keepdims=True))


def features(texts: Sequence[str]) -> tuple[Integers, Integers]:
    """The rows of weights that the texts use.

    Returns (symbols, FEATURES) buckets, NO_FEATURE where there is none, and (texts + 1) positions: text i has the
    symbols from starts[i] to starts[i + 1].
    """
    symbols, starts = symbols_of(texts)
    edges = np.flatnonzero(symbols == 0)
    ahead = to_next_edge(symbols, edges)
    buckets = np.full((len(symbols), FEATURES), NO_FEATURE, np.int32)
    padded = np.concatenate([symbols, np.zeros(LONGEST, np.uint32)])
    hashes = np.zeros(len(symbols), np.uint32)
    for size in range(1, LONGEST + 1):
        hashes = hashes * MULTIPLIER + padded[size - 1 : size - 1 + len(symbols)] + np.uint32(1)
        inside = symbols != 0 if size == 1 else ahead >= size - 1
        buckets[inside, size - 1] = bucket(hashes[inside], size)
    buckets[edges[:-1], LONGEST] = bucket(word_hashes(symbols, edges), FEATURES)
    return buckets, starts


def symbols_of(texts: Sequence[str]) -> tuple[Hashes, Integers]:
    """The letters of all texts in one row, words parted by a single 0, and where each text starts."""
    plain = [" " + unicodedata.normalize("NFC", text[:MAX_CHARACTERS]).lower() for text in texts]
    code_points = np.frombuffer(("".join(plain) + " ").encode("utf-32-le", "replace"), np.uint32)
    symbols = symbol_table()[np.minimum(code_points, 0xFFFF)]
    kept = np.ones(len(symbols), bool)
    kept[:-1] = (symbols[:-1] != 0) | (symbols[1:] != 0)  # of several edges the last
    kept[2:] &= (symbols[2:] != symbols[1:-1]) | (symbols[1:-1] != symbols[:-2]) | (symbols[2:] == 0)  # "suuuper"
    before = np.concatenate([[0], np.cumsum(kept)])
    starts = np.cumsum([0, *map(len, plain)])
    return symbols[kept], before[starts].astype(np.int32)


@cache
def symbol_table() -> Hashes:
    """Code point -> symbol: 0 for what is no letter, the letter itself if it is Latin, else its block of 256."""
    points = range(0x10000)
    table = [0 if not chr(p).isalpha() else p if p < LATIN_END else LATIN_END + (p >> 8) for p in points]
    return np.array([*table[:-1], 0], np.uint32)


def to_next_edge(symbols: Hashes, edges: NDArray[np.intp]) -> NDArray[np.intp]:
    """How many symbols on the next edge is; 0 for the last one."""
    following = np.concatenate([edges, [len(symbols) - 1]])
    return np.asarray(following[np.cumsum(symbols == 0)] - np.arange(len(symbols)), np.intp)


def word_hashes(symbols: Hashes, edges: NDArray[np.intp]) -> Hashes:
    """A polynomial hash of the letters between each edge and the next."""
    if len(edges) < 2:
        return np.empty(0, np.uint32)
    lengths = np.diff(edges)
    offsets = np.arange(edges[-1] - edges[0]) - np.repeat(edges[:-1] - edges[0], lengths)
    powers = np.cumprod(np.full(int(lengths.max()), MULTIPLIER, np.uint32), dtype=np.uint32)
    return np.add.reduceat(symbols[edges[0] : edges[-1]] * powers[offsets], edges[:-1] - edges[0], dtype=np.uint32)


def bucket(hashes: Hashes, kind: int) -> Integers:
    mixed: Hashes = (hashes ^ (hashes >> np.uint32(15)) ^ np.uint32(kind * 0x2545F491 & 0xFFFFFFFF)) * SPREAD
    return (mixed >> np.uint32(32 - BITS)).astype(np.int32)
