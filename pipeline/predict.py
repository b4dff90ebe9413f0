"""Score a file of texts: `klang predict`. Memory does not grow with the file; a killed run leaves no half output."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from itertools import chain
from pathlib import Path
from typing import IO, Any

from pipeline.errors import ConfigError, PermanentError
from pipeline.formats import SUFFIXES
from pipeline.formats.read import Block, open_source
from pipeline.formats.write import Kinds, open_writer
from pipeline.language import Detector, languages_of
from pipeline.records import Language, Score
from pipeline.scoring.explain import explain as explanations
from pipeline.scoring.registry import Scorer, load_scorer

COLUMNS = ("language", "language_confidence", "sentiment", "p_negative", "p_neutral", "p_positive", "topics")
EXPLANATION = "explanation"
STDIO = Path("-")
DIGITS = 6
REMEMBERED = 50_000  # results kept for when the same text comes again
REMEMBERED_LENGTH = 300  # characters; longer texts seldom do
Result = dict[str, Any]


@dataclass
class Summary:
    """What a run did."""

    output: Path
    rows: int = 0
    without_text: int = 0
    skipped: int = 0
    seconds: float = 0.0
    renamed: list[str] = field(default_factory=list)  # columns of the input that had the name of one of ours

    def __str__(self) -> str:
        parts = [f"{self.rows:,} rows in {self.seconds:.1f} s"]
        parts += [f"{self.without_text:,} without text"] if self.without_text else []
        parts += [f"{self.skipped:,} that cannot be read left out"] if self.skipped else []
        parts += [f"your column {name} is now {name}_input" for name in self.renamed]
        parts += [f"written to {self.output}"] if self.output != STDIO else []
        return "; ".join(parts)


def predict_file(
    source: Path,
    output: Path,
    *,
    model_name: str,
    labels: Mapping[str, str] | None = None,
    detector: Detector = "klang",
    text_column: str = "text",
    skip_bad: bool = False,
    explain: bool = False,
    report: Callable[[int], None] = lambda rows: None,
) -> Summary:
    """Write the rows of `source` to `output` with COLUMNS added, and with `explain` the column `explanation`.

    The endings choose the formats: .csv, .tsv, .jsonl, .parquet. `-` is stdin, which is copied to a temporary file
    first, or stdout, in the format of the input. Rows keep their order and the other columns their values; a column
    with the name of one of ours is renamed `<name>_input`. A row without text is neutral, in the language "und". A row
    that cannot be read ends the run, or with `skip_bad` is left out and counted. `report` gets the rows of each block.

    Raises ConfigError for a column, format or model that does not exist, and PermanentError for a file that cannot be
    read or written.
    """
    started = time.monotonic()
    summary = Summary(output)
    columns = (*COLUMNS, EXPLANATION) if explain else COLUMNS
    with readable(source) as path:
        suffix = suffix_of(path if output == STDIO else output)
        opened = open_source(path, columns)
        text_column = f"{text_column}_input" if text_column in columns else text_column
        blocks = checked(opened.blocks(counter_of(summary) if skip_bad else refuse), path, text_column)
        annotate = Annotator(load_scorer(model_name, labels or {}), detector, explain)
        with writable(output) as file:
            writer = open_writer(suffix, file, opened, kinds_of(columns))
            for block in blocks:
                texts = [text_of(value) for value in block.column(text_column)]
                writer.write(block, annotate(texts))
                summary.rows += len(texts)
                summary.without_text += texts.count("")
                report(len(texts))
            writer.close()
        summary.renamed = [name for name in columns if name in opened.renamed]
    summary.seconds = time.monotonic() - started
    return summary


@contextmanager
def readable(source: Path) -> Iterator[Path]:
    """The file to read; stdin becomes one, with the ending that its first bytes call for."""
    if source != STDIO:
        yield source
        return
    with tempfile.TemporaryDirectory(prefix="klang-") as folder:
        first = sys.stdin.buffer.read(1 << 16)
        path = Path(folder) / f"stdin{sniffed(first)}"
        with path.open("wb") as file:
            file.write(first)
            shutil.copyfileobj(sys.stdin.buffer, file)
        yield path


def sniffed(first: bytes) -> str:
    if first.startswith(b"PAR1"):
        return ".parquet"
    start = first.removeprefix(b"\xef\xbb\xbf").lstrip()[:1]
    return ".jsonl" if start in (b"{", b"") else ".csv"


def suffix_of(path: Path) -> str:
    if path.suffix.lower() not in SUFFIXES:
        raise ConfigError(f"the ending of {path.name} tells no format; use one of {', '.join(SUFFIXES)}")
    return path.suffix.lower()


@contextmanager
def writable(output: Path) -> Iterator[IO[bytes]]:
    """The file to write: it takes its name when it is whole. A device or a pipe is written as it is."""
    if output == STDIO:
        yield sys.stdout.buffer
        return
    regular = output.is_file() or not output.exists()
    part = output.with_name(f".{output.name}.{os.getpid()}.part") if regular else output
    try:
        with part.open("wb") as file:
            yield file
        if regular:
            part.replace(output)
    except OSError as error:
        if isinstance(error, BrokenPipeError):
            raise
        raise PermanentError(f"cannot write {output}: {error.strerror}; check the folder and its permissions") from None
    finally:
        if regular:
            part.unlink(missing_ok=True)


def refuse(reason: str) -> None:
    raise PermanentError(f"{reason}; mend it, or leave out such rows with --skip-bad")


def counter_of(summary: Summary) -> Callable[[str], None]:
    def count(reason: str) -> None:
        summary.skipped += 1

    return count


def checked(blocks: Iterator[Block], path: Path, text_column: str) -> Iterator[Block]:
    """The blocks, if the first has the column of the texts: found out before a model is loaded."""
    first = next(blocks, None)
    if first is None:
        return iter(())
    if text_column not in first.names:
        raise ConfigError(
            f"{path.name} has no column {text_column!r}; it has {', '.join(first.names)}: choose with --text-column"
        )
    return chain([first], blocks)


def text_of(value: Any) -> str:
    """The text of a cell, without halves of surrogate pairs, which no tokenizer takes; "" where there is none."""
    return value.strip().encode("utf-8", "replace").decode() if isinstance(value, str) else ""


class Annotator:
    """Gives each text its added columns; a text that came lately is not scored again."""

    def __init__(self, scorer: Scorer, detector: Detector, explain: bool) -> None:
        self.scorer = scorer
        self.detector: Detector = detector
        self.explain = explain
        self.remembered: dict[str, Result] = {}

    def __call__(self, texts: Sequence[str]) -> list[Result]:
        known = {text: self.remembered[text] for text in texts if text in self.remembered}
        fresh = [text for text in dict.fromkeys(texts) if text not in known]
        known |= zip(fresh, self.results(fresh), strict=True)
        self.remember({text: known[text] for text in fresh if len(text) <= REMEMBERED_LENGTH})
        return [known[text] for text in texts]

    def results(self, texts: list[str]) -> list[Result]:
        languages = languages_of(texts, detector=self.detector)
        scores = self.scorer.score(texts)
        results = [columns_of(language, score) for language, score in zip(languages, scores, strict=True)]
        if self.explain:
            for result, found in zip(results, explanations(self.scorer, texts, scores), strict=True):
                result[EXPLANATION] = [asdict(one) for one in found]
        return results

    def remember(self, results: dict[str, Result]) -> None:
        self.remembered |= results
        for text in list(self.remembered)[: max(0, len(self.remembered) - REMEMBERED)]:
            del self.remembered[text]


def columns_of(language: Language, score: Score) -> Result:
    return {
        "language": language.code,
        "language_confidence": round(language.confidence, DIGITS),
        "sentiment": score.sentiment,
        "p_negative": round(score.p_negative, DIGITS),
        "p_neutral": round(score.p_neutral, DIGITS),
        "p_positive": round(score.p_positive, DIGITS),
        "topics": [
            {"topic": one.topic, "probability": round(one.probability, DIGITS), "polarity": one.polarity}
            for one in score.topics
        ],
    }


def kinds_of(columns: Sequence[str]) -> Kinds:
    lists: Kinds = {
        "topics": {"topic": "text", "probability": "number", "polarity": "text"},
        EXPLANATION: {"result": "text", "sentence": "text"},
    }
    numbers = {name for name in columns if name.startswith("p_")} | {"language_confidence"}
    return {name: lists.get(name, "number" if name in numbers else "text") for name in columns}
