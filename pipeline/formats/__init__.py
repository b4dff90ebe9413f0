"""CSV, JSONL and Parquet in blocks of rows, read and written so that all columns come out as they went in.

Unlike the sources, which take a row for the item it tells of, this keeps a file's columns: their order, their titles
(two may be the same) and, from Parquet to Parquet, their types.
"""

SUFFIXES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet")
