"""Step 2: fine-tune the encoder with its heads.

    python -m models.train.fit --from var/train/base --out var/train/klang

Sentiment of all sources, topics and their polarity of the texts labelled by reading, in one mixture; what a text's
source does not say is left out of its loss. Learning rates fall towards the lower layers
(Howard and Ruder 2018), and the weights that are kept are an exponential moving average (Polyak and Juditsky 1992).
bf16 on CPUs that have it and on a GPU.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy
from tqdm import tqdm
from transformers import AutoModel, AutoTokenizer, get_linear_schedule_with_warmup

from models.train import examples as data
from models.train.examples import Example
from pipeline.scoring.heads import HIDDEN_WIDTHS, apply_heads

PREFIX = "query: "
MAX_TOKENS = 144
HEAD_TOKENS = 96  # a longer text is shown by its beginning and its end
BATCH = 32
LABEL_SMOOTHING = 0.05
LAYER_DECAY = 0.9
HEAD_RATE = 1e-3
AVERAGE_EVERY = 8  # steps; averaging each step would cost a tenth of the time
RATE = 1.6e-4
TOPIC_PASSES = 4


class Network(nn.Module):
    """Encoder and heads as one module."""

    def __init__(self, folder: Path) -> None:
        super().__init__()
        # No dropout in the encoder: with one or two passes it gains nothing, and drawing it takes half of a CPU's time.
        # The plain attention: the fused one is three times slower backwards in bf16 on a CPU.
        self.encoder = AutoModel.from_pretrained(
            folder,
            add_pooling_layer=False,
            attn_implementation="eager",
            hidden_dropout_prob=0.0,
            attention_probs_dropout_prob=0.0,
        )
        self.tokenizer = AutoTokenizer.from_pretrained(folder)
        self.heads = nn.ParameterDict({name.replace(".", "/"): value for name, value in self.initial(folder).items()})

    def initial(self, folder: Path) -> dict[str, Tensor]:
        saved = load_file(folder / "heads.safetensors") if (folder / "heads.safetensors").exists() else {}
        sizes = {"d": self.encoder.config.hidden_size, "t": len(data.TOPICS), "c": len(data.SENTIMENTS)}
        fresh = {
            name: torch.randn([sizes[axis] for axis in axes.split()]) * 0.02 for name, axes in HIDDEN_WIDTHS.items()
        }
        return fresh | {name: value.float() for name, value in saved.items() if name in fresh}

    def forward(self, batch: dict[str, Tensor]) -> dict[str, Tensor]:
        hidden = self.encoder(**batch).last_hidden_state
        weights = {name.replace("/", "."): value for name, value in self.heads.items()}
        return apply_heads(hidden.float(), batch["attention_mask"], weights)

    def save(self, folder: Path) -> None:
        self.encoder.save_pretrained(folder)
        self.tokenizer.save_pretrained(folder)
        save_file(
            {name.replace("/", "."): value.data for name, value in self.heads.items()}, folder / "heads.safetensors"
        )


def encode(tokenizer: AutoTokenizer, texts: list[str]) -> list[list[int]]:
    """Token ids; a text that is too long keeps its beginning and its end."""
    encoded = tokenizer([PREFIX + text for text in texts])["input_ids"]
    return [ids if len(ids) <= MAX_TOKENS else ids[:HEAD_TOKENS] + ids[HEAD_TOKENS - MAX_TOKENS :] for ids in encoded]


def batches(
    tokenizer: AutoTokenizer, chosen: list[Example], rng: random.Random
) -> Iterator[tuple[dict[str, Tensor], list[Example]]]:
    """Batches of texts of like length, in random order within stretches of 100 batches."""
    for start in range(0, len(chosen), BATCH * 100):
        stretch = chosen[start : start + BATCH * 100]
        pairs = sorted(
            zip(encode(tokenizer, [data.vary(example.text, rng) for example in stretch]), stretch, strict=True),
            key=lambda pair: len(pair[0]),
        )
        groups = [pairs[i : i + BATCH] for i in range(0, len(pairs), BATCH)]
        rng.shuffle(groups)
        for group in groups:
            padded = tokenizer.pad({"input_ids": [ids for ids, _ in group]}, return_tensors="pt")
            yield {name: padded[name] for name in ("input_ids", "attention_mask")}, [example for _, example in group]


def loss_of(logits: dict[str, Tensor], group: list[Example]) -> Tensor:
    return sentiment_loss(logits["sentiment"], group) + topic_loss(logits, group)


def sentiment_loss(logits: Tensor, group: list[Example]) -> Tensor:
    known = [i for i, example in enumerate(group) if example.sentiment is not None]
    if not known:
        return logits.sum() * 0
    # A source without a neutral class says nothing about neutral: its logit is taken out of the softmax.
    silent = [i for i in known if not group[i].has_neutral]
    masked = logits.clone()
    masked[silent, 1] = -1e4
    target = torch.tensor([group[i].sentiment for i in known], device=logits.device)
    smoothing = torch.full_like(masked[known], LABEL_SMOOTHING / 3)
    wanted = smoothing.scatter_(1, target.unsqueeze(1), 1 - LABEL_SMOOTHING * 2 / 3)
    wanted[:, 1] *= torch.tensor([float(group[i].has_neutral) for i in known], device=logits.device)
    return cross_entropy(masked[known], wanted / wanted.sum(1, keepdim=True))


def topic_loss(logits: dict[str, Tensor], group: list[Example]) -> Tensor:
    known = [i for i, example in enumerate(group) if example.topics is not None]
    if not known:
        return logits["topic"].sum() * 0 + logits["polarity"].sum() * 0
    target = torch.zeros_like(logits["topic"])
    where: list[tuple[int, int, int]] = []
    for i in known:
        for topic, polarity in group[i].topics or ():
            target[i, topic] = 1
            where.append((i, topic, polarity))
    loss = 4 * binary_cross_entropy_with_logits(logits["topic"][known], target[known])
    if where:
        rows, topics, polarities = torch.tensor(where, device=target.device).T
        loss = loss + 0.5 * cross_entropy(logits["polarity"][rows, topics], polarities, label_smoothing=LABEL_SMOOTHING)
    return loss


def parameter_groups(network: Network, rate: float) -> list[dict]:
    layers = network.encoder.config.num_hidden_layers
    groups = [{"params": list(network.heads.parameters()), "lr": HEAD_RATE, "weight_decay": 0.0}]
    for name, parameter in network.encoder.named_parameters():
        depth = int(name.split(".")[2]) + 1 if name.startswith("encoder.layer.") else 0
        decay = 0.01 if parameter.ndim > 1 and depth > 0 else 0.0
        groups.append({"params": [parameter], "lr": rate * LAYER_DECAY ** (layers - depth), "weight_decay": decay})
    return groups


def chosen_examples(folder: Path, rng: random.Random, scale: float) -> list[Example]:
    held_out = {
        row["text"] for name in ("sentiment_dev", "topics_dev") for row in data.read(folder / f"{name}.jsonl.gz")
    }
    sentiment = [e for e in data.sentiment_examples(folder / "sentiment_train.jsonl.gz") if e.text not in held_out]
    keyed = data.labelled_by_key({data.text_key(example.text): example for example in sentiment})
    topics = [e for e in data.topic_examples(folder / "topics_train.jsonl.gz") if e.text not in held_out] + keyed
    chosen = data.mixture(sentiment, rng, scale) + topics * TOPIC_PASSES
    rng.shuffle(chosen)
    return chosen


def fit(network: Network, chosen: list[Example], rate: float, decay: float, rng: random.Random) -> None:
    device = next(network.parameters()).device
    steps = -(-len(chosen) // BATCH)
    optimizer = torch.optim.AdamW(parameter_groups(network, rate), fused=True)
    schedule = get_linear_schedule_with_warmup(optimizer, steps // 20, steps + 1)
    average = {name: torch.zeros_like(value) for name, value in network.named_parameters()}
    network.train()
    progress = tqdm(batches(network.tokenizer, chosen, rng), total=steps, mininterval=20, unit="batch")
    smooth = 0.0
    for step, (batch, group) in enumerate(progress):
        with torch.autocast(device.type, torch.bfloat16):
            logits = network({name: value.to(device) for name, value in batch.items()})
        loss = loss_of({name: value.float() for name, value in logits.items()}, group)
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        if step % AVERAGE_EVERY == 0:
            for name, value in network.named_parameters():
                average[name].lerp_(value.detach(), 1 - decay)
        smooth = 0.98 * smooth + 0.02 * loss.item() if step else loss.item()
        progress.set_postfix(loss=f"{smooth:.3f}", refresh=False)
    # The average starts from zero; without the correction the start would count (Kingma and Ba 2015, section 3).
    correction = 1 - decay ** -(-steps // AVERAGE_EVERY)
    network.load_state_dict({name: value / correction for name, value in average.items()}, strict=False)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--from", dest="start", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--scale", type=float, default=1.0, help="share of the passes over the sentiment data")
    parser.add_argument("--rate", type=float, default=RATE, help="learning rate of the uppermost layer")
    parser.add_argument("--average", type=float, default=0.96, help="decay of the average of weights, every 8 steps")
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    torch.manual_seed(arguments.seed)
    rng = random.Random(arguments.seed)
    chosen = chosen_examples(arguments.data, rng, arguments.scale)
    network = Network(arguments.start).to("cuda" if torch.cuda.is_available() else "cpu")
    fit(network, chosen, arguments.rate, arguments.average, rng)
    arguments.out.mkdir(parents=True, exist_ok=True)
    network.save(arguments.out)
    (arguments.out / "training.json").write_text(json.dumps(vars(arguments), default=str) + "\n")


if __name__ == "__main__":
    main()
