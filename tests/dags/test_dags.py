"""The DAGs as a set: they load, they are alike, and they run."""

from __future__ import annotations

import subprocess
import sys
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from pipeline.errors import ConfigError, PermanentError, RecordError, TransientError
from pipeline.flow import Flow
from pipeline.settings import load_settings
from pipeline.warehouse.engine import open_warehouse, reading

from .conftest import CONFIG, DAGS

IDS = ["klang_ingest__shop", "klang_ingest__nps", "klang_score", "klang_alert"]
# What takes seconds or memory to import; the DAG processor loads every file every 30 s.
HEAVY = ("torch", "transformers", "pyarrow", "scipy", "pipeline.flow")


@pytest.fixture
def dags(project: Path) -> dict[str, Any]:
    from airflow.dag_processing.dagbag import DagBag

    bag = DagBag(DAGS)
    assert bag.import_errors == {}
    return dict(bag.dags)


def test_there_is_one_ingest_dag_a_source(dags: dict[str, Any]) -> None:
    assert sorted(dags) == sorted(IDS)


@pytest.mark.parametrize("dag_id", IDS)
def test_every_dag_has_what_operators_look_for(dags: dict[str, Any], dag_id: str) -> None:
    dag = dags[dag_id]
    assert "klang" in dag.tags
    assert dag.doc_md
    assert dag.description
    assert (dag.catchup, dag.max_active_runs) == (False, 1)
    for task in dag.tasks:
        assert (task.owner, task.retries) == ("klang", 3)
        assert task.retry_policy is not None


def test_schedules_and_assets(dags: dict[str, Any]) -> None:
    assert dags["klang_ingest__shop"].schedule == "@hourly"
    assert dags["klang_ingest__nps"].schedule == "@daily"
    outlets = {dag_id: {asset.uri for task in dag.tasks for asset in task.outlets} for dag_id, dag in dags.items()}
    inlets = {dag_id: {asset.uri for asset in dags[dag_id].schedule} for dag_id in IDS[2:]}
    assert outlets["klang_ingest__shop"] == outlets["klang_ingest__nps"] == inlets["klang_score"]
    assert outlets["klang_score"] == inlets["klang_alert"]
    assert len(inlets["klang_score"] | inlets["klang_alert"]) == 2


def test_pools_exist(project: Path) -> None:
    """Also that of a connection: the scheduler never starts a task whose pool is missing."""
    from airflow.dag_processing.dagbag import DagBag
    from airflow.models.pool import Pool
    from pools import create_pools

    (project / "klang.toml").write_text(CONFIG.replace('name = "nps"', 'name = "nps"\nconnection = "vendor"'), "utf-8")
    create_pools(load_settings())
    named = {task.pool for dag in DagBag(DAGS).dags.values() for task in dag.tasks}
    assert named == {"klang_ingest", "klang_vendor", "klang_model", "default_pool"}
    assert named <= {pool.pool for pool in Pool.get_pools()}


def test_parsing_imports_nothing_heavy(project: Path) -> None:
    code = f"""if True:
        import sys
        from airflow.dag_processing.dagbag import BundleDagBag
        assert len(BundleDagBag({str(DAGS)!r}, bundle_path={str(DAGS)!r}, bundle_name="klang").dags) == {len(IDS)}
        print("loaded:", *(name for name in {HEAVY!r} if name in sys.modules))"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert done.stdout.splitlines()[-1:] == ["loaded:"], done.stderr


@pytest.mark.parametrize(
    ("error", "action", "wait"),
    [
        (PermanentError("the source is gone"), "fail", None),
        (ConfigError("no such connection"), "fail", None),
        (TransientError("rate limit", wait=90), "retry", timedelta(seconds=90)),
        (TransientError("connection reset"), "default", None),  # the delay of the DAG
        (RecordError("no text"), "default", None),
        (ZeroDivisionError(), "default", None),
    ],
)
def test_what_is_tried_again(airflow_home: Path, error: Exception, action: str, wait: timedelta | None) -> None:
    from klang_common import KlangRetries

    decision = KlangRetries().evaluate(error, try_number=1, max_tries=3)
    assert (decision.action.value, decision.retry_delay) == (action, wait)


def test_a_connection_becomes_credentials(airflow_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from klang_common import credentials_of

    monkeypatch.setenv("AIRFLOW_CONN_VENDOR", "https://anna:s%2Fcret@api.example:8443/?tls=ssl")
    found = credentials_of("vendor")
    assert (found.login, found.password, found.port) == ("anna", "s/cret", 8443)
    assert dict(found.extra) == {"tls": "ssl"}
    assert "s/cret" not in repr(found)
    with pytest.raises(ConfigError, match="no connection 'nobody'"):
        credentials_of("nobody")


def counts(folder: Path) -> dict[str, int]:
    with reading(open_warehouse(f"sqlite:///{folder / 'var/klang.db'}")) as connection:
        names = ("raw_item", "feedback", "sentiment", "feedback_scored")
        return {name: connection.execute(text(f"SELECT count(*) FROM {name}")).scalar_one() for name in names}


def states(run: Any) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for task in run.get_task_instances():
        found.setdefault(task.task_id, []).append(str(task.state))
    return found


def test_the_dags_run_and_a_second_run_adds_nothing(project: Path, dags: dict[str, Any]) -> None:
    Flow.of(load_settings()).prepare()
    runs = {dag_id: dags[dag_id].test() for dag_id in IDS}
    assert {dag_id: str(run.state) for dag_id, run in runs.items()} == dict.fromkeys(IDS, "success")
    assert states(runs["klang_score"]) == {"waiting": ["success"], "score": ["success"], "refresh": ["success"]}
    assert counts(project) == {"raw_item": 4, "feedback": 4, "sentiment": 4, "feedback_scored": 4}

    again = {dag_id: dags[dag_id].test() for dag_id in ("klang_ingest__shop", "klang_score")}
    assert states(again["klang_score"]) == {"waiting": ["success"], "score": ["skipped"], "refresh": ["success"]}
    assert str(again["klang_score"].state) == "success"
    assert counts(project) == {"raw_item": 4, "feedback": 4, "sentiment": 4, "feedback_scored": 4}


def test_a_permanent_error_is_not_tried_again(project: Path, dags: dict[str, Any]) -> None:
    Flow.of(load_settings()).prepare()
    (project / "shop.csv").unlink()
    run = dags["klang_ingest__shop"].test()
    assert str(run.state) == "failed"
    assert [task.try_number for task in run.get_task_instances()] == [1]
