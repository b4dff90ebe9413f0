"""The stages together: whatever happens on the way, the warehouse ends as the source is."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, example, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

from pipeline import flow as flow_module
from pipeline.errors import ConfigError, PermanentError
from pipeline.flow import Flow
from pipeline.records import Counts
from pipeline.settings import Settings, SourceSettings
from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.feedback import store_cleaned
from pipeline.warehouse.tables import feedback, metadata, quarantine, raw_item, run_log, sentiment

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)
HEADER = "id,created,updated,deleted,body,stars,locale,country\n"


def row(number: int, text: str, updated: str = "", deleted: str = "") -> str:
    return f"{number},2026-11-01T12:00:00Z,{updated},{deleted},{text},2,da,DK\n"


def write(settings: Settings, name: str, *rows: str) -> None:
    (settings.folder / name).write_text(HEADER + "".join(rows), encoding="utf-8")


def texts(engine: Engine) -> dict[str, str]:
    with reading(engine) as connection:
        live = select(feedback.c.external_id, feedback.c.text).where(feedback.c.deleted_at.is_(None))
        return dict(connection.execute(live).tuples().all())


def test_the_whole_flow_once_and_again(engine: Engine, settings: Settings) -> None:
    write(settings, "shop.csv", row(1, "Pakken kom ikke."), row(2, "Fin butik"), "3,soon,,,broken,2,da,DK\n")
    flow = Flow(settings, engine)
    flow.prepare()
    assert flow.ingest("shop") == Counts(read=3, new=2, quarantined=1)
    assert flow.score() == Counts(read=2, new=2)
    assert flow.alert() == Counts()
    assert texts(engine) == {"1": "Pakken kom ikke.", "2": "Fin butik"}
    flow.prepare()
    assert [flow.ingest("shop"), flow.score(), flow.alert()] == [Counts()] * 3
    with reading(engine) as connection:
        assert connection.execute(select(sentiment.c.model_id)).scalars().all() == ["dummy@1"] * 2
        assert connection.execute(select(run_log.c.status)).scalars().all() == ["success"] * 6


def test_personal_data_does_not_reach_the_feedback(engine: Engine, settings: Settings) -> None:
    write(settings, "shop.csv", row(1, "Skriv til kim.ny@post.example i dag"))
    Flow(settings, engine).ingest("shop")
    assert "kim.ny" not in texts(engine)["1"]
    with reading(engine) as connection:
        assert "kim.ny" in connection.execute(select(raw_item.c.payload)).scalar_one()  # the raw payload lives apart


def test_a_tombstone_counts_even_where_its_row_does_not_fit(engine: Engine, settings: Settings) -> None:
    write(settings, "shop1.csv", row(1, "Pakken kom ikke."))
    write(settings, "shop2.csv", row(1, "", deleted="2026-11-20").replace(",2,da", ",none,da"))
    Flow(settings, engine).ingest("shop")
    assert texts(engine) == {}
    with reading(engine) as connection:
        assert connection.execute(select(quarantine)).all() == []


# rows that do not fit, each with words of the reason
NO_FEEDBACK = {
    "a rating that is no number": (row(1, "Fint").replace(",2,da", ",good,da"), "stars is not a number: 'good'"),
}


@pytest.mark.parametrize(("bad", "reason"), NO_FEEDBACK.values(), ids=NO_FEEDBACK)
def test_what_does_not_fit_waits_in_quarantine_until_it_is_mended(
    engine: Engine, settings: Settings, bad: str, reason: str
) -> None:
    flow = Flow(settings, engine)
    write(settings, "shop.csv", bad, row(2, "Fin butik"))
    assert flow.ingest("shop").quarantined == 1
    with reading(engine) as connection:
        waiting = connection.execute(select(quarantine)).one()
    assert (waiting.stage, waiting.external_id, waiting.resolved_at) == ("clean", "1", None)
    assert reason in waiting.reason
    write(settings, "shop.csv", row(1, "Fint", updated="2026-11-02"), row(2, "Fin butik"))
    flow.ingest("shop")
    assert set(texts(engine)) == {"1", "2"}
    with reading(engine) as connection:
        assert connection.execute(select(quarantine.c.resolved_at)).scalar_one() == NOW


def test_an_author_of_blanks_is_nobody(engine: Engine, settings: Settings) -> None:
    one = settings.sources[0]
    named = replace(one, options={**one.options, "fields": {**one.options["fields"], "author": "country"}})
    write(settings, "shop.csv", row(1, "Fint").replace(",DK", ",  "))
    assert Flow(replace(settings, sources=(named,)), engine).ingest("shop").quarantined == 0


def test_a_source_that_fails_is_in_the_run_log_and_what_landed_stays(engine: Engine, settings: Settings) -> None:
    write(settings, "shop1.csv", row(1, "Fin butik"))
    (settings.folder / "shop2.csv").mkdir()
    with pytest.raises(PermanentError):
        Flow(settings, engine).ingest("shop")
    with reading(engine) as connection:
        (run,) = connection.execute(select(run_log)).all()
    assert (run.status, run.counts["new"]) == ("failed", 1)
    assert "shop2.csv" in run.error
    (settings.folder / "shop2.csv").rmdir()
    Flow(settings, engine).ingest("shop")
    assert texts(engine) == {"1": "Fin butik"}


def test_without_a_secret_nothing_becomes_feedback(engine: Engine, settings_of: Callable[..., Settings]) -> None:
    settings = settings_of(KLANG_SECRET="")
    write(settings, "shop.csv", row(1, "Fin butik"))
    with pytest.raises(ConfigError, match="KLANG_SECRET"):
        Flow(settings, engine).ingest("shop")
    assert texts(engine) == {}


def test_a_spike_becomes_an_alert_with_its_quotes(sqlite_engine: Engine, settings: Settings) -> None:
    """Sixty quiet days and a bad one, by scores that are written here; the next run says nothing new."""
    good, bad = "Alt gik fint og hurtigt hele vejen.", "Pakken kom aldrig frem og ingen svarer på mine mails."
    rows = []
    for ago in range(61, 0, -1):
        day = (NOW - timedelta(days=ago)).date()
        for number in range(20):
            negative = number < (18 if ago == 1 else 3)
            rows.append(f"{ago}-{number},{day}T12:00:00Z,,,{bad if negative else good} {ago} {number},,da,DK\n")
    write(settings, "shop.csv", *rows)
    flow = Flow(settings, sqlite_engine)
    flow.ingest("shop")
    flow.score()
    with writing(sqlite_engine) as connection:
        negative = sentiment.c.feedback_id.in_(
            select(feedback.c.feedback_id).where(feedback.c.text.startswith("Pakken"))
        )
        connection.execute(sentiment.update().values(sentiment="positive"))
        connection.execute(sentiment.update().where(negative).values(sentiment="negative", p_negative=0.8))
    found = flow.alarms((NOW - timedelta(days=1)).date())
    assert found[-1].day == (NOW - timedelta(days=1)).date()
    assert (found[-1].negatives, found[-1].total) == (18, 20)
    assert all(quote.startswith("Pakken") for quote in found[-1].quotes)
    assert flow.alert().new >= 1
    assert flow.alert().new == 0


# --- A random history of a help desk, with exports, old exports delivered again, and runs that are killed ---

TICKETS = SourceSettings(
    "desk",
    "file",
    {
        "path": "*.jsonl",
        "channel": "ticket",
        "fields": {
            "external_id": "id",
            "created_at": "at",
            "updated_at": "touched",
            "deleted_at": "gone",
            "language": "lang",
        },
        "messages": {"list": "messages", "text": "text"},
    },
)
SINGLE = st.integers(0, 3)  # a ticket
STEP = st.one_of(
    st.tuples(st.just("write"), SINGLE, st.integers(1, 3)),  # so many messages, with new words
    st.tuples(st.just("close"), SINGLE),  # no customer's message is left
    st.tuples(st.just("break"), SINGLE),  # the export holds something that does not fit
    st.tuples(st.just("delete"), SINGLE),
    st.tuples(st.just("export")),
    st.tuples(st.just("redeliver"), st.integers(0, 9)),  # an old export, under a new name
    st.tuples(st.just("killed run"), st.integers(0, 4), st.integers(0, 4)),  # after so many pages, or batches
)


class Killed(BaseException):
    pass


@dataclass
class Desk:
    """The vendor, and what must be in the warehouse once everything was exported and read."""

    folder: Path
    minute: int = 0
    files: int = 0
    tickets: dict[int, dict[str, Any]] = field(default_factory=dict)
    exports: list[str] = field(default_factory=list)
    exported: dict[int, list[str]] = field(default_factory=lambda: defaultdict(list))  # each version once
    words: dict[int, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))  # what lives in the end

    def change(self, ticket: int, messages: Any, gone: bool = False) -> None:
        self.minute += 1
        now = (NOW + timedelta(minutes=self.minute)).isoformat()
        if ticket not in self.tickets and gone:
            return
        fixed = {"id": ticket, "at": NOW.isoformat(), "lang": "da"}
        self.tickets[ticket] = {**fixed, "touched": now, "gone": now if gone else None, "messages": messages}

    def write(self, ticket: int, count: int) -> None:
        self.change(
            ticket,
            [
                {
                    "id": n,
                    "role": "customer",
                    "text": f"tekst {ticket} {n} {self.minute}",
                    "created_at": NOW.isoformat(),
                }
                for n in range(count)
            ],
        )

    def export(self) -> None:
        lines = {ticket: json.dumps(content) for ticket, content in self.tickets.items()}
        self.deliver("".join(f"{line}\n" for line in lines.values()))
        self.exports.append("".join(f"{line}\n" for line in lines.values()))
        for ticket, line in lines.items():
            if line not in self.exported[ticket]:
                self.exported[ticket].append(line)
                self.see(ticket, self.tickets[ticket])

    def see(self, ticket: int, content: dict[str, Any]) -> None:
        """What does not fit changes nothing; everything else is the new state of the ticket."""
        if isinstance(content["messages"], str) and not content["gone"]:
            return
        live = [] if content["gone"] else content["messages"]
        self.words[ticket] = {f"{ticket}/{message['id']}": message["text"] for message in live}

    def deliver(self, content: str) -> None:
        self.files += 1
        (self.folder / f"{self.files:03}.jsonl").write_text(content)

    def redeliver(self, which: int) -> None:
        if self.exports:
            self.deliver(self.exports[which % len(self.exports)])


def killed_run(flow: Flow, pages: int, batches: int) -> None:
    """A run that ends after some pages, or after some batches of cleaning, as by SIGKILL."""
    landed, stored = iter(range(pages)), iter(range(batches))

    def after_page(_: int) -> None:
        if next(landed, None) is None:
            raise Killed

    def after_batch(*arguments: Any) -> Counts:
        if next(stored, None) is None:
            raise Killed
        return store_cleaned(*arguments)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(flow_module, "store_cleaned", after_batch)
        with suppress(Killed):
            flow.ingest("desk", after_page)


def play(flow: Flow, desk: Desk, steps: list[tuple[Any, ...]]) -> None:
    desk.deliver("")  # no file at all would be an error
    actions: dict[str, Callable[..., None]] = {
        "write": desk.write,
        "close": lambda ticket: desk.change(ticket, []),
        "break": lambda ticket: desk.change(ticket, "broken"),
        "delete": lambda ticket: desk.change(ticket, [], gone=True),
        "export": desk.export,
        "redeliver": desk.redeliver,
        "killed run": lambda pages, batches: killed_run(flow, pages, batches),
    }
    for name, *arguments in steps:
        actions[name](*arguments)
    desk.export()
    flow.ingest("desk")


def check_history(engine: Engine, settings: Settings, folder: Path, steps: list[tuple[Any, ...]]) -> None:
    with engine.begin() as connection:
        for table in reversed(metadata.sorted_tables):
            connection.execute(table.delete())
    for file in folder.glob("*.jsonl"):
        file.unlink()
    desk = Desk(folder)
    flow = Flow(replace(settings, sources=(replace(TICKETS, folder=folder),)), engine)
    play(flow, desk, steps)
    assert texts(engine) == {key: text for words in desk.words.values() for key, text in words.items()}
    with reading(engine) as connection:
        versions: dict[int, list[Any]] = defaultdict(list)
        for row in connection.execute(select(raw_item).order_by(raw_item.c.external_id, raw_item.c.version)):
            versions[int(row.external_id)].append(json.loads(row.payload))
            assert row.version == len(versions[int(row.external_id)])
            assert row.is_current == (row.version == len(desk.exported[int(row.external_id)]))
            assert row.cleaned_at is not None
    assert versions == {ticket: [json.loads(line) for line in lines] for ticket, lines in desk.exported.items()}


QUICK: dict[str, Any] = {
    "deadline": None,
    "suppress_health_check": [HealthCheck.function_scoped_fixture],
    "database": None,
}


@pytest.fixture
def small_batches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipeline.sources.rows.BLOCK", 2)
    monkeypatch.setattr(flow_module, "CLEAN_BATCH", 2)


@pytest.mark.usefixtures("small_batches")
@hypothesis_settings(max_examples=25, **QUICK)
@example(steps=[("write", 0, 2), ("export",), ("write", 0, 1), ("export",), ("redeliver", 0)])
@example(steps=[("write", 0, 1), ("export",), ("break", 0), ("export",), ("killed run", 2, 1), ("delete", 0)])
@given(steps=st.lists(STEP, max_size=20))
def test_any_history_ends_with_the_final_state_on_sqlite(
    sqlite_engine: Engine, settings: Settings, tmp_path: Path, steps: list[tuple[Any, ...]]
) -> None:
    check_history(sqlite_engine, settings, tmp_path, steps)


@pytest.mark.usefixtures("small_batches")
@hypothesis_settings(max_examples=6, phases=(Phase.explicit, Phase.generate), **QUICK)
@example(
    steps=[("write", 0, 2), ("export",), ("killed run", 1, 4), ("write", 0, 1), ("close", 1), ("killed run", 4, 1)]
)
@given(steps=st.lists(STEP, min_size=8, max_size=20))
def test_any_history_ends_with_the_final_state_on_postgresql(
    postgres_engine: Engine, settings: Settings, tmp_path: Path, steps: list[tuple[Any, ...]]
) -> None:
    check_history(postgres_engine, settings, tmp_path, steps)
