"""`make run` and `make airflow` as processes of their own, in a checkout whose path has spaces."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import psutil
import pytest
from sqlalchemy import text

from pipeline.warehouse.engine import open_warehouse, reading

from .conftest import DAGS, ROOT

ROWS = {
    "raw_item": "source, external_id, version, payload_hash",
    "feedback": "source, external_id, content_hash, language, scored_by",
    "sentiment": "content_hash, model_id, p_negative, p_neutral, p_positive",
    "quarantine": "source, external_id, reason",
}


def checkout(folder: Path) -> Path:
    """The DAGs and the sample configuration, with the dummy model; the library is the installed one."""
    shutil.copytree(DAGS, folder / "dags", ignore=shutil.ignore_patterns("__pycache__"))
    content = (ROOT / "klang.toml").read_text(encoding="utf-8")
    content = content.replace('path = "pipeline/', f'path = "{ROOT}/pipeline/').replace("models/klang-nordic", "dummy")
    (folder / "klang.toml").write_text(content, encoding="utf-8")
    return folder


def start(folder: Path, script: str, **environment: str) -> subprocess.Popen[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("KLANG_", "AIRFLOW"))}
    return subprocess.Popen(
        [sys.executable, str(folder / "dags" / script)], cwd="/", env=clean | environment, text=True,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, start_new_session=True,
    )  # fmt: skip


def finish(process: subprocess.Popen[str], within: float = 400) -> tuple[int, str]:
    output, _ = process.communicate(timeout=within)
    return process.returncode, output


def rows(folder: Path) -> dict[str, list[Any]]:
    with reading(open_warehouse(f"sqlite:///{folder / 'var/klang.db'}")) as connection:
        return {
            table: sorted(map(tuple, connection.execute(text(f"SELECT {columns} FROM {table}"))), key=repr)
            for table, columns in ROWS.items()
        }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = checkout(tmp_path_factory.mktemp("a shop in Århus") / "klang")
    code, output = finish(start(folder, "run_once.py"))
    assert code == 0, output
    return folder


def test_run_once_scores_every_feedback(undisturbed: Path) -> None:
    found = rows(undisturbed)
    assert len(found["feedback"]) >= 300
    assert {row[-1] for row in found["feedback"]} == {"dummy@1"}
    assert len({row[:2] for row in found["feedback"]}) == len(found["feedback"])


def test_a_second_run_adds_nothing_and_ignores_another_airflow(undisturbed: Path) -> None:
    before = rows(undisturbed)
    other = {"AIRFLOW_HOME": "/nowhere", "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": "postgresql://nowhere/airflow"}
    code, output = finish(start(undisturbed, "run_once.py", **other))
    assert code == 0, output
    assert "klang_ingest__halvoe-nps" in output
    assert "Traceback" not in output
    assert rows(undisturbed) == before


def has_rows(folder: Path, table: str) -> bool:
    path = folder / "var" / "klang.db"
    if not path.exists():
        return False
    try:
        with reading(open_warehouse(f"sqlite:///{path}")) as connection:
            return bool(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())
    except Exception:  # the table is not there yet
        return False


MOMENTS: dict[str, Callable[[Path], bool]] = {
    "while the metadata database is made": lambda folder: any((folder / "var/airflow").glob("run-*.draft-*")),
    "when it is made": lambda folder: any((folder / "var/airflow").glob("run-*.db")),
    "while the first source is read": lambda folder: has_rows(folder, "raw_item"),
    "while scoring": lambda folder: has_rows(folder, "sentiment"),
}


def test_a_killed_run_is_made_good_by_the_next(undisturbed: Path, tmp_path: Path) -> None:
    folder = checkout(tmp_path / "klang")
    for moment, has_come in MOMENTS.items():
        process = start(folder, "run_once.py")
        while not has_come(folder) and process.poll() is None:
            time.sleep(0.02)
        assert process.poll() is None, f"it ended before the moment: {moment}"
        os.killpg(process.pid, signal.SIGKILL)
        finish(process)
    code, output = finish(start(folder, "run_once.py"))
    assert code == 0, output
    assert rows(folder) == rows(undisturbed)


@pytest.mark.parametrize(
    ("before", "after", "code", "message"),
    [
        ("[warehouse]", "[warehouze]", 2, "unknown key 'warehouze'"),
        ("demo_secret = true", "demo_secret = false", 2, "KLANG_SECRET is not set"),
        ("tickets.jsonl", "nothing.jsonl", 1, "nothing.jsonl"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(
    undisturbed: Path, tmp_path: Path, before: str, after: str, code: int, message: str
) -> None:
    folder = checkout(tmp_path / "klang")
    shutil.copytree(undisturbed / "var" / "airflow", folder / "var" / "airflow")
    content = (folder / "klang.toml").read_text(encoding="utf-8")
    (folder / "klang.toml").write_text(content.replace(before, after), encoding="utf-8")
    found, output = finish(start(folder, "run_once.py"))
    assert found == code
    assert [message in line for line in output.splitlines()].count(True) == 1
    assert "Traceback" not in output


def ask(url: str, data: Any = None) -> Any:
    body = None if data is None else json.dumps(data).encode()
    with urlopen(Request(url, body, {"Content-Type": "application/json"}), timeout=30) as answer:
        return json.load(answer)


@pytest.mark.slow
def test_airflow_starts_runs_a_dag_and_stops(tmp_path: Path) -> None:
    folder = checkout(tmp_path / "klang")
    process = start(folder, "standalone.py")
    try:
        assert process.stdout
        url = process.stdout.readline().split()[-1]
        ask(f"{url}/api/v2/dags/klang_ingest__halvoe-nps/dagRuns", {"logical_date": None, "dag_run_id": "by-hand"})
        wait_for(lambda: "success" in dag_states(url, "klang_alert"))
        wait_for(lambda: ask(f"{url}/api/v2/dags/klang_ingest__halvoe-nps/dagRuns/by-hand")["state"] == "success")
        members = [psutil.Process(process.pid), *psutil.Process(process.pid).children(recursive=True)]
        addresses = {
            each.laddr.ip for member in members for each in member.net_connections() if each.status == "LISTEN"
        }
        assert addresses == {"127.0.0.1"}
        process.terminate()
        code, output = finish(process, 100)
        assert (code, output.count("Traceback")) == (0, 0)
        assert psutil.wait_procs(members, timeout=5)[1] == []
    finally:
        process.terminate()
        process.wait(100)


def dag_states(url: str, dag_id: str) -> set[str]:
    return {run["state"] for run in ask(f"{url}/api/v2/dags/{dag_id}/dagRuns")["dag_runs"]}


def wait_for(condition: Callable[[], bool], within: float = 300) -> None:
    deadline = time.monotonic() + within
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(1)
