"""Accuracy of the language detector by language and by length, next to others on the same texts.

    python -m models.evaluate.language --data ../shared/data

Texts: the development files (Danish, Swedish; Norwegian sentences, which are Bokmål; English reviews) and the phrases
of `tests/language_cases.tsv`, every second group of five of which chose nothing in training. langdetect comes with
Klang; py3langid and lingua are measured when they are importable.
"""

import argparse
import importlib.util
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from models.evaluate.measures import accuracy, calibration_error
from models.train.examples import read
from pipeline.language import SURE, language_of, languages_of

CASES = Path(__file__).parents[2] / "tests" / "language_cases.tsv"
CODES = ("da", "sv", "nb", "nn", "en")
SHORT = 40
ENGLISH_TEXTS = 800
SEED = 17

Detect = Callable[[Sequence[str]], list[str]]


@dataclass(frozen=True)
class Case:
    text: str
    code: str


def cases(held_out: bool) -> list[Case]:
    """The written phrases, parallel over the languages in groups of five: the half that chose, or the other."""
    rows = [line.split("\t") for line in CASES.read_text(encoding="utf-8").splitlines()[1:]]
    return [Case(text, code) for number, (code, text) in enumerate(rows) if number // len(CODES) % 2 == held_out]


def development(data: Path) -> list[Case]:
    """Texts of the development files; what is labelled "no" is Bokmål."""
    rows = [*read(data / "sentiment_dev.jsonl.gz")]
    found = [Case(row["text"], "nb" if row["lang"] == "no" else row["lang"]) for row in rows]
    english = [row["text"] for row in read(data / "aspects_mabsa_dev.jsonl.gz") if row["lang"] == "en"]
    return found + [Case(text, "en") for text in random.Random(SEED).sample(english, ENGLISH_TEXTS)]


def klang(texts: Sequence[str]) -> list[str]:
    return [found.code for found in languages_of(texts)]


def langdetect(texts: Sequence[str]) -> list[str]:
    return [language_of(text, detector="langdetect").code for text in texts]


def detectors() -> dict[str, Detect]:
    found: dict[str, Detect] = {"klang": klang, "langdetect": langdetect}
    if importlib.util.find_spec("py3langid"):
        found["py3langid"] = py3langid()
    if importlib.util.find_spec("lingua"):
        found["lingua"] = lingua()
    return found


def py3langid() -> Detect:
    import py3langid as identifier

    identifier.set_languages(["da", "sv", "no", "nn", "en"])  # its "no" is Bokmål
    return lambda texts: [identifier.classify(text)[0].replace("no", "nb") for text in texts]


def lingua() -> Detect:
    from lingua import Language, LanguageDetectorBuilder

    languages = [Language.DANISH, Language.SWEDISH, Language.BOKMAL, Language.NYNORSK, Language.ENGLISH]
    detector = LanguageDetectorBuilder.from_languages(*languages).build()

    def detect(texts: Sequence[str]) -> list[str]:
        found = detector.detect_languages_in_parallel_of([*texts])
        return [language.iso_code_639_1.name.lower() if language else "und" for language in found]

    return detect


def share_right(of: Sequence[Case], found: Sequence[str], belongs: Callable[[Case], bool]) -> str:
    right = [code == case.code for case, code in zip(of, found, strict=True) if belongs(case)]
    return f"{sum(right) / len(right):.3f} ({len(right)})" if right else "-"


def table(title: str, of: list[Case]) -> None:
    print(f"\n| {title} | all | under {SHORT} | {' | '.join(CODES)} | texts/s |\n|{'---|' * (len(CODES) + 4)}")
    for name, detect in detectors().items():
        detect([of[0].text])
        started = time.process_time()
        found = detect([case.text for case in of])
        speed = len(of) / (time.process_time() - started)
        columns = [
            share_right(of, found, lambda case: True),
            share_right(of, found, lambda case: len(case.text) < SHORT),
            *(share_right(of, found, lambda case, code=code: case.code == code) for code in CODES),
        ]
        print(f"| {name} | {' | '.join(columns)} | {speed:,.0f} |")


def certainty(title: str, of: list[Case]) -> None:
    found = languages_of([case.text for case in of])
    right = [language.code == case.code for language, case in zip(found, of, strict=True)]
    error = calibration_error([language.confidence for language in found], right)
    sure = [hit for language, hit in zip(found, right, strict=True) if language.source == "detector"]
    print(
        f"{title}: ECE {error:.3f}; uncertain (below {SURE}) {1 - len(sure) / len(found):.3f} of the texts; "
        f"right {sum(sure) / len(sure):.3f} where sure, {accuracy([1] * len(right), right):.3f} in all"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, default=Path("../shared/data"))
    parser.add_argument("--texts", type=int, default=2000, help="how many of the development texts")
    parser.add_argument("--chosen-with", action="store_true", help="the half of the phrases that chose, not the other")
    arguments = parser.parse_args()
    texts = development(arguments.data)
    texts = random.Random(SEED).sample(texts, min(arguments.texts, len(texts)))
    sets = {"development files": texts, "phrases": cases(held_out=not arguments.chosen_with)}
    for title, of in sets.items():
        table(title, of)
    for title, of in sets.items():
        certainty(title, of)


if __name__ == "__main__":
    main()
