"""The whole flow over the sample feeds, undisturbed and killed at several moments."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from sqlalchemy import text

from pipeline.warehouse.engine import open_warehouse, reading

ROOT = Path(__file__).parent.parent
KLANG = [sys.executable, "-c", "from pipeline.cli import main; main()"]
# Everything but the clock and the database's own counters.
FINAL_ROWS = {
    "raw_item": "source, external_id, version, payload_hash, deleted_at, is_current, skipped",
    "feedback": "source, external_id, channel, author_key, title, text, rating, language, deleted_at, scored_by",
    "sentiment": "content_hash, model_id, p_negative, p_neutral, p_positive",
    "topic": "content_hash, model_id, topic, probability, polarity",
    "quarantine": "source, stage, external_id, reason",
    "source_cursor": "source, stream, cursor",
}


def sample_config(folder: Path, model: str) -> dict[str, str]:
    """The repository's klang.toml with its warehouse in `folder`; returns the environment that names it."""
    content = (ROOT / "klang.toml").read_text(encoding="utf-8")
    content = content.replace('path = "pipeline/', f'path = "{ROOT}/pipeline/')
    content = content.replace('"models/klang-nordic"', f'"{model}"')
    (folder / "klang.toml").write_text(content, encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("KLANG_")}
    return kept | {"KLANG_CONFIG": str(folder / "klang.toml")}


def final_rows(folder: Path) -> dict[str, list[tuple[object, ...]]]:
    with reading(open_warehouse(f"sqlite:///{folder}/var/klang.db")) as connection:
        return {
            table: sorted(map(tuple, connection.execute(text(f"SELECT {columns} FROM {table}"))), key=repr)
            for table, columns in FINAL_ROWS.items()
        }


@pytest.fixture(scope="module")
def undisturbed(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, list[tuple[object, ...]]], float]:
    folder = tmp_path_factory.mktemp("undisturbed")
    start = time.monotonic()
    subprocess.run([*KLANG, "run"], env=sample_config(folder, "dummy"), check=True, capture_output=True)
    return final_rows(folder), time.monotonic() - start


def test_the_sample_feeds_come_out_as_promised(undisturbed: tuple[dict[str, list[tuple[object, ...]]], float]) -> None:
    rows, _ = undisturbed
    feedback = rows["feedback"]
    assert len(feedback) >= 600
    assert {channel for _, _, channel, *_ in feedback} >= {"review", "email", "ticket", "survey"}
    assert {row[7] for row in feedback} >= {"da", "sv", "nb", "nn", "en"}
    assert all(row[-1] == "dummy@1" for row in feedback), "nothing waits for scoring"
    assert len({(row[0], row[1]) for row in feedback}) == len(feedback)
    reasons = sorted(reason for *_, reason in rows["quarantine"])
    assert len(reasons) == 2
    assert "'2026-13-45'" in reasons[0]
    assert "'elleve'" in reasons[1]
    assert {row[6] for row in rows["raw_item"]} >= {"auto_reply", "bounce", "newsletter", "own"}
    assert not any("070-174" in str(row[5]) for row in feedback), "telephone numbers are masked"


@pytest.mark.parametrize("moment", [0.15, 0.3, 0.45, 0.6, 0.75, 0.9])
def test_a_killed_run_continues_to_the_same_rows(
    moment: float, undisturbed: tuple[dict[str, list[tuple[object, ...]]], float], tmp_path: Path
) -> None:
    rows, seconds = undisturbed
    environment = sample_config(tmp_path, "dummy")
    process = subprocess.Popen([*KLANG, "run"], env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        process.wait(moment * seconds)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
    process.wait()
    subprocess.run([*KLANG, "run"], env=environment, check=True, capture_output=True)
    assert final_rows(tmp_path) == rows


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    environment = sample_config(tmp_path, "dummy")
    subprocess.run([*KLANG, "run"], env=environment, check=True, capture_output=True)
    before = final_rows(tmp_path)
    subprocess.run([*KLANG, "run"], env=environment, check=True, capture_output=True)
    assert final_rows(tmp_path) == before


@pytest.mark.slow
def test_our_own_model_finds_the_planted_story(tmp_path: Path) -> None:
    """In the last days delivery goes wrong in Sweden: one alert tells it, and at most two others are open."""
    environment = sample_config(tmp_path, str(ROOT / "models" / "klang-nordic"))
    subprocess.run([*KLANG, "run"], env=environment, check=True, capture_output=True)
    with reading(open_warehouse(f"sqlite:///{tmp_path}/var/klang.db")) as connection:
        alerts = connection.execute(text("SELECT members, drivers, opened_on, quotes FROM alert")).all()
        topics = connection.execute(text("SELECT count(DISTINCT topic) FROM topic")).scalar_one()
    assert topics >= 10
    assert len(alerts) <= 3
    stories = [row for row in alerts if "country=SE" in row.members and "delivery" in row.drivers]
    assert len(stories) == 1
    assert "2026-11-16" <= stories[0].opened_on <= "2026-11-18"
    assert len(stories[0].quotes) > 40
