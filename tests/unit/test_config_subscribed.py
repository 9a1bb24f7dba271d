"""`mode`, `sampling_ms` and `deadband`: from a row or a profile to the address, and what is wrong with them."""

from pathlib import Path

import pytest

from ganpo_drivers.opcua.address import OpcUaAddress
from support.configs import BUS, CELL, errors, notes, plant

MACHINE = '[[equipment]]\nasset_no = "M-1"\nname = "Machine"\n'
PROFILE = """
format = 1
id = "own"
title = { zh = "x", en = "x" }
origin = "our definition"
driver = "opcua"
[signals.channel_state]
address = "nsu=urn:v;s=State"
enum = { Active = "nsu=urn:v;i=7", Reset = "i=8" }
mode = "subscribe"
deadband = 0.5
[[states]]
state = "PRODUCING"
when = { channel_state = "Active" }
"""


def row(columns: str, *, connection: str = "cell", address: str = "nsu=urn:v;s=Total") -> str:
    return f"""{CELL}{BUS}{MACHINE}
[[points]]
asset_no = "M-1"
signal = "parts_total"
connection = "{connection}"
address = "{address}"
max_rate = "1200"
{columns}
"""


def address(folder: Path, text: str) -> OpcUaAddress:
    ((point,),) = (
        connection.points for connection in plant(folder, text).connections if connection.name == "cell"
    )
    assert isinstance(point.address, OpcUaAddress)
    return point.address


def test_how_a_value_comes_is_no_part_of_the_register(tmp_path: Path) -> None:
    written = row('mode = "subscribe"\nsampling_ms = "250"\ndeadband = "0.5"\ninterval_s = "2"')
    found = address(tmp_path, written)
    assert (found.mode, found.sampling_ms, found.deadband) == ("subscribe", 250, 0.5)
    polled = plant(tmp_path, row('interval_s = "2"')).connections
    assert [p.meaning for c in polled for p in c.points] == [
        p.meaning for c in plant(tmp_path, written).connections for p in c.points
    ]
    assert "when it changes, looked at every 0.25 s" in "\n".join(notes(tmp_path, written))


def test_without_sampling_the_device_looks_once_an_interval(tmp_path: Path) -> None:
    assert address(tmp_path, row('mode = "subscribe"\ninterval_s = "2.5"')).sampling_ms == 2500
    told = notes(tmp_path, row('mode = "subscribe"\ninterval_s = "2.5"'))
    assert "when it changes, looked at every 2.5 s" in "\n".join(told)
    assert address(tmp_path, row('mode = "poll"')).sampling_ms is None


def test_a_profile_says_it_too_and_a_state_may_be_a_node_id(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.toml").write_text(PROFILE, encoding="utf-8")
    machine = '[[equipment]]\nasset_no = "M-1"\nname = "Machine"\nprofile = "own"\nconnection = "cell"\n'
    found = address(tmp_path, CELL + machine)
    assert (found.mode, found.sampling_ms, found.deadband) == ("subscribe", 5000, 0.5)


@pytest.mark.parametrize(
    ("columns", "connection", "told"),
    [
        ('mode = "push"', "cell", "mode = push"),
        (
            'mode = "subscribe"\nsampling_ms = "5"',
            "cell",
            "sampling_ms: should be greater than or equal to 10",
        ),
        ('mode = "subscribe"\nsampling_ms = "fast"', "cell", "sampling_ms = fast"),
        ('mode = "subscribe"\ndeadband = "-1"', "cell", "deadband: should be greater than 0"),
        ('mode = "subscribe"\ndeadband = "much"', "cell", "deadband: should be a valid number"),
        ('sampling_ms = "500"', "cell", "sampling_ms = 500: means something with mode = subscribe only"),
        ('deadband = "1"', "cell", "deadband = 1: means something with mode = subscribe only"),
        ('mode = "subscribe"', "bus", "mode = subscribe: points of the driver modbus can only be polled"),
        ('type = "float32"', "cell", "leave type empty, or write number where a text holds one"),
        ('order = "ABCD"', "cell", "leave order empty"),
    ],
)
def test_what_cannot_be_is_told(tmp_path: Path, columns: str, connection: str, told: str) -> None:
    where = "1:holding:0" if connection == "bus" else "nsu=urn:v;s=Total"
    kind = '\ntype = "uint16"' if connection == "bus" else ""
    (error,) = errors(tmp_path, row(columns + kind, connection=connection, address=where))
    assert told in error
