"""Step 3: calibrate on the development data and write the model folder.

    python -m models.train.export --from var/train/klang --out models/klang-nordic

Three numbers are fitted, on the development files only: what is added to the neutral logit (the training mixture shows
more neutral texts than there are), the temperature (Guo et al. 2017), and the probability from which a topic counts.
The encoder is stored in bf16, which halves it and costs nothing measurable.
"""

from __future__ import annotations

import argparse
import hashlib
import json
from pathlib import Path

import numpy as np
import torch
from torch.nn.functional import cross_entropy, log_softmax

from models.evaluate.measures import macro_f1, micro_f1
from models.train.examples import TOPICS, WITHOUT_NEUTRAL, Example, sentiment_examples, topic_examples
from models.train.fit import PREFIX, Network, encode

BIASES = np.arange(-1.5, 1.01, 0.05)
THRESHOLDS = np.arange(0.2, 0.71, 0.02)
TEMPERATURES = np.arange(0.2, 2.01, 0.02)


def logits_of(network: Network, examples: list[Example]) -> dict[str, torch.Tensor]:
    """All logits in the order of the examples."""
    ids = encode(network.tokenizer, [example.text for example in examples])
    order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
    found: dict[str, list] = {}
    network.eval()
    with torch.inference_mode():
        for start in range(0, len(order), 32):
            batch = network.tokenizer.pad(
                {"input_ids": [ids[i] for i in order[start : start + 32]]}, return_tensors="pt"
            )
            for name, value in network({key: batch[key] for key in ("input_ids", "attention_mask")}).items():
                found.setdefault(name, []).append(value)
    back = torch.tensor(np.argsort(order))
    return {name: torch.cat(values)[back] for name, values in found.items()}


def group_of(example: Example) -> str:
    """The group whose macro-F1 counts; sources without a neutral class cannot speak of it."""
    if example.source.startswith(WITHOUT_NEUTRAL):
        return "two classes"
    return example.source if example.source in ("swerec", "norec_sentence") else "danish"


def best_bias(logits: torch.Tensor, examples: list[Example]) -> float:
    """The bias with the best mean of the three groups' macro-F1; of like ones the smallest, for it moves least."""
    groups = [group_of(example) for example in examples]

    def mean_f1(bias: float) -> float:
        found = (logits + torch.tensor([0.0, bias, 0.0])).argmax(1).tolist()
        scores = []
        for name in ("danish", "swerec", "norec_sentence"):
            rows = [i for i, group in enumerate(groups) if group == name]
            scores.append(macro_f1([examples[i].sentiment or 0 for i in rows], [found[i] for i in rows]))
        return float(np.mean(scores))

    scores = {float(bias): round(mean_f1(float(bias)), 3) for bias in BIASES}
    return max(scores, key=lambda bias: (scores[bias], -abs(bias)))


def best_temperature(logits: torch.Tensor, examples: list[Example]) -> float:
    rows = [i for i, example in enumerate(examples) if example.has_neutral]
    truth = torch.tensor([examples[i].sentiment for i in rows])
    losses = {float(t): float(cross_entropy(log_softmax(logits[rows] / t, 1), truth)) for t in TEMPERATURES}
    return min(losses, key=losses.__getitem__)


def best_threshold(logits: torch.Tensor, examples: list[Example]) -> float:
    truth = [{topic for topic, _ in example.topics or ()} for example in examples]
    probabilities = logits.sigmoid()

    def score(threshold: float) -> float:
        return micro_f1(truth, [set(np.flatnonzero(row >= threshold)) for row in probabilities.numpy()])

    return max(map(float, THRESHOLDS), key=score)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="start", type=Path, default=Path("var/train/klang"))
    parser.add_argument("--out", type=Path, default=Path("models/klang-nordic"))
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    arguments = parser.parse_args()
    network = Network(arguments.start)
    sentiment = sentiment_examples(arguments.data / "sentiment_dev.jsonl.gz")
    topics = topic_examples(arguments.data / "topics_dev.jsonl.gz")
    logits = logits_of(network, sentiment)["sentiment"]
    bias = best_bias(logits, sentiment)
    temperature = best_temperature(logits + torch.tensor([0.0, bias, 0.0]), sentiment)
    threshold = best_threshold(logits_of(network, topics)["topic"], topics)
    network.encoder = network.encoder.to(torch.bfloat16)
    network.save(arguments.out)
    weights = (arguments.out / "model.safetensors").read_bytes() + (arguments.out / "heads.safetensors").read_bytes()
    description = {
        "model_id": f"klang-nordic@{hashlib.sha256(weights).hexdigest()[:8]}",
        "prefix": PREFIX,
        "topics": TOPICS,
        "topic_thresholds": [round(threshold, 2)] * len(TOPICS),
        "temperature": round(temperature, 2),
        "neutral_bias": round(bias, 2),
    }
    (arguments.out / "klang.json").write_text(json.dumps(description, indent=2) + "\n")
    print(json.dumps(description, indent=2))


if __name__ == "__main__":
    main()
