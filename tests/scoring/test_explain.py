"""Drivers are sentences of the text, each the one that says most of what the text says."""

from collections.abc import Sequence

import pytest

from pipeline.records import Score, TopicScore
from pipeline.scoring.explain import Driver, explain, sentences


class ByWord:
    """Negative where a text says "bad", about delivery where it says "parcel"."""

    model_id = "by-word@1"

    def score(self, texts: Sequence[str]) -> list[Score]:
        return [self.score_one(text) for text in texts]

    def score_one(self, text: str) -> Score:
        negative = 0.9 if "bad" in text else 0.1
        topics = (TopicScore("delivery", 0.8, "negative"),) if "parcel" in text else ()
        return Score(negative, 0.05, 0.95 - negative, topics)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("Bare én", ["Bare én"]),
        ("Bra! Men dyrt... Kommer ikke igen?", ["Bra!", "Men dyrt...", "Kommer ikke igen?"]),
        ("Første linje\nAndre linje\n\nTredje", ["Første linje", "Andre linje", "Tredje"]),
        ("Vi kom kl. 10 og gikk.", ["Vi kom kl. 10 og gikk."]),  # a number begins no sentence
        ("Det kostet 1.299,00 kr", ["Det kostet 1.299,00 kr"]),
    ],
)
def test_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_each_result_has_its_sentence() -> None:
    texts = ["I was there on Monday. The food was bad. A parcel came.", "", "Nothing."]
    scorer = ByWord()
    assert explain(scorer, texts, scorer.score(texts)) == [
        [Driver("sentiment", "The food was bad."), Driver("delivery", "A parcel came.")],
        [],
        [Driver("sentiment", "Nothing.")],
    ]


def test_a_topic_of_the_whole_text_alone_has_no_sentence() -> None:
    score = Score(0.9, 0.05, 0.05, (TopicScore("price", 0.5, "negative"),))
    assert explain(ByWord(), ["So bad. Well."], [score]) == [[Driver("sentiment", "So bad.")]]
