"""Every command of `klang`: what it prints, where its errors go, and its exit codes."""

from __future__ import annotations

import csv
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

KLANG = [sys.executable, "-c", "from pipeline.cli import main; main()"]
COMMANDS = ["run", "ingest", "score", "alert", "predict", "backtest", "sources", "status", "migrate", "export"]
CONFIG = """
[model]
name = "dummy"
[clock]
now = 2026-11-21T06:00:00Z
[privacy]
demo_secret = true
[[source]]
name = "shop"
kind = "file"
path = "reviews.csv"
fields = { external_id = "id", created_at = "date", text = "text", rating = "stars" }
"""
REVIEWS = "id,date,text,stars\n1,2026-11-01,Rask levering,5\n2,2026-11-02,Dårlig service,1\n3,nonsense,Hvad er det?,3\n"


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    (tmp_path / "klang.toml").write_text(CONFIG, encoding="utf-8")
    (tmp_path / "reviews.csv").write_text(REVIEWS, encoding="utf-8")
    return tmp_path


def klang(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("KLANG_", "AIRFLOW"))}
    return subprocess.run(
        [*KLANG, *arguments], cwd=folder, env=kept | environment, capture_output=True, text=True, timeout=300
    )


def test_run_ends_with_the_table_and_status_0(shop: Path) -> None:
    done = klang(shop, "run")
    assert done.returncode == 0, done.stderr
    assert "shop" in done.stdout
    assert "In quarantine" in done.stdout
    assert "nonsense" in done.stdout


def test_the_stages_one_by_one(shop: Path) -> None:
    assert "2 new" in klang(shop, "ingest", "shop").stderr
    assert "nothing new" in klang(shop, "ingest").stderr
    before = json.loads(klang(shop, "status", "--json").stdout)["sources"][0]
    assert (before["feedback"], before["unscored"], before["quarantined"]) == (2, 2, 1)
    assert klang(shop, "score").returncode == 0
    after = json.loads(klang(shop, "status", "--json").stdout)["sources"][0]
    assert (after["unscored"], after["last_status"]) == (0, "success")
    assert "0 new alerts" in klang(shop, "alert").stdout
    assert "shop" in klang(shop, "status").stdout


def test_sources_lists_what_is_configured_and_the_kinds(shop: Path) -> None:
    printed = klang(shop, "sources").stdout
    assert "shop" in printed
    assert "mailbox" in printed
    assert json.loads(klang(shop, "sources", "--json").stdout)[0]["name"] == "shop"


def test_migrate_says_what_it_did(shop: Path) -> None:
    assert "0001" in klang(shop, "migrate").stdout
    assert klang(shop, "migrate").stdout.strip() == "migrations: none needed; views: none changed"


def test_export_writes_a_parquet_file_a_view(shop: Path) -> None:
    klang(shop, "run")
    assert klang(shop, "export", "out").returncode == 0
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(shop / "out" / "feedback_scored.parquet")
    assert table.num_rows == 2
    assert sorted(table["text"].to_pylist()) == ["Dårlig service", "Rask levering"]


def test_predict_adds_its_columns_and_keeps_the_others(shop: Path) -> None:
    done = klang(shop, "predict", "reviews.csv", "--output", "scored.csv")
    assert done.returncode == 0, done.stderr
    with (shop / "scored.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == ["1", "2", "3"]
    for row in rows:
        assert row["sentiment"] in ("negative", "neutral", "positive")
        total = sum(float(row[f"p_{name}"]) for name in ("negative", "neutral", "positive"))
        assert total == pytest.approx(1, abs=1e-4)
        assert isinstance(json.loads(row["topics"]), list)


def test_backtest_adds_its_columns_in_order(tmp_path: Path) -> None:
    days = [f"2026-09-{day:02},{3 if day < 25 else 30},40" for day in range(1, 31)]
    (tmp_path / "counts.csv").write_text("series,date,negatives,total\n" + "".join(f"all,{d}\n" for d in days))
    done = klang(tmp_path, "backtest", "counts.csv", "--output", "judged.csv")
    assert done.returncode == 0, done.stderr
    with (tmp_path / "judged.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["series", "date", "negatives", "total", "expected", "p_value", "alarm"]
    assert [row["alarm"].lower() for row in rows[20:25]] == ["false"] * 4 + ["true"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_help_has_an_example(command: str, tmp_path: Path) -> None:
    done = klang(tmp_path, command, "--help")
    assert done.returncode == 0
    assert "Example:" in done.stdout
    assert f"klang {command}" in done.stdout


MISTAKES = {
    # what is wrong: (klang.toml, arguments, exit code, what the one line must say)
    "no configuration": (None, ["run"], 2, "there is no"),
    "not TOML": ("[[source", ["run"], 2, "is not TOML"),
    "unknown key": ('[warehose]\nurl = ""', ["run"], 2, "did you mean 'warehouse'"),
    "unknown kind": ('[[source]]\nname = "a"\nkind = "fil"', ["run"], 2, "did you mean 'file'"),
    "unknown source": (CONFIG, ["ingest", "nope"], 2, "no source is named 'nope'"),
    "missing secret": (CONFIG.replace("demo_secret = true", ""), ["ingest"], 2, "KLANG_SECRET is not set"),
    "missing file": (CONFIG.replace("reviews.csv", "gone.csv"), ["ingest"], 1, "finds no file"),
    "no model": (CONFIG.replace('"dummy"', '"models/none"'), ["score"], 2, "there is no model folder"),
    "other database": ('[warehouse]\nurl = "mysql://x/y"', ["status"], 2, "SQLite or PostgreSQL"),
    "not migrated": (CONFIG, ["status"], 1, "klang migrate"),
    "unknown command": (CONFIG, ["nope"], 2, "No such command"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_mistake_is_one_line_with_its_exit_code(mistake: str, shop: Path) -> None:
    config, arguments, code, says = MISTAKES[mistake]
    (shop / "klang.toml").unlink()
    if config is not None:
        (shop / "klang.toml").write_text(config, encoding="utf-8")
    done = klang(shop, *arguments)
    assert done.returncode == code, done.stderr
    assert says in done.stderr
    assert "Traceback" not in done.stderr


def test_a_database_that_is_down_is_one_line_without_the_password(shop: Path) -> None:
    url = "postgresql+psycopg://klang:hemmeligt@127.0.0.1:1/klang"
    done = klang(shop, "status", KLANG_WAREHOUSE_URL=url)
    assert done.returncode == 1
    assert "is it running" in done.stderr
    assert "hemmeligt" not in done.stderr + done.stdout
    assert "Traceback" not in done.stderr


def test_an_unreadable_file_names_itself_and_the_other_sources_go_on(shop: Path) -> None:
    (shop / "folder.csv").mkdir()
    more = CONFIG[CONFIG.index("[[source]]") :].replace('"shop"', '"broken"').replace("reviews.csv", "folder.csv")
    (shop / "klang.toml").write_text(CONFIG + more, encoding="utf-8")
    done = klang(shop, "ingest")
    assert done.returncode == 1
    assert "folder.csv" in done.stderr
    assert json.loads(klang(shop, "status", "--json").stdout)["sources"][0]["feedback"] == 2
