"""A model of the shipped one's kind, small enough to be made for the tests, with weights that are drawn at random."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

TOPICS = ("delivery", "price", "staff")
SENTENCES = [
    "Leveringen tok tre uker, og ingen svarte på mail.",
    "Rigtig god service og søde medarbejdere i butikken!",
    "Priset var för högt, men kvaliteten är bra.",
    "Eg er nøgd med hjelpa eg fekk.",
    "The parcel arrived the next day, well packed.",
]
WIDTH, POSITIONS = 48, 64


def save_tokenizer(folder: Path) -> int:
    """Train a tokenizer on SENTENCES; returns the size of its vocabulary."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors, trainers
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer(models.BPE(unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<s>", "<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(
        SENTENCES * 4, trainers.BpeTrainer(vocab_size=300, special_tokens=special, show_progress=False)
    )
    tokenizer.post_processor = processors.TemplateProcessing("<s> $A </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=POSITIONS,
        unk_token="<unk>",
        pad_token="<pad>",
        cls_token="<s>",
        sep_token="</s>",
    ).save_pretrained(folder)
    return tokenizer.get_vocab_size()


def small_config(vocabulary: int, **more: object) -> object:
    from transformers import BertConfig

    return BertConfig(
        vocab_size=vocabulary, hidden_size=WIDTH, num_hidden_layers=2, num_attention_heads=4, intermediate_size=96,
        max_position_embeddings=POSITIONS, pad_token_id=1, **more,
    )  # fmt: skip


@pytest.fixture(scope="session")
def small_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder like models/klang-nordic."""
    import torch
    from safetensors.torch import save_file
    from transformers import BertModel

    from pipeline.scoring.heads import HIDDEN_WIDTHS

    folder = tmp_path_factory.mktemp("small-model")
    torch.manual_seed(1)
    BertModel(small_config(save_tokenizer(folder)), add_pooling_layer=False).save_pretrained(folder)
    sizes = {"d": WIDTH, "t": len(TOPICS), "c": 3}
    heads = {name: torch.randn([sizes[axis] for axis in axes.split()]) / 5 for name, axes in HIDDEN_WIDTHS.items()}
    save_file(heads, folder / "heads.safetensors")
    description = {
        "model_id": "small@1", "prefix": "query: ", "topics": TOPICS, "topic_thresholds": [0.3] * len(TOPICS),
        "temperature": 0.5, "neutral_bias": 0.1,
    }  # fmt: skip
    (folder / "klang.json").write_text(json.dumps(description))
    return folder


@pytest.fixture(scope="session")
def small_classifier(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A sequence-classification model as the hub has them, with two labels."""
    import torch
    from transformers import BertForSequenceClassification

    folder = tmp_path_factory.mktemp("small-classifier")
    torch.manual_seed(2)
    config = small_config(save_tokenizer(folder), id2label={0: "POS", 1: "NEG"}, label2id={"POS": 0, "NEG": 1})
    BertForSequenceClassification(config).save_pretrained(folder)
    return folder
