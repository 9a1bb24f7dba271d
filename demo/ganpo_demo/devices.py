"""The child process with every simulated device: `python -m ganpo_demo.devices SEED SITE`.

It writes where they are as a JSON line to stdout (`ports` by name, and of the mixed site `lines`: device files), then
obeys lines from stdin, answering each with a JSON line: `plug NAME` and `unplug NAME` (meter or cell), `truth MS` (the
register of the main meter as last read at or before that instant). It ends when stdin ends, so that nothing is left
behind by a parent that was killed.
"""

import asyncio
import json
import logging
import os
import sys
from typing import TYPE_CHECKING, Any, Protocol

from ganpo_demo.bus import MeterBus
from ganpo_demo.cell import CncCell
from ganpo_demo.simulation import Workshop

if TYPE_CHECKING:
    from ganpo_demo.mixed import MixedSite

STEP_S = 0.25


class Plug(Protocol):
    """Something whose connection can be cut and restored."""

    async def plug(self) -> None:
        """Serve."""

    async def unplug(self) -> None:
        """Drop every connection and refuse new ones."""


async def serve(seed: int, site: str) -> None:
    """Run the workshop, and what the site has more, until stdin ends."""
    workshop = Workshop(seed)
    bus, cell = MeterBus(workshop), CncCell(workshop)
    workshop.advance(STEP_S)
    await bus.plug()
    await cell.start()
    ports, lines, more = {"meter": bus.port, "cell": cell.port}, {}, None
    if site == "mixed":
        from ganpo_demo.mixed import MixedSite

        more = MixedSite(seed + 1)
        await more.start()
        ports["secured"], lines = more.cell.port, more.lines
    _answer({"ports": ports, "lines": lines})
    async with asyncio.TaskGroup() as group:
        group.create_task(_run(workshop, cell, more), name="workshop")
        await _obey(bus, cell)
        os._exit(0)  # closes every socket at once; nothing in here is worth an orderly end


async def _run(workshop: Workshop, cell: CncCell, more: "MixedSite | None") -> None:
    loop = asyncio.get_running_loop()
    due = loop.time()
    while True:
        due = max(due + STEP_S, loop.time())
        await asyncio.sleep(due - loop.time())
        workshop.advance(STEP_S)
        await cell.show()
        if more is not None:
            await more.advance(STEP_S)


async def _obey(bus: MeterBus, cell: CncCell) -> None:
    plugs: dict[str, Plug] = {"meter": bus, "cell": cell}
    lines = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(lines), sys.stdin)
    while line := await lines.readline():
        match line.decode().split():
            case ["plug", name]:
                await plugs[name].plug()
                _answer(None)
            case ["unplug", name]:
                await plugs[name].unplug()
                _answer(None)
            case ["truth", ms]:
                _answer(bus.truth(int(ms)))


def _answer(value: Any) -> None:
    sys.stdout.write(json.dumps(value) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(serve(int(sys.argv[1]), sys.argv[2]))
