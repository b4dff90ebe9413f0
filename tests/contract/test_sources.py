"""What every kind of source promises. A new kind is one more entry in CASES."""

from __future__ import annotations

import csv
import email.message
import email.utils
import json
import mailbox
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import Any

import pyarrow
import pyarrow.parquet
import pytest
from sqlalchemy import Engine, Table, select

from pipeline.errors import PermanentError
from pipeline.flow import Flow
from pipeline.records import Counts, Json
from pipeline.settings import Settings, SourceSettings
from pipeline.sources.base import make_source
from pipeline.sources.catalogue import KINDS
from pipeline.warehouse.engine import reading
from pipeline.warehouse.landing import cursors_of, land
from pipeline.warehouse.tables import feedback, quarantine, raw_item

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)


@dataclass(frozen=True)
class Given:
    """An item at the vendor; a case writes it in its own form."""

    id: str
    text: str = "Pakken kom aldrig frem, og ingen svarer."
    created: datetime = NOW - timedelta(days=3)
    updated: datetime | None = None
    deleted: datetime | None = None


Write = Callable[[Path, Sequence[Given]], None]


@dataclass(frozen=True)
class Case:
    """One form of input: `write` makes it anew from what the vendor has, `spoil` makes it unreadable."""

    kind: str
    path: str
    write: Write
    spoil: Callable[[Path], None]
    add_broken: Callable[[Path], int]  # adds records that cannot be used; returns how many
    kept: Callable[[Json], bool]  # does the payload still hold what no option names?
    options: Mapping[str, Any] = field(default_factory=dict)
    changes: bool = True  # items can be edited and deleted; mails cannot


def rows_of(items: Sequence[Given]) -> list[dict[str, str]]:
    return [
        {
            "id": item.id,
            "created": item.created.isoformat(),
            "updated": item.updated.isoformat() if item.updated else "",
            "deleted": item.deleted.isoformat() if item.deleted else "",
            "body": item.text,
            "score": "3",
            "locale": "da",
            "unknown": "kept",
        }
        for item in items
    ]


COLUMNS = list(rows_of([Given("1")])[0])
FIELDS = {
    "external_id": "id", "created_at": "created", "updated_at": "updated", "deleted_at": "deleted", "text": "body",
    "rating": "score", "language": "locale",
}  # fmt: skip


def write_csv(path: Path, items: Sequence[Given]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS)
        writer.writeheader()
        writer.writerows(rows_of(items))


def write_jsonl(path: Path, items: Sequence[Given]) -> None:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows_of(items)))


def write_parquet(path: Path, items: Sequence[Given]) -> None:
    schema = pyarrow.schema([(name, pyarrow.string()) for name in COLUMNS])
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(rows_of(items), schema=schema), path)


def write_conversations(path: Path, items: Sequence[Given]) -> None:
    """Each with a message of the customer, an answer, and an internal note of the customer's."""
    messages = [("1", "customer", True), ("2", "agent", True), ("3", "customer", False)]
    lines = []
    for item, row in zip(items, rows_of(items), strict=True):
        row["messages"] = [
            {"id": name, "role": role, "public": public, "text": item.text, "created_at": row["created"]}
            for name, role, public in messages
        ]  # type: ignore[assignment]
        lines.append(json.dumps(row) + "\n")
    path.write_text("".join(lines))


def mail(item: Given) -> email.message.EmailMessage:
    message = email.message.EmailMessage()
    message["From"] = "Kim Ny <kim@post.example>"
    message["To"] = "hjaelp@shop.example"
    message["Subject"] = "Min pakke"
    message["Date"] = email.utils.format_datetime(item.created)
    message["Message-ID"] = f"<{item.id}@post.example>"
    message["X-Unknown"] = "kept"
    message.set_content(item.text)
    return message


def write_mbox(path: Path, items: Sequence[Given]) -> None:
    path.unlink(missing_ok=True)
    box = mailbox.mbox(path)
    for item in items:
        box.add(mail(item))
    box.close()


def write_maildir(path: Path, items: Sequence[Given]) -> None:
    """Mails stay where they are; new ones are delivered."""
    box = mailbox.Maildir(path)
    there = {str(message["Message-ID"]) for message in box}
    for item in items:
        if f"<{item.id}@post.example>" not in there:
            box.add(mail(item))
    box.close()


def append(*lines: str) -> Callable[[Path], int]:
    def add(path: Path) -> int:
        with path.open("a", encoding="utf-8") as file:
            file.write("".join(f"{line}\n" for line in lines))
        return len(lines)

    return add


def add_rows_without_id_and_time(path: Path) -> int:
    rows = pyarrow.parquet.read_table(path).to_pylist()
    bad = [{**rows[0], "id": None}, {**rows[0], "id": "9", "created": "soon"}]
    pyarrow.parquet.write_table(pyarrow.Table.from_pylist(bad + rows), path)
    return len(bad)


def add_mail_that_is_none(path: Path) -> int:
    with path.open("ab") as file:
        file.write(b"From nobody Sat Nov 21 06:00:00 2026\nno header at all\n\n")
    return 1


def deliver_mail_that_is_none(path: Path) -> int:
    (path / "new" / "0.broken").write_bytes(b"no header at all\n")
    return 1


def become_a_folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def become_garbage(path: Path) -> None:
    path.write_bytes(b"PAR1 this is no Parquet file")


def lose_a_folder(path: Path) -> None:
    for file in (path / "new").iterdir():
        file.unlink()
    (path / "new").rmdir()


def vanish(path: Path) -> None:
    path.unlink(missing_ok=True)


def keeps_unknown(payload: Json) -> bool:
    return payload.get("unknown") == "kept"


def keeps_whole_mail(payload: Json) -> bool:
    import base64

    return b"X-Unknown: kept" in base64.b64decode(payload["message"])


BROKEN_CSV = append(",2026-11-20,,,no id,3,da,x", "8,soon,,,no time,3,da,x", "9,too few fields")
BROKEN_JSON = append("{not json", "[1, 2]", '{"id": "8", "body": "no time"}', '{"body": "no id"}')
FILE = {"fields": FIELDS}

CASES = {
    "csv": Case("file", "in.csv", write_csv, become_a_folder, BROKEN_CSV, keeps_unknown, FILE),
    "jsonl": Case("file", "in.jsonl", write_jsonl, become_a_folder, BROKEN_JSON, keeps_unknown, FILE),
    "parquet": Case(
        "file", "in.parquet", write_parquet, become_garbage, add_rows_without_id_and_time, keeps_unknown, FILE
    ),
    "conversations": Case(
        "file", "in.jsonl", write_conversations, vanish, BROKEN_JSON, keeps_unknown,
        FILE | {"channel": "ticket", "messages": {"list": "messages", "text": "text"}},
    ),
    "survey": Case("survey", "in.csv", write_csv, vanish, BROKEN_CSV, keeps_unknown, FILE | {"score": "nps"}),
    "mbox": Case("mailbox", "in.mbox", write_mbox, vanish, add_mail_that_is_none, keeps_whole_mail, changes=False),
    "maildir": Case(
        "mailbox", "in", write_maildir, lose_a_folder, deliver_mail_that_is_none, keeps_whole_mail, changes=False
    ),
}  # fmt: skip
CHANGING = {name: case for name, case in CASES.items() if case.changes}


@dataclass
class Vendor:
    """A case at work: what the vendor has, and a flow that reads it with pages of two items."""

    case: Case
    path: Path
    flow: Flow

    @property
    def settings(self) -> SourceSettings:
        return self.flow.settings.sources[0]

    def has(self, *items: Given) -> None:
        self.case.write(self.path, items)

    def fetch(self, pages: int | None = None) -> Counts:
        """Land what is new, and clean it; with `pages` the run is killed after that many pages."""
        source, counts = make_source(self.settings), Counts()
        found = source.pages(cursors_of(self.flow.engine, "in"))
        for page in islice(found, pages):
            counts += land(self.flow.engine, "in", page, NOW)
        return counts + self.flow.clean(self.settings, source) if pages is None else counts

    def rows(self, table: Table, *names: str) -> list[tuple[Any, ...]]:
        with reading(self.flow.engine) as connection:
            columns = [table.c[name] for name in names]
            return sorted((tuple(row) for row in connection.execute(select(*columns))), key=str)

    def everything(self) -> list[list[tuple[Any, ...]]]:
        """All that must be the same whichever way it got there."""
        return [
            self.rows(raw_item, "external_id", "version", "payload", "source_updated_at", "deleted_at", "is_current"),
            self.rows(feedback, "external_id", "thread_id", "text", "rating", "created_at", "deleted_at"),
            self.rows(quarantine, "stage", "payload", "reason"),
        ]


@pytest.fixture(params=CASES)
def case(request: pytest.FixtureRequest) -> Case:
    return CASES[request.param]


@pytest.fixture
def vendor(
    case: Case, tmp_path: Path, sqlite_engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> Vendor:
    for module in ("rows", "mailbox"):
        monkeypatch.setattr(f"pipeline.sources.{module}.BLOCK", 2)
    one = SourceSettings("in", case.kind, {"path": case.path, **case.options}, folder=tmp_path)
    return Vendor(case, tmp_path / case.path, Flow(replace(settings, sources=(one,)), sqlite_engine))


FIVE = tuple(Given(str(n), f"Pakke nummer {n} kom aldrig frem.", NOW - timedelta(days=9 - n)) for n in range(1, 6))


def test_every_kind_has_a_case() -> None:
    assert {case.kind for case in CASES.values()} == set(KINDS)


def test_ids_are_unique_and_stable(vendor: Vendor) -> None:
    vendor.has(*FIVE)
    ids = [
        [item.external_id for page in make_source(vendor.settings).pages({}) for item in page.items] for _ in range(2)
    ]
    assert ids[0] == ids[1]
    assert len(set(ids[0])) == len(FIVE)


def test_times_are_aware_and_in_utc(vendor: Vendor) -> None:
    vendor.has(*FIVE)
    source = make_source(vendor.settings)
    for page in source.pages({}):
        for item in page.items:
            assert item.updated_at is not None
            assert item.updated_at.tzinfo is UTC
            assert [draft.created_at.tzinfo for draft in source.drafts(item.payload)] == [UTC]


def test_all_becomes_feedback_with_the_time_of_the_customer(vendor: Vendor) -> None:
    vendor.has(*FIVE)
    assert vendor.fetch() == Counts(read=5, new=5)
    rows = vendor.rows(feedback, "created_at", "text")
    assert rows == [(item.created, item.text) for item in FIVE]


def test_a_second_fetch_adds_nothing(vendor: Vendor) -> None:
    vendor.has(*FIVE)
    vendor.fetch()
    before = vendor.everything()
    again = vendor.fetch()
    assert (again.new, again.changed, again.deleted) == (0, 0, 0)
    vendor.has(*FIVE, Given("6"))  # something more: what was there is not read as new
    assert replace(vendor.fetch(), read=0) == Counts(new=1)
    assert [row for row in vendor.everything()[0] if "6" not in row[0]] == before[0]


@pytest.mark.parametrize("case", CHANGING.values(), ids=CHANGING)
def test_an_edit_is_one_new_version(vendor: Vendor) -> None:
    vendor.has(*FIVE)
    vendor.fetch()
    vendor.has(replace(FIVE[0], text="Nu kom den.", updated=NOW), *FIVE[1:])
    assert replace(vendor.fetch(), read=0) == Counts(changed=1)
    assert ("Nu kom den.",) in vendor.rows(feedback, "text")
    assert len(vendor.rows(feedback, "text")) == 5


@pytest.mark.parametrize("case", CHANGING.values(), ids=CHANGING)
def test_a_delete_is_one_tombstone(vendor: Vendor) -> None:
    vendor.has(*FIVE)
    vendor.fetch()
    vendor.has(replace(FIVE[0], text="", deleted=NOW), *FIVE[1:])
    for expected in (Counts(deleted=1), Counts()):
        assert replace(vendor.fetch(), read=0) == expected
    assert [row[0] for row in vendor.rows(feedback, "deleted_at") if row[0]] == [NOW]


@pytest.mark.parametrize("case", CHANGING.values(), ids=CHANGING)
def test_an_old_export_after_a_new_one_changes_nothing(vendor: Vendor) -> None:
    vendor.has(replace(FIVE[0], text="Nu kom den.", updated=NOW), replace(FIVE[1], deleted=NOW))
    vendor.fetch()
    before = vendor.everything()
    vendor.has(*FIVE[:2])
    vendor.fetch()
    assert vendor.everything() == before


def test_an_empty_input_is_no_error(vendor: Vendor) -> None:
    vendor.has()
    assert vendor.fetch() == Counts()
    vendor.has(*FIVE)
    assert vendor.fetch().new == 5


@pytest.mark.parametrize("pages", range(5))
def test_a_run_killed_after_any_page_ends_with_the_same_rows(vendor: Vendor, pages: int) -> None:
    vendor.has(*FIVE)
    vendor.case.add_broken(vendor.path)
    vendor.fetch(pages)
    vendor.fetch()
    killed = vendor.everything()
    with vendor.flow.engine.begin() as connection:
        for table in reversed(raw_item.metadata.sorted_tables):
            connection.execute(table.delete())
    vendor.fetch()
    assert killed == vendor.everything()


def test_what_cannot_be_read_is_named_with_what_to_do(vendor: Vendor) -> None:
    vendor.has(*FIVE)
    vendor.case.spoil(vendor.path)
    with pytest.raises(PermanentError) as caught:
        vendor.fetch()
    message = str(caught.value)
    assert str(vendor.path) in message
    assert "\n" not in message
    assert any(word in message for word in ("check", "write", "needs", "give"))


def test_broken_records_go_to_quarantine_and_the_rest_goes_on(vendor: Vendor) -> None:
    vendor.has(*FIVE)
    broken = vendor.case.add_broken(vendor.path)
    counts = vendor.fetch()
    assert (counts.new, counts.quarantined) == (5, broken)
    kept = vendor.rows(quarantine, "payload", "reason")
    assert len(kept) == broken
    assert all(payload and reason for payload, reason in kept)
    assert len(vendor.rows(feedback, "text")) == 5


def test_what_no_option_names_is_kept_in_the_payload(vendor: Vendor) -> None:
    vendor.has(*FIVE)
    vendor.fetch()
    assert all(vendor.case.kept(json.loads(payload)) for (payload,) in vendor.rows(raw_item, "payload"))
