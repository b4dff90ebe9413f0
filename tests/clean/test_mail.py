"""The customer's own words, on the corpus and on single rules."""

from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.mail import Mail, measure, ours, peer, read_corpus
from pipeline.clean.mail import CleanText, Note, clean_mail, html_mail_text

MEGABYTE = 1_000_000
CORPUS = read_corpus()


def test_the_corpus_is_cleaned_exactly() -> None:
    assert len(CORPUS) >= 200
    assert len({mail.name for mail in CORPUS}) == len(CORPUS)
    result = measure(ours, CORPUS)
    assert result.exact >= 0.97, result.failures
    assert result.sentences_kept >= 0.995, result.failures


def test_mail_parser_reply_loses_complaints() -> None:
    """The reason why it is not used; should it become better than this, think again."""
    assert measure(peer, CORPUS).sentences_kept < measure(ours, CORPUS).sentences_kept


@pytest.mark.parametrize("mail", CORPUS, ids=lambda mail: mail.name)
def test_a_cleaned_mail_stays_as_it_is(mail: Mail) -> None:
    once = ours(mail)
    assert clean_mail(once) == CleanText(once)


def test_what_was_cut_is_counted() -> None:
    text = "Den er i stykker.\n\nMvh\nLone\n\nSendt fra min iPhone\n\n"
    text += "Den 3. marts 2026 kl. 10.15 skrev K <k@x.example>:\n> Hej\n> Lone"
    assert clean_mail(text) == CleanText(
        "Den er i stykker.",
        (Note("device_line", 1, 20), Note("quote", 3, 61), Note("signature", 2, 7)),
    )


def test_a_kept_forward_is_noted() -> None:
    text = "---------- Forwarded message ---------\nFra: Lone <lone@kunde.example>\nEmne: Klage\n\nKjolen er revet."
    cleaned = clean_mail(text)
    assert cleaned.text == "Kjolen er revet."
    assert [note.kind for note in cleaned.notes] == ["forward"]


@pytest.mark.parametrize("text", ["Mvh\nLone", "Tak!\n\nMvh Lone", "Sendt fra min iPhone", "Hej\n--\nLone"])
def test_what_would_leave_little_is_kept(text: str) -> None:
    assert clean_mail(text) == CleanText(text)


QUOTES: list[Callable[[str], str]] = [
    lambda text: f"{text}\n\nDen 3. marts 2026 kl. 10.15 skrev K <k@x.example>:\n> Vi beklager.\n> Mvh K",
    lambda text: (
        f"{text}\n\nFrån: K <k@x.example>\nSkickat: den 3 mars 2026 10:15\nTill: Lone\nÄmne: Sv\n\nVi beklagar."
    ),
    lambda text: (
        f"{text}\n\n-----Opprinnelig melding-----\nFra: K\nSendt: 3. mars 2026\nTil: Siri\nEmne: Sv\n\nVi beklager."
    ),
    lambda text: f"> Vi beklager.\n\n{text}",
    lambda text: f"{text}\n\nMed venlig hilsen\nLone Tofte\nTlf. 00 11 22 33",
    lambda text: f"{text}\n\nSkickat från min iPhone",
]


@pytest.mark.parametrize("quote", range(len(QUOTES)))
@pytest.mark.parametrize(
    "mail", [mail for mail in CORPUS if mail.client in ("complaint", "words", "gmail")], ids=lambda m: m.name
)
def test_every_complaint_survives_in_every_mail(mail: Mail, quote: int) -> None:
    """Each customer's words put into each kind of mail come out again."""
    assert clean_mail(QUOTES[quote](mail.expected)).text == mail.expected


LINES = """
Hej
Varen er i stykker.
> citat
>
> 3 uger
Mvh
Mvh Lone
--
Lone
Sendt fra min iPhone
Den 3. marts 2026 kl. 10.15 skrev Mette <mette@x.example>:
Den 3. marts 2026 kl. 10.15 skrev Mette:
Fra: Mette <mette@x.example>
Sendt: 3. marts 2026
Til: Lone
Emne: Sag
-----Original Message-----
Begin forwarded message:
________________________________
se mine svar nedenfor
PS. Den larmer også.
Denne mail er fortrolig og kun tiltænkt modtageren; slet den, hvis du fik den ved en fejl.
"""


@settings(max_examples=500, deadline=None)
@given(st.lists(st.sampled_from(LINES.split("\n")), max_size=14).map("\n".join))
def test_cleaning_twice_is_cleaning_once(text: str) -> None:
    once = clean_mail(text).text
    assert clean_mail(once) == CleanText(once)


@settings(max_examples=300, deadline=None)
@given(st.text())
def test_any_text_can_be_cleaned(text: str) -> None:
    once = clean_mail(text).text
    assert clean_mail(once).text == once


@pytest.mark.parametrize(
    ("html", "expected"),
    [
        ('svar<blockquote type="cite">a<blockquote type="cite">b</blockquote></blockquote>', "svar\n> a\n> b"),
        ('svar<blockquote style="margin:0 0 0 40px">indrykket</blockquote>', "svar\nindrykket"),
        ('<div class="gmail_signature">Lone</div>', "--\nLone"),
        ("\ue000ikke et citat\ue001", "ikke et citat"),
    ],
)
def test_structure_of_html_becomes_marks(html: str, expected: str) -> None:
    assert html_mail_text(html) == expected


HOSTILE = {
    "attributions": "Den 3. jan. 2026 kl. 10.15 skrev A <a@b.example>:\n" * (MEGABYTE // 50),
    "one attribution": "Den 3. jan. 2026 kl. 10.15 skrev " * (MEGABYTE // 33),
    "quoted": "> a\n" * (MEGABYTE // 4),
    "inline": "> a\nb\n" * (MEGABYTE // 6),
    "headers": "Fra: a@b.example\nEmne: x\n\n" * (MEGABYTE // 27),
    "separators": "-----Original Message-----\n" * (MEGABYTE // 27),
    "forwards": "Begin forwarded message:\n" * (MEGABYTE // 25),
    "dashes": "-" * MEGABYTE,
    "sign-offs": "hej\nMvh Anna\n\n" * (MEGABYTE // 14),
    "addresses": "a@" * (MEGABYTE // 2),
    "devices": "Sendt fra min " * (MEGABYTE // 14),
    "disclaimer": "denne mail er fortrolig og tiltænkt modtageren, slet den ved en fejl " * (MEGABYTE // 70),
    "reply lines": "##-" * (MEGABYTE // 3),
    "answers": "mine svar " * (MEGABYTE // 10),
    "links": "https://" * (MEGABYTE // 8),
}


@pytest.mark.timeout(300)
@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_mail_is_cleaned(name: str) -> None:
    cleaned = clean_mail(HOSTILE[name])
    assert len(cleaned.text) <= MEGABYTE
    assert clean_mail(cleaned.text).text == cleaned.text


@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "tag", ["<blockquote type=cite>", "<div class=yahoo_quoted>", "<div style='border-top:solid'>x"]
)
def test_hostile_html_mail_is_read(tag: str) -> None:
    assert len(html_mail_text(tag * (MEGABYTE // 10 // len(tag)))) <= MEGABYTE
