#!/bin/sh
# pymodbus 3.16.1, convert_from_registers(..., DATATYPE.BITS): the lowest bit of a register is at place 8 and bit 8 at place 0,
# since bits are counted from the low end of each byte and bytes from the high end. Who takes place n for bit n reads the wrong
# one. STRING with word_order="little" turns the whole text round, not the words of each value. Registers
# are better taken apart by hand: bit 0 is the lowest of 16, and a text may have the two bytes of each register exchanged.
#
# Installs pymodbus from the package registry into a temporary folder and fails where it behaves otherwise than is written here.
set -eu
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
python3 -m venv "$folder/venv"
"$folder/venv/bin/pip" install --quiet "pymodbus==3.16.1"
"$folder/venv/bin/python" - <<'PYTHON'
from pymodbus.client.mixin import ModbusClientMixin

convert, types = ModbusClientMixin.convert_from_registers, ModbusClientMixin.DATATYPE
for bit in range(16):
    (place,) = [place for place, value in enumerate(convert([1 << bit], types.BITS)) if value]
    print(f"bit {bit:2} of a register is at place {place}")
    assert place == (bit + 8) % 16
text = convert([0x6162, 0x6364, 0x6566], types.STRING, word_order="little")
print(f"'abcdef' with the low word first is {text!r}")
assert text == "efcdab", text
PYTHON
