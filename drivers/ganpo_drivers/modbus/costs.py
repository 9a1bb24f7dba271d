"""What a query costs on the line, worked out without it."""

from ganpo_drivers.api import Cost
from ganpo_drivers.modbus.blocks import Block, ModbusQuery
from ganpo_drivers.modbus.rtu import frame_s, pause_s
from ganpo_drivers.modbus.settings import ModbusSettings

SERIAL_ANSWER_S = 0.02
TCP_ANSWER_S = 0.01
"""How long a device is taken to need before its answer begins; over TCP with the way there and back."""


def cost(query: ModbusQuery, settings: ModbusSettings) -> Cost:
    """Of reading all blocks once: every answer in its usual time, or none, which ends the read at its first request."""
    serial = settings.scheme in ("rtu", "rtu+tcp")
    begin_s = SERIAL_ANSWER_S if serial else TCP_ANSWER_S
    silences = [settings.patience_s + _characters_s(block, settings) for block in query.blocks[:1]]
    return Cost(
        requests=len(query.blocks),
        items=sum(block.count for block in query.blocks),
        waste=sum(block.count - _wanted(block) for block in query.blocks),
        seconds=sum(begin_s + _characters_s(block, settings) for block in query.blocks),
        silent_s=sum(silences),
        assumed=f"a device begins its answer after {begin_s * 1000:g} ms",
    )


def _characters_s(block: Block, settings: ModbusSettings) -> float:
    """Pause, request and answer on a serial line."""
    if settings.scheme not in ("rtu", "rtu+tcp"):
        return 0.0
    return pause_s(settings.character_s) + frame_s(block.request, settings.character_s)


def _wanted(block: Block) -> int:
    """Registers (or bits) of the block that belong to a point."""
    wanted: set[int] = set()
    for _, point in block.placed:
        wanted.update(range(point.address.number, point.address.number + point.address.words))
    return len(wanted)
