"""Rows of files: encodings, delimiters and broken lines as they come from Nordic offices."""

from __future__ import annotations

import gzip
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest

from pipeline.errors import PermanentError
from pipeline.sources import rows
from pipeline.sources.rows import blocks, fingerprint


def read(path: Path, start: int = 0) -> tuple[list[Any], list[str]]:
    """(rows, reasons of the rejected ones)."""
    found = list(blocks(path, start))
    return [row for block in found for row in block.rows], [bad.reason for block in found for bad in block.rejected]


ROW = {"id": "1", "text": "Rødgrød med fløde, ål"}
# (bytes of a CSV file, its rows)
CSV = {
    "UTF-8": ('id,text\n1,"Rødgrød med fløde, ål"\n'.encode(), [ROW]),
    "UTF-8 with a mark": ('id,text\n1,"Rødgrød med fløde, ål"\n'.encode("utf-8-sig"), [ROW]),
    "UTF-16, as Excel's Unicode text": ("id\ttext\n1\tRødgrød med fløde, ål\n".encode("utf-16"), [ROW]),
    "Windows-1252, as Nordic Excel's": ("id;text\r\n1;Rødgrød med fløde, ål\r\n".encode("cp1252"), [ROW]),
    "a bar between fields": ("id|text\n1|Rødgrød med fløde, ål\n".encode(), [ROW]),
    "a line break in a field": (b'id,text\n1,"a\nb"\n', [{"id": "1", "text": "a\nb"}]),
    "quotation marks in a field": (b'id,text\n1,"say ""hi"""\n', [{"id": "1", "text": 'say "hi"'}]),
    "empty lines": (b"id,text\n\n1,a\n\n", [{"id": "1", "text": "a"}]),
    "no line end at the end": (b"id,text\n1,a", [{"id": "1", "text": "a"}]),
    "a header only": (b"id,text\n", []),
    "nothing": (b"", []),
}


@pytest.mark.parametrize(("content", "expected"), CSV.values(), ids=CSV)
def test_csv_of_any_office_is_read(tmp_path: Path, content: bytes, expected: list[Any]) -> None:
    path = tmp_path / "in.csv"
    path.write_bytes(content)
    assert read(path) == (expected, [])


def test_a_row_of_another_length_is_put_aside(tmp_path: Path) -> None:
    path = tmp_path / "in.csv"
    path.write_text("id,text\n1,a\n2\n3,c,d\n4,d\n")
    found, reasons = read(path)
    assert [row["id"] for row in found] == ["1", "4"]
    assert reasons == ["row 3 of in.csv has 1 fields, its header 2", "row 4 of in.csv has 3 fields, its header 2"]


# a line that is no JSON object, in the midst of lines that are
BROKEN_LINES = (
    b"{not json",
    b"[1]",
    b'"text"',
    b"null",
    b'{"id": "\xf8"}',
    b"[" * 100_000,
    b'{"n": ' + b"9" * 5000 + b"}",
)


@pytest.mark.parametrize("line", BROKEN_LINES, ids=lambda line: line[:12].decode("latin-1"))
def test_a_broken_line_is_put_aside(tmp_path: Path, line: bytes) -> None:
    path = tmp_path / "in.jsonl"
    path.write_bytes(b'{"id": "1"}\n\n' + line + b'\n{"id": "2"}')
    found, reasons = read(path)
    assert [row["id"] for row in found] == ["1", "2"]
    (reason,) = reasons
    assert "line 3 of in.jsonl" in reason


def test_jsonl_may_have_a_mark_and_any_name(tmp_path: Path) -> None:
    for name in ("in.jsonl", "in.ndjson"):
        (tmp_path / name).write_bytes('{"id": "å"}\n'.encode("utf-8-sig"))
        assert read(tmp_path / name) == ([{"id": "å"}], [])


def test_a_line_without_an_end_does_not_fill_the_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rows, "MAX_FIELD", 1000)
    path = tmp_path / "in.jsonl"
    path.write_text(json.dumps({"id": "1", "text": "x" * 5000}) + '\n{"id": "2"}\n')
    found, reasons = read(path)
    assert ([row["id"] for row in found], len(reasons)) == (["2"], 1)


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    path = tmp_path / "in.parquet"
    row = {"id": 7, "when": datetime(2026, 11, 21, 6, tzinfo=UTC), "tags": ["a"], "none": None}
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist([row]), path)
    assert read(path) == ([row], [])


@pytest.mark.parametrize("suffix", [".csv", ".jsonl", ".parquet"])
@pytest.mark.parametrize("start", [0, 1, 2, 3, 5, 9])
def test_reading_goes_on_at_any_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, suffix: str, start: int) -> None:
    monkeypatch.setattr(rows, "BLOCK", 2)
    path, items = tmp_path / f"in{suffix}", [{"id": str(n)} for n in range(5)]
    if suffix == ".parquet":
        pyarrow.parquet.write_table(pyarrow.Table.from_pylist(items), path)
    elif suffix == ".csv":
        path.write_text("id\n" + "".join(f"{row['id']}\n" for row in items))
    else:
        path.write_text("".join(json.dumps(row) + "\n" for row in items))
    assert read(path, start) == (items[start:], [])
    assert [block.end for block in blocks(path, start)] == [*range(start + 2, 5, 2), *([5] if start < 5 else [])]


# (file name, content, words of the message)
UNREADABLE = (
    ("in.xlsx", b"PK", "not a .csv"),
    ("in.CSV.bak", b"id\n", "not a .csv"),
    ("in.parquet", b"", "Parquet"),
    ("in.parquet", b"PAR1" + b"\x00" * 40 + b"PAR1", "Parquet"),
    ("in.parquet", gzip.compress(b"PAR1"), "Parquet"),
)


@pytest.mark.parametrize(("name", "content", "words"), UNREADABLE)
def test_what_is_no_such_file_is_named_in_one_line(tmp_path: Path, name: str, content: bytes, words: str) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(PermanentError, match=words) as caught:
        read(tmp_path / name)
    assert str(tmp_path / name) in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_fingerprint_may_stop_early(tmp_path: Path) -> None:
    long, short = tmp_path / "long", tmp_path / "short"
    long.write_bytes(b"ab" * 2_000_000)
    short.write_bytes(b"ab" * 1_500_000)
    assert fingerprint(long) != fingerprint(short)
    assert fingerprint(long, 3_000_000) == fingerprint(short) == fingerprint(short, 9_000_000)
