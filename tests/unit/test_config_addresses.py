"""A point list of Modbus addresses: what `check` prints beside each good row, and every mistake in one pass (F23)."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from ganpo_agent.cli.main import main
from support.configs import HEAD

GOOD = {
    "4xxxxx": {
        "1:holding:40001": "1:holding:0",
        "1:holding:400001": "1:holding:0",
        "1:holding:49999": "1:holding:9998",
        "1:holding:410000": "1:holding:9999",
        "1:holding:465536": "1:holding:65535",
        "1:input:30011": "1:input:10",
        "1:discrete:10001": "1:discrete:0",
        "1:coil:000001": "1:coil:0",
    },
    "1-based": {"1:holding:1": "1:holding:0", "1:holding:65536": "1:holding:65535", "1:coil:8": "1:coil:7"},
    "0-based": {"1:holding:0": "1:holding:0", "1:holding:65535": "1:holding:65535", "1:coil:8": "1:coil:8"},
}
WRONG = {
    "4xxxxx": {
        "1:holding:465537": "465537 with 4xxxxx addressing: the last is 465536",
        "1:holding:40000": "40000 with 4xxxxx addressing: the first is 40001",
        "1:holding:97719": "97719 with 4xxxxx addressing: a holding address is 40001 ... 465536",
        "1:holding:30011": "a holding address is 40001 ... 465536 (3 is for input)",
        "1:holding:465536/uint32": "465536 is the last register there is, and uint32 takes 2",
    },
    "1-based": {
        "1:holding:0": "0 with 1-based addressing: the first is 1",
        "1:holding:65537": "65537 with 1-based addressing: the last is 65536",
        "1:holding:65536/uint32": "65536 is the last register there is, and uint32 takes 2",
    },
    "0-based": {
        "1:holding:65536": "65536 with 0-based addressing: the last is 65535",
        "1:holding:65535/int32": "65535 is the last register there is, and int32 takes 2",
    },
}


@pytest.mark.parametrize("addressing", GOOD)
def test_every_mistake_comes_with_its_row_and_every_good_row_with_the_number_on_the_wire(
    tmp_path: Path, addressing: str
) -> None:
    rows = ["asset_no,signal,connection,address,type"]
    equipment = f"""
[connections.line]
driver = "modbus"
url = "tcp://127.0.0.1:502"
addressing = "{addressing}"
[lists]
points = "points.csv"
"""
    for number, written in enumerate([*GOOD[addressing], *WRONG[addressing]]):
        address, _, kind = written.partition("/")
        bits = ":holding:" not in address and ":input:" not in address
        signal = "alarm" if bits else "power"
        rows.append(f"M-{number},{signal},line,{address},{kind or ('' if bits else 'uint16')}")
        equipment += f'[[equipment]]\nasset_no = "M-{number}"\nname = "Machine"\n'
    (tmp_path / "points.csv").write_text("\n".join(rows) + "\n", encoding="utf-8")
    file = tmp_path / "agent.toml"
    file.write_text(HEAD + equipment, encoding="utf-8")
    said = CliRunner().invoke(main, ["check", "--config", str(file)])
    assert said.exit_code == 1
    errors = [line for line in said.output.splitlines() if line.startswith("error ")]
    for number, (error, (written, told)) in enumerate(zip(errors, WRONG[addressing].items(), strict=True)):
        row = len(GOOD[addressing]) + number + 2
        assert f"points.csv row {row} (M-{row - 2}), address = {written.partition('/')[0]}: " in error
        assert told in error
    notes = [line for line in said.output.splitlines() if line.startswith("note ")]
    for number, (note, form) in enumerate(zip(notes, GOOD[addressing].values(), strict=True)):
        assert note.startswith(f"note     M-{number}/"), note
        assert f": line {form} " in note
