"""A process of the real outbox and uplink that appends frames and says on stdout which are promised.

    python appender.py STATE_DIR BROKER_URL FRAMES_PER_SECOND FACTS_PER_FRAME FIRST

Every line is `stream seq crc32 raw`: written after `append` returned, so whatever happens then, the frame must
arrive. Registers `M-<i>/energy_import#0000000<i>` stand at the counter `raw`, which goes on from FIRST.
"""

import asyncio
import random
import signal
import sys
from pathlib import Path

from ganpo_agent.keeping.keeper import Keeper
from ganpo_agent.keeping.outbox import Outbox, Row
from ganpo_agent.timekeeper import GatewayClock, Timekeeper
from ganpo_agent.uplink.uplink import Uplink
from ganpo_model.clock import floor_ms
from ganpo_model.facts import Reading
from ganpo_model.frame import crc32_of
from support.plants import PlantBuilder


def register(number: int) -> str:
    """The id of the appender's register `number`."""
    return f"M-{number}/energy_import#{number:08x}"


async def main(folder: Path, broker: str, rate: float, facts: int, first: int) -> None:
    """Append until SIGTERM."""
    builder = PlantBuilder(folder, broker, uplink={"repeat_s": 2, "live_s": 2})
    builder.connection("bus")
    for number in range(facts):
        builder.meter("bus", f"M-{number}", f"r{number}", register(number), max_rate=360_000)
    plant = builder.build()
    time = Timekeeper(GatewayClock())
    outbox = Outbox(folder, 64)
    outbox.open()
    raw = first

    def promised(row: Row) -> None:
        uplink.appended(row)
        print(row.stream, row.seq, crc32_of(row.packed), raw, flush=True)

    rng = random.Random()
    uplink = Uplink(plant, time, rng, lambda: {"connections": {}, "subjects": {}, "versions": {}})
    keeper = Keeper(outbox, time, rng, promised)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    tasks = [asyncio.create_task(keeper.run()), asyncio.create_task(uplink.run(keeper))]
    keeper.put([plant.inventory(floor_ms(time.now()))])
    due = loop.time()
    while not stop.is_set():
        raw += 1
        at = floor_ms(time.now())
        keeper.put([Reading("reading", register(n), at, raw) for n in range(facts)])
        due += 1 / rate
        await asyncio.sleep(max(due - loop.time(), 0))
    await keeper.flush()
    while outbox.counts()[0]:
        await asyncio.sleep(0.05)
    for task in tasks:
        task.cancel()
    await asyncio.wait(tasks)


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1]), sys.argv[2], float(sys.argv[3]), int(sys.argv[4]), int(sys.argv[5])))
