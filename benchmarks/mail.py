"""How well and how fast mail becomes the customer's own words, next to mail-parser-reply.

    python -m benchmarks.mail [--failures]

reads the corpus in tests/clean/mail_corpus (its format: README.md there) and times the cleaning of short reviews.
"""

import re
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from mailparser_reply import EmailMessage

from pipeline.clean.mail import clean_mail, html_mail_text
from pipeline.clean.text import clean_text, html_to_text

CORPUS = Path(__file__).parents[1] / "tests" / "clean" / "mail_corpus"
_MAIL = re.compile(r"^@@@ (\S+) (\S+) (text|html)\n(.*?)^@@@ expected\n(.*?)(?=^@@@ |\Z)", re.MULTILINE | re.DOTALL)
_SENTENCE_END = re.compile(r"(?<=[.!?…:])\s+|\n+")


@dataclass(frozen=True)
class Mail:
    """One mail of the corpus and what of it the customer wrote."""

    name: str
    client: str
    is_html: bool
    body: str
    expected: str


@dataclass(frozen=True)
class Result:
    """The share of mails cleaned exactly, and the share of the customers' sentences kept."""

    mails: int
    exact: float
    sentences_kept: float
    failures: tuple[tuple[Mail, str], ...]


def read_corpus() -> list[Mail]:
    """All mails of the corpus."""
    return [mail for path in sorted(CORPUS.glob("*.txt")) for mail in _mails(path.read_text(encoding="utf-8"))]


def _mails(text: str) -> Iterator[Mail]:
    for name, client, kind, body, expected in _MAIL.findall(text):
        yield Mail(name, client, kind == "html", body, expected.strip())


def ours(mail: Mail) -> str:
    """What Klang takes for the customer's words."""
    return clean_mail(html_mail_text(mail.body) if mail.is_html else mail.body).text


def peer(mail: Mail) -> str:
    """What mail-parser-reply takes for them, set as well as it can be: the Nordic packs, bullet lists kept."""
    text = html_to_text(mail.body) if mail.is_html else mail.body
    message = EmailMessage(text=text, languages=["da", "sv", "en"], keep_hyphen_lists=True).read()
    return clean_text(message.latest_reply or "")


def measure(clean: Callable[[Mail], str], mails: list[Mail]) -> Result:
    """`clean` on `mails`: exact text, and sentences of the expected text found in what it returns."""
    results = [(mail, clean(mail)) for mail in mails]
    sentences = [(sentence, got) for mail, got in results for sentence in _sentences(mail.expected)]
    kept = sum(sentence in " ".join(got.split()) for sentence, got in sentences)
    failures = tuple((mail, got) for mail, got in results if got != mail.expected)
    return Result(len(mails), 1 - len(failures) / len(mails), kept / len(sentences), failures)


def _sentences(text: str) -> list[str]:
    return [" ".join(part.split()) for part in _SENTENCE_END.split(text) if part.strip()]


def _reviews_per_second(clean: Callable[[str], str], texts: list[str]) -> float:
    start = time.process_time()
    for text in texts:
        clean(text)
    return len(texts) / (time.process_time() - start)


def main() -> None:
    """Print the table."""
    mails = read_corpus()
    print(f"{len(mails)} mails  {'exact':>8} {'sentences kept':>15}")
    for name, clean in (("klang", ours), ("mail-parser-reply", peer)):
        result = measure(clean, mails)
        print(f"{name:<18} {result.exact:7.1%} {result.sentences_kept:14.2%}")
        if "--failures" in sys.argv and clean is ours:
            for mail, got in result.failures:
                print(f"--- {mail.name} {mail.client}\nexpected {mail.expected!r}\ngot      {got!r}")
    texts = [mail.expected for mail in mails] * 20
    print(f"clean_text {_reviews_per_second(clean_text, texts):10,.0f} reviews a second")
    print(f"clean_mail {_reviews_per_second(lambda text: clean_mail(text).text, texts[:4000]):10,.0f} reviews a second")


if __name__ == "__main__":
    main()
