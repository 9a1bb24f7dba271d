"""Bad input, line by line: told clearly (what, where, what to do), nothing else stops, nothing accepted is lost.

`pytest -s tests/faults/test_bad_input.py` prints every line with its message.
"""

from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

import pytest

from support.bad import devices, frames, lines, places

Case = Callable[[Path], Awaitable[str]]

LINES: dict[str, tuple[Case, tuple[str, ...]]] = {
    "a port that speaks another protocol (Modbus)": (
        devices.another_protocol_for_modbus,
        ("tcp://127.0.0.1:", "not Modbus TCP: b'SSH-2.0", "is this the device's Modbus port"),
    ),
    "a port that speaks another protocol (OPC UA)": (
        devices.another_protocol_for_opcua,
        ("opc.tcp://127.0.0.1:", "no OPC UA server speaks there: what answers began with b'HTTP/1.1"),
    ),
    "unreachable": (
        devices.unreachable,
        ("tcp://127.0.0.1:", "no connection within 0.3 s, or refused", "is this its address and port"),
    ),
    "NaN in a float": (devices.not_a_number, ("1:holding:0: the device answers NaN",)),
    "a node that does not exist among good ones": (devices.no_such_node, ("s=Nowhere: BadNodeIdUnknown: ",)),
    "a serial port that vanishes and comes back under another number": (
        lines.port_that_vanishes,
        ("by-id", "no such device", "is the adapter plugged in? `ls -l /dev/serial/by-id`"),
    ),
    "a device at another baud rate": (
        lines.wrong_baud,
        ("rtu:///dev/pts/", "unit 1", "bytes came that are no answer (", "do baud rate and parity match"),
    ),
    "a gateway that answers as another unit": (
        lines.answers_as_another,
        ("1:holding:200: the device answered for unit 5, unit 1 was asked",),
    ),
    "an answer delayed past its timeout": (
        devices.delayed,
        ("tcp://127.0.0.1:", "unit ", "no answer within 0.3 s"),
    ),
    **{
        f"a frame: {case}": (partial(frames.among_good_ones, case=case), (reason, told))
        for case, (_, reason, told) in frames.BAD.items()
    },
    "a gateway that is not registered": (
        frames.of_a_stranger,
        (f"gateway {frames.STRANGER} is not registered; ganpo-cloud gateway add {frames.STRANGER} ",),
    ),
    "a clock that starts in 1970": (places.clock_of_1970, ("waiting for time",)),
    "a clock that steps +3 h in mid-slot": (
        partial(places.clock_steps, hours=3),
        ("stepped by_ms=10",),
    ),
    "a clock that steps -3 h in mid-slot": (
        places.clock_steps_back,
        ("time is not trusted any more", "from the acknowledgements", "nothing is stamped"),
    ),
    "a full disk": (places.full_disk, ("outbox.db: cannot be written", "disk is full", "free space")),
    "a read-only disk": (
        places.read_only_disk,
        ("outbox.db: cannot be written", "make the folder writable"),
    ),
    "a flipped bit at 50 places of the outbox": (places.flipped_bit, ("outbox.db", "damaged")),
    "an outbox of a newer schema": (
        places.newer_outbox,
        ("outbox.db: written by a newer version (schema 2; this one knows 1)", "install that version"),
    ),
    "a database of a newer schema": (
        places.newer_database,
        ("cloud.db: schema 9999, this version knows ", "a newer ganpo-cloud", "install that version"),
    ),
    "a port in use": (
        places.port_in_use,
        ("gateway.http = 127.0.0.1:", "http.listen = 127.0.0.1:", "cannot listen", "choose a free one"),
    ),
    "two agents on one state folder": (
        places.two_agents,
        ("gateway.state_dir = ", "another agent works in it", "give this gateway a folder of its own"),
    ),
    "an unknown key, a wrong type, a duplicate asset_no": (
        places.wrong_configuration,
        (
            "connections.bus.adressing: no such key; did you mean addressing?",
            "site.id",
            "meters[1].asset_no = DB-1: stands in agent.toml line ",
            ": meters[0].asset_no too: numbers are unique",
        ),
    ),
}


@pytest.mark.parametrize("line", LINES)
async def test_bad_input_is_told_and_costs_nothing_else(line: str, tmp_path: Path) -> None:
    case, parts = LINES[line]
    told = await case(tmp_path)
    print(f"\n{line}\n    " + told.strip().replace("\n", "\n    "))
    for part in parts:
        assert part in told
