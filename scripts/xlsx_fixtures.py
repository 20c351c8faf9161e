#!/usr/bin/env python3
"""Writes the small Excel files that crates/data/tests/hostile/xlsx.rs reads, with XlsxWriter (written with 3.3.1) and, for a
second hand, openpyxl (written with 3.1.5).

    scripts/xlsx_fixtures.py crates/data/tests/fixtures
"""

import datetime
import sys
from pathlib import Path

import openpyxl
import xlsxwriter

TEXTS = ["a", "bé\nb", "", "d", "e & <e>", "f"]
LABELS = ["x", "y", "x", "y", "x", "y"]


def sheet(folder, name, write, **options):
    # A fixed date of creation: the same script writes the same bytes.
    book = xlsxwriter.Workbook(folder / name, options)
    book.set_properties({"created": datetime.datetime(2024, 1, 1)})
    write(book, book.add_worksheet("first"))
    book.add_worksheet("second").write_row(0, 0, ["text", "label"])
    book.close()


def rows(texts, labels, below=0):
    def write(_, first):
        first.write_row(below, 0, ["id", "text", "label"])
        for row, (text, label) in enumerate(zip(texts, labels), below + 1):
            first.write_row(row, 0, [row, text, label])

    return write


def values(book, first):
    """Everything a label can be, beside what one sees of it as its text."""
    day, both, clock, length = (
        book.add_format({"num_format": form}) for form in ["yyyy-mm-dd", "d/m/yy hh:mm", "hh:mm:ss", "[h]:mm:ss"]
    )
    first.write_row(0, 0, ["text", "label"])
    for row, (text, write) in enumerate(
        [
            ("3", lambda row: first.write_number(row, 1, 3)),
            ("-2.5", lambda row: first.write_number(row, 1, -2.5)),
            ("0.3", lambda row: first.write_number(row, 1, 0.1 + 0.2)),
            ("TRUE", lambda row: first.write_boolean(row, 1, True)),
            ("FALSE", lambda row: first.write_boolean(row, 1, False)),
            ("2024-02-29", lambda row: first.write_datetime(row, 1, datetime.date(2024, 2, 29), day)),
            ("2024-02-29 18:05:00", lambda row: first.write_datetime(row, 1, datetime.datetime(2024, 2, 29, 18, 5), both)),
            ("06:07:08", lambda row: first.write_datetime(row, 1, datetime.time(6, 7, 8), clock)),
            ("30:00:00", lambda row: first.write_number(row, 1, 1.25, length)),
            ("12", lambda row: first.write_formula(row, 1, "=3*4", None, 12)),
            ("ab", lambda row: first.write_formula(row, 1, '="a"&"b"', None, "ab")),
            ("007", lambda row: first.write_string(row, 1, "007")),
        ],
        1,
    ):
        first.write_string(row, 0, text)
        write(row)


def errors(_, first):
    first.write_row(0, 0, ["text", "label"])
    first.write_row(1, 0, ["a", "x"])
    first.write_string(2, 0, "b")
    first.write_formula(2, 1, "=NA()", None, "#N/A")
    first.write_row(3, 0, ["c", "y"])


def gaps(_, first):
    """Rows without text, a row that ends early, and one that goes on behind the header."""
    first.write_row(2, 1, ["text", "label"])
    first.write_row(3, 1, ["a", "x"])
    first.write_row(6, 1, ["b", "y", "a remark"])
    first.write_string(7, 1, "   ")
    first.write_row(8, 1, ["c"])


def far(_, first):
    """Two cells that a matrix of the sheet would have seventeen thousand million between."""
    first.write_row(0, 0, ["text", "label"])
    first.write_row(1, 0, ["a", "x"])
    first.write_row(1048575, 0, ["b", "y"])
    first.write_string(1048575, 16383, "far")


def main():
    folder = Path(sys.argv[1])
    folder.mkdir(exist_ok=True)
    sheet(folder, "plain.xlsx", rows(TEXTS, LABELS))
    sheet(folder, "inline.xlsx", rows(TEXTS, LABELS), constant_memory=True)
    sheet(folder, "values.xlsx", values)
    sheet(folder, "errors.xlsx", errors)
    sheet(folder, "gaps.xlsx", gaps)
    sheet(folder, "far.xlsx", far)
    sheet(folder, "header.xlsx", rows([], []))
    sheet(folder, "empty.xlsx", lambda *_: None)
    sheet(folder, "bomb.xlsx", rows(["a" * 30_000] * 100, ["x", "y"] * 50), constant_memory=True)

    book = openpyxl.Workbook()
    book.properties.created = book.properties.modified = datetime.datetime(2024, 1, 1)
    for row in [["id", "text", "label"], *([i, text, label] for i, (text, label) in enumerate(zip(TEXTS, LABELS)))]:
        book.active.append(row)
    book.save(folder / "openpyxl.xlsx")


if __name__ == "__main__":
    main()
