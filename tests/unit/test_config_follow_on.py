"""What only follows from a mistake is not told as another: one cause, one line."""

from pathlib import Path

import pytest

from support.configs import BUS, CELL, HEAD, write
from support.lists import EQUIPMENT, LISTS, METERS, POINTS, put

CONFIG = HEAD + LISTS + BUS + CELL
OWN = """
format = 1
id = "our_press"
title = { zh = "冲床", en = "press" }
origin = "site"
signals = {}
"""


def told(folder: Path, config: str = CONFIG) -> list[str]:
    return [str(error) for error in write(folder, config).errors]


@pytest.mark.parametrize("name", ["equipment", "meters", "points"])
@pytest.mark.parametrize("how", ["missing", "not UTF-8", "a workbook", "a wrong column", "a broken quote"])
def test_a_list_that_cannot_be_read_is_one_error(tmp_path: Path, name: str, how: str) -> None:
    text = {"equipment": EQUIPMENT, "meters": METERS, "points": POINTS}[name]
    broken: dict[str, str | bytes] = {
        "not UTF-8": text.encode() + b"\xff\xff\xff",
        "a workbook": b"PK\x03\x04\x00\x00" + bytes(40),
        "a wrong column": text.replace("asset_no", "asset", 1),
        "a broken quote": text + 'SB-9,"open\n',
    }
    put(tmp_path, **{name: broken.get(how, text)})
    if how == "missing":
        (tmp_path / f"{name}.csv").unlink()
    errors = told(tmp_path)
    assert errors
    assert all(name in error for error in errors), errors
    if how != "a wrong column":  # that it is none, and that the one is missing
        assert len(errors) == 1, errors


def test_the_list_that_is_read_is_checked_as_far_as_it_stands_alone(tmp_path: Path) -> None:
    put(tmp_path, points=POINTS.replace("uint16", "uint17"))
    (tmp_path / "meters.csv").unlink()
    errors = told(tmp_path)
    assert any(error.startswith("points.csv row 3, address") for error in errors), errors
    assert any("lists.meters = meters.csv: no such file" in error for error in errors), errors
    assert len(errors) == 2, errors


def test_a_row_that_cannot_be_read_has_no_orphans(tmp_path: Path) -> None:
    put(tmp_path, equipment=EQUIPMENT.replace("SB-0007", "=SB-0007", 1))
    (error,) = told(tmp_path)
    assert error.startswith("equipment.csv row 3, asset_no = =SB-0007: a formula")


def test_a_point_that_cannot_be_read_is_not_asked_for_again(tmp_path: Path) -> None:
    machine = '[[equipment]]\nasset_no = "SB-1"\nname = "Mill"\nprofile = "lamps"\nconnection = "cell"\n'
    profile = OWN.replace("our_press", "lamps").replace(
        "signals = {}", '[signals.alarm]\n[[states]]\nstate = "FAULT"\nwhen = { alarm = true }\n'
    )
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "lamps.toml").write_text(profile)
    alone = told(tmp_path, HEAD + CELL + machine)
    assert any("alarm of lamps has no address" in error for error in alone), alone
    point = '[[points]]\nasset_no = "SB-1"\nsignal = "alarm"\nconnection = "cell"\nresets = "perhaps"\n'
    (error, other) = told(tmp_path, HEAD + CELL + machine + point)
    assert "address: is missing" in error
    assert "resets = perhaps" in other


@pytest.mark.parametrize("text", [OWN.replace("signals = {}", ""), OWN + "["])
def test_a_profile_of_the_site_that_is_wrong_is_not_missed_in_the_rows(tmp_path: Path, text: str) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "our_press.toml").write_text(text)
    row = '[[equipment]]\nasset_no = "SB-{}"\nname = "Press"\nprofile = "our_press"\nparameters = "x=1"\n'
    (error,) = told(tmp_path, HEAD + row.format(1) + row.format(2))
    assert error.startswith("profiles/our_press.toml: ")


def test_connections_that_are_no_table_are_one_error(tmp_path: Path) -> None:
    config = (HEAD + LISTS).replace("format = 1\n", "format = 1\nconnections = 3\n", 1)
    put(tmp_path)
    assert told(tmp_path, config) == [
        "agent.toml: connections: not a table: [connections.NAME]; one for each line or device"
    ]


def test_what_is_really_not_there_is_told_for_every_row(tmp_path: Path) -> None:
    put(tmp_path, points=POINTS.replace("SB-0007", "SB-0777"), meters=METERS.replace("DB-0101,", "DB-0111,"))
    errors = told(tmp_path)
    assert any("SB-0777: no equipment and no meter has this number" in error for error in errors), errors
