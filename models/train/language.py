"""Rebuild the language detector's weights, `pipeline/language_model.npz`.

    python -m models.train.language --data ../shared/data --work var/train/language --out pipeline/language_model.npz

Needs Debian 12 with `apt-get install apertium-nno-nob apertium-dan-nor apertium-swe-nor apertium-swe-dan` and the
packages of models/train/requirements.txt; about half an hour on one core, most of it translating. What the texts are
and where they come from is told in `models/train/language_texts.py`.

Texts are cut into pieces of 1 to 40 words, most of them short. Multinomial logistic regression over hashed n-grams
(Joulin et al. 2017 for the linear model; Adagrad, Duchi et al. 2011), in two rounds: what the first round finds to be
in another language than its source says, with near certainty, is left out of the second. The rows are then rounded to
int8 and the scale is fitted on held-out pieces (temperature scaling, Guo et al. 2017).
"""

import argparse
import random
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.functional import cross_entropy

from models.train.language_texts import gather
from pipeline import language_model
from pipeline.language_model import LANGUAGES, NO_FEATURE, Weights

SEED = 17
EXPONENT = 0.5
BATCH = 2048
RATE = 0.4
DAMPING = 0.02  # Adagrad's first sum of squares: n-grams that are seldom seen learn slowly
# Pieces per language, and how its sources share them; a source that a language lacks leaves its share to the others.
PIECES = {"da": 130_000, "sv": 110_000, "nb": 150_000, "nn": 150_000, "en": 90_000, "other": 130_000}
SHARES = {"reviews": 6.0, "translated": 3.0, "messages": 2.0, "words": 1.0}
WRONG_LABEL = 0.01  # a longer text whose own language gets less than this is in another one
PLAIN_LETTERS = (
    {"æ": "ae", "ø": "oe", "å": "aa", "ä": "ae", "ö": "oe"},
    {"æ": "e", "ø": "o", "å": "a", "ä": "a", "ö": "o"},
)


@dataclass(frozen=True)
class Piece:
    text: str
    language: int


@dataclass(frozen=True)
class Source:
    """Texts of one origin; `steepness` above 1 draws the first ones more often."""

    share: float
    texts: list[str]
    steepness: float

    def draw(self, rng: random.Random) -> str:
        return self.texts[int(len(self.texts) * rng.random() ** self.steepness)]


def sources(folder: Path, language: str) -> Iterator[Source]:
    names = ("nb", "no") if language == "nb" else (language,)
    paths = sorted(path for name in names for path in folder.glob(f"{name}.*.txt"))
    kinds = [path.name.split(".")[1].split("_")[0] for path in paths]
    for path, kind in zip(paths, kinds, strict=True):
        texts = path.read_text(encoding="utf-8").splitlines()
        yield Source(SHARES[kind] / kinds.count(kind), texts, 3.0 if kind == "words" else 1.0)


def cut(text: str, rng: random.Random) -> str:
    """A run of words, 1 to 40 of them; two in three times it begins where a sentence does."""
    words = text.split()
    size = rng.choices((rng.randint(1, 3), rng.randint(4, 8), rng.randint(9, 16), 40), (0.3, 0.4, 0.2, 0.1))[0]
    starts = [0, *(i + 1 for i, word in enumerate(words[:-1]) if word[-1] in ".!?")]
    first = rng.choice(starts) if rng.random() < 0.66 else rng.randrange(max(len(words) - size, 0) + 1)
    return " ".join(words[first : first + size])


def without_own_letters(text: str, rng: random.Random) -> str:
    """Now and then as typed on a keyboard without the Nordic letters."""
    if rng.random() > 0.05:
        return text
    for letter, typed in rng.choice(PLAIN_LETTERS).items():
        text = text.lower().replace(letter, typed)
    return text


def pieces(folder: Path, scale: float, rng: random.Random, weights: Weights | None = None) -> list[Piece]:
    found = []
    for number, language in enumerate(LANGUAGES):
        origins = [replace(origin, texts=kept(origin.texts, number, weights)) for origin in sources(folder, language)]
        shares = [origin.share for origin in origins]
        for origin in rng.choices(origins, shares, k=round(PIECES[language] * scale)):
            text = without_own_letters(cut(origin.draw(rng), rng), rng)
            if re.search(r"[^\W\d_]", text):
                found.append(Piece(text, number))
    rng.shuffle(found)
    return found


def kept(texts: list[str], language: int, weights: Weights | None) -> list[str]:
    """Without the texts that are in another language than their source says."""
    if weights is None:
        return texts
    likely = language_model.probabilities(texts, weights)[:, language]
    return [text for text, p in zip(texts, likely, strict=True) if p > WRONG_LABEL or len(text) < 25]


@dataclass(frozen=True)
class Examples:
    """All features in one row; example i has those from starts[i] to starts[i + 1]."""

    buckets: Tensor
    starts: Tensor
    languages: Tensor

    def batch(self, chosen: NDArray[np.int64]) -> tuple[Tensor, Tensor, Tensor]:
        parts = [self.buckets[self.starts[i] : self.starts[i + 1]] for i in chosen]
        offsets = torch.tensor([0, *np.cumsum([len(part) for part in parts])[:-1]])
        return torch.cat(parts), offsets, self.languages[torch.from_numpy(chosen)]


def examples(found: list[Piece]) -> Examples:
    buckets, counts = [], []
    for batch in language_model.batches([piece.text for piece in found]):
        rows, starts = language_model.features(batch)
        used = rows != NO_FEATURE
        buckets.append(rows[used])
        counts.append(language_model.summed(used.sum(axis=1, dtype=np.int32)[:, None], starts)[:, 0])
    ends = np.cumsum(np.concatenate(counts))
    return Examples(
        torch.from_numpy(np.concatenate(buckets)),
        torch.from_numpy(np.concatenate([[0], ends])),
        torch.tensor([piece.language for piece in found]),
    )


def fit(found: Examples, epochs: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
    """Rows (buckets, languages) and bias."""
    rows = nn.EmbeddingBag(NO_FEATURE, len(LANGUAGES), mode="sum")
    nn.init.zeros_(rows.weight)
    bias = nn.Parameter(torch.zeros(len(LANGUAGES)))
    optimizer = torch.optim.Adagrad([*rows.parameters(), bias], lr=RATE, initial_accumulator_value=DAMPING)
    for epoch in range(epochs):
        order, losses = rng.permutation(len(found.languages)), []
        for first in range(0, len(order), BATCH):
            buckets, offsets, languages = found.batch(order[first : first + BATCH])
            counts = torch.diff(offsets, append=torch.tensor([len(buckets)]))
            logits = bias + rows(buckets, offsets) / counts.clamp(min=1)[:, None] ** EXPONENT
            loss = cross_entropy(logits, languages, reduction="sum")
            optimizer.zero_grad()
            loss.backward()
            optimizer.step()
            losses.append(loss.item())
        print(f"epoch {epoch + 1}: loss {sum(losses) / len(order):.4f}", flush=True)
    return rows.weight.detach(), bias.detach()


def rounded(rows: Tensor, bias: Tensor) -> Weights:
    """int8 rows; the few largest weights are cut, a finer step for the others is worth more."""
    centred = (rows - rows.mean(dim=1, keepdim=True)).numpy()
    step = float(np.quantile(np.abs(centred).max(axis=1), 0.9999)) / 127
    whole = np.clip(np.rint(centred / step), -127, 127).astype(np.int8)
    whole = np.vstack([whole, np.zeros((1, len(LANGUAGES)), np.int8)])
    return Weights(whole, bias.double().numpy(), step, EXPONENT)


def calibrated(weights: Weights, held_out: list[Piece]) -> Weights:
    """Divide the logits by the temperature with the least loss on held-out pieces."""
    logits = torch.from_numpy(np.log(language_model.probabilities([piece.text for piece in held_out], weights) + 1e-30))
    languages = torch.tensor([piece.language for piece in held_out])
    factors = np.geomspace(0.4, 2.5, 60)
    best = min(factors, key=lambda factor: cross_entropy(logits * factor, languages).item())
    print(f"temperature {1 / best:.3f}")
    return Weights(weights.rows, weights.bias * best, weights.scale * best, weights.exponent)


def train(folder: Path, scale: float, epochs: int) -> Weights:
    rng = random.Random(SEED)
    weights = None
    for round_epochs, share in ((1, 0.4), (epochs, 1.0)):
        found = pieces(folder, scale * share, rng, weights)
        held_out = found[: len(found) // 25]
        weights = rounded(*fit(examples(found[len(held_out) :]), round_epochs, np.random.default_rng(SEED)))
    return calibrated(weights, held_out)


def save(weights: Weights, path: Path) -> None:
    rows = weights.rows[:-1]
    np.savez_compressed(path, rows=rows, bias=weights.bias, scale=weights.scale, exponent=weights.exponent)
    print(f"{path}: {path.stat().st_size / 1e6:.2f} MB, {np.any(rows != 0, axis=1).mean():.2f} of the rows in use")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--work", type=Path, default=Path("var/train/language"))
    parser.add_argument("--out", type=Path, default=Path("pipeline/language_model.npz"))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the pieces to train on")
    parser.add_argument("--epochs", type=int, default=4)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    gather(arguments.work, arguments.data, SEED)
    save(train(arguments.work, arguments.scale, arguments.epochs), arguments.out)


if __name__ == "__main__":
    main()
