"""What an alert tells people: numbers, drivers and quotes."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from pipeline.alerts.evidence import Alarm, Negative, Summary, drivers_of, message_of, quotes_of, shorten

DAY = date(2026, 11, 20)


def negative(
    number: int, text: str = "", language: str = "da", p: float = 0.8, topics: tuple[str, ...] = ("delivery",)
) -> Negative:
    text = text or f"Pakke nummer {number} er stadig ikke kommet frem til mig."
    return Negative(number, text, language, None, p, DAY, topics)


def test_the_topics_of_most_negatives_drive_it() -> None:
    found = [
        negative(1, topics=("delivery", "staff")),
        negative(2),
        negative(3, topics=()),
        negative(4, topics=("price",)),
    ]
    assert drivers_of(found)[0] == ("delivery", 2)
    assert drivers_of([]) == ()


def test_quotes_are_about_the_main_topic_and_of_every_language() -> None:
    swedish = negative(3, "Paketet har fortfarande inte kommit fram till mig.", "sv")
    other = negative(4, "Det her handler om noget helt andet end pakken.", topics=("price",))
    quotes = quotes_of([other, negative(1), negative(2), swedish, negative(5), negative(6)], (("delivery", 5),))
    assert len(quotes) == 4
    assert swedish.text in quotes[:2]
    assert other.text not in quotes


def test_quotes_are_typical_not_the_angriest() -> None:
    found = [negative(1, p=0.51), negative(2, p=0.8), negative(3, p=0.8), negative(4, p=0.99)]
    assert set(quotes_of(found, ())[:2]) == {found[1].text, found[2].text}


def test_the_same_words_are_quoted_once_and_no_words_never() -> None:
    again = [negative(number, "Pakken kom aldrig frem, og ingen svarer på mails.") for number in range(5)]
    assert quotes_of(again, ()) == (again[0].text,)
    assert quotes_of([replace(negative(1), text="")], ()) == ()
    assert quotes_of([], ()) == ()


def test_the_choice_of_quotes_does_not_depend_on_the_order() -> None:
    found = [negative(number, p=0.7 + number / 100) for number in range(9)]
    assert quotes_of(found, ()) == quotes_of(found[::-1], ())


def test_a_long_quote_ends_at_a_word() -> None:
    short = shorten("ord\n\n" * 200, 50)
    assert len(short) <= 50
    assert short.endswith("ord…")
    assert shorten("kort  tekst") == "kort tekst"
    assert len(shorten("x" * 500)) <= 260


def test_an_alarm_without_feedback_has_no_share() -> None:
    assert Alarm((), ((),), DAY, DAY, 0, 0, 0.1, 0.2, 0.001).share == 0


SUMMARY = Summary(
    alert_id=1, series="country=SE", members=["country=SE", "all feedback"], opened_on=DAY, last_on=DAY,
    recovered_on=None, since=date(2026, 11, 18), negatives=12, total=20, share=0.6, expected=0.2, expected_high=0.35,
    p_value=0.0002, drivers=[("delivery", 9)], quotes=["Paketet kom aldrig."],
)  # fmt: skip


def test_a_message_tells_the_numbers_and_the_words() -> None:
    message = message_of(SUMMARY, "opened")
    assert "country=SE" in message.title
    for words in (
        "2026-11-18",
        "12 of 20",
        "60%",
        "expected 20%",
        "35%",
        "delivery (9)",
        "“Paketet kom aldrig.”",
        "all feedback",
    ):
        assert words in message.body


def test_an_alert_that_is_over_says_since_when() -> None:
    message = message_of(replace(SUMMARY, recovered_on=date(2026, 11, 22)), "recovered")
    assert "Back to normal" in message.title
    assert "2026-11-22" in message.body


def test_a_message_leaves_out_what_there_is_none_of() -> None:
    bare = message_of(replace(SUMMARY, drivers=[], quotes=[], members=["country=SE"]), "opened")
    assert "About" not in bare.body
    assert "Moved with it" not in bare.body
