"""Lists as people keep them: whatever stands in the file, rows or errors with their places come out."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ganpo_model import tables

COLUMNS = ("asset_no", "name", "since")


def read(text: str | bytes) -> tables.List:
    raw = text if isinstance(text, bytes) else text.encode()
    return tables.read(raw, "e.csv", COLUMNS, ("asset_no", "name"))


def cells(found: tables.List) -> list[tuple[int, list[str]]]:
    assert found.errors == ()
    return [(row.number, list(row.cells.values())) for row in found.rows]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gbk"])
@pytest.mark.parametrize("ends", ["\n", "\r\n"])
def test_encodings_and_line_ends_make_no_difference(encoding: str, ends: str) -> None:
    found = read(ends.join(["asset_no,name,since", "SB-1,老式冲床,2012-01-01", ""]).encode(encoding))
    assert cells(found) == [(2, ["SB-1", "老式冲床", "2012-01-01"])]
    assert ("is GBK" in "".join(found.notes)) == (encoding == "gbk")


def test_columns_may_stand_in_any_order_and_empty_rows_and_columns_are_nothing() -> None:
    found = read(",name,asset_no,,\n\n,Press , SB-1 ,,\n,,,,\n,Lathe,SB-2\n")
    assert cells(found) == [(3, ["SB-1", "Press", ""]), (5, ["SB-2", "Lathe", ""])]


def test_quoted_cells_may_hold_commas_quotes_and_lines() -> None:
    found = read('asset_no,name\nSB-1,"Press, ""big""\nsecond line"\n')
    assert cells(found) == [(2, ["SB-1", 'Press, "big"\nsecond line', ""])]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "e.csv: is empty; its first row is asset_no,name,since"),
        ("\n,,\n", "e.csv: is empty"),
        ("asset_no\nSB-1\n", "e.csv row 1: column name is missing"),
        ("asset_no,nam\n", "e.csv row 1: no such column: nam; it has asset_no, name, since"),
        ("asset_no,name,name\n", "e.csv row 1: column name twice"),
        ("asset_no,name\nSB-1,=A1\n", "e.csv row 2, name = =A1: a formula, no value; copy the column"),
        ("asset_no,name\nSB-1,Press,blue\n", "e.csv row 2, cell 3 = blue: a cell under no column"),
        (f"asset_no,name\nSB-1,{'x' * 10_000}\n", "10000 characters: a cell has at most 1000"),
        (f"asset_no,name\nSB-1,{'x' * 200_000}\n", "e.csv row 2: no CSV: field larger than field limit"),
        ('asset_no,name\nSB-1,"Press\n', "e.csv row 2: no CSV: unexpected end of data"),
        (b"PK\x03\x04\x00\x00", "e.csv: is a workbook, no CSV; save it as CSV UTF-8, with commas"),
        ("asset_no,name\n\x00,x\n", "e.csv: no CSV: it has bytes of 0 in it"),
        (b"\xff\xfe\xff\xff\xff", "e.csv: neither UTF-8 nor GBK (byte 0); save it as CSV UTF-8"),
    ],
)
def test_what_cannot_be_read_is_told_with_its_place(text: str | bytes, told: str) -> None:
    found = read(text)
    assert found.rows == ()
    assert told in str(found.errors[0])


def test_a_bad_row_costs_only_itself() -> None:
    found = read("asset_no,name\nSB-1,Press\nSB-2,=1\nSB-3,Lathe\n")
    assert [row.number for row in found.rows] == [2, 4]
    assert [str(error).partition(":")[0] for error in found.errors] == ["e.csv row 3, name = =1"]


@pytest.mark.parametrize("sign", ["=", "=>", "=="])
def test_a_sign_of_equality_is_no_formula(sign: str) -> None:
    found = read(f"asset_no,name\nSB-1,{sign}\n")
    assert [row.cells["name"] for row in found.rows] == [sign]


def test_fifty_thousand_rows_are_read() -> None:
    found = read("asset_no,name\n" + "".join(f"SB-{n},Press {n}\n" for n in range(50_000)))
    assert len(found.rows) == 50_000


@given(st.binary(max_size=200) | st.text(max_size=100).map(lambda text: f"asset_no,name\n{text}".encode()))
def test_no_bytes_raise(raw: bytes) -> None:
    found = read(raw)
    assert all(str(error).startswith("e.csv") for error in found.errors)
