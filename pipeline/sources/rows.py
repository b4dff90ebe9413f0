"""Rows of CSV, JSONL and Parquet files in blocks, with the position after each block, so that reading can go on."""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from pipeline.errors import PermanentError
from pipeline.records import Json, Rejected

BLOCK = 1000
MAX_FIELD = 10 * 1024 * 1024  # characters of one field or JSON line; a longer one is no customer's text
DELIMITERS = ",;\t|"
csv.field_size_limit(MAX_FIELD)


@dataclass(frozen=True)
class Block:
    """Rows `start` to `start + taken` of a file; a row that cannot be read stands among `rejected`."""

    rows: tuple[Json, ...]
    rejected: tuple[Rejected, ...]
    end: int  # rows read so far, the rejected ones too


def fingerprint(path: Path, size: int | None = None) -> str:
    """Hash of the content, or of its first `size` bytes: a file is read again when it differs."""
    digest, left = hashlib.sha256(), sys.maxsize if size is None else size
    try:
        with path.open("rb") as file:
            while left > 0 and (taken := file.read(min(left, 1 << 20))):
                digest.update(taken)
                left -= len(taken)
        return digest.hexdigest()
    except OSError as error:
        raise PermanentError(f"cannot read {path}: {error.strerror}; check the path and its permissions") from None


def blocks(path: Path, start: int = 0) -> Iterator[Block]:
    """The rows of `path` from number `start` on."""
    readers = {".csv": csv_rows, ".tsv": csv_rows, ".jsonl": json_rows, ".ndjson": json_rows, ".parquet": parquet_rows}
    if path.suffix not in readers:
        raise PermanentError(f"{path} is not a .csv, .tsv, .jsonl or .parquet file; check the path, or rename the file")
    rows = islice(readers[path.suffix](path), start, None)
    end = start
    while taken := tuple(islice(rows, BLOCK)):
        end += len(taken)
        yield Block(
            rows=tuple(row for row in taken if not isinstance(row, Rejected)),
            rejected=tuple(row for row in taken if isinstance(row, Rejected)),
            end=end,
        )


def encoding_of(path: Path) -> str:
    """UTF-8 or UTF-16 by its mark, UTF-8 where all of the file is, else Windows-1252 as Nordic Excel writes it."""
    with path.open("rb") as file:
        head = file.read(4)
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "utf-16"
    try:
        with path.open(encoding="utf-8-sig") as text:
            while text.read(1 << 20):
                pass
    except UnicodeDecodeError:
        return "cp1252"
    return "utf-8-sig"


def csv_rows(path: Path) -> Iterator[Json | Rejected]:
    with path.open(encoding=encoding_of(path), newline="", errors="replace") as file:
        header = file.readline()
        delimiter = max(DELIMITERS, key=header.count)
        names = next(csv.reader([header], delimiter=delimiter), [])
        reader = csv.reader(file, delimiter=delimiter)
        for number in range(2, sys.maxsize):
            try:
                values = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Rejected(payload=f"{path.name} row {number}", reason=f"row {number} is not CSV: {error}")
                continue
            if len(values) == len(names):
                yield dict(zip(names, values, strict=True))
            elif values:
                yield Rejected(
                    payload=json.dumps(values, ensure_ascii=False),
                    reason=f"row {number} of {path.name} has {len(values)} fields, its header {len(names)}",
                )


def json_rows(path: Path) -> Iterator[Json | Rejected]:
    with path.open("rb") as file:
        for number, line in enumerate(bounded_lines(file), 1):
            if not line.strip():
                continue
            try:
                row = json.loads(line)
                if not isinstance(row, dict):
                    raise ValueError("not an object {…}")
                yield row
            except (ValueError, RecursionError) as error:
                shown = line[:100_000].decode("utf-8", "replace")
                yield Rejected(payload=shown, reason=f"line {number} of {path.name} is not a JSON object: {error}")


def bounded_lines(file: Any) -> Iterator[bytes]:
    """Lines of at most MAX_FIELD bytes; the rest of a longer one is passed over, and what is left is no JSON."""
    while line := file.readline(MAX_FIELD):
        yield line
        while not line.endswith(b"\n") and (line := file.readline(MAX_FIELD)):
            pass


def parquet_rows(path: Path) -> Iterator[Json | Rejected]:
    import pyarrow
    import pyarrow.parquet

    try:
        with pyarrow.parquet.ParquetFile(path) as file:
            for batch in file.iter_batches(BLOCK):
                yield from batch.to_pylist()
    except (pyarrow.ArrowException, OSError, ValueError) as error:
        reason = next(iter(str(error).splitlines()), "")
        raise PermanentError(f"cannot read {path} as Parquet: {reason}; check the file, or write it again") from None
