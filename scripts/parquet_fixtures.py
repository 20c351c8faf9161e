#!/usr/bin/env python3
"""Writes the small Parquet files that crates/data/tests/hostile/parquet.rs reads, with pyarrow (written with 26.0).

    scripts/parquet_fixtures.py crates/data/tests/fixtures
"""

import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

TEXTS = ["a", "bé\nb", "", "d", "e", "f"]
LABELS = ["x", "y", "x", "y", "x", "y"]


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    table = pa.table({"id": range(6), "text": TEXTS, "label": LABELS})
    # Three row groups each.
    for compression in ["none", "snappy", "gzip", "zstd", "lz4"]:
        pq.write_table(table, folder / f"{compression}.parquet", compression=compression, row_group_size=2)
    pq.write_table(table, folder / "v2.parquet", data_page_version="2.0", use_dictionary=False)
    categories = table.set_column(2, "label", table["label"].dictionary_encode())
    pq.write_table(categories, folder / "categories.parquet")
    large = table.set_column(1, "text", table["text"].cast(pa.large_string()))
    pq.write_table(large, folder / "large_string.parquet")
    integers = table.set_column(2, "label", pa.array([1, 0, 1, 0, 10, 2], pa.int8()))
    pq.write_table(integers, folder / "integers.parquet")
    booleans = table.set_column(2, "label", pa.array([True, False] * 3))
    pq.write_table(booleans, folder / "booleans.parquet")
    lists = table.set_column(2, "label", pa.array([["x", "y"], [], ["y"], None, ["z"], ["x"]], pa.list_(pa.string())))
    pq.write_table(lists, folder / "lists.parquet")
    nulls = table.set_column(1, "text", pa.array(["a", None, "c", "d", "e", "f"]))
    pq.write_table(nulls, folder / "nulls.parquet")
    fractions = table.set_column(2, "label", pa.array([0.5] * 6))
    pq.write_table(fractions, folder / "fractions.parquet")
    numbers = table.set_column(1, "text", pa.array(range(6)))
    pq.write_table(numbers, folder / "numbers.parquet")
    pq.write_table(table.slice(0, 0), folder / "no_rows.parquet")
    # A few bytes that say a million times the same.
    many = pa.table({"text": ["many times the same"] * 1_000_000, "label": ["x"] * 1_000_000})
    pq.write_table(many, folder / "expanding.parquet", compression="zstd")


if __name__ == "__main__":
    main()
