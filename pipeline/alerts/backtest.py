"""`klang backtest`: which days of a table of counts would have alarmed, each judged with only the days before it."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.csv
from numpy.typing import NDArray

from pipeline.alerts.detect import share_verdicts
from pipeline.errors import PermanentError

COLUMNS = ("series", "date", "negatives", "total")
EPOCH = date(1970, 1, 1)
CELLS_AT_ONCE = 4_000_000  # series times days judged in one go: bounds the memory
DATE = re.compile(r"(\d{4}-\d{2}-\d{2})(?:[T ]00:00(?::00(?:\.0+)?)?Z?)?")
Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Summary:
    """What a backtest covered and found."""

    series: int
    rows: int
    first_date: date
    last_date: date
    alarm_days: int
    alarmed_series: int


def backtest_csv(source: Path, output: Path, *, budget: float) -> Summary:
    """Judge every row of `source` and write it to `output` with `expected`, `p_value` and `alarm` added.

    `source` is a CSV file with the columns series, date (YYYY-MM-DD), negatives and total; a date that is missing
    counts as a day without feedback. Rows keep their order and their other columns. `budget` is the number of false
    alarms a month over all series together. Raises PermanentError, naming the line, where the file cannot be judged.
    """
    table = _read(source)
    codes, names = _series_codes(table)
    days, negatives, totals = _days(table), _counts(table, "negatives"), _counts(table, "total")
    _refuse(negatives > totals, "negatives are more than total")
    _refuse_duplicates(codes, days)
    expected, p_value = np.empty(len(codes)), np.empty(len(codes))
    alarm = np.zeros(len(codes), dtype=bool)
    for rows in _chunks(codes, days):
        chunk_budget = budget * len(np.unique(codes[rows])) / names
        expected[rows], p_value[rows], alarm[rows] = _judge(
            codes[rows], days[rows], negatives[rows], totals[rows], chunk_budget
        )
    _write(table, output, expected, p_value, alarm)
    first, last = (EPOCH + timedelta(days=int(day)) for day in (days.min(), days.max()))
    return Summary(names, len(codes), first, last, int(alarm.sum()), len(np.unique(codes[alarm])))


def _judge(
    codes: Ints, days: Ints, negatives: Ints, totals: Ints, budget: float
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.bool_]]:
    """Lay the rows out as (series, days), judge, and read the verdicts back at the rows' places."""
    row, column = np.unique(codes, return_inverse=True)[1], days - days.min()
    shape = (int(row.max()) + 1, int(column.max()) + 1)
    grid_negatives, grid_totals = np.zeros(shape, dtype=np.int64), np.zeros(shape, dtype=np.int64)
    grid_negatives[row, column], grid_totals[row, column] = negatives, totals
    first_date = EPOCH + timedelta(days=int(days.min()))
    verdict = share_verdicts(grid_negatives, grid_totals, first_date, budget=budget)
    return verdict.expected[row, column], verdict.p_value[row, column], verdict.alarm[row, column]


def _chunks(codes: Ints, days: Ints) -> Iterator[Ints]:
    """Row numbers of some series at a time, all rows of a series together, few enough to fit the memory."""
    span = int(days.max() - days.min()) + 1
    series_at_once = max(CELLS_AT_ONCE // span, 1)
    order = np.argsort(codes, kind="stable")
    bounds = np.searchsorted(codes[order], np.arange(0, int(codes.max()) + series_at_once + 1, series_at_once))
    for start, end in pairwise(bounds):
        if end > start:
            yield order[start:end]


def _read(source: Path) -> pa.Table:
    """All columns as text: what does not parse is then named with its line."""
    try:
        with pyarrow.csv.open_csv(source) as head:
            names = head.schema.names
        if missing := [name for name in COLUMNS if name not in names]:
            raise PermanentError(f"{source} has no column {', '.join(missing)}; it needs {', '.join(COLUMNS)}")
        text = pyarrow.csv.ConvertOptions(column_types=dict.fromkeys(names, pa.string()))
        table = pyarrow.csv.read_csv(source, convert_options=text)
    except FileNotFoundError as error:
        raise PermanentError(f"{source} does not exist") from error
    except pa.ArrowInvalid as error:
        raise PermanentError(f"{source} is not a readable CSV file: {str(error).splitlines()[0]}") from error
    if not table.num_rows:
        raise PermanentError(f"{source} has no rows below its header")
    return table


def _series_codes(table: pa.Table) -> tuple[Ints, int]:
    """(a number for each row's series, how many series)."""
    encoded = table["series"].combine_chunks().dictionary_encode()
    return np.asarray(encoded.indices, dtype=np.int64), len(encoded.dictionary)


def _days(table: pa.Table) -> Ints:
    """Days since 1970."""
    encoded = table["date"].combine_chunks().dictionary_encode()
    distinct = np.array([_day(text) for text in encoded.dictionary.to_pylist()])
    days = distinct[np.asarray(encoded.indices)]
    _refuse(days < 0, "date must be a day of 1970 to 2099, written YYYY-MM-DD", table["date"])
    return np.asarray(days, dtype=np.int64)


def _day(text: str) -> int:
    """-1 where it is no plausible date; midnight written after the date, as spreadsheets do, is accepted."""
    match = DATE.fullmatch(text.strip())
    try:
        day = date.fromisoformat(match[1]) if match else date.min
    except ValueError:  # such as 30 February
        return -1
    return (day - EPOCH).days if 1970 <= day.year < 2100 else -1


def _counts(table: pa.Table, column: str) -> Ints:
    text = pc.utf8_trim_whitespace(table[column])
    whole = np.asarray(pc.match_substring_regex(text, r"^\d{1,15}(\.0+)?$"))
    _refuse(~whole, f"{column} must be a whole number, 0 or more", table[column])
    return np.asarray(pc.replace_substring_regex(text, r"\.0+$", "").cast(pa.int64()))


def _refuse_duplicates(codes: Ints, days: Ints) -> None:
    order = np.lexsort((days, codes))
    again = (np.diff(codes[order]) == 0) & (np.diff(days[order]) == 0)
    repeated = np.zeros(len(codes), dtype=bool)
    repeated[order[1:][again]] = True
    _refuse(repeated, "this series and date came before; add the rows up")


def _refuse(wrong: NDArray[np.bool_], why: str, values: pa.ChunkedArray | None = None) -> None:
    """Line numbers count the header, as an editor does."""
    if wrong.any():
        row = int(np.argmax(wrong))
        found = "" if values is None else f", not {values[row].as_py()!r}"
        raise PermanentError(f"line {row + 2}: {why}{found} ({int(wrong.sum())} such lines)")


def _write(
    table: pa.Table,
    output: Path,
    expected: NDArray[np.float64],
    p_value: NDArray[np.float64],
    alarm: NDArray[np.bool_],
) -> None:
    added = {"expected": expected, "p_value": p_value, "alarm": alarm}
    table = table.drop_columns([name for name in added if name in table.column_names])
    for name, values in added.items():
        table = table.append_column(name, pa.array(values))
    pyarrow.csv.write_csv(table, output, pyarrow.csv.WriteOptions(quoting_style="needed"))
