"""Scores: each text once, each model apart, nothing lost when a run is killed or a text is edited meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Engine, func, select, update

from pipeline.flow import Flow
from pipeline.records import Feedback, Language, Page, RawItem, Score, TopicScore
from pipeline.settings import Settings
from pipeline.warehouse.engine import reading, writing
from pipeline.warehouse.feedback import Cleaned, pending_items, store_cleaned
from pipeline.warehouse.landing import hash_of, land
from pipeline.warehouse.scores import unscored_ranges
from pipeline.warehouse.tables import feedback, sentiment, topic

NOW = datetime(2026, 11, 21, 6, tzinfo=UTC)


@dataclass
class Recorder:
    """A scorer that notes what it is asked; the first letter of a text is its topic."""

    model_id: str = "recorder@1"
    asked: list[str] = field(default_factory=list)

    def score(self, texts: Sequence[str]) -> list[Score]:
        self.asked += texts
        return [Score(0.7, 0.2, 0.1, (TopicScore(text[:1], 0.9, "negative"),)) for text in texts]


def write(engine: Engine, **texts: str) -> None:
    """Store feedback, as new or as an edit."""
    for name, text in texts.items():
        with reading(engine) as connection:
            versions = connection.execute(select(func.count()).select_from(feedback)).scalar_one()
        at = NOW + timedelta(minutes=versions)
        land(engine, "shop", Page("main", {}, (RawItem(name, {"text": text}, at),)), NOW)
        (item,) = pending_items(engine, "shop", 10)
        one = Feedback(name, "review", text, None, Language("da", "platform", 1.0), NOW)
        store_cleaned(engine, "shop", [Cleaned(item, (one,))], NOW)


def score(engine: Engine, settings: Settings, scorer: Recorder) -> int:
    flow = Flow(settings, engine)
    return sum(
        count
        for first, last in unscored_ranges(engine, scorer.model_id, 1000)
        for count in flow.score_range(scorer, first, last)
    )


def scored_by(engine: Engine) -> dict[str, str | None]:
    with reading(engine) as connection:
        return dict(connection.execute(select(feedback.c.external_id, feedback.c.scored_by)).tuples().all())


def scores(engine: Engine) -> set[tuple[str, str, str]]:
    """(id, topic, model) of every score that is kept."""
    query = select(feedback.c.external_id, topic.c.topic, topic.c.model_id).join(
        topic, topic.c.feedback_id == feedback.c.feedback_id
    )
    with reading(engine) as connection:
        return {(name, about, model) for name, about, model in connection.execute(query)}


def valid_topics(engine: Engine) -> dict[str, list[str]]:
    """The topics of the content that each piece of feedback has now."""
    query = select(feedback.c.external_id, topic.c.topic).join(
        topic, (topic.c.feedback_id == feedback.c.feedback_id) & (topic.c.content_hash == feedback.c.content_hash)
    )
    found: dict[str, list[str]] = {}
    with reading(engine) as connection:
        for name, about in connection.execute(query.order_by(topic.c.topic)):
            found.setdefault(name, []).append(about)
    return found


def test_identical_texts_are_scored_once(engine: Engine, settings: Settings) -> None:
    scorer = Recorder()
    write(engine, one="Alfa", two="Alfa", three="Beta")
    assert score(engine, settings, scorer) == 3
    assert sorted(scorer.asked) == ["Alfa", "Beta"]
    write(engine, four="Alfa")
    assert score(engine, settings, scorer) == 1
    assert len(scorer.asked) == 2
    assert set(scored_by(engine).values()) == {"recorder@1"}
    assert valid_topics(engine) == {"one": ["A"], "two": ["A"], "three": ["B"], "four": ["A"]}


def test_nothing_waits_twice(engine: Engine, settings: Settings) -> None:
    write(engine, one="Alfa")
    scorer = Recorder()
    assert [score(engine, settings, scorer) for _ in range(2)] == [1, 0]
    assert scorer.asked == ["Alfa"]


def test_an_edited_text_waits_again_and_its_old_scores_stay(engine: Engine, settings: Settings) -> None:
    scorer = Recorder()
    write(engine, one="Alfa")
    score(engine, settings, scorer)
    write(engine, one="Beta")
    assert scored_by(engine) == {"one": None}
    score(engine, settings, scorer)
    assert scores(engine) == {("one", "A", "recorder@1"), ("one", "B", "recorder@1")}
    assert valid_topics(engine) == {"one": ["B"]}


def test_scores_of_an_edited_text_do_not_mix_when_they_are_used_again(engine: Engine, settings: Settings) -> None:
    scorer = Recorder()
    write(engine, one="Alfa")
    score(engine, settings, scorer)
    write(engine, one="Beta")
    score(engine, settings, scorer)
    write(engine, two="Alfa", three="Beta")
    score(engine, settings, scorer)
    assert valid_topics(engine) == {"one": ["B"], "two": ["A"], "three": ["B"]}


def test_a_text_edited_while_it_is_scored_goes_on_waiting(engine: Engine, settings: Settings) -> None:
    class Meanwhile(Recorder):
        def score(self, texts: Sequence[str]) -> list[Score]:
            write(engine, one="Beta")
            return super().score(texts)

    write(engine, one="Alfa", two="Gamma")
    score(engine, settings, Meanwhile())
    assert scored_by(engine) == {"one": None, "two": "recorder@1"}
    assert score(engine, settings, Recorder()) == 1
    assert valid_topics(engine) == {"one": ["B"], "two": ["G"]}


def test_a_new_model_scores_all_and_the_old_scores_stay(engine: Engine, settings: Settings) -> None:
    write(engine, one="Alfa", two="Beta")
    score(engine, settings, Recorder())
    newer = Recorder("recorder@2")
    assert score(engine, settings, newer) == 2
    assert sorted(newer.asked) == ["Alfa", "Beta"]
    assert set(scored_by(engine).values()) == {"recorder@2"}
    assert {model for *_, model in scores(engine)} == {"recorder@1", "recorder@2"}


def test_a_run_killed_between_batches_goes_on_where_it_was(
    engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("pipeline.flow.SCORE_BATCH", 2)
    write(engine, **{f"item{n}": f"{chr(65 + n)} text" for n in range(6)})
    scorer = Recorder()
    ((first, last),) = unscored_ranges(engine, scorer.model_id, 1000)
    batches = Flow(settings, engine).score_range(scorer, first, last)
    next(batches), next(batches)
    batches.close()  # four are stored
    assert list(scored_by(engine).values()).count(None) == 2
    assert score(engine, settings, scorer) == 2
    assert len(scorer.asked) == len(set(scorer.asked)) == 6


@pytest.mark.parametrize(("size", "sizes"), [(3, [3, 3, 1]), (7, [7]), (100, [7]), (1, [1] * 7)])
def test_ranges_share_out_all_that_waits(engine: Engine, size: int, sizes: list[int]) -> None:
    write(engine, **{f"item{n}": f"text {n}" for n in range(9)})
    with writing(engine) as connection:  # two of them are done, and leave a gap
        connection.execute(
            update(feedback).where(feedback.c.external_id.in_(["item2", "item6"])).values(scored_by="recorder@1")
        )
    waiting = [n + 1 for n in range(9) if n not in (2, 6)]
    ranges = unscored_ranges(engine, "recorder@1", size)
    assert [sum(first <= n <= last for n in waiting) for first, last in ranges] == sizes


def test_an_empty_text_is_scored_without_a_topic(engine: Engine, settings: Settings) -> None:
    write(engine, one=" ")
    assert Flow(settings, engine).score().new == 1
    with reading(engine) as connection:
        row = connection.execute(select(sentiment)).one()
        assert (row.sentiment, row.content_hash) == ("neutral", hash_of(" "))
        assert connection.execute(select(func.count()).select_from(topic)).scalar() == 0


def test_the_whole_stage_scores_all_and_logs_it(engine: Engine, settings: Settings) -> None:
    write(engine, one="Alfa", two="Beta")
    told: list[int] = []
    assert Flow(settings, engine).score(report=told.append).new == 2
    assert sum(told) == 2
    assert Flow(settings, engine).score().new == 0
    assert set(scored_by(engine).values()) == {"dummy@1"}
