#!/bin/sh
# PyPI has two packages that read DL/T 645-2007, and neither reads right what the standard allows:
#   dlt645 3.2.0         takes a meter's address the wrong way round (low byte first, as it stands in the frame), so that the
#                        answer to a read by the number of the nameplate is thrown away; the time of the maximum demand is read
#                        backwards, and mostly no date at all
#   python-dlt645 0.1.4  ends a frame at the first byte 16H, also where that is the meter's address; has no sign: 0.26 kWh
#                        fed back are 800000.26 kWh taken; stops with an exception where a meter says FFH for "no value"
# Whoever reads these meters needs code of his own, and takes neither as its judge, but the frames that meters' makers and users
# published.
#
# Installs both from the package registry into temporary folders (both are called dlt645 when imported), gives them valid
# frames, and fails where they behave otherwise than is written here.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cat >"$folder/frames.py" <<'PYTHON'
def answer(meter, identifier, digits):
    """A meter's answer to a read; everything most significant byte first, as people write it."""
    data = bytes.fromhex(identifier)[::-1] + bytes.fromhex(digits)[::-1]
    frame = b"\x68" + bytes.fromhex(meter)[::-1] + bytes((0x68, 0x91, len(data)))
    frame += bytes((byte + 0x33) % 256 for byte in data)
    return frame + bytes((sum(frame) % 256, 0x16))


def check(what, found, expected):
    print(f"  {what}: {found}")
    if found != expected:
        raise SystemExit(f"this has changed: it was {expected}")
PYTHON
for package in dlt645==3.2.0 python-dlt645==0.1.4; do
    python3 -m venv "$folder/$package"
    "$folder/$package/bin/pip" install --quiet "$package"
    echo "$package"
    PYTHONPATH="$folder" "$folder/$package/bin/python" - "$package" <<'PYTHON'
import io
import sys

from frames import answer, check

METER, ENERGY, COMBINED, DEMAND = "000000000161", "00010000", "00000000", "01010000"


def error_of(call):
    try:
        return call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


def first():
    from loguru import logger

    logger.remove()
    from dlt645.protocol.protocol import DLT645Protocol
    from dlt645.service.clientsvc.client_service import MeterClientService

    client = MeterClientService(None)

    def value(identifier, digits):
        item = client.handle_response(DLT645Protocol.deserialize(answer(METER, identifier, digits)))
        return item if item is None else item.value

    client.set_address(METER)
    check("energy of 000000000161, asked by its number", value(ENERGY, "00000026"), None)
    client.set_address("610100000000")
    check("the same, asked by 610100000000", value(ENERGY, "00000026"), 0.26)
    demand = error_of(lambda: value(DEMAND, "2611291405123456"))
    check("demand of 2026-11-29 14:05", demand, "ValueError: month must be in 1..12")


def second():
    import dlt645

    class Line(io.BytesIO):
        def write(self, data):
            """The request goes nowhere: the answer is there already."""

    def energy(meter, digits):
        return error_of(lambda: dlt645.get_active_energy(meter, Line(answer(meter, COMBINED, digits))))

    check("energy of 000000000161", energy(METER, "00000026"), 0.26)
    check("-0.26 kWh", energy(METER, "80000026"), 800000.26)
    check("energy of 000000000016", energy("000000000016", "00000026"), "IndexError: bytearray index out of range")
    check("no value", energy(METER, "FFFFFFFF"), "ValueError: byte must be in range(0, 256)")


first() if sys.argv[1].startswith("dlt645") else second()
PYTHON
done
