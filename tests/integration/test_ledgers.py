"""Ledgers as plants keep them: every column is read, told to be left out, or asked about."""

from pathlib import Path

import pytest

from ganpo_agent.listing import merging
from ganpo_agent.listing.ledgers import proposed
from ganpo_config.lists import ROWS
from ganpo_config.profiles import Profiles
from support.books import book
from support.configs import BUS, HEAD

METER = "asset_no,name,carrier,role,"
ROW = "DB-1,总电表,electricity,sub,"
PROFILES = Profiles(Path("nowhere"))


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "agent.toml").write_text(HEAD + BUS, encoding="utf-8")
    return tmp_path / "agent.toml"


def looked(plant: Path, sheets: dict[str, list[list[str]]]) -> merging.Preview:
    return merging.preview(plant, merging.held(book(sheets), "t.xlsx"))


def ledger(plant: Path, head: str, *rows: str, sheet: str = "Sheet1") -> merging.Preview:
    return looked(plant, {sheet: [line.split(",") for line in (head, *rows)]})


def said(found: merging.Preview) -> str:
    return "\n".join([*map(str, found.errors), *found.notes])


def test_twenty_ways_to_head_a_ledger_of_meters_are_read_left_out_with_a_note_or_asked_about(
    plant: Path,
) -> None:
    for head, row, told in (
        # Read.
        ("计量点编号,计量点名称,能源种类,计量级别", "J-1,进线,电,总进线", ""),
        ("表号,表计名称,能源类别,表计性质,上级表号", "AH1,进线,电表,分表,", ""),
        ("仪表编号,仪表名称,介质,总分表,变比,读数侧", "1,a,电,二级表,400/5,二次", ""),
        ("电表编号,回路名称,能源品种,计量分级,互感器,读数方式", "1,a,电力,车间表,400/5,二次侧", ""),
        ("水表编号,水表名称,介质类型,级别,安装时间,脉冲常数", "S1,a,自来水,支表,2020.3.1,0.01", ""),
        ("Meter No.,Meter name,Energy type,Role", "M1,a,electricity,sub", ""),
        # Read, and the rest left out.
        (METER + "序号,安装位置,厂家,备注", ROW + "1,配电室,安科瑞,新", "left out: 序号, 安装位置, 厂家, 备注"),
        (METER + "波特率,校验位", ROW + "9600,N", "left out: 波特率, 校验位"),
        (METER + "精度等级,出厂编号,检定日期,有效期", ROW + "0.5S,77,2024,2030", "精度等级, 出厂编号, 检定日期"),
        (METER + "设备编号,表号", ROW + "7,8", "left out: 设备编号, 表号"),
        # Read, with a proposal or what to write instead.
        (METER + "型号", ROW + "DTSD1352-C", "E2, model = DTSD1352-C: is its profile acrel_dtsd1352?"),
        (METER + "规格型号", ROW + "安科瑞ADL400/C", "is its profile acrel_adl400 or acrel_dtsd1352"),
        (METER + "型号,规约", ROW + "DTSU666,DL/T645-2007", "is its profile chint_dtsu666_dlt645?"),
        (METER + "型号", ROW + "ABC-99999", "model = ABC-99999: left out: no profile is of this model"),
        (METER + "规约", ROW + "Modbus", "E2, protocol = Modbus: left out: its connection says it, in a column 连接"),
        (METER + "通讯地址", ROW + "3", "E2, station = 3: left out: the parameters of its profile say it"),
        (METER + "倍率", ROW + "1", ""),
        (METER + "CT变比,读数侧,倍率", ROW + "400/5,二次,80", ""),
    ):  # fmt: skip
        found = ledger(plant, head, row)
        assert found.errors == (), (head, said(found))
        assert [one.name for one in found.lists] == ["meters"], head
        (added,) = found.lists[0].added
        assert added.row.cells.keys() == set(ROWS["meters"].model_fields)
        assert added.row.cells["asset_no"] == row.split(",")[0], "the column with our own word is it"
        assert told in said(found), (head, said(found))
        left = [note for note in found.notes if "left out" in note]
        assert not left or "left out" in told or "精度等级" in told or "规约" in head, (head, left)


def test_what_a_ledger_says_in_two_ways_or_not_at_all_is_asked_with_its_cell(plant: Path) -> None:
    for head, row, told in (
        ("表号,名称,能源,计量角色", "1,a,电,总表", "D2, role = 总表: the main meter of what?; of the whole"),
        ("表号,名称,能源,计量角色", "1,a,电,考核表", "D2, role = 考核表: what is it for?; within the plant"),
        ("表号,名称,能源,计量角色", "1,a,气,分表", "C2, carrier = 气: which gas?; 天然气 (natural_gas)"),
        (METER + "倍率", ROW + "80", "E2, ratio = 80: of which transformers?; write them into"),
        (METER + "CT变比,读数侧,倍率", ROW + "400/5,二次,100", "ratio = 100: ct 400/5 comes to 80; correct"),
        (METER + "CT变比,PT变比,读数侧,倍率", ROW + "100/5,10000/100,二次,20", "x pt 10000/100 comes to 2000"),
        ("表号,表计名称,型号,规约", "1,a,DTSU666,Modbus", "column carrier is missing; or in Chinese"),
        ("序号,回路名称,变比", "1,a,400/5", "asset_no is missing; or in Chinese: 资产编号; the plant"),
        ("表号,电表编号,名称,能源,级别", "1,2,a,电,分表", "twice; 表号 (A) and 电表编号 (B) both name it: keep one"),
    ):  # fmt: skip
        found = ledger(plant, head, row)
        assert told in "\n".join(map(str, found.errors)), (head, said(found))


def test_a_ledger_is_known_by_the_name_of_its_sheet_and_by_what_only_meters_have(plant: Path) -> None:
    machines = "设备编号,设备名称,规格型号,使用部门"
    for sheet, head, name in (
        *((sheet, machines, "equipment") for sheet in ("设备台账", "生产设备清单", "机床一览表", "Sheet1")),
        *(
            (sheet, METER[:-1], "meters")
            for sheet in ("电表台账", "能源计量器具一览表", "水表清单", "Sheet1")
        ),
    ):
        found = ledger(plant, head, "1,a,electricity,sub", sheet=sheet)
        assert [one.name for one in found.lists] == [name], (sheet, said(found))
    cover = {"封面": [["某某厂"]], "台账": [METER.split(",")[:4], ROW.split(",")[:4]]}
    assert [one.name for one in looked(plant, cover).lists] == ["meters"]


def test_a_model_is_looked_for_as_a_nameplate_writes_it() -> None:
    for model, protocol, names in (
        ("DTSU666", "modbus-rtu", ["chint_dtsu666", "chint_dtsu666_h", "chint_dtsu666_old"]),
        ("正泰DTSU666-H", "", ["chint_dtsu666_h"]),
        ("ADL400/C", "", ["acrel_adl400", "acrel_dtsd1352"]),
        ("SDM630-Modbus V2", "Modbus RTU", ["eastron_sdm630"]),
        ("E4", "", []),
        ("电子式", "", []),
        ("DTSU666", "OPC UA", []),
    ):
        assert proposed(model, protocol, PROFILES) == names, model
