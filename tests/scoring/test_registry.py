"""Scorers by name."""

import subprocess
import sys
from pathlib import Path

import pytest

from pipeline.errors import ConfigError
from pipeline.records import NO_WORDS
from pipeline.scoring.foreign import ForeignScorer
from pipeline.scoring.nordic import NordicScorer
from pipeline.scoring.registry import DummyScorer, load_scorer, model_id_of


def test_names_lead_to_their_scorers(small_model: Path, small_classifier: Path) -> None:
    assert isinstance(load_scorer("dummy", {}), DummyScorer)
    assert isinstance(load_scorer(str(small_model), {}), NordicScorer)
    assert isinstance(load_scorer(str(small_classifier), {}), ForeignScorer)


def test_model_ids_are_those_of_the_loaded_scorers(small_model: Path, small_classifier: Path) -> None:
    for name in ("dummy", str(small_model), str(small_classifier)):
        assert model_id_of(name) == load_scorer(name, {}).model_id


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="there is no model folder"):
        load_scorer(str(tmp_path / "none"), {})


def test_the_dummy_is_deterministic_and_gives_probabilities() -> None:
    texts = ["Hei", "Hej", "", "  ", "Hei", "\ud83d"]
    scores = DummyScorer().score(texts)
    assert scores == DummyScorer().score(texts)
    assert scores[0] == scores[4] != scores[1]
    assert scores[2] == scores[3] == NO_WORDS
    assert all(one.p_negative + one.p_neutral + one.p_positive == pytest.approx(1) for one in scores)


def test_the_library_imports_without_torch() -> None:
    modules = "pipeline.predict, pipeline.flow, pipeline.scoring.nordic, pipeline.scoring.foreign"
    program = f"import sys, {modules}; print({{'torch', 'transformers'}} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
