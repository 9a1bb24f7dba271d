"""The plant's own spreadsheet: every oddity is read with a note, or refused with file, sheet and cell."""

import io
import re
import zipfile
from datetime import date, timedelta
from datetime import time as clock
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ganpo_model import cells as cells_of
from ganpo_model import tables
from ganpo_model.errors import ConfigError
from ganpo_service import workbooks
from support.books import Percent, book

COLUMNS = ("asset_no", "name", "carrier", "role", "parent", "ct", "pulse", "max_rate", "since")
REQUIRED = ("asset_no", "name", "carrier", "role")
HEAD = ("资产编号", "名称", "能源品种", "角色", "上级表号", "CT变比", "脉冲当量", "最大速率", "投用日期")
GOOD = ("DB-1", "总表", "electricity", "sub")


def read(raw: bytes, name: str = "meters.xlsx", *, foreign: bool = False) -> tables.List:
    return tables.read(raw, name, COLUMNS, REQUIRED, opener=workbooks.sheets, kind="meters", foreign=foreign)


def one(*cells: Any, head: tuple[str, ...] = HEAD, sheet: str = "电表") -> tables.List:
    return read(book({sheet: [head, cells]}))


def only(found: tables.List) -> dict[str, str]:
    assert found.errors == (), [str(error) for error in found.errors]
    (row,) = found.rows
    return {column: cell for column, cell in row.cells.items() if cell}


def test_the_reference_words_name_one_column_in_each_list_and_every_column_has_some() -> None:
    from ganpo_cloud.imports.kinds import KINDS
    from ganpo_config.lists import ROWS
    from ganpo_model import heads, reference

    about = {row["column"]: row for row in reference.rows("columns")}
    for columns in [
        *(tuple(row.model_fields) for row in ROWS.values()),
        *(k.columns for k in KINDS.values()),
    ]:
        taken: dict[str, str] = {}
        for column in columns:
            assert about[column]["kind"] in {"text", "word", "number", "date", "month", "year", "yes"}
            for word in {heads.plain(word) for word in (column, about[column]["zh"])}:
                assert taken.setdefault(word, column) == column, (word, columns)
                assert heads.column_of(word, columns) == column
            assert heads.column_of(f"{column}\n{about[column]['zh']}", columns) == column
    assert {row["list"] for row in reference.rows("lists")} == {*ROWS, *KINDS, "help"}


@pytest.mark.parametrize(
    ("head", "named"),
    [
        ("Asset No.", "asset_no"),
        ("资产编号*", "asset_no"),
        ("资产编号（必填）", "asset_no"),
        ("名称 name", "name"),
        ("ＣＴ变比", "ct"),
        ("In service since", "since"),
        ("电流互感器变比", "ct"),
    ],
)
def test_heads_are_chinese_or_english_with_what_people_put_around_them(head: str, named: str) -> None:
    from ganpo_model.heads import column_of

    assert column_of(head, COLUMNS) == named


@pytest.mark.parametrize(
    ("column", "cell", "read_as", "note"),
    [
        (
            "投用日期",
            45717,
            "2025-03-01",
            "cell I2, since = 45717: read as 2025-03-01: the number of a day, counted",
        ),
        ("投用日期", date(2025, 3, 1), "2025-03-01", ""),
        (
            "投用日期",
            "2025年3月1日",
            "2025-03-01",
            "cell I2, since = 2025年3月1日: read as 2025-03-01: a day in",
        ),
        ("投用日期", "2025.3.1", "2025-03-01", "a day in another form"),
        ("投用日期", "20250301", "2025-03-01", "a day in another form"),
        ("投用日期", "2025/3/1", "2025/3/1", ""),
        ("脉冲当量", Percent(0.01), "0.01", "cell G2, pulse = 1%: read as 0.01: a percentage"),
        ("脉冲当量", "0.5％", "0.005", "a percentage"),
        ("脉冲当量", "0,01", "0.01", "cell G2, pulse = 0,01: read as 0.01: a decimal comma"),
        ("脉冲当量", "１．５", "1.5", "full-width or typographic signs"),
        ("脉冲当量", "−1", "-1", "full-width or typographic signs"),
        ("脉冲当量", 0.1 + 0.2, "0.3", ""),
        ("最大速率", "1,234,567", "1234567", "commas between thousands"),
        ("最大速率", "1.234,5", "1234.5", "a decimal comma"),
        ("最大速率", 1200, "1200", ""),
        ("最大速率", "1200", "1200", ""),
        ("CT变比", "４００／５", "400/5", "cell F2, ct = ４００／５: read as 400/5: full-width"),
        ("CT变比", clock(10, 5), "10:05", ""),
        ("CT变比", timedelta(hours=400, minutes=5), "400:05", ""),
        ("上级表号", 7, "7", ""),
        ("上级表号", "007", "007", ""),
        ("角色", "总进线", "boundary_in", "cell D2, role = 总进线: read as boundary_in: a word of a plant"),
        ("能源品种", "电力", "electricity", "a word of a plant"),
        ("名称", "１号（备用）", "１号（备用）", ""),
    ],
)
def test_what_can_be_read_in_one_way_only_is_read_with_a_note(
    column: str, cell: Any, read_as: str, note: str
) -> None:
    at = HEAD.index(column)
    cells = [*GOOD, *[None] * (len(HEAD) - len(GOOD))]
    cells[at] = cell
    found = one(*cells)
    assert only(found)[COLUMNS[at]] == read_as
    assert note in "".join(found.notes)
    assert bool(found.notes) == bool(note), found.notes
    assert all(told.startswith("meters.xlsx, sheet 电表, cell ") for told in found.notes)


@pytest.mark.parametrize(
    ("column", "cell", "told"),
    [
        (
            "资产编号",
            913601000000000000,
            "cell A2, asset_no = 9.13601E+17: Excel made a number of it; format",
        ),
        ("资产编号", "9.13601E+17", "cell A2, asset_no = 9.13601E+17: Excel made a number of it; format"),
        ("名称", "9.13601E+17", "cell B2, name = 9.13601E+17: Excel made a number of it"),
        (
            "最大速率",
            "1,234",
            "cell H2, max_rate = 1,234: a decimal comma, or one between thousands?; write 1.234",
        ),
        ("投用日期", "3/1/2025", "cell I2, since = 3/1/2025: which is the month?; write 2025-03-01"),
        ("名称", "x" * 1001, "1001 characters: a cell has at most 1000"),
    ],
)
def test_what_lost_its_digits_or_could_mean_two_things_is_refused_with_sheet_and_cell(
    column: str, cell: Any, told: str
) -> None:
    cells = [*GOOD, *[None] * (len(HEAD) - len(GOOD))]
    cells[HEAD.index(column)] = cell
    found = one(*cells)
    assert found.rows == ()
    assert found.refused == 1
    (error,) = found.errors
    assert str(error).startswith("meters.xlsx, sheet 电表, ")
    assert told in str(error)


def test_lists_of_a_collector_are_read_as_people_write_them() -> None:
    for column, written, read_as in (
        *(
            ("from", day, "2020-01-02")
            for day in ("2020年1月2日", "2020.1.2", "20200102", "43832", "2020-01-02 0:00")
        ),
        *(("to", same, same) for same in ("08:00", "2026-11-25 08:00", "2020/1/2", "2020-02-30")),
        *(("month", month, "2026-07") for month in ("202607", "2026年7月", "2026/7", "2026-07-01")),
        *(("year", year, "2026") for year in ("2026", "2026年", "２０２６")),
        *(
            ("value", value, told)
            for value, told in (("1,234,567", "1234567"), ("50%", "50%"), ("是", "yes"))
        ),
        *(
            ("kind", word, told)
            for word, told in (("车间", "workshop"), ("总量", "total_tce"), ("地条钢", "forbidden"))
        ),
        *(("comparator", word, ">=") for word in ("≥", "不低于", ">=")),
        ("grade", "省级", "provincial"),
        ("tag", "绿色工厂", "green_factory"),
        ("comparator", "<", "<"),
    ):
        assert cells_of.read(written, column).text == read_as, (column, written)


def test_days_of_a_workbook_that_counts_from_1904_are_the_days_that_it_shows() -> None:
    rows = [HEAD, [*GOOD, None, None, None, None, date(2025, 3, 1)], ["DB-2", *GOOD[1:], *[None] * 4, 44255]]
    found = read(book({"电表": rows}, date_1904=True))
    assert [row.cells["since"] for row in found.rows] == ["2025-03-01", "2025-03-01"]
    assert "since = 44255: read as 2025-03-01: the number of a day, counted from 1904" in found.notes[0]


def test_errors_and_formulas_without_a_value_are_told_and_one_with_a_value_is_its_value() -> None:
    def fill(sheet: Any, _book: Any) -> None:
        sheet.write_row(0, 0, HEAD)
        for number in (1, 2, 3):
            sheet.write_row(number, 0, GOOD)
        sheet.write_formula(1, 5, "=A1", None, "#REF!")
        sheet.write_formula(2, 5, "=A1", None, "")
        sheet.write_formula(3, 5, '="400/"&5', None, "400/5")

    found = read(book({"电表": fill}))
    hint = "copy the column and insert it as values"
    assert [str(error) for error in found.errors] == [
        f"meters.xlsx, sheet 电表, cell F2, ct = #REF!: the spreadsheet shows #REF! here; {hint}",
        f"meters.xlsx, sheet 电表, cell F3, ct = =...: a formula without a value; {hint}",
    ]
    assert only(tables.List(found.rows, ()))["ct"] == "400/5"


def test_a_title_two_rows_of_merged_heads_and_merged_cells_are_understood() -> None:
    def fill(sheet: Any, _book: Any) -> None:
        sheet.merge_range(0, 0, 0, 6, "计量器具台账")
        for at, word in enumerate(("资产编号", "名称", "能源品种", "角色", "上级表号")):
            sheet.merge_range(1, at, 2, at, word)
        sheet.merge_range(1, 5, 1, 6, "互感器")
        sheet.write_row(2, 5, ["CT变比", "脉冲当量"])
        for number in (3, 4, 5):
            sheet.write_row(number, 0, [f"DB-{number}", "表", "electricity", "sub"])
        sheet.merge_range(3, 4, 4, 4, "DB-9")
        sheet.write(5, 5, "400/5")
        sheet.set_row(4, None, None, {"hidden": True})

    found = read(book({"Sheet1": fill}))
    assert found.errors == ()
    assert [(row.number, row.cells["parent"], row.cells["ct"]) for row in found.rows] == [
        (4, "DB-9", ""),
        (5, "DB-9", ""),
        (6, "", "400/5"),
    ]
    assert found.notes == (
        "meters.xlsx, sheet Sheet1, row 1: stands above the head and was left out",
        "meters.xlsx, sheet Sheet1: hidden rows were read too: 5",
        "meters.xlsx, sheet Sheet1, cell E5, parent: read as the cell that it is merged with",
    )


def test_cells_of_two_columns_merged_in_a_row_are_refused() -> None:
    def fill(sheet: Any, _book: Any) -> None:
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, GOOD)
        sheet.merge_range(1, 5, 1, 6, "400/5")

    (error,) = read(book({"电表": fill})).errors
    assert (
        str(error)
        == "meters.xlsx, sheet 电表, cell F2: cells of two columns are merged; split them and fill in each"
    )


def test_sheets_are_chosen_by_name_or_head_and_what_is_left_out_is_told() -> None:
    def hidden(sheet: Any, _book: Any) -> None:
        sheet.hide()
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, ["DB-OLD", *GOOD[1:]])

    raw = book(
        {
            "封面": [["某厂"]],
            "设备": [["资产编号", "名称"], ["SB-1", "冲床"]],
            "一车间": [HEAD, ["DB-1", *GOOD[1:]]],
            "二车间": [HEAD, ["DB-2", *GOOD[1:]]],
            "旧": hidden,
            "空": [],
        }
    )
    found = read(raw)
    assert [row.cells["asset_no"] for row in found.rows] == ["DB-1", "DB-2"]
    assert [row.place("asset_no") for row in found.rows] == [
        "meters.xlsx, sheet 一车间, cell A2, asset_no = DB-1",
        "meters.xlsx, sheet 二车间, cell A2, asset_no = DB-2",
    ]
    assert found.notes == (
        "meters.xlsx, sheet 旧: is hidden and was left out",
        "meters.xlsx, sheet 封面: has no such rows and was left out",
    )


def test_heads_that_lack_or_double_a_column_or_have_a_strange_one_are_told_with_their_cell() -> None:
    found = read(book({"电表": [["资产编号", "编号", "名称", "能源品种", "厂商"]]}))
    assert [str(error).partition(";")[0] for error in found.errors] == [
        "meters.xlsx, sheet 电表, cell E1: no such column: 厂商",
        "meters.xlsx, sheet 电表, row 1: column asset_no twice",
        "meters.xlsx, sheet 电表, row 1: column role is missing",
    ]
    rows: list[Any] = [[*HEAD, "厂商"], [*GOOD, None, None, None, None, None, "Acrel"]]
    found = read(book({"电表": rows}), foreign=True)
    assert only(found)["asset_no"] == "DB-1"
    assert found.notes == (
        "meters.xlsx, sheet 电表, row 1: columns that are none of the list were left out: 厂商",
    )
    slip = [["asset_no", "name", "carier", "role"], list(GOOD)]
    (_, missing) = read(book({"电表": slip}), foreign=True).errors
    assert "column carrier is missing" in str(missing)


def test_a_file_without_such_a_sheet_says_which_it_has() -> None:
    (error,) = read(book({"a": [["x"]], "b": [["y"]]})).errors
    assert str(error) == (
        "meters.xlsx: no sheet has a head with asset_no, name, carrier, role; its sheets are a, b"
    )
    (error,) = read(book({"a": []})).errors
    assert str(error).endswith("; it is empty")


def test_what_a_file_is_decides_its_content_and_not_its_name() -> None:
    raw = book({"电表": [HEAD, GOOD]})
    assert only(read(raw, "meters.csv"))["asset_no"] == "DB-1"
    text = ",".join(HEAD[:4]) + "\n" + ",".join(GOOD) + "\n"
    assert only(read(text.encode("gbk"), "meters.xlsx"))["name"] == "总表"


@pytest.mark.parametrize(("separator", "called"), [(";", "semicolons"), ("\t", "tabs")])
def test_semicolons_and_tabs_with_decimal_commas_are_read_with_a_note(separator: str, called: str) -> None:
    rows = [("asset_no", "name", "carrier", "role", "pulse"), (*GOOD, "0,01")]
    found = read("\n".join(separator.join(row) for row in rows).encode(), "meters.csv")
    assert only(found)["pulse"] == "0.01"
    assert found.notes == (
        f"meters.csv: its columns are separated by {called} and were read as such",
        "meters.csv row 2, pulse = 0,01: read as 0.01: a decimal comma",
    )


def test_a_note_of_one_sort_stands_once_for_its_column() -> None:
    rows: list[Any] = [HEAD, *([f"DB-{n}", *GOOD[1:], *[None] * 4, 45000 + n] for n in range(50))]
    (note,) = read(book({"电表": rows})).notes
    assert note.endswith("counted from 1900; 49 more in this column")


def repacked(raw: bytes, **parts: bytes) -> bytes:
    """A workbook with other parts in it."""
    out = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as new:
        for member in old.namelist():
            new.writestr(member, parts.get(member.rpartition("/")[2].partition(".")[0], old.read(member)))
    return out.getvalue()


BOOK_OF_NOTHING = (
    '<workbook><sheets><sheet name="电表" sheetId="1" r:id="rId9"/></sheets></workbook>'.encode()
)


def refused(raw: bytes) -> str:
    with pytest.raises(ConfigError) as told:
        workbooks.sheets(raw, "m.xlsx")
    return str(told.value)


def test_what_is_no_readable_workbook_is_refused_with_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = book({"电表": [HEAD, GOOD]})
    old = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512)
    assert refused(old).startswith("m.xlsx: is a workbook of an old form (.xls); save it as .xlsx")
    locked = old + "EncryptedPackage".encode("utf-16-le")
    assert refused(locked).startswith("m.xlsx: is encrypted: it asks for a password; save it without one")
    assert refused(raw[:-40]).startswith("m.xlsx: is a damaged workbook: ")
    assert refused(b"PK\x05\x06" + bytes(18)).startswith("m.xlsx: is no workbook; save it as .xlsx or as CSV")
    assert "damaged" in refused(repacked(raw, sharedStrings=b"<sst"))
    assert "damaged" in refused(repacked(raw, workbook=BOOK_OF_NOTHING))
    ods = io.BytesIO()
    with zipfile.ZipFile(ods, "w") as package:
        package.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
    assert refused(ods.getvalue()).startswith(
        "m.xlsx: is a workbook of another form (.ods); save it as .xlsx"
    )
    monkeypatch.setattr(workbooks, "MOST_BYTES", 1 << 20)
    blown = repacked(raw, theme1=bytes(2 << 20))
    assert len(blown) < 20_000
    assert refused(blown).startswith(
        "m.xlsx: comes to 2 MiB in 10 parts: too large for a list; copy the list"
    )


def test_a_size_that_a_package_gives_falsely_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    raw = bytearray(repacked(book({"电表": [HEAD, GOOD]}), theme1=bytes(100_000)))
    for at in (
        match.start() for match in re.finditer(re.escape((100_000).to_bytes(4, "little")), bytes(raw))
    ):
        raw[at : at + 4] = (10).to_bytes(4, "little")
    assert "damaged" in refused(bytes(raw))


@pytest.mark.parametrize(
    "cells",
    [
        '<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>',
        '<row r="1048576">' + "<c><v>1</v></c>" * 50 + "</row>",
    ],
)
def test_a_cell_at_the_end_of_the_world_is_refused_before_anything_is_made_of_it(cells: str) -> None:
    raw = book({"电表": [HEAD, GOOD]})
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        sheet = package.read("xl/worksheets/sheet1.xml").decode()
    told = refused(repacked(raw, sheet1=sheet.replace("</sheetData>", cells + "</sheetData>").encode()))
    assert "m.xlsx, sheet 电表: 1,048,576 rows of " in told
    assert "too large for a list; delete what lies far below or beside the list" in told


def test_a_formula_that_gives_an_empty_text_is_an_empty_cell() -> None:
    def fill(sheet: Any, _book: Any) -> None:
        sheet.write_row(0, 0, HEAD)
        sheet.write_row(1, 0, GOOD)
        sheet.write_formula(1, 5, '=""', None, "")

    raw = book({"电表": fill})
    with zipfile.ZipFile(io.BytesIO(raw)) as package:
        sheet = package.read("xl/worksheets/sheet1.xml").decode()
    assert '<c r="F2">' in sheet
    told = repacked(raw, sheet1=sheet.replace('<c r="F2">', '<c r="F2" t="str">').encode())
    assert only(read(told))["asset_no"] == "DB-1"


def test_texts_that_stand_in_the_sheet_itself_are_read() -> None:
    raw = book({"电表": [HEAD, [*GOOD, None, "400/5"]]}, constant_memory=True)
    assert only(read(raw))["ct"] == "400/5"


def test_a_long_text_that_many_cells_share_is_counted_for_each(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workbooks, "MOST_BYTES", 1 << 20)
    raw = book({"电表": [HEAD, *([n, "x" * 30_000] for n in range(100))]})
    assert "2 MiB of texts: too large for a list" in refused(raw)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_workbook_with_any_damage_is_read_or_refused_and_nothing_else(data: st.DataObject) -> None:
    raw = bytearray(BOOK)
    for _ in range(data.draw(st.integers(1, 4))):
        raw[data.draw(st.integers(4, len(raw) - 1))] = data.draw(st.integers(0, 255))
    found = read(bytes(raw))
    assert all(str(error).startswith("meters.xlsx") for error in found.errors)


BOOK = book({"电表": [HEAD, GOOD]})
_TEXTS = st.text(st.characters(exclude_categories=("Cs", "Cc")), min_size=1, max_size=20).map(str.strip)


@settings(max_examples=60, deadline=None)
@given(st.lists(_TEXTS.filter(lambda t: t and not t.startswith("=") and not tables.numbered(t)), min_size=1))
def test_texts_come_back_from_a_workbook_as_they_were(names: list[str]) -> None:
    rows = [
        ["asset_no", "name", "carrier", "role"],
        *([f"DB-{n}", name, *GOOD[2:]] for n, name in enumerate(names)),
    ]
    found = read(book({"meters": rows}))
    assert [row.cells["name"] for row in found.rows] == names
