"""Any Hugging Face sequence-classification model in the place of our own. It gives sentiment, and no topics."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from pipeline.errors import ConfigError
from pipeline.records import NO_WORDS, Score

BATCH = 32
# Labels as models on the hub write them; `[model] labels` in klang.toml adds others.
KNOWN_LABELS = {
    "negative": "negative", "neg": "negative", "label_0": "negative", "negativ": "negative",
    "1 star": "negative", "2 stars": "negative",
    "neutral": "neutral", "label_1": "neutral", "nøytral": "neutral", "3 stars": "neutral",
    "positive": "positive", "pos": "positive", "label_2": "positive", "positiv": "positive",
    "4 stars": "positive", "5 stars": "positive",
}  # fmt: skip


class ForeignScorer:
    def __init__(self, name: str, labels: Mapping[str, str]) -> None:
        from transformers import AutoModelForSequenceClassification, AutoTokenizer

        try:
            self.tokenizer = AutoTokenizer.from_pretrained(name)
            self.model = AutoModelForSequenceClassification.from_pretrained(name).eval()
        except (OSError, ValueError) as error:
            raise ConfigError(f"cannot load the model {name!r}: {str(error).splitlines()[0]}") from None
        revision = getattr(self.model.config, "_commit_hash", None) or "local"
        self.model_id = f"{name.rstrip('/').split('/')[-1]}@{revision[:8]}"
        self.columns = label_columns(name, self.model.config.id2label, labels)
        self.window = min(self.tokenizer.model_max_length, 512) - self.tokenizer.num_special_tokens_to_add()

    def score(self, texts: Sequence[str]) -> list[Score]:
        unique = list(dict.fromkeys(text.strip() for text in texts))
        worded = sorted((text for text in unique if text), key=len)
        scores = {"": NO_WORDS}
        for start in range(0, len(worded), BATCH):
            batch = worded[start : start + BATCH]
            scores |= dict(zip(batch, self.score_batch(batch), strict=True))
        return [scores[text.strip()] for text in texts]

    def score_batch(self, texts: list[str]) -> list[Score]:
        """Long texts are read in windows; a text's probabilities are the mean over its windows."""
        import torch

        encoded = self.tokenizer(
            texts, truncation=True, max_length=self.window + self.tokenizer.num_special_tokens_to_add(),
            return_overflowing_tokens=True, padding=True, return_tensors="pt",
        )  # fmt: skip
        owner = encoded.pop("overflow_to_sample_mapping")
        with torch.inference_mode():
            parts = [
                self.model(**{name: value[i : i + BATCH] for name, value in encoded.items()}).logits.softmax(-1)
                for i in range(0, len(owner), BATCH)
            ]
        probabilities = torch.cat(parts)
        return [self.read(probabilities[owner == i].mean(0)) for i in range(len(texts))]

    def read(self, probabilities: Any) -> Score:
        sums = {name: float(probabilities[columns].sum()) for name, columns in self.columns.items()}
        return Score(sums["negative"], sums["neutral"], sums["positive"])


def label_columns(name: str, id2label: Mapping[int, str], labels: Mapping[str, str]) -> dict[str, list[int]]:
    """Which outputs of the model count for which of our sentiments."""
    ours = KNOWN_LABELS | {label.lower(): sentiment for label, sentiment in labels.items()}
    columns: dict[str, list[int]] = {"negative": [], "neutral": [], "positive": []}
    for column, label in id2label.items():
        sentiment = ours.get(str(label).lower())
        if sentiment not in columns:
            raise ConfigError(
                f"the model {name!r} has a label {label!r} of unknown meaning; "
                f'write [model] labels = {{ "{label}" = "negative" }} (or neutral, positive)'
            )
        columns[sentiment].append(int(column))
    return columns
