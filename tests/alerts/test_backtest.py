"""From a table of counts to a table with verdicts, and one line for everything that is wrong with it."""

import csv
from datetime import date, timedelta
from pathlib import Path

import numpy as np
import pytest

from pipeline.alerts import backtest
from pipeline.alerts.backtest import backtest_csv
from pipeline.alerts.detect import share_verdicts
from pipeline.errors import PermanentError

HEADER = "series,date,negatives,total"
FIRST = date(2026, 1, 5)


def write(path: Path, *lines: str, header: str = HEADER) -> Path:
    path.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def days_of(negatives: np.ndarray, totals: np.ndarray) -> list[str]:
    return [
        f"shop-{series},{FIRST + timedelta(days=day)},{negatives[series, day]},{totals[series, day]}"
        for series in range(negatives.shape[0])
        for day in range(negatives.shape[1])
    ]


@pytest.fixture
def counts() -> tuple[np.ndarray, np.ndarray]:
    """Six series of 60 days; the last ends in a spike of four days."""
    random = np.random.default_rng(1)
    totals = random.poisson(40, (6, 60))
    negatives = random.binomial(totals, 0.2)
    negatives[5, -4:] = totals[5, -4:] * 6 // 10
    return negatives, totals


def test_rows_in_any_order_get_their_own_verdict(tmp_path: Path, counts: tuple[np.ndarray, np.ndarray]) -> None:
    lines = days_of(*counts)
    order = np.random.default_rng(2).permutation(len(lines))
    source = write(tmp_path / "counts.csv", *(lines[row] for row in order))
    summary = backtest_csv(source, tmp_path / "out.csv", budget=0.5)
    verdict = share_verdicts(*counts, FIRST, budget=0.5)
    rows = read(tmp_path / "out.csv")
    assert [f"{row['series']},{row['date']},{row['negatives']},{row['total']}" for row in rows] == [
        lines[row] for row in order
    ]
    assert [float(row["p_value"]) for row in rows] == pytest.approx(verdict.p_value.ravel()[order])
    assert [float(row["expected"]) for row in rows] == pytest.approx(verdict.expected.ravel()[order])
    assert [row["alarm"] == "true" for row in rows] == verdict.alarm.ravel()[order].tolist()
    assert verdict.alarm[5, -4:].any()
    assert (summary.series, summary.rows, summary.alarm_days) == (6, 360, verdict.alarm.sum())
    assert (summary.first_date, summary.last_date) == (FIRST, FIRST + timedelta(days=59))


def test_missing_dates_are_days_without_feedback(tmp_path: Path, counts: tuple[np.ndarray, np.ndarray]) -> None:
    negatives, totals = (x.copy() for x in counts)
    negatives[:, 20:25] = totals[:, 20:25] = 0
    lines = days_of(negatives, totals)
    sparse = [line for line in lines if not line.endswith(",0,0")]
    assert len(sparse) == len(lines) - 30
    backtest_csv(write(tmp_path / "dense.csv", *lines), tmp_path / "a.csv", budget=2)
    backtest_csv(write(tmp_path / "sparse.csv", *sparse), tmp_path / "b.csv", budget=2)
    dense = [row for row in read(tmp_path / "a.csv") if row["total"] != "0"]
    assert [row["p_value"] for row in dense] == [row["p_value"] for row in read(tmp_path / "b.csv")]


def test_the_memory_limit_changes_no_verdict(
    tmp_path: Path, counts: tuple[np.ndarray, np.ndarray], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two series at a time, and a series that starts weeks later than the others."""
    late = [line.replace("shop-1", "late") for line in days_of(*counts)[60:120] if line > "shop-1,2026-02-10"]
    source = write(tmp_path / "counts.csv", *late, *days_of(*counts))
    whole = backtest_csv(source, tmp_path / "whole.csv", budget=2)
    monkeypatch.setattr(backtest, "CELLS_AT_ONCE", 130)
    assert backtest_csv(source, tmp_path / "parts.csv", budget=2) == whole
    parts, expected = read(tmp_path / "parts.csv"), read(tmp_path / "whole.csv")
    assert [row["alarm"] for row in parts] == [row["alarm"] for row in expected]
    assert [float(row["p_value"]) for row in parts] == pytest.approx([float(row["p_value"]) for row in expected])


def test_other_columns_quotes_and_nordic_names_pass_through(tmp_path: Path) -> None:
    source = write(
        tmp_path / "counts.csv",
        'ja,"Bergen, ""Bryggen""",2026-03-01 00:00:00,1,5.0',
        "nei,Ærø,2026-03-01,0,0",
        header="note,series,date,negatives,total",
    )
    backtest_csv(source, tmp_path / "out.csv", budget=2)
    first, second = read(tmp_path / "out.csv")
    assert (first["note"], first["series"], first["date"]) == ("ja", 'Bergen, "Bryggen"', "2026-03-01 00:00:00")
    assert (second["series"], second["alarm"]) == ("Ærø", "false")


def test_running_on_its_own_output_replaces_the_columns(tmp_path: Path) -> None:
    backtest_csv(write(tmp_path / "a.csv", "x,2026-03-01,1,5"), tmp_path / "b.csv", budget=2)
    backtest_csv(tmp_path / "b.csv", tmp_path / "c.csv", budget=2)
    assert (tmp_path / "b.csv").read_bytes() == (tmp_path / "c.csv").read_bytes()


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (("x,2026-03-01,1,5", "x,2026-03-02,one,5"), "line 3: negatives must be a whole number.*'one'"),
        (("x,2026-03-01,1.5,5",), "line 2: negatives must be a whole number.*'1.5'"),
        (("x,2026-03-01,-1,5",), "line 2: negatives must be a whole number"),
        (("x,2026-03-01,1,",), "line 2: total must be a whole number"),
        (("x,2026-03-01,6,5",), "line 2: negatives are more than total"),
        (("x,01/03/2026,1,5",), "line 2: date must be a day of .*'01/03/2026'"),
        (("x,2026-02-30,1,5",), "line 2: date must be a day of .*'2026-02-30'"),
        (("x,0202-03-01,1,5",), "line 2: date must be a day of 1970 to 2099"),
        (("x,2026-03-01,1,5", "y,2026-03-01,1,5", "x,2026-03-01,1,5"), "line 4: this series and date came before"),
        ((), "no rows"),
        (("x,2026-03-01,1",), "not a readable CSV"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(tmp_path: Path, lines: tuple[str, ...], message: str) -> None:
    source = write(tmp_path / "counts.csv", *lines)
    with pytest.raises(PermanentError, match=message) as error:
        backtest_csv(source, tmp_path / "out.csv", budget=2)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "out.csv").exists()


def test_missing_file_and_missing_column(tmp_path: Path) -> None:
    with pytest.raises(PermanentError, match="does not exist"):
        backtest_csv(tmp_path / "none.csv", tmp_path / "out.csv", budget=2)
    with pytest.raises(PermanentError, match="no column negatives, total"):
        backtest_csv(write(tmp_path / "a.csv", "x,2026-03-01", header="series,date"), tmp_path / "out.csv", budget=2)
    (tmp_path / "empty.csv").touch()
    with pytest.raises(PermanentError, match="not a readable CSV"):
        backtest_csv(tmp_path / "empty.csv", tmp_path / "out.csv", budget=2)
