"""An Airflow of the tests' own, and a small configuration for the DAGs."""

from __future__ import annotations

import os
import sys
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
DAGS = ROOT / "dags"
CONFIG = """
[model]
name = "dummy"
[privacy]
demo_secret = true
[[source]]
name = "shop"
kind = "file"
path = "shop.csv"
schedule = "@hourly"
[source.fields]
external_id = "id"
created_at = "created"
text = "body"
[[source]]
name = "nps"
kind = "survey"
path = "nps.csv"
score = "nps"
[source.fields]
external_id = "id"
created_at = "created"
text = "body"
rating = "score"
"""
SHOP = """id,created,body
1,2026-11-20T10:00:00Z,Pakken kom aldrig frem og ingen svarer på mine mails.
2,2026-11-20T11:00:00Z,Rigtig god service og hurtig levering.
3,2026-11-20T12:00:00Z,Jättebra butik med trevlig personal.
"""
NPS = """id,created,body,score
a,2026-11-20T10:00:00Z,Helt greit men litt dyrt.,7
"""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker("airflow")
            # Airflow and the libraries below it use what is deprecated elsewhere; none of it is in our hands.
            item.add_marker(pytest.mark.filterwarnings("ignore::DeprecationWarning"))


@pytest.fixture(scope="session")
def airflow_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """An empty Airflow. It reads its environment at its first import, so there is one for all tests."""
    home = tmp_path_factory.mktemp("airflow")
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.startswith("AIRFLOW")]:
            patch.delenv(name)
        patch.setenv("AIRFLOW_HOME", str(home))
        patch.setenv("AIRFLOW__CORE__DAGS_FOLDER", str(DAGS))
        patch.setenv("AIRFLOW__CORE__LOAD_EXAMPLES", "False")
        patch.syspath_prepend(str(DAGS))
        assert "airflow" not in sys.modules
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            from airflow.utils.db import initdb

            initdb()
        yield home


@pytest.fixture
def project(airflow_home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with klang.toml and two small sources; KLANG_CONFIG names it."""
    (tmp_path / "klang.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "shop.csv").write_text(SHOP, encoding="utf-8")
    (tmp_path / "nps.csv").write_text(NPS, encoding="utf-8")
    monkeypatch.setenv("KLANG_CONFIG", str(tmp_path / "klang.toml"))
    monkeypatch.setenv("KLANG_NOW", "2026-11-21T06:00:00Z")
    return tmp_path
