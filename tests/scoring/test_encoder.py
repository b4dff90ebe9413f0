"""Our reading of the folder gives the vectors that transformers gives."""

import json
import shutil
from pathlib import Path

import pytest

from pipeline.errors import ConfigError


@pytest.fixture
def in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    monkeypatch.setattr("pipeline.scoring.encoder.fast_dtype", lambda device: torch.float32)


def test_vectors_are_those_of_transformers(small_model: Path, in_float32: None) -> None:
    import torch
    from transformers import AutoModel

    from pipeline.scoring.encoder import Encoder

    ids = torch.tensor([[0, 9, 20, 33, 7, 2], [0, 50, 2, 1, 1, 1]])
    mask = (ids != 1).float()
    theirs = AutoModel.from_pretrained(small_model, add_pooling_layer=False).eval()
    with torch.inference_mode():
        expected = theirs(input_ids=ids, attention_mask=mask).last_hidden_state
        ours = Encoder(small_model, torch.device("cpu"))(ids, mask)
    torch.testing.assert_close(ours[mask == 1], expected[mask == 1], atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"model_type": "gpt2"}, "model_type 'gpt2'"),
        ({"hidden_act": "relu"}, "hidden_act 'relu'"),
    ],
)
def test_another_kind_of_model_is_refused(small_model: Path, tmp_path: Path, changed: dict, said: str) -> None:
    import torch

    from pipeline.scoring.encoder import Encoder

    folder = shutil.copytree(small_model, tmp_path / "model")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps(config | changed))
    with pytest.raises(ConfigError, match=said):
        Encoder(folder, torch.device("cpu"))


def test_a_folder_without_weights_is_refused_in_one_line(small_model: Path, tmp_path: Path) -> None:
    import torch

    from pipeline.scoring.encoder import Encoder

    folder = shutil.copytree(small_model, tmp_path / "model", ignore=shutil.ignore_patterns("model.safetensors"))
    with pytest.raises(ConfigError) as error:
        Encoder(folder, torch.device("cpu"))
    assert str(folder) in str(error.value)
    assert "\n" not in str(error.value)
