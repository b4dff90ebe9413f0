"""Texts a second and peak memory of `klang predict`, next to a transformers pipeline of XLM-R base's size.

    python -m benchmarks.scoring [--texts FILE.jsonl] [--rows 2000] [--model models/klang-nordic]

Both are programs of their own, timed from their start to their end, on the same texts and cores. The pipeline is
text-classification at its defaults (one text at a time, float32) with random weights, which take as long as trained
ones. Without --texts, the texts are the sample feeds' reviews, each made different from the others by its number.
"""

import argparse
import csv
import json
import resource
import subprocess
import sys
import tempfile
import time
from itertools import cycle, islice
from pathlib import Path

REPOSITORY = Path(__file__).parents[1]
PIPELINE = """
import json, sys
from transformers import pipeline
classify = pipeline("text-classification", model=sys.argv[1], device="cpu", truncation=True)
with open(sys.argv[2], encoding="utf-8") as rows, open(sys.argv[3], "w", encoding="utf-8") as out:
    for row in map(json.loads, rows):
        out.write(json.dumps(row | classify(row["text"])[0], ensure_ascii=False) + "\\n")
"""
PREDICT = """
import sys
from pathlib import Path
from pipeline.predict import predict_file
predict_file(Path(sys.argv[2]), Path(sys.argv[3]), model_name=sys.argv[1])
"""


def sample_texts() -> list[str]:
    paths = sorted((REPOSITORY / "pipeline" / "sample_feeds").glob("reviews-*.csv"))
    texts = [row["body"] for path in paths for row in csv.DictReader(path.open(encoding="utf-8"))]
    return [text for text in texts if text.strip()]


def write_rows(path: Path, texts: list[str], rows: int, numbered: bool) -> None:
    with path.open("w", encoding="utf-8") as file:
        for number, text in enumerate(islice(cycle(texts), rows)):
            file.write(json.dumps({"text": f"{text} {number}" if numbered else text}, ensure_ascii=False) + "\n")


def save_pipeline_model(folder: Path, tokenizer: Path) -> None:
    """XLM-R base by its sizes, with random weights, and the tokenizer of our model: the same pieces, fewer of them."""
    from transformers import AutoTokenizer, XLMRobertaConfig, XLMRobertaForSequenceClassification

    config = XLMRobertaConfig(
        vocab_size=250_002, max_position_embeddings=514, type_vocab_size=1, num_labels=3, layer_norm_eps=1e-5
    )
    XLMRobertaForSequenceClassification(config).save_pretrained(folder)
    AutoTokenizer.from_pretrained(tokenizer).save_pretrained(folder)


def time_pipeline(folder: Path, texts: list[str], rows: int, numbered: bool) -> float:
    write_rows(folder / "in.jsonl", texts, rows, numbered)
    return timed(PIPELINE, folder / "model", folder / "in.jsonl", folder / "theirs.jsonl")


def timed(program: str, *arguments: Path | str) -> float:
    """Seconds that a program of its own takes, its start included."""
    started = time.perf_counter()
    subprocess.run([sys.executable, "-c", program, *map(str, arguments)], check=True, cwd=REPOSITORY)
    return time.perf_counter() - started


def peak_gib() -> float:
    """The most memory that any child so far has held."""
    return resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 2**20


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--texts", type=Path, help="JSON lines with a field `text`")
    parser.add_argument("--rows", type=int, default=2000)
    parser.add_argument("--pipeline-rows", type=int, default=300, help="rows timed, from which the rest is reckoned")
    parser.add_argument("--model", default=str(REPOSITORY / "models" / "klang-nordic"))
    arguments = parser.parse_args()
    given = arguments.texts
    texts = [json.loads(line)["text"] for line in given.open(encoding="utf-8")] if given else sample_texts()
    print(f"{arguments.rows} texts of {sum(map(len, texts)) / len(texts):.0f} characters on average")
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        write_rows(folder / "in.jsonl", texts, arguments.rows, numbered=not given)
        ours = timed(PREDICT, arguments.model, folder / "in.jsonl", folder / "out.jsonl")
        print(f"klang predict: {ours:.1f} s, {arguments.rows / ours:.0f} texts a second, {peak_gib():.2f} GiB at most")
        if arguments.model == "dummy":
            return
        save_pipeline_model(folder / "model", Path(arguments.model))
        once, some = (
            time_pipeline(folder, texts[:count], count, numbered=not given) for count in (1, arguments.pipeline_rows)
        )
        theirs = once + (some - once) / (arguments.pipeline_rows - 1) * (arguments.rows - 1)
        print(f"pipeline: {once:.1f} s to start and score one text, {some:.1f} s for {arguments.pipeline_rows}")
        print(f"so {theirs:.0f} s for all, {arguments.rows / theirs:.1f} texts a second; ours is {theirs / ours:.1f} x")


if __name__ == "__main__":
    main()
