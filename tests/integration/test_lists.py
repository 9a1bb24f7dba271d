"""`ganpo lists`: what a person brings in a spreadsheet comes into the lists of agent.toml, whole or not at all."""

import io
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from python_calamine import CalamineWorkbook, SheetVisibleEnum

from ganpo_agent.cli.main import main
from ganpo_agent.listing import books, files, merging
from ganpo_config import load
from ganpo_config.lists import ROWS
from ganpo_model import tables
from ganpo_service import workbooks
from support.books import book
from support.configs import BUS, CELL, HEAD
from support.lists import EQUIPMENT, LISTS, METERS, POINTS, put

METER_HEAD = ["资产编号", "名称", "能源品种", "角色", "CT变比", "读数侧", "厂商"]


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    """A configuration with all three lists."""
    put(tmp_path)
    (tmp_path / "agent.toml").write_text(HEAD + LISTS + BUS + CELL, encoding="utf-8")
    return tmp_path


def ganpo(folder: Path, *words: str) -> Result:
    done = CliRunner().invoke(main, ["lists", *words, "--config", str(folder / "agent.toml")])
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def kept(folder: Path) -> dict[str, bytes]:
    return {
        file.name: file.read_bytes() for file in folder.iterdir() if file.suffix in (".csv", ".bak", ".toml")
    }


def test_a_workbook_is_opened_once_though_it_is_looked_through_for_tags_too(
    plant: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened: list[str] = []
    sheets = workbooks.sheets

    def once(raw: bytes, name: str) -> Sequence[tables.Sheet]:
        opened.append(name)
        return sheets(raw, name)

    monkeypatch.setattr(workbooks, "sheets", once)
    file = plant / "plant.xlsx"
    file.write_bytes(book({"电表": [METER_HEAD, ["DB-0104", "空压机", "电力", "分表", "", "", ""]]}))
    assert ganpo(plant, "import", str(file), "--preview").exit_code == 0
    assert opened == ["plant.xlsx"]


def test_a_preview_tells_every_change_and_writes_nothing_and_the_import_keeps_what_stood_there(
    plant: Path,
) -> None:
    rows = [
        METER_HEAD,
        ["DB-0101", "总电表", "电力", "总进线", "500/5", "二次", "Acrel"],
        ["DB-0104", "空压机", "电力", "分表", "200/5", "二次", "Acrel"],
    ]
    file = plant / "plant.xlsx"
    file.write_bytes(book({"电表": rows, "封面": [["某厂"]]}))
    before = kept(plant)
    shown = ganpo(plant, "import", str(file), "--preview")
    assert shown.exit_code == 0, shown.output
    assert kept(plant) == before
    lines = shown.output.splitlines()
    for told in (
        "note     plant.xlsx, sheet 电表, row 1: columns that are none of the list were left out: 厂商",
        "note     plant.xlsx, sheet 封面: has no such rows and was left out",
        "to be added   sheet 电表, row 3: DB-0104",
        "to be changed sheet 电表, row 2: DB-0101; ct 400/5 -> 500/5",
        "meters: 1 to be added, 1 to be changed, 0 as before; nothing was changed",
    ):
        assert told in lines, shown.output
    done = ganpo(plant, "import", str(file))
    assert done.output.splitlines()[-1] == "meters: 1 added, 1 changed, 0 as before; written to meters.csv"
    assert (plant / "meters.csv.bak").read_bytes() == before["meters.csv"]
    loaded = load(plant / "agent.toml", {})
    assert loaded.plant is not None, loaded.errors
    assert [meter.asset_no for meter in loaded.plant.meters] == ["DB-0101", "DB-0103", "DB-0104"]
    again = ganpo(plant, "import", str(file))
    assert again.output.splitlines()[-1] == "meters: 0 added, 0 changed, 2 as before; nothing was changed"


def test_one_mistake_keeps_all_of_a_file_out_and_has_its_cell(plant: Path) -> None:
    before = kept(plant)
    meters = [
        METER_HEAD[:6],
        ["DB-0104", "空压机", "电力", "分表", "200", "二次"],
        ["DB-0105", "x", "电力", "分表", "", ""],
    ]
    points = [["asset_no", "signal", "connection", "address"], ["SB-9", "parts_total", "bus", "4:input:12"]]
    file = plant / "plant.xlsx"
    file.write_bytes(book({"meters": meters, "points": points}))
    done = ganpo(plant, "import", str(file))
    assert done.exit_code == 1
    assert kept(plant) == before
    for told in (
        "rejected plant.xlsx, sheet meters, cell E2 (DB-0104), ct = 200: no ratio like 400/5",
        "rejected plant.xlsx, sheet points, cell A2, asset_no = SB-9: no equipment and no meter has this number",
        "plant.xlsx: 2 mistakes; nothing was changed",
    ):
        assert told in done.output, done.output
    told = json.loads(ganpo(plant, "import", str(file), "--preview", "--json").output)
    assert {error["code"] for error in told["errors"]} == {"config"}


def test_two_rows_of_the_same_are_told_with_both_places(plant: Path) -> None:
    file = plant / "m.csv"
    file.write_text("asset_no,name,carrier,role\nDB-7,a,electricity,sub\nDB-7,b,electricity,sub\n")
    told = ganpo(plant, "import", str(file)).output
    assert "rejected m.csv row 3, asset_no = DB-7: stands in m.csv row 2, asset_no too" in told


def test_what_was_wrong_before_does_not_keep_a_good_row_out_but_a_list_that_cannot_be_read_does(
    plant: Path,
) -> None:
    put(plant, points=POINTS.replace("SB-0141", "SB-9999", 1))
    file = plant / "e.csv"
    file.write_text("编号,设备名称\nSB-8,Saw\n", encoding="gbk")
    done = ganpo(plant, "import", str(file))
    assert done.exit_code == 0, done.output
    assert "SB-8,Saw" in (plant / "equipment.csv").read_text("utf-8-sig")
    put(plant, equipment=EQUIPMENT.replace("SB-0003", "=A1"))
    before = kept(plant)
    done = ganpo(plant, "import", str(file))
    assert done.exit_code == 1
    assert "equipment.csv row 4, asset_no = =A1: a formula, no value" in done.output
    assert kept(plant) == before


def test_a_list_that_is_not_there_yet_is_begun_and_one_that_is_not_named_is_named(
    tmp_path: Path,
) -> None:
    (tmp_path / "agent.toml").write_text(HEAD + '[lists]\nequipment = "e.csv"\n')
    file = tmp_path / "in.csv"
    file.write_text("asset_no,name\nSB-1,Saw\n")
    assert ganpo(tmp_path, "import", str(file)).exit_code == 0
    assert load(tmp_path / "agent.toml", {}).errors == ()
    file.write_text("asset_no,name,carrier,role\nDB-1,x,electricity,sub\n")
    (tmp_path / "meters.csv").write_text("somebody's")
    done = ganpo(tmp_path, "import", str(file))
    assert done.exit_code == 1
    assert (
        'names no list of meters, and meters.csv is there; write below [lists]: meters = "meters.csv"'
        in done.output
    )
    (tmp_path / "meters.csv").unlink()
    assert ganpo(tmp_path, "import", str(file)).exit_code == 0
    assert (tmp_path / "agent.toml").read_text().count('[lists]\nmeters = "meters.csv"\nequipment') == 1
    (tmp_path / "agent.toml").write_text(HEAD)
    for name in ("meters.csv", "e.csv"):
        (tmp_path / name).unlink()
    assert ganpo(tmp_path, "import", str(file)).exit_code == 0
    plant = load(tmp_path / "agent.toml", {}).plant
    assert plant is not None
    assert [meter.asset_no for meter in plant.meters] == ["DB-1"]
    file.write_text("a,b\n1,2\n")
    assert (
        "in.csv: holds none of the lists; equipment needs asset_no, name; meters"
        in ganpo(tmp_path, "import", str(file)).output
    )


def test_all_lists_are_written_or_none(plant: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = kept(plant)
    replace = Path.replace

    def full(self: Path, target: Path) -> Path:
        if target.name == "points.csv" and self.name.endswith(".new"):
            raise OSError(28, "No space left on device", str(target))
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", full)
    file = plant / "both.xlsx"
    file.write_bytes(
        book(
            {
                "设备": [["asset_no", "name"], ["SB-1", "Saw"]],
                "点位": [
                    ["asset_no", "signal", "connection", "address", "type", "max_rate"],
                    ["SB-0003", "parts_total", "bus", "4:input:12", "uint16", "1200"],
                ],
            }
        )
    )
    done = ganpo(plant, "import", str(file))
    assert done.exit_code == 1
    assert "points.csv: cannot be written: No space left on device; nothing was changed" in done.output
    assert {name: raw for name, raw in kept(plant).items() if not name.endswith(".bak")} == before
    assert not [file.name for file in plant.iterdir() if file.name.startswith(".")]


def test_a_template_has_the_heads_the_choices_and_examples_that_are_right(plant: Path) -> None:
    file = plant / "t.xlsx"
    assert ganpo(plant, "template", str(file)).exit_code == 0
    with CalamineWorkbook.from_path(file) as made:
        shown = [s.name for s in made.sheets_metadata if s.visible is SheetVisibleEnum.Visible]
        assert shown == [*books.SHEETS.values(), books.HELP]
        words = {cell for row in made.get_sheet_by_name("words").to_python() for cell in row}
        told = str(made.get_sheet_by_name(books.HELP).to_python())
    assert {
        "acrel_dtsd1352",
        "bus",
        "cell",
        "none",
        "boundary_in",
        "electricity",
        "parts_total",
        "secondary",
    } <= words
    assert "SB-0141" in told
    found = merging.held(file.read_bytes(), "t.xlsx")
    assert {name: (one.rows, one.errors) for name, one in found.items()} == dict.fromkeys(ROWS, ((), ()))
    for name, examples in books.EXAMPLES.items():
        for example in examples:
            ROWS[name].model_validate(example)
    assert "is there already; give another name" in ganpo(plant, "template", str(file)).output


def test_what_is_exported_and_imported_again_changes_nothing(plant: Path) -> None:
    before = kept(plant)
    for words in (["out.xlsx"], *([f"{name}.out.csv", "--list", name] for name in ROWS)):
        file = str(plant / words[0])
        assert ganpo(plant, "export", file, *words[1:]).exit_code == 0
        done = ganpo(plant, "import", file)
        assert done.exit_code == 0, done.output
        assert all(line.endswith("as before; nothing was changed") for line in done.output.splitlines()), (
            done.output
        )
        Path(file).unlink()
    assert kept(plant) == before
    assert "say which with --list" in ganpo(plant, "export", str(plant / "x.csv")).output


def test_a_plant_is_the_same_whether_its_lists_are_csv_files_or_the_workbook_of_them(plant: Path) -> None:
    before = load(plant / "agent.toml", {}).plant
    assert before is not None
    assert ganpo(plant, "export", str(plant / "all.xlsx")).exit_code == 0
    text = (plant / "agent.toml").read_text("utf-8")
    for name in ROWS:
        text = text.replace(f'"{name}.csv"', '"all.xlsx"')
    (plant / "agent.toml").write_text(text, "utf-8")
    after = load(plant / "agent.toml", {}, workbooks.sheets)
    assert after.plant is not None, after.errors
    assert (after.plant.equipment, after.plant.meters) == (before.equipment, before.meters)
    assert after.plant.registers() == before.registers()
    for name in ROWS:
        assert ganpo(plant, "export", str(plant / f"{name}.out.csv"), "--list", name).exit_code == 0
        written = merging.current(name, plant / f"{name}.out.csv").rows
        assert [row.cells for row in written] == [
            row.cells for row in merging.current(name, plant / f"{name}.csv").rows
        ]


def test_where_no_list_is_named_nothing_is_exported_and_that_is_said(plant: Path) -> None:
    (plant / "agent.toml").write_text(HEAD + BUS + CELL, encoding="utf-8")
    done = ganpo(plant, "export", str(plant / "all.xlsx"))
    assert done.exit_code == 1
    assert "agent.toml names no lists; what stands in agent.toml itself is no list" in done.output
    assert not (plant / "all.xlsx").exists()


_CELLS = st.text(st.characters(exclude_categories=("Cs", "Cc")), max_size=12).map(str.strip)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.data())
def test_whatever_rows_hold_comes_back_from_workbook_and_csv(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(list(ROWS)))
    columns = list(ROWS[name].model_fields)
    cells = data.draw(st.lists(st.fixed_dictionaries(dict.fromkeys(columns, _CELLS)), min_size=1, max_size=4))
    # What can stand in a list at all: as it is read once.
    raw = book({books.SHEETS[name]: [columns, *([row[c] for c in columns] for row in cells)]})
    needed = [column for column, about in ROWS[name].model_fields.items() if about.is_required()]
    first = tables.read(raw, "x", columns, needed, opener=workbooks.sheets, kind=name)
    rows = first.rows
    if not rows:
        return
    written = books.book({name: [row.cells for row in rows]}, {})
    again = tables.read(written, "x", columns, needed, opener=workbooks.sheets, kind=name)
    assert [row.cells for row in again.rows] == [row.cells for row in rows]
    assert again.errors == ()
    assert again.notes == ()
    text = tables.read(files.as_csv(name, rows), "x", columns)
    assert [row.cells for row in text.rows] == [row.cells for row in rows]


def test_lists_that_are_a_workbook_of_ours_are_written_as_one_and_the_plants_own_is_left_alone(
    tmp_path: Path,
) -> None:
    lists = '[lists]\nequipment = "all.xlsx"\nmeters = "all.xlsx"\n'
    (tmp_path / "agent.toml").write_text(HEAD + lists)
    (tmp_path / "all.xlsx").write_bytes(
        books.book({"equipment": [{"asset_no": "SB-1", "name": "Saw"}], "meters": []}, {})
    )
    file = tmp_path / "in.csv"
    file.write_text("asset_no,name,carrier,role\nDB-1,x,electricity,sub\n")
    done = ganpo(tmp_path, "import", str(file))
    assert done.exit_code == 0, done.output
    plant = load(tmp_path / "agent.toml", {}, workbooks.sheets).plant
    assert plant is not None
    assert ([e.asset_no for e in plant.equipment], [m.asset_no for m in plant.meters]) == (["SB-1"], ["DB-1"])
    (tmp_path / "all.xlsx").write_bytes(
        book({"设备": [["编号", "名称"], ["SB-1", "Saw"]], "电表": [["编号", "名称", "能源", "角色"]]})
    )
    before = (tmp_path / "all.xlsx").read_bytes()
    done = ganpo(tmp_path, "import", str(file))
    assert done.exit_code == 1
    assert "all.xlsx: is the plant's own workbook: what else is in it would be lost; change it" in done.output
    assert (tmp_path / "all.xlsx").read_bytes() == before


def test_a_file_of_the_old_name_is_read_by_its_content(plant: Path) -> None:
    assert io.BytesIO(METERS.encode()).read(3) == b"ass"
    (plant / "m.xlsx").write_text(METERS)
    assert "meters: 0 added, 0 changed, 2 as before" in ganpo(plant, "import", str(plant / "m.xlsx")).output
