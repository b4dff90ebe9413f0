"""Read a file block by block."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO, Any

from pipeline.errors import PermanentError
from pipeline.records import Json, Rejected
from pipeline.sources.rows import DELIMITERS, encoding_of, json_rows

ROWS = 2048  # of a block
CHARACTERS = 4_000_000  # of a block at most, so that long texts take no more memory than many short ones
Bad = Callable[[str], None]  # told of each row that cannot be read, and why


def ignore(reason: str) -> None:
    """Pass over a row that cannot be read; another pass over the file tells of it."""


@dataclass(frozen=True)
class Block:
    """Rows of a file: mappings, or Arrow's batch of a Parquet file."""

    rows: Sequence[Json] = ()
    batch: Any = None

    @property
    def names(self) -> list[str]:
        if self.batch is not None:
            return list(self.batch.schema.names)
        return list(dict.fromkeys(name for row in self.rows for name in row))

    def column(self, name: str) -> list[Any]:
        """Its values; None where a row lacks it."""
        return list(self.batch.column(name).to_pylist()) if self.batch is not None else [r.get(name) for r in self.rows]

    def mappings(self) -> Sequence[Json]:
        return self.batch.to_pylist() if self.batch is not None else self.rows


class Source:
    """A file of rows. A column that has one of the `reserved` names is read as `<name>_input`."""

    def __init__(self, path: Path, reserved: Collection[str] = ()) -> None:
        self.path = path
        self.reserved = frozenset(reserved)
        self.renamed: set[str] = set()

    @property
    def names(self) -> Sequence[str]:
        """All columns, in order."""
        raise NotImplementedError

    def blocks(self, bad: Bad) -> Iterator[Block]:
        raise NotImplementedError

    def kept(self, names: Sequence[str]) -> list[str]:
        """The names under which columns go on; no two become the same."""
        self.renamed |= self.reserved.intersection(names)
        return [self.free_name(name, names) if name in self.reserved else name for name in names]

    def free_name(self, name: str, names: Sequence[str]) -> str:
        while name in names:
            name += "_input"
        return name


def open_source(path: Path, reserved: Collection[str] = ()) -> Source:
    try:
        return SOURCES[path.suffix.lower()](path, reserved)
    except KeyError:
        raise PermanentError(f"{path.name} is not a .csv, .tsv, .jsonl or .parquet file") from None
    except OSError as error:
        raise PermanentError(f"cannot read {path}: {error.strerror}; check the path and its permissions") from None


def in_blocks(rows: Iterable[Json]) -> Iterator[Block]:
    taken: list[Json] = []
    characters = 0
    for row in rows:
        taken.append(row)
        characters += sum(len(value) for value in row.values() if isinstance(value, str))
        if len(taken) == ROWS or characters > CHARACTERS:
            yield Block(taken)
            taken, characters = [], 0
    if taken:
        yield Block(taken)


class CsvSource(Source):
    """Titles that stand twice are told apart in `names`, and stay as they are in `titles`."""

    def __init__(self, path: Path, reserved: Collection[str] = ()) -> None:
        super().__init__(path, reserved)
        self.encoding = encoding_of(path)
        with self.open() as file:
            self.delimiter = delimiter_of(file.readline())
            file.seek(0)
            header = next(csv.reader(file, delimiter=self.delimiter), [])
        if not header:
            raise PermanentError(f"{path.name} is empty; its first line must name the columns")
        self.titles = self.kept(header)

    @cached_property
    def names(self) -> list[str]:
        names: dict[str, None] = {}
        for title in self.titles:
            name, number = title, 1
            while name in names:
                number += 1
                name = f"{title}_{number}"
            names[name] = None
        return list(names)

    def open(self) -> IO[str]:
        return self.path.open(encoding=self.encoding, newline="", errors="replace")

    def is_plain(self) -> bool:
        """Whether it is UTF-8 without a byte order mark."""
        with self.path.open("rb") as file:
            return self.encoding == "utf-8-sig" and file.read(3) != b"\xef\xbb\xbf"

    def blocks(self, bad: Bad) -> Iterator[Block]:
        return in_blocks(self.rows(bad))

    def rows(self, bad: Bad) -> Iterator[Json]:
        with self.open() as file:
            reader = csv.reader(file, delimiter=self.delimiter)
            next(reader)
            for values in readable(reader, lambda why: bad(f"{self.line(reader.line_num)} is not CSV: {why}")):
                if len(values) == len(self.names):
                    yield dict(zip(self.names, values, strict=True))
                elif values:
                    bad(f"{self.line(reader.line_num)} has {len(values)} fields, its header {len(self.names)}")

    def line(self, number: int) -> str:
        return f"line {number} of {self.path.name}"


def delimiter_of(header: str) -> str:
    outside = re.sub(r'"[^"]*"', "", header)
    return max(DELIMITERS, key=outside.count)


def readable(reader: Iterator[list[str]], bad: Bad) -> Iterator[list[str]]:
    """The rows that the reader can read; it goes on after one that it cannot."""
    while True:
        try:
            yield next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            bad(str(error))


class JsonSource(Source):
    def __init__(self, path: Path, reserved: Collection[str] = ()) -> None:
        super().__init__(path, reserved)
        path.open("rb").close()

    @cached_property
    def names(self) -> list[str]:
        """The keys of all rows: a pass over the file, which only the other formats need."""
        return list(dict.fromkeys(name for row in self.rows(ignore) for name in row))

    def blocks(self, bad: Bad) -> Iterator[Block]:
        return in_blocks(self.rows(bad))

    def rows(self, bad: Bad) -> Iterator[Json]:
        for row in json_rows(self.path):
            if isinstance(row, Rejected):
                bad(row.reason)
            elif self.reserved.isdisjoint(row):
                yield row
            else:
                yield dict(zip(self.kept(list(row)), row.values(), strict=True))


class ParquetSource(Source):
    def __init__(self, path: Path, reserved: Collection[str] = ()) -> None:
        import pyarrow
        import pyarrow.parquet

        super().__init__(path, reserved)
        path.open("rb").close()
        try:
            self.file = pyarrow.parquet.ParquetFile(path)
        except pyarrow.ArrowInvalid as error:
            raise PermanentError(f"{path.name} is not a Parquet file: {error}") from None
        given = self.file.schema_arrow
        fields = [field.with_name(name) for field, name in zip(given, self.kept(given.names), strict=True)]
        self.schema = pyarrow.schema(fields, given.metadata)

    @property
    def names(self) -> list[str]:
        return list(self.schema.names)

    def blocks(self, bad: Bad) -> Iterator[Block]:
        for batch in self.file.iter_batches(ROWS):
            yield Block(batch=batch.rename_columns(self.names))


SOURCES: Mapping[str, type[Source]] = {
    ".csv": CsvSource,
    ".tsv": CsvSource,
    ".jsonl": JsonSource,
    ".ndjson": JsonSource,
    ".parquet": ParquetSource,
}
