"""Exports of Kepware and EMQX Neuron become points: what they say is taken over, the rest is told."""

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from ganpo_agent.cli.main import main
from ganpo_agent.listing import merging
from ganpo_config import load
from support.books import book
from support.configs import BUS, CELL, HEAD

KEPWARE = (
    "Tag Name,Address,Data Type,Respect Data Type,Client Access,Scan Rate,Scaling,Raw Low,Raw High,Scaled Low,"
    "Scaled High,Scaled Data Type,Clamp Low,Clamp High,Eng Units,Description,Negate Value\n"
    '"SB-0003.parts_total",400012,Word,1,R/W,5000,,,,,,,,,,"proximity counter",\n'
    '"DB-1.energy_import",400101,DWord,1,RO,10000,Linear,0,10000,0,100,Float,0,0,kWh,"total",\n'
    '"Press.Running",000005,Boolean,1,RO,100,,,,,,,,,,"",\n'
    '"Press.Name",400300.10H,String,1,RO,100,,,,,,,,,,"",\n'
    '"Press.Setpoint",400301,Word,1,WO,100,,,,,,,,,,"",\n'
    '"Press.Force",400302,Word,1,RO,100,Square Root,0,10,0,10,Float,0,0,,"",\n'
    '"PLC.Step",DB1.DBW2,Word,1,RO,100,,,,,,,,,,"",\n'
)
INLINE = """
[[equipment]]
asset_no = "SB-0003"
name = "Press"

[[meters]]
asset_no = "DB-1"
name = "Meter"
carrier = "electricity"
role = "sub"
max_rate = 100

[lists]
points = "points.csv"
"""
HELD = "4:holding:4"
POINT = ("asset_no", "signal", "address", "type", "order", "scale", "interval_s")


@pytest.fixture
def plant(tmp_path: Path) -> Path:
    (tmp_path / "agent.toml").write_text(HEAD + BUS + CELL + INLINE)
    return tmp_path


def take(folder: Path, name: str, raw: str | bytes, *words: str) -> Result:
    (folder / name).write_bytes(raw if isinstance(raw, bytes) else raw.encode())
    command = ["lists", "import", str(folder / name), "--config", str(folder / "agent.toml"), *words]
    done = CliRunner().invoke(main, command)
    assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
    return done


def points(folder: Path) -> list[tuple[str, ...]]:
    rows = merging.current("points", folder / "points.csv").rows
    return [tuple(row.cells[column] for column in POINT) for row in rows]


def test_tags_of_kepware_that_name_machine_and_signal_become_points_and_the_rest_is_told(plant: Path) -> None:
    line = ("--connection", "bus", "--unit", "4")
    told = take(plant, "kep.csv", KEPWARE, *line).output
    assert (
        "kep.csv row 3: in which order are its words? say --order CDAB (Kepware's usual one) or ABCD" in told
    )
    done = take(plant, "kep.csv", KEPWARE, *line, "--order", "CDAB", "--rest", str(plant / "rest.xlsx"))
    for part in (
        "note     kep.csv row 5: type String is not taken over",
        "note     kep.csv row 6: is written only, or a constant: there is nothing to read",
        "note     kep.csv row 7: its scaling is not linear",
        "note     kep.csv row 8: address DB1.DBW2 is none of Modbus that is taken over",
        "note     kep.csv: 1 tag names no number of the ledger or no signal; written to the file of --rest",
    ):
        assert part in done.output, done.output
    assert done.exit_code == 1, "a parts counter needs its largest rate, which no tag says"
    assert "rejected kep.csv row 2 (SB-0003), max_rate: is missing" in done.output


def test_what_kepware_says_of_a_meter_is_taken_over_exactly(plant: Path) -> None:
    only = "\n".join(KEPWARE.splitlines()[:1] + KEPWARE.splitlines()[2:4])
    done = take(
        plant, "kep.csv", only.replace(",", ";"), "--connection", "bus", "--unit", "4", "--order", "CDAB"
    )
    assert done.exit_code == 0, done.output
    assert "points: 1 added" in done.output
    assert points(plant) == [("DB-1", "energy_import", "4:holding:100", "uint32", "CDAB", "0.01", "10")]
    assert load(plant / "agent.toml", {}).errors == ()


def test_a_project_of_kepware_says_unit_order_and_numbering_itself(plant: Path) -> None:
    def device(number: int, *, low: bool, zero_based: bool) -> dict[str, object]:
        tag = {
            "common.ALLTYPES_NAME": "energy_import",
            "servermain.TAG_ADDRESS": "400101",
            "servermain.TAG_DATA_TYPE": 7,
            "servermain.TAG_SCALING_TYPE": 0,
        }
        return {
            "common.ALLTYPES_NAME": "DB-1",
            "servermain.DEVICE_ID_STRING": f"<192.168.1.10>.{number}",
            "modbus_ethernet.DEVICE_FIRST_WORD_LOW": low,
            "modbus_ethernet.DEVICE_ZERO_BASED_ADDRESSING": zero_based,
            "tag_groups": [{"common.ALLTYPES_NAME": "Totals", "tags": [tag]}],
        }

    for low, zero_based, address, order in (
        (True, True, "7:holding:100", "CDAB"),
        (False, False, "7:holding:101", "ABCD"),
    ):
        channel = {"common.ALLTYPES_NAME": "Line1", "devices": [device(7, low=low, zero_based=zero_based)]}
        project = json.dumps({"project": {"common.ALLTYPES_NAME": "Plant", "channels": [channel]}})
        assert take(plant, "kep.json", project, "--connection", "bus").exit_code == 0
        assert points(plant)[0][2:5] == (address, "uint32", order)
    done = take(plant, "kep.json", project, "--connection", "cell")
    assert done.exit_code == 0, done.output
    assert points(plant)[0][2] == "nsu=KEPServerEX;s=Line1.DB-1.Totals.energy_import"
    assert "no JSON" in take(plant, "kep.json", "{", "--connection", "bus").output


def test_tags_of_neuron_become_points(plant: Path) -> None:
    head = ["group", "name", "address", "attribute", "type", "description", "decimal", "precision"]
    rows: list[Any] = [
        head,
        ["DB-1", "energy_import", "3!400101#BL", "Read Subscribe", "UINT32", "total", 0.01, None],
        ["DB-1", "power", "3!400201", "Read", "FLOAT", "", None, None],
        ["DB-1", "setpoint", "3!400202", "Write", "INT16", "", None, None],
        ["DB-1", "swapped", "3!400203#B", "Read", "INT16", "", None, None],
    ]
    done = take(plant, "neuron.xlsx", book({"Sheet1": rows}), "--connection", "bus")
    assert done.exit_code == 0, done.output
    assert points(plant) == [("DB-1", "energy_import", "3:holding:100", "uint32", "CDAB", "0.01", "")]
    for part in (
        "neuron.xlsx, sheet Sheet1, row 3: in which order are its words? say --order CDAB",
        "neuron.xlsx, sheet Sheet1, row 4: is written only",
        "neuron.xlsx, sheet Sheet1, row 5: its two bytes are swapped",
    ):
        assert part in done.output


def test_exports_as_other_versions_and_spreadsheets_write_them_are_read(plant: Path) -> None:
    line = ("--connection", "bus", "--unit", "4", "--order", "CDAB")
    head = "Tag Name,Address,Data Type,Respect Data Type,Client Access,Scan Rate,Scaling,Raw Low,Raw High,Scaled Low,"
    head += "Scaled High,Engineering Units,Description,Negate Value"
    quoted = ",".join(f'"{name}"' for name in head.split(","))
    for written, row, told in (
        (quoted, '"DB-1.power","40005","word","1","R/W","1000","","","","","","kW","",""', (HELD, "uint16", "", "")),
        (head + " ", "DB-1.power,300005,Short,1,R,100,Linear,0,10,0,1,kW,,0", ("4:input:4", "int16", "", "0.1")),
        (head.upper(), "DB-1.power,40005,FLOAT,1,RO,100,Linear,0,10,0,1,kW,,1", (HELD, "float32", "CDAB", "-0.1")),
        (head, "SB-0003.alarm,40005.15,Boolean,1,RO,100,None,,,,,,,", ("4:holding:4.15", "bit", "", "")),
        (head, "SB-0003.alarm,5,Boolean,1,RO,100,,,,,,,,", ("4:coil:4", "", "", "")),
    ):  # fmt: skip
        (plant / "points.csv").unlink(missing_ok=True)
        done = take(plant, "kep.csv", f"\ufeff{written}\r\n{row}\r\n", *line)
        assert done.exit_code == 0, done.output
        assert points(plant)[0][2:6] == told, done.output
    (plant / "points.csv").unlink()
    rows: list[Any] = [
        [
            "group",
            "interval",
            "name",
            "address",
            "attribute",
            "type",
            "description",
            "decimal",
            "precision",
            "bias",
        ],
        ["DB-1", 30000, "power", "1!40001", "Read", "WORD", "", 0.1, None, -5],
        ["DB-1", 30000, "alarm", "", "Read Static", "BIT", "", None, None, None],
    ]
    done = take(plant, "neuron.xlsx", book({"Sheet1": rows}), "--connection", "bus")
    assert done.exit_code == 0, done.output
    assert points(plant) == [("DB-1", "power", "1:holding:0", "uint16", "", "0.1", "30")]
    assert merging.current("points", plant / "points.csv").rows[0].cells["offset"] == "-5"
    assert "row 3: is written only, or a constant: there is nothing to read" in done.output


def test_tags_want_a_connection_and_what_lacks_a_name_is_filled_in_by_hand(plant: Path) -> None:
    assert (
        "--connection: tags of another gateway: over which connection are they read?; there are: bus, cell"
        in (take(plant, "kep.csv", KEPWARE).output)
    )
    running = "\n".join(KEPWARE.splitlines()[:1] + KEPWARE.splitlines()[3:4])
    rest = plant / "rest.xlsx"
    done = take(plant, "kep.csv", running, "--connection", "bus", "--unit", "4", "--rest", str(rest))
    assert done.exit_code == 0, done.output
    found = merging.held(rest.read_bytes(), "rest.xlsx")["points"]
    assert [dict(row.cells)["address"] for row in found.rows] == ["4:coil:4"]
    assert found.rows[0].cells["note"] == "Press.Running"
    told = take(plant, "kep.csv", running, "--connection", "cell").output
    assert (
        "kep.csv: nothing of it can be taken over; kep.csv row 2: of which channel and device? say --prefix"
        in told
    )
