"""The encoder of Klang's own model: BERT (Devlin et al. 2018, arXiv:1810.04805) from its Hugging Face folder.

`AutoModel` reads the same folder and gives the same vectors (a test compares them), but importing it costs more than
importing torch, and than scoring hundreds of texts.

The linear layers run in bf16 where the processor multiplies it itself, and all that is between them, the sums above
all, stays in float32. On 2,000 development texts two labels differ from float32's (accuracy .8210, in float32 .8220).
Measured on 12 layers of width 384, one core of an AMD Zen 5 (AVX-512 BF16, no AMX), reviews of
70 tokens on average: float32 20 texts a second, bf16 60, int8 weights with a scale a row of the activations 60 (the
multiplications are 2.4 times faster, but what torch takes to quantise eats it up), the vectors' cosine to float32
.99999 in bf16 and .998 in int8. So it is bf16. Batches of 512 tokens give 90 a second, for what lies between two
layers stays in the core's cache, of 4,096 tokens 37.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.errors import ConfigError

if TYPE_CHECKING:
    import torch
    from torch import Tensor

KIND = {"model_type": "bert", "hidden_act": "gelu"}


class Encoder:
    def __init__(self, folder: Path, device: torch.device) -> None:
        """Raises ConfigError where the folder holds no BERT."""
        self.device = device
        config, weights = read_folder(folder)
        self.positions: int = config["max_position_embeddings"]
        self.pad: int = config["pad_token_id"]
        self.words = weights["embeddings.word_embeddings.weight"].to(device)
        kind = weights["embeddings.token_type_embeddings.weight"][0]  # all tokens are of the first kind
        self.places = (weights["embeddings.position_embeddings.weight"] + kind).to(device)
        self.norm = Norm(weights, "embeddings.LayerNorm", config["layer_norm_eps"], device)
        prefixes = [f"encoder.layer.{i}." for i in range(config["num_hidden_layers"])]
        self.layers = [Layer(weights, prefix, config, device) for prefix in prefixes]

    def __call__(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The token vectors (texts, tokens, width) in float32 of ids (texts, tokens), where the mask is 1."""
        hidden = self.norm(self.words[ids] + self.places[: ids.shape[1]])
        absent = None if bool(mask.all()) else (mask == 0)[:, None, None]
        for layer in self.layers:
            hidden = layer(hidden, absent)
        return hidden


class Layer:
    def __init__(self, weights: dict[str, Tensor], prefix: str, config: dict[str, Any], device: torch.device) -> None:
        self.heads: int = config["num_attention_heads"]
        attention = [f"{prefix}attention.self.{name}" for name in ("query", "key", "value")]
        self.query_key_value = Linear(weights, attention, device)
        self.out = Linear(weights, [f"{prefix}attention.output.dense"], device)
        self.up = Linear(weights, [f"{prefix}intermediate.dense"], device)
        self.down = Linear(weights, [f"{prefix}output.dense"], device)
        self.after_attention = Norm(weights, f"{prefix}attention.output.LayerNorm", config["layer_norm_eps"], device)
        self.after_all = Norm(weights, f"{prefix}output.LayerNorm", config["layer_norm_eps"], device)

    def __call__(self, hidden: Tensor, absent: Tensor | None) -> Tensor:
        from torch.nn.functional import gelu

        hidden = self.after_attention(hidden + self.out(self.attend(hidden, absent)))
        return self.after_all(hidden + self.down(gelu(self.up(hidden))))

    def attend(self, hidden: Tensor, absent: Tensor | None) -> Tensor:
        """Plain attention: on a CPU and heads this narrow faster than the fused one, up to twice."""
        texts, tokens, width = hidden.shape
        parts = self.query_key_value(hidden).view(texts, tokens, 3, self.heads, -1)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        scores = (query @ key.transpose(-1, -2)).float() / math.sqrt(width / self.heads)
        if absent is not None:
            scores = scores.masked_fill(absent, float("-inf"))
        mixed = scores.softmax(-1).to(value.dtype) @ value
        side_by_side: Tensor = mixed.transpose(1, 2).reshape(texts, tokens, width)
        return side_by_side


class Linear:
    """One or several linear layers of the same input, side by side."""

    def __init__(self, weights: dict[str, Tensor], names: list[str], device: torch.device) -> None:
        import torch

        dtype = fast_dtype(device)
        self.weight = torch.cat([weights[f"{name}.weight"] for name in names]).to(device, dtype)
        self.bias = torch.cat([weights[f"{name}.bias"] for name in names]).to(device, dtype)

    def __call__(self, hidden: Tensor) -> Tensor:
        from torch.nn.functional import linear

        return linear(hidden.to(self.weight.dtype), self.weight, self.bias)


class Norm:
    def __init__(self, weights: dict[str, Tensor], name: str, epsilon: float, device: torch.device) -> None:
        self.weight = weights[f"{name}.weight"].to(device)
        self.bias = weights[f"{name}.bias"].to(device)
        self.epsilon = epsilon

    def __call__(self, hidden: Tensor) -> Tensor:
        from torch.nn.functional import layer_norm

        return layer_norm(hidden, self.weight.shape, self.weight, self.bias, self.epsilon)


def read_folder(folder: Path) -> tuple[dict[str, Any], dict[str, Tensor]]:
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
        weights = load_file(folder / "model.safetensors")
    except (OSError, ValueError, SafetensorError) as error:
        raise ConfigError(f"the model folder {folder} cannot be read: {error}") from None
    for name, value in KIND.items():
        if config.get(name) != value:
            raise ConfigError(f"the model in {folder} has {name} {config.get(name)!r}; Klang's own model has {value!r}")
    return config, {name.removeprefix("bert."): value.float() for name, value in weights.items()}


def fast_dtype(device: torch.device) -> torch.dtype:
    """bf16 where the hardware multiplies it, else float32."""
    import torch

    if device.type == "cuda":
        return torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float32
    can = torch.cpu.get_capabilities()
    return torch.bfloat16 if can.get("avx512_bf16") or can.get("amx_bf16") else torch.float32
