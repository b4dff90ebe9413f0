"""Write the blocks of a file with columns added."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import IO, Any, Protocol

from pipeline.errors import PermanentError
from pipeline.formats.read import Block, CsvSource, ParquetSource, Source, ignore
from pipeline.records import Json

# Of each added column: "text" or "number", or the kinds of the fields of a list's items.
Kinds = Mapping[str, str | Mapping[str, str]]


class Writer(Protocol):
    def write(self, block: Block, added: Sequence[Json]) -> None: ...

    def close(self) -> None: ...


def open_writer(suffix: str, file: IO[bytes], source: Source, added: Kinds) -> Writer:
    """Writes the blocks of `source` to `file` in the format that `suffix` names."""
    if suffix in (".jsonl", ".ndjson"):
        return JsonWriter(file)
    if suffix == ".parquet":
        return ParquetWriter(file, source, added)
    return CsvWriter(file, source, list(added), "\t" if suffix == ".tsv" else None)


class JsonWriter:
    def __init__(self, file: IO[bytes]) -> None:
        self.file = file

    def write(self, block: Block, added: Sequence[Json]) -> None:
        for row, more in zip(block.mappings(), added, strict=True):
            line = json.dumps({**row, **more}, ensure_ascii=False, default=str) + "\n"
            # Half of a surrogate pair is not UTF-8; as an escape it is the JSON that was read.
            self.file.write(line.encode("utf-8", "backslashreplace"))

    def close(self) -> None:
        self.file.flush()


class CsvWriter:
    """UTF-8, with the byte order mark where the source was not plain UTF-8: Excel goes by it."""

    def __init__(self, file: IO[bytes], source: Source, added: list[str], delimiter: str | None) -> None:
        titles, own, encoding = list(source.names), ",", "utf-8"
        if isinstance(source, CsvSource):
            titles, own = source.titles, source.delimiter
            encoding = "utf-8" if source.is_plain() else "utf-8-sig"
        self.names = [*source.names, *added]
        self.text = io.TextIOWrapper(file, encoding=encoding, errors="backslashreplace", newline="")
        self.writer = csv.writer(self.text, delimiter=delimiter or own, lineterminator="\n")
        self.writer.writerow([*titles, *added])

    def write(self, block: Block, added: Sequence[Json]) -> None:
        for row, more in zip(block.mappings(), added, strict=True):
            whole = {**row, **more}
            self.writer.writerow([cell(whole.get(name)) for name in self.names])

    def close(self) -> None:
        self.text.detach()


def cell(value: Any) -> Any:
    """A value as CSV holds it: text and numbers as they are, lists and the like as JSON."""
    if isinstance(value, bool | list | dict):
        return json.dumps(value, ensure_ascii=False, default=str)
    return value


class ParquetWriter:
    def __init__(self, file: IO[bytes], source: Source, added: Kinds) -> None:
        import pyarrow
        import pyarrow.parquet

        self.own = source.schema if isinstance(source, ParquetSource) else schema_of(source)
        self.added = pyarrow.schema([(name, arrow_type(kind)) for name, kind in added.items()])
        self.schema = pyarrow.schema([*self.own, *self.added], self.own.metadata)
        self.writer = pyarrow.parquet.ParquetWriter(file, self.schema)

    def write(self, block: Block, added: Sequence[Json]) -> None:
        import pyarrow

        own = block.batch if block.batch is not None else to_batch(block.rows, self.own)
        more = pyarrow.RecordBatch.from_pylist(list(added), self.added)
        self.writer.write_batch(pyarrow.RecordBatch.from_arrays([*own.columns, *more.columns], schema=self.schema))

    def close(self) -> None:
        self.writer.close()


def arrow_type(kind: str | Mapping[str, str]) -> Any:
    import pyarrow

    if isinstance(kind, str):
        return pyarrow.string() if kind == "text" else pyarrow.float64()
    return pyarrow.list_(pyarrow.struct([(name, arrow_type(of)) for name, of in kind.items()]))


def to_batch(rows: Sequence[Json], schema: Any) -> Any:
    import pyarrow

    try:
        return pyarrow.RecordBatch.from_pylist(list(rows), schema)
    except (pyarrow.ArrowException, TypeError, UnicodeError) as error:
        raise PermanentError(f"the rows do not fit Parquet: {error}; write .jsonl instead") from None


def schema_of(source: Source) -> Any:
    """Types that fit all rows. CSV holds text; JSONL takes a pass over the file."""
    import pyarrow

    if isinstance(source, CsvSource):
        return pyarrow.schema([(name, pyarrow.string()) for name in source.names])
    schema = pyarrow.schema([])
    for block in source.blocks(ignore):
        try:
            found = pyarrow.schema([(name, pyarrow.array(block.column(name)).type) for name in block.names])
            schema = pyarrow.unify_schemas([schema, found], promote_options="permissive")
        except (pyarrow.ArrowException, TypeError, UnicodeError) as error:
            raise PermanentError(f"{source.path.name} does not fit Parquet: {error}; write .jsonl instead") from None
    return schema
