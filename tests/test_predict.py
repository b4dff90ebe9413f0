"""Files in, files out: what is not ours comes out as it went in, in order."""

from __future__ import annotations

import csv
import io
import json
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from pipeline.errors import ConfigError, KlangError, PermanentError
from pipeline.formats import read
from pipeline.predict import COLUMNS, REMEMBERED_LENGTH, Summary, predict_file
from pipeline.scoring.registry import DummyScorer

WITHOUT_TEXT = {
    "language": "und", "language_confidence": 0.0, "sentiment": "neutral",
    "p_negative": 0.0, "p_neutral": 1.0, "p_positive": 0.0, "topics": [],
}  # fmt: skip


def predict(source: Path, output: Path, **more: Any) -> Summary:
    return predict_file(source, output, model_name="dummy", **more)


def write_jsonl(path: Path, rows: list[Any]) -> Path:
    path.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    return path


def read_jsonl(path: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read_csv(path: Path, **more: Any) -> list[list[str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.reader(file, **more))


def test_jsonl_keeps_values_keys_and_order(tmp_path: Path) -> None:
    rows = [
        {"id": 3, "text": "Rigtig god service", "stars": 4.5, "tags": ["a", {"b": None}]},
        {"text": "Mycket bra pris", "id": "x", "größe": True},
        {"id": 1, "text": "Half a pair: \ud83d"},
    ]
    summary = predict(write_jsonl(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl")
    scored = read_jsonl(tmp_path / "out.jsonl")
    assert [list(one.items())[: len(row)] for one, row in zip(scored, rows, strict=True)] == [
        list(r.items()) for r in rows
    ]
    for one, row in zip(scored, rows, strict=True):
        assert list(one)[len(row) :] == list(COLUMNS)
        assert one["p_negative"] + one["p_neutral"] + one["p_positive"] == pytest.approx(1, abs=3e-6)
        assert one["sentiment"] == max(("negative", "neutral", "positive"), key=lambda name: one[f"p_{name}"])
        assert all(set(topic) == {"topic", "probability", "polarity"} for topic in one["topics"])
    assert [one["language"] for one in scored[:2]] == ["da", "sv"]
    assert (summary.rows, summary.without_text, summary.skipped) == (3, 0, 0)


@pytest.mark.parametrize("value", [None, "", "  \n", 5, ["text"], {"a": 1}, True])
def test_a_row_without_text_is_kept_and_neutral(tmp_path: Path, value: Any) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": value, "n": 1}, {"text": "Bra"}])
    summary = predict(source, tmp_path / "out.jsonl")
    assert read_jsonl(tmp_path / "out.jsonl")[0] == {"text": value, "n": 1, **WITHOUT_TEXT}
    assert summary.without_text == 1


def test_a_row_that_lacks_the_column_is_kept(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "Bra"}, {"n": 1}])
    predict(source, tmp_path / "out.jsonl")
    assert read_jsonl(tmp_path / "out.jsonl")[1] == {"n": 1, **WITHOUT_TEXT}


# As spreadsheets write them: delimiter, encoding, what stands before the header's first title in the output.
@pytest.mark.parametrize(
    ("delimiter", "encoding", "mark"),
    [
        (",", "utf-8", ""),
        (";", "utf-8-sig", "\ufeff"),
        ("\t", "utf-16", "\ufeff"),
        (";", "cp1252", "\ufeff"),
        ("|", "utf-8", ""),
    ],
)
def test_csv_of_any_make(tmp_path: Path, delimiter: str, encoding: str, mark: str) -> None:
    # Two columns without a title, quotes, a line break, and the delimiter inside a field.
    rows = [
        ["id", "text", "", ""],
        ["007", f'Rigtig "god"{delimiter}\nservice på ø', " x ", ""],
        ["8", "Smör", "", "1,50"],
    ]
    with (tmp_path / "in.csv").open("w", encoding=encoding, newline="") as file:
        csv.writer(file, delimiter=delimiter).writerows(rows)
    predict(tmp_path / "in.csv", tmp_path / "out.csv")
    scored = read_csv(tmp_path / "out.csv", delimiter=delimiter)
    assert [row[:4] for row in scored] == [[mark + "id", *rows[0][1:]], *rows[1:]]
    assert scored[0][4:] == list(COLUMNS)
    assert all(isinstance(json.loads(row[-1]), list) for row in scored[1:])


def test_parquet_keeps_its_types(tmp_path: Path) -> None:
    import pyarrow
    import pyarrow.parquet

    table = pyarrow.table(
        {
            "when": pyarrow.array([1_700_000_000_123_456_789, None], pyarrow.timestamp("ns", "Europe/Oslo")),
            "text": pyarrow.array(["Bra", None]).dictionary_encode(),
            "price": pyarrow.array([Decimal("1.50"), None], pyarrow.decimal128(9, 2)),
            "small": pyarrow.array([1, 2], pyarrow.int8()),
            "tags": pyarrow.array([["a"], []]),
        }
    ).replace_schema_metadata({"made_by": "a test"})
    pyarrow.parquet.write_table(table, tmp_path / "in.parquet")
    predict(tmp_path / "in.parquet", tmp_path / "out.parquet", explain=True)
    scored = pyarrow.parquet.read_table(tmp_path / "out.parquet")
    assert scored.select(table.column_names).equals(pyarrow.parquet.read_table(tmp_path / "in.parquet"))
    assert scored.schema.metadata[b"made_by"] == b"a test"
    assert scored.column_names[5:] == [*COLUMNS, "explanation"]
    assert scored["p_neutral"].type == pyarrow.float64()
    assert scored["topics"].to_pylist()[1] == []


@pytest.mark.parametrize("first", ["csv", "jsonl", "parquet"])
@pytest.mark.parametrize("second", ["csv", "tsv", "jsonl", "parquet"])
def test_each_format_becomes_each_other(tmp_path: Path, first: str, second: str) -> None:
    write_jsonl(tmp_path / "start.jsonl", [{"id": "1", "body": "Hurtig levering"}, {"id": "2", "body": "Dyrt"}])
    predict(tmp_path / "start.jsonl", tmp_path / f"one.{first}", text_column="body")
    predict(tmp_path / f"one.{first}", tmp_path / f"two.{second}", text_column="body")
    predict(tmp_path / f"two.{second}", tmp_path / "three.jsonl", text_column="body")
    expected = predict(tmp_path / "start.jsonl", tmp_path / "expected.jsonl", text_column="body")
    for found, row in zip(read_jsonl(tmp_path / "three.jsonl"), read_jsonl(tmp_path / "expected.jsonl"), strict=True):
        assert {name: found[name] for name in row} == row
    assert expected.rows == 2


def test_jsonl_whose_rows_differ_becomes_a_table(tmp_path: Path) -> None:
    import pyarrow.parquet

    rows = [{"text": "Bra", "a": None}, {"text": "Dårlig", "a": 1, "b": [1]}, {"text": "Ok", "a": 2.5}]
    source = write_jsonl(tmp_path / "in.jsonl", rows)
    predict(source, tmp_path / "out.parquet")
    table = pyarrow.parquet.read_table(tmp_path / "out.parquet", columns=["text", "a", "b"]).to_pylist()
    assert table == [{"a": None, "b": None} | row for row in rows]
    predict(source, tmp_path / "out.csv")
    assert [row[:3] for row in read_csv(tmp_path / "out.csv")[1:]] == [
        ["Bra", "", ""],
        ["Dårlig", "1", "[1]"],
        ["Ok", "2.5", ""],
    ]


def test_a_column_with_the_name_of_ours_is_kept_under_another(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "Bra", "language": "xx", "explanation": 1}])
    summary = predict(source, tmp_path / "out.jsonl")
    (scored,) = read_jsonl(tmp_path / "out.jsonl")
    assert scored["language_input"] == "xx"
    assert scored["language"] != "xx"
    assert scored["explanation"] == 1  # not ours without `explain`
    assert "your column language is now language_input" in str(summary)


def test_the_text_may_stand_in_a_column_with_the_name_of_ours(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"topics": "Rigtig god service"}])
    predict(source, tmp_path / "out.jsonl", text_column="topics")
    (scored,) = read_jsonl(tmp_path / "out.jsonl")
    assert scored["topics_input"] == "Rigtig god service"
    assert scored["language"] == "da"


def test_scoring_a_scored_file_again_loses_nothing(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "Bra", "language": "xx"}])
    predict(source, tmp_path / "out.jsonl")
    predict(tmp_path / "out.jsonl", tmp_path / "again.jsonl")
    (scored,) = read_jsonl(tmp_path / "again.jsonl")
    assert scored["language_input"] == "xx"
    assert scored["language_input_input"] == scored["language"]


# A file's name and content, and what the error says.
BROKEN = {
    "bad.jsonl": ('{"text": "a"}\n{"text": \n{"text": "b"}\n', "line 2 of bad.jsonl is not a JSON object"),
    "list.jsonl": ('{"text": "a"}\n[1]\n{"text": "b"}\n', "line 2 of list.jsonl is not a JSON object"),
    "short.csv": ("id,text\n1,a\n2\n3,b\n", "line 3 of short.csv has 1 fields, its header 2"),
    "long.csv": ("id,text\n1,a\n2,x,y\n3,b\n", "line 3 of long.csv has 3 fields, its header 2"),
    "huge.csv": (f"id,text\n1,a\n2,{'x' * (10 * 1024 * 1024 + 1)}\n3,b\n", "line 3 of huge.csv is not CSV"),
}


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_row_stops_the_run_or_is_left_out(tmp_path: Path, name: str) -> None:
    content, said = BROKEN[name]
    (tmp_path / name).write_text(content)
    output = tmp_path / "out.jsonl"
    with pytest.raises(PermanentError, match=said):
        predict(tmp_path / name, output)
    assert not output.exists()
    summary = predict(tmp_path / name, output, skip_bad=True)
    assert [row["text"] for row in read_jsonl(output)] == ["a", "b"]
    assert summary.skipped == 1


# What is in the folder, the arguments, and what the one line of the error says.
MISTAKES = [
    ({}, "in.csv", "out.csv", {}, "cannot read .*in.csv: No such file"),
    ({"in.csv": "id,body\n1,a\n"}, "in.csv", "out.csv", {}, "no column 'text'; it has id, body: .*--text-column"),
    ({"in.jsonl": '{"body": "a"}\n'}, "in.jsonl", "out.csv", {}, "no column 'text'; it has body"),
    ({"in.csv": ""}, "in.csv", "out.csv", {}, "in.csv is empty"),
    ({"in.txt": "text\na\n"}, "in.txt", "out.csv", {}, "not a .csv, .tsv, .jsonl or .parquet file"),
    ({"in.csv": "text\na\n"}, "in.csv", "out.xlsx", {}, "the ending of out.xlsx tells no format; use one of .csv"),
    ({"in.csv": "text\na\n"}, "in.csv", "no/folder/out.csv", {}, "cannot write .*out.csv: No such file or directory"),
    ({"in.parquet": "text"}, "in.parquet", "out.csv", {}, "in.parquet is not a Parquet file"),
    (
        {"in.jsonl": '{"text": "a", "n": 1}\n{"text": "a", "n": "x"}\n'},
        "in.jsonl",
        "out.parquet",
        {},
        "does not fit Parquet",
    ),
    (
        {"in.jsonl": '{"text": "a"}\n'},
        "in.jsonl",
        "out.jsonl",
        {"model_name": "/no/model"},
        "no model folder /no/model",
    ),
]


@pytest.mark.parametrize(("files", "source", "output", "more", "said"), MISTAKES)
def test_mistakes_are_one_line(tmp_path: Path, files: dict, source: str, output: str, more: dict, said: str) -> None:
    for name, content in files.items():
        (tmp_path / name).write_text(content)
    with pytest.raises(KlangError, match=said) as error:
        predict_file(tmp_path / source, tmp_path / output, **({"model_name": "dummy"} | more))
    assert "\n" not in str(error.value)
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted(files)


def test_files_without_rows_become_files_without_rows(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,text\n")
    (tmp_path / "in.jsonl").write_text("")
    assert predict(tmp_path / "in.csv", tmp_path / "out.csv").rows == 0
    assert read_csv(tmp_path / "out.csv") == [["id", "text", *COLUMNS]]
    assert predict(tmp_path / "in.jsonl", tmp_path / "out.jsonl").rows == 0
    assert (tmp_path / "out.jsonl").read_text() == ""


def test_order_holds_over_blocks_and_progress_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "ROWS", 7)
    rows = [{"n": n, "text": "ord " * (n % 5 + 1)} for n in range(50)]
    told: list[int] = []
    predict(write_jsonl(tmp_path / "in.jsonl", rows), tmp_path / "out.jsonl", report=told.append)
    assert [row["n"] for row in read_jsonl(tmp_path / "out.jsonl")] == list(range(50))
    assert told == [7] * 7 + [1]


def test_a_block_of_long_texts_is_short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "CHARACTERS", 1000)
    told: list[int] = []
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "x" * 400} for _ in range(7)])
    predict(source, tmp_path / "out.jsonl", report=told.append)
    assert told == [3, 3, 1]


def test_a_text_that_comes_again_is_scored_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(read, "ROWS", 2)
    monkeypatch.setattr("pipeline.predict.REMEMBERED", 2)
    seen: list[str] = []
    score = DummyScorer.score
    monkeypatch.setattr(DummyScorer, "score", lambda self, texts: seen.extend(texts) or score(self, texts))
    long = "x" * (REMEMBERED_LENGTH + 1)
    texts = ["a", "a", "a ", "b", "c", long, "a", long, "c", "c"]
    predict(write_jsonl(tmp_path / "in.jsonl", [{"text": text} for text in texts]), tmp_path / "out.jsonl")
    assert seen == ["a", "b", "c", long, "a", long]  # only the last two are remembered, and no long ones
    scored = [{name: row[name] for name in COLUMNS} for row in read_jsonl(tmp_path / "out.jsonl")]
    assert scored[0] == scored[2] == scored[6] != scored[3]


def test_a_run_that_fails_leaves_the_old_output_alone(tmp_path: Path) -> None:
    (tmp_path / "out.csv").write_text("old")
    (tmp_path / "in.csv").write_text("id,text\n" + "1,a\n" * 5000 + "2\n")
    with pytest.raises(PermanentError, match="line 5002"):
        predict(tmp_path / "in.csv", tmp_path / "out.csv")
    assert (tmp_path / "out.csv").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["in.csv", "out.csv"]


def test_a_file_can_be_scored_in_place(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": f"nummer {n}"} for n in range(5000)])
    predict(source, source)
    assert [row["text"] for row in read_jsonl(source)] == [f"nummer {n}" for n in range(5000)]


def test_a_run_that_is_killed_leaves_no_output(tmp_path: Path) -> None:
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": f"nummer {n}"} for n in range(50_000)])
    program = (
        "import os, sys; from pathlib import Path; from pipeline.predict import predict_file;"
        "paths = map(Path, sys.argv[1:]);"
        "predict_file(*paths, model_name='dummy', report=lambda rows: os.kill(os.getpid(), 9))"
    )
    done = subprocess.run([sys.executable, "-c", program, source, tmp_path / "out.jsonl"])
    assert done.returncode == -9
    assert not (tmp_path / "out.jsonl").exists()


def test_a_device_is_written_and_not_replaced(tmp_path: Path) -> None:
    import os

    os.mkfifo(tmp_path / "pipe.jsonl")
    source = write_jsonl(tmp_path / "in.jsonl", [{"text": "Bra"}])
    with subprocess.Popen(["cat", tmp_path / "pipe.jsonl"], stdout=subprocess.PIPE) as reader:
        predict(source, tmp_path / "pipe.jsonl")
        assert json.loads(reader.stdout.read())["text"] == "Bra"
    assert (tmp_path / "pipe.jsonl").is_fifo()


# What comes in, the column of the text, and how what goes out begins.
PIPED = [
    (b'{"text": "Bra"}\n', "text", b'{"text": "Bra", "language"'),
    (b'\n {"text": "Bra"}\n', "text", b'{"text": "Bra", "language"'),
    ("id;body\n1;Smør\n".encode(), "body", b"id;body;language;language_confidence"),
    ("body\nSmør\n".encode("cp1252"), "body", "\ufeffbody,language,".encode()),
    (b"", "text", b""),
]


@pytest.mark.parametrize(("given", "column", "start"), PIPED)
def test_stdin_to_stdout(monkeypatch: pytest.MonkeyPatch, given: bytes, column: str, start: bytes) -> None:
    out = io.BytesIO()
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(given)))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=out))
    predict(Path("-"), Path("-"), text_column=column)
    assert out.getvalue().startswith(start)


def test_a_mistake_on_stdin_names_its_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b'{"text": "a"}\n{"text"\n')))
    monkeypatch.setattr(sys, "stdout", SimpleNamespace(buffer=io.BytesIO()))
    with pytest.raises(PermanentError, match=r"line 2 of stdin\.jsonl"):
        predict(Path("-"), Path("-"))


def test_explanations_are_sentences_of_the_text(tmp_path: Path) -> None:
    text = "Leveringen var sen. Varen er fin! Prisen er høj."
    predict(write_jsonl(tmp_path / "in.jsonl", [{"text": text}, {"text": ""}]), tmp_path / "out.jsonl", explain=True)
    scored, empty = read_jsonl(tmp_path / "out.jsonl")
    assert scored["explanation"][0]["result"] == "sentiment"
    assert all(one["sentence"] in text for one in scored["explanation"])
    assert {one["result"] for one in scored["explanation"][1:]} <= {one["topic"] for one in scored["topics"]}
    assert empty["explanation"] == []


def test_the_detector_can_be_chosen(tmp_path: Path) -> None:
    source = write_jsonl(
        tmp_path / "in.jsonl", [{"text": "Dies ist ein ganz normaler deutscher Satz über das Wetter."}]
    )
    predict(source, tmp_path / "out.jsonl", detector="langdetect")
    assert read_jsonl(tmp_path / "out.jsonl")[0]["language"] == "de"


def test_a_missing_column_is_a_mistake_in_the_arguments(tmp_path: Path) -> None:
    (tmp_path / "in.csv").write_text("id,body\n1,a\n")
    with pytest.raises(ConfigError) as error:
        predict(tmp_path / "in.csv", tmp_path / "out.csv")
    assert error.value.exit_code == 2
