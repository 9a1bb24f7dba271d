"""Which function codes a Modbus TCP client asked for, read off the bytes it sent (Modbus Messaging on TCP/IP 3.1)."""

import struct

READING = {1, 2, 3, 4, 43}


def codes(sent: bytes) -> list[int]:
    """The function codes in the order asked; of 43 only the type 14 reads, another is 4300 and its type. `sent`: one
    connection from its start; its end may be cut off.

    Raises ValueError for what is no Modbus TCP.
    """
    found, at = [], 0
    while at + 8 <= len(sent):
        _, protocol, length = struct.unpack_from(">HHH", sent, at)
        if protocol or length < 2:
            raise ValueError(f"no Modbus TCP at byte {at}: {sent[at : at + 12]!r}")
        kind = sent[at + 8 : at + 9]
        found.append(sent[at + 7] if sent[at + 7] != 43 or kind in (b"", b"\x0e") else 43_00 + kind[0])
        at += 6 + length
    return found


def forbidden(sent: bytes) -> list[str]:
    """The function codes asked for that could change something at the device: all but those that only read."""
    return [f"function code {code}" for code in codes(sent) if code not in READING]
