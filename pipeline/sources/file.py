"""The kind `file`: an export that somebody puts into a folder, one item a row.

Every version of an item counts, in the order of its time of update, so a later export may repeat, edit and delete what
an earlier one held. A file is read again when its content has changed; rows that did not change do nothing.
"""

from __future__ import annotations

import glob
import json
import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

from pipeline.clock import record_time
from pipeline.errors import ConfigError, PermanentError, RecordError
from pipeline.records import Draft, Json, Page, RawItem, Rejected
from pipeline.settings import SourceSettings
from pipeline.sources.base import Skip
from pipeline.sources.rows import blocks, fingerprint

TEXT_FIELDS = ("title", "thread_id", "author", "product", "country", "language", "url")
TIME_FIELDS = ("created_at", "updated_at", "deleted_at")
FIELDS = (*TEXT_FIELDS, *TIME_FIELDS, "external_id", "text", "rating", "rating_max")
MESSAGE_FIELDS = ("list", "id", "text", "created_at", "role", "customer", "public")


class Source:
    def __init__(self, settings: SourceSettings) -> None:
        self.settings = settings
        self.fields: Mapping[str, str] = settings.options["fields"]
        self.messages: Mapping[str, str] = settings.options.get("messages", {})
        check_names(settings.name, "fields", self.fields, FIELDS)
        check_names(settings.name, "messages", self.messages, MESSAGE_FIELDS)
        for needed in ("external_id", "created_at", *(() if self.messages else ("text",))):
            if needed not in self.fields:
                raise ConfigError(f"source {settings.name!r} needs fields.{needed}: the column that holds it")

    def pages(self, cursors: Mapping[str, Json]) -> Iterator[Page]:
        for path in matching_files(self.settings):
            stream = path.name
            content = fingerprint(path)
            done = cursors.get(stream, {})
            same = done.get("content") == content
            if same and done.get("complete"):
                continue
            end = int(done["rows"]) if same else 0
            for block in blocks(path, end):
                end = block.end
                items, rejected = self.items(block.rows)
                yield Page(stream, {"content": content, "rows": end}, items, (*block.rejected, *rejected))
            yield Page(stream, {"content": content, "rows": end, "complete": True})

    def items(self, rows: Iterable[Json]) -> tuple[tuple[RawItem, ...], tuple[Rejected, ...]]:
        items, rejected = [], []
        for row in rows:
            try:
                items.append(self.item(row))
            except RecordError as error:
                payload = json.dumps(row, ensure_ascii=False, default=str)
                rejected.append(Rejected(payload, str(error), text_of(row, self.fields["external_id"])))
        return tuple(items), tuple(rejected)

    def item(self, row: Json) -> RawItem:
        external_id = text_of(row, self.fields["external_id"])
        if not external_id:
            raise RecordError(f"the row has no id in {self.fields['external_id']!r}")
        created, updated, deleted = (self.time(row, name) for name in TIME_FIELDS)
        if created is None:
            raise RecordError(f"the row has no time in {self.fields['created_at']!r}")
        return RawItem(external_id, dict(row), deleted or updated or created, deleted)

    def time(self, row: Json, name: str) -> datetime | None:
        value = value_of(row, self.fields.get(name))
        return None if value in (None, "") else record_time(value, self.fields[name])

    def drafts(self, payload: Json) -> Iterable[Draft]:
        return self.conversation(payload) if self.messages else (self.draft(payload),)

    def draft(self, row: Json) -> Draft:
        created = self.time(row, "created_at")
        assert created is not None, "checked when the row was landed"  # noqa: S101
        texts: dict[str, Any] = {name: text_of(row, self.fields.get(name)) for name in TEXT_FIELDS}
        return Draft(
            external_id=str(text_of(row, self.fields["external_id"])),
            text=text_of(row, self.fields.get("text")) or "",
            created_at=created,
            updated_at=self.time(row, "updated_at"),
            rating=number_of(row, self.fields.get("rating")),
            rating_max=number_of(row, self.fields.get("rating_max")) or self.default_rating_max(),
            **texts,
        )

    def default_rating_max(self) -> float | None:
        return 5.0 if "rating" in self.fields else None

    def conversation(self, row: Json) -> Iterator[Draft]:
        """The customer's public messages, each a draft of its own in the thread of the item."""
        whole = self.draft(row)
        messages = value_of(row, self.messages.get("list", "messages"))
        if not isinstance(messages, list) or not all(isinstance(message, Mapping) for message in messages):
            raise RecordError(f"the conversation has no list of objects in {self.messages.get('list', 'messages')!r}")
        own = [message for message in messages if self.is_customers(message)]
        if not own:
            raise Skip("no_customer_text")
        for position, message in enumerate(own):
            name = self.messages.get("created_at", "created_at")
            message_id = text_of(message, self.messages.get("id", "id"))
            if not message_id:
                raise RecordError(f"a message has no id in {self.messages.get('id', 'id')!r}")
            yield Draft(
                external_id=f"{whole.external_id}/{message_id}",
                thread_id=whole.external_id,
                text=text_of(message, self.messages.get("text", "text")) or "",
                title=whole.title if position == 0 else None,
                created_at=record_time(value_of(message, name), name),
                author=whole.author,
                product=whole.product,
                country=whole.country,
                language=whole.language,
                url=whole.url,
            )

    def is_customers(self, message: Json) -> bool:
        role = text_of(message, self.messages.get("role", "role"))
        public = value_of(message, self.messages.get("public", "public"))
        return role == self.messages.get("customer", "customer") and public is not False


def matching_files(settings: SourceSettings) -> list[Path]:
    folder, pattern = settings.folder, settings.options["path"]
    found = glob.glob(pattern, root_dir=folder, recursive=True)  # noqa: PTH207 - the pattern may be absolute
    paths = sorted(folder / name for name in found)
    if not paths:
        raise PermanentError(
            f"source {settings.name!r} finds no file at {folder / pattern}; check its path in klang.toml"
        )
    names = [path.name for path in paths]
    for name in names:
        if names.count(name) > 1:
            raise ConfigError(
                f"source {settings.name!r} matches two files named {name}; a file's name is its cursor's name"
            )
    return paths


def check_names(source: str, table: str, found: Mapping[str, str], known: tuple[str, ...]) -> None:
    for name in found:
        if name not in known:
            raise ConfigError(f"source {source!r} has the unknown {table}.{name}; known: {', '.join(sorted(known))}")


def value_of(row: Json, name: str | None) -> Any:
    """The value at a dotted path; None where it leads nowhere."""
    if name is None or name in row:
        return row.get(name) if name else None
    value: Any = row
    for step in name.split("."):
        value = value.get(step) if isinstance(value, Mapping) else None
    return value


def text_of(row: Json, name: str | None) -> str | None:
    value = value_of(row, name)
    return None if value is None or value == "" else str(value)


def number_of(row: Json, name: str | None) -> float | None:
    value = value_of(row, name)
    if value is None or value == "":
        return None
    try:
        number = float(str(value).replace(",", "."))
    except ValueError:
        raise RecordError(f"{name} is not a number: {str(value)[:60]!r}") from None
    return number if math.isfinite(number) else None  # NaN is how some exports write that there is none
