"""The story, in order: sources -> landing -> clean -> language -> score -> warehouse views -> alerts.

Each function is one stage over the whole warehouse or one source; Airflow's tasks and the `klang` command call the same
ones. Running a stage twice changes nothing the second time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from sqlalchemy import Engine

from pipeline.alerts.evidence import Alarm
from pipeline.alerts.judge import alarms
from pipeline.alerts.notify import send
from pipeline.clean.draft import Cleaner
from pipeline.clean.personal_data import ALL_KINDS
from pipeline.clock import now as clock_now
from pipeline.credentials import Credentials, from_environment
from pipeline.errors import KlangError, RecordError
from pipeline.language import language_of
from pipeline.records import Counts, Rejected
from pipeline.scoring.registry import Scorer, load_scorer, model_id_of
from pipeline.settings import Settings, SourceSettings, Target
from pipeline.sources.base import Skip, Source, channel_of, make_source
from pipeline.warehouse import alerts as alert_store
from pipeline.warehouse.alerts import Notification
from pipeline.warehouse.counts import daily_counts, negatives_of
from pipeline.warehouse.engine import open_warehouse, reading, writing
from pipeline.warehouse.feedback import Cleaned, Pending, pending_items, store_cleaned
from pipeline.warehouse.landing import cursors_of, dump, land
from pipeline.warehouse.migrate import migrate
from pipeline.warehouse.run_log import logged
from pipeline.warehouse.scores import count_unscored, known_scores, store_scores, unscored, unscored_ranges
from pipeline.warehouse.views import refresh_views

CLEAN_BATCH = 500
SCORE_BATCH = 256
SCORE_CHUNK = 5000  # texts a task: loading the model costs as much as scoring hundreds of texts
HISTORY_DAYS = 400  # a year, for the seasons, and a little
Report = Callable[[int], None]


def silent(count: int) -> None:
    """Report progress to nobody."""


@dataclass(frozen=True)
class Flow:
    """The stages with what they share: the settings and the warehouse."""

    settings: Settings
    engine: Engine
    credentials: Callable[[str], Credentials] = from_environment  # of a connection, by its id

    @classmethod
    def of(cls, settings: Settings, credentials: Callable[[str], Credentials] = from_environment) -> Flow:
        return cls(settings, open_warehouse(settings.warehouse_url), credentials)

    def prepare(self) -> tuple[list[str], list[str]]:
        """Bring schema and views up to date; returns the migrations applied and the views made anew."""
        return migrate(self.engine), refresh_views(self.engine)

    def ingest(self, name: str, report: Report = silent) -> Counts:
        """Land what is new at a source, then clean it into feedback."""
        settings = self.settings.source(name)
        source = make_source(settings)
        with logged(self.engine, "ingest", name, self.settings.fixed_now) as run:
            for page in source.pages(cursors_of(self.engine, name)):
                run.counts += land(self.engine, name, page, self.now())
                report(len(page.items))
            run.counts += self.clean(settings, source)
        return run.counts

    def clean(self, settings: SourceSettings, source: Source) -> Counts:
        """Turn the raw items that wait into feedback; what does not fit goes to quarantine."""
        quarantined = 0
        cleaner = self.cleaner()
        while items := pending_items(self.engine, settings.name, CLEAN_BATCH):
            cleaned = [clean_item(item, source, settings, cleaner) for item in items]
            quarantined += store_cleaned(self.engine, settings.name, cleaned, self.now()).quarantined
        return Counts(quarantined=quarantined)

    def cleaner(self) -> Cleaner:
        kinds = self.settings.mask
        wanted = ALL_KINDS if kinds is None else frozenset(kind for kind in ALL_KINDS if str(kind) in kinds)
        detector = self.settings.detector
        return Cleaner(self.settings.secret(), partial(language_of, detector=detector), wanted)

    def model_id(self) -> str:
        return model_id_of(self.settings.model_name)

    def score_ranges(self) -> list[tuple[int, int]]:
        """Ranges of feedback ids that wait for the model: one task each."""
        return unscored_ranges(self.engine, self.model_id(), SCORE_CHUNK)

    def count_unscored(self) -> int:
        return count_unscored(self.engine, self.model_id())

    def score(self, ranges: list[tuple[int, int]] | None = None, report: Report = silent) -> Counts:
        """Score what waits; the model is loaded only if something does."""
        ranges = self.score_ranges() if ranges is None else ranges
        with logged(self.engine, "score", None, self.settings.fixed_now) as run:
            scorer = load_scorer(self.settings.model_name, self.settings.model_labels) if ranges else None
            for first, last in ranges:
                assert scorer is not None  # noqa: S101
                for scored in self.score_range(scorer, first, last):
                    run.counts += Counts(read=scored, new=scored)
                    report(scored)
        return run.counts

    def score_range(self, scorer: Scorer, first: int, last: int) -> Iterator[int]:
        """Score the waiting feedback of a range of ids; yields how many, batch by batch."""
        for texts in unscored(self.engine, scorer.model_id, first, last, SCORE_BATCH):
            scores = known_scores(self.engine, scorer.model_id, [text.content_hash for text in texts])
            fresh = {text.content_hash: text.text for text in texts if text.content_hash not in scores}
            scores |= dict(zip(fresh, scorer.score(list(fresh.values())), strict=True))
            store_scores(self.engine, scorer.model_id, texts, scores, self.now())
            yield len(texts)

    def alert(self) -> Counts:
        """Judge the last days, store the alerts, and send what people should know."""
        last_day = self.now().date() - timedelta(days=1)
        with logged(self.engine, "alert", None, self.settings.fixed_now) as run:
            found = self.alarms(last_day)
            opened = self.store_alarms(found, last_day)
            run.counts += Counts(read=len(found), new=opened)
            self.notify()
        return run.counts

    def alarms(self, last_day: date) -> list[Alarm]:
        settings = self.settings.alerts
        first_day = last_day - timedelta(days=HISTORY_DAYS)
        with reading(self.engine) as connection:
            counts = [one for by in settings.series for one in daily_counts(connection, by, first_day, last_day)]
            negatives = partial(negatives_of, connection)
            return list(alarms(counts, last_day, settings.horizon_days, settings.false_alarms_per_month, negatives))

    def store_alarms(self, found: list[Alarm], last_day: date) -> int:
        """Store alarms and what changed by them in one transaction; returns how many alerts were opened."""
        earliest = last_day - timedelta(days=self.settings.alerts.page_days - 1)
        targets = [target.key for target in self.settings.alerts.notify]
        with writing(self.engine) as connection:
            opened = [change for alarm in found if (change := alert_store.record(connection, alarm, self.now()))]
            changes = [*opened, *alert_store.recover(connection, last_day, self.now())]
            # Older days are stored, for they belong to the history, but page nobody.
            alert_store.queue(connection, [c for c in changes if c.day >= earliest], targets, self.now())
        return len(opened)

    def notify(self) -> None:
        """Send what waits in the outbox. A target that fails keeps its message for the next run."""
        targets = {target.key: target for target in self.settings.alerts.notify}
        with reading(self.engine) as connection:
            waiting = alert_store.unsent(connection, list(targets))
        for note in waiting:
            error = self.attempt(targets[note.target], note)
            with writing(self.engine) as connection:
                alert_store.mark_sent(connection, note, self.now(), error)

    def attempt(self, target: Target, note: Notification) -> str | None:
        """Send one notification; the reason where it failed."""
        try:
            # The Apprise URL stands in klang.toml, or as the password of a connection.
            send(target.url or str(self.credentials(target.connection or "").password), note.message)
        except KlangError as error:
            return str(error)
        return None

    def now(self) -> datetime:
        return clock_now(self.settings.fixed_now)


def clean_item(item: Pending, source: Source, settings: SourceSettings, cleaner: Cleaner) -> Cleaned:
    """One raw item as feedback, or the reason why none came of it."""
    if item.deleted_at:
        return Cleaned(item)
    try:
        channel = channel_of(settings)
        drafts = source.drafts(item.payload)
        return Cleaned(item, tuple(cleaner(draft, channel, settings.product, settings.country) for draft in drafts))
    except Skip as reason:
        return Cleaned(item, skipped=str(reason))
    except (RecordError, ValueError, KeyError, TypeError, AttributeError) as error:
        return Cleaned(item, rejected=Rejected(dump(item.payload), reason_of(error), item.external_id))


def reason_of(error: Exception) -> str:
    return (
        str(error)
        if isinstance(error, RecordError)
        else f"the record has an unexpected form ({type(error).__name__}: {error})"
    )
