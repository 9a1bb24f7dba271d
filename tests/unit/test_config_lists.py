"""`[lists]`: rows as CSV files come to the same plant as rows in the file, and their mistakes have row and column."""

import ast
import time
from pathlib import Path

import pytest

from ganpo_config import Loaded, load
from ganpo_service import workbooks
from support.books import book
from support.configs import BUS, CELL, HEAD, write
from support.lists import EQUIPMENT, LISTS, METERS, POINTS, put


def test_the_lists_of_the_page_come_to_a_plant(tmp_path: Path) -> None:
    put(tmp_path)
    loaded = write(tmp_path, HEAD + LISTS + BUS + CELL)
    assert loaded.errors == ()
    assert loaded.plant is not None
    plant = loaded.plant
    assert [item.asset_no for item in plant.equipment] == ["SB-0141", "SB-0007", "SB-0003"]
    assert [item.asset_no for item in plant.meters] == ["DB-0101", "DB-0103"]
    assert {point.meaning.item.id.partition("#")[0] for point in plant.registers()} >= {  # type: ignore[union-attr]
        "SB-0141/parts_total",
        "SB-0007/parts_total",
        "DB-0101/energy_import",
    }


def test_a_list_and_rows_in_the_file_stand_together(tmp_path: Path) -> None:
    put(tmp_path, points=POINTS.splitlines()[0] + "\n")
    inline = '[[equipment]]\nasset_no = "SB-9"\nname = "Saw"\n'
    loaded = write(tmp_path, HEAD + LISTS + BUS + CELL + inline)
    assert loaded.plant is not None, loaded.errors
    assert [item.asset_no for item in loaded.plant.equipment] == ["SB-9", "SB-0141", "SB-0007", "SB-0003"]
    twice = write(tmp_path, HEAD + LISTS + BUS + CELL + inline.replace("SB-9", "SB-0003"))
    (error,) = twice.errors
    assert str(error).startswith(
        "equipment.csv row 4, asset_no = SB-0003: stands in agent.toml: equipment[0].asset_no too: numbers are unique"
    )


def test_gbk_is_read_and_said(tmp_path: Path) -> None:
    put(tmp_path, equipment=EQUIPMENT.encode("gbk"))
    loaded = write(tmp_path, HEAD + LISTS + BUS + CELL)
    assert loaded.plant is not None, loaded.errors
    assert loaded.plant.equipment[1].name == "老式冲床"
    assert any("equipment.csv: is GBK and was read as such" in warning for warning in loaded.warnings)


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("meters", "400/5", "400", "meters.csv row 2, ct = 400: no ratio like 400/5"),
        (
            "meters",
            "400/5",
            "4月5日",
            "meters.csv row 2, ct = 4月5日: a date or a time: Excel made it of a ratio",
        ),
        ("meters", "boundary_in", "boundary", "meters.csv row 2, role = boundary: none of 'boundary_in'"),
        (
            "meters",
            ",carrier",
            ",carier",
            "meters.csv row 1: no such column: carier; it has asset_no, name, carrier",
        ),
        (
            "equipment",
            "SB-0141",
            "2.02503E+11",
            "equipment.csv row 2, asset_no = 2.02503E+11: Excel made a number of",
        ),
        (
            "equipment",
            "machine_by_power",
            "machine_power",
            "equipment.csv row 3, profile = machine_power: no such",
        ),
        (
            "equipment",
            "2009-06-01",
            "2009-06-31",
            "equipment.csv row 4, since = 2009-06-31: no day of the calendar",
        ),
        ("points", "uint16", "uint17", "points.csv row 3, address"),
        ("points", "SB-0007", "SB-0008", "points.csv row 3, asset_no = SB-0008: no equipment and no meter"),
        ("points", ",1200,yes", ",=1200,yes", "points.csv row 2, max_rate = =1200: a formula, no value"),
    ],
)
def test_a_mistake_is_told_with_file_row_and_column(
    tmp_path: Path, name: str, old: str, new: str, told: str
) -> None:
    text = {"equipment": EQUIPMENT, "meters": METERS, "points": POINTS}[name]
    assert old in text
    put(tmp_path, **{name: text.replace(old, new, 1)})
    errors = [str(error) for error in write(tmp_path, HEAD + LISTS + BUS + CELL).errors]
    assert any(error.startswith(told) for error in errors), errors


def test_a_key_that_is_none_is_told(tmp_path: Path) -> None:
    errors = [str(error) for error in write(tmp_path, HEAD + '[lists]\nequipments = "e.csv"\n').errors]
    assert errors == ["agent.toml: lists.equipments: no such key; did you mean equipment?"]


HEADS = ("资产编号", "名称", "能源品种", "角色", "上级表号", "设备类型", "连接", "参数", "CT变比", "读数侧")
METER = ["DB-0101", "总电表", "电力", "总进线", "", "acrel_dtsd1352", "bus", "unit=1", "400/5", "二次"]


def of_workbook(folder: Path, *rows: list[str]) -> Loaded:
    (folder / "meters.xlsx").write_bytes(book({"电表": [HEADS, *rows]}))
    text = HEAD + '[lists]\nmeters = "meters.xlsx"\n' + BUS
    (folder / "agent.toml").write_text(text, encoding="utf-8")
    return load(folder / "agent.toml", {}, workbooks.sheets)


def test_a_list_may_be_the_plants_own_workbook(tmp_path: Path) -> None:
    loaded = of_workbook(tmp_path, METER)
    assert loaded.plant is not None, loaded.errors
    assert [(item.asset_no, item.carrier, item.role) for item in loaded.plant.meters] == [
        ("DB-0101", "electricity", "boundary_in")
    ]
    assert any("cell J2, reads = 二次: read as secondary: a word of a plant" in w for w in loaded.warnings)


def test_a_mistake_in_a_workbook_is_told_with_sheet_and_cell(tmp_path: Path) -> None:
    other = ["DB-0101", "分表", "电力", "分表", "DB-9", "acrel", "bus", "unit=300", "400", "二次"]
    told = [str(error) for error in of_workbook(tmp_path, METER, other).errors]
    for where in (
        "meters.xlsx, sheet 电表, cell A3, asset_no = DB-0101: stands in meters.xlsx, sheet 电表, cell A2, asset_no",
        "meters.xlsx, sheet 电表, cell F3 (DB-0101), profile = acrel: no such profile",
        "meters.xlsx, sheet 电表, cell I3 (DB-0101), ct = 400: no ratio like 400/5",
    ):
        assert any(error.startswith(where) for error in told), told


def test_a_workbook_that_nothing_opens_is_an_error_with_its_name(tmp_path: Path) -> None:
    of_workbook(tmp_path, METER)
    (error,) = load(tmp_path / "agent.toml", {}).errors
    assert str(error) == "meters.xlsx: is a workbook, no CSV; save it as CSV UTF-8, with commas"


def test_the_agent_opens_workbooks_wherever_it_reads_its_configuration() -> None:
    """A `load` without an opener works until a plant names a workbook."""
    callers = 0
    for file in (Path(__file__).parents[2] / "agent").rglob("*.py"):
        tree = ast.parse(file.read_text(encoding="utf-8"))
        imported = any(
            isinstance(node, ast.ImportFrom)
            and node.module in ("ganpo_config", "ganpo_config.load")
            and any(name.name == "load" for name in node.names)
            for node in ast.walk(tree)
        )
        for node in ast.walk(tree) if imported else ():
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "load":
                callers += 1
                assert "opener" in {keyword.arg for keyword in node.keywords}, f"{file.name}:{node.lineno}"
    assert callers >= 3


@pytest.mark.parametrize("parent", ["DB-0000", "DX-0000"])
def test_thousands_of_rows_are_read_in_seconds_also_where_each_of_them_is_wrong(
    tmp_path: Path, parent: str
) -> None:
    rows = [f"DB-{n:04},Meter,electricity,sub,{parent if n else ''},,none\n" for n in range(4000)]
    header = "asset_no,name,carrier,role,parent,profile,connection\n"
    (tmp_path / "meters.csv").write_text(header + "".join(rows))
    began = time.process_time()
    loaded = write(tmp_path, HEAD + '[lists]\nmeters = "meters.csv"\n')
    assert time.process_time() - began < 10
    assert len(loaded.errors) == (3999 if parent == "DX-0000" else 0)
    if loaded.errors:
        assert str(loaded.errors[0]).endswith("no meter has this number; did you mean DB-0000?")
