"""The catalogue is read when DAGs are parsed, so it must stay cheap."""

from __future__ import annotations

import subprocess
import sys

from pipeline.settings import SourceSettings
from pipeline.sources.base import make_source
from pipeline.sources.catalogue import CHANNELS, KINDS, OPTION_TYPES

HEAVY = ("sqlalchemy", "numpy", "pyarrow", "torch", "transformers", "requests", "bs4")


def test_importing_it_loads_nothing_heavy() -> None:
    code = f"import sys, pipeline.sources.catalogue; print([name for name in {HEAVY} if name in sys.modules])"
    assert (
        subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout.strip() == "[]"
    )


def test_every_kind_can_be_made_and_has_a_channel() -> None:
    values = {
        "fields": {"external_id": "i", "created_at": "c", "text": "t", "rating": "r"},
        "path": "in",
        "score": "nps",
    }
    for name, kind in KINDS.items():
        assert kind.channel in CHANNELS
        source = make_source(SourceSettings(name, name, {key: values[key] for key in kind.required}))
        assert callable(source.pages)
        assert callable(source.drafts)


def test_option_types_are_of_options_that_exist() -> None:
    assert set(OPTION_TYPES) <= {option for kind in KINDS.values() for option in kind.options}
