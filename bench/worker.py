"""One side of a comparison: what the code of a checkout does, asked for on standard input (sides.py).

The checkout's own interpreter runs it, that of the commit before and that of today alike. So it goes through what both
have - the commands, frames, `computing.settle`, requests over HTTP - and `named` knows where a name lay and lies.

python worker.py CHECKOUT; a line of JSON `[function, arguments]` in, a line with what it gave out.
"""

import asyncio
import gc
import importlib
import io
import json
import os
import sys
import time
from contextlib import redirect_stderr, redirect_stdout
from datetime import UTC, date, datetime, timedelta
from importlib.metadata import entry_points
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from ganpo_model import credit_code
from ganpo_model.facts import CalendarItem, EquipmentItem, Inventory, SiteItem, States
from ganpo_model.frame import pack
from ganpo_model.states import State

DAY = date(2026, 11, 24)
MIDNIGHT = datetime(2026, 11, 23, 16, tzinfo=UTC)
"""In Shanghai that day begins."""
SLOT = timedelta(minutes=15)
SLOTS = 96
MACHINES = 30
"""Of a gateway: a frame a slot, with so many facts."""
BATCH = 64
_STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
_RUNS = ((0, State.IDLE), (100_000, State.PRODUCING), (700_000, State.HELD))


def named(*places: str) -> Any:
    """The first `module:name` that this checkout has: today's place, else the one before."""
    for place in places:
        module, _, name = place.partition(":")
        try:
            return getattr(importlib.import_module(module), name)
        except ModuleNotFoundError:
            continue
    raise LookupError(places)


def database(url: str) -> Any:
    """The database, opened; its tables are made where there are none."""
    kind = named("ganpo_cloud.store.database:Database", "ganpo_cloud.database:Database")
    settings = named("ganpo_cloud.store.settings:DatabaseSettings", "ganpo_cloud.settings:DatabaseSettings")
    return kind(settings(url=url))


def register(url: str, gateways: int) -> None:
    """A province of so many enterprises, each with a gateway that describes its machines; worked out to the end."""
    load = named("ganpo_cloud.province.divisions:load", "ganpo_cloud.divisions:load")
    counties = [n for n, rows in load().areas.items() if rows[-1].kind == "county" and rows[-1].until is None]
    codes = [credit_code.completed(f"91360000{n:08d}") for n in range(gateways)]
    with TemporaryDirectory() as folder:
        config = Path(folder, "cloud.toml")
        config.write_text(f'[broker]\nurl = "mqtt://127.0.0.1:1"\n[database]\nurl = "{url}"\n')
        lists = {
            "enterprises": [
                "code,name,parent,area,industry,gbt4754,above_scale,since",
                *(
                    f"{code},Bench,,{counties[n % len(counties)]},NONFERROUS,3211,yes,2021-01-01"
                    for n, code in enumerate(codes)
                ),
            ],
            "equipment": [
                "enterprise,site,asset_no,name,status,since",
                *(
                    f"{code},plant-1,{name},{name},in_use,2021-01-01"
                    for code in codes
                    for name in _machines()
                ),
            ],
        }
        lists["sites"] = [
            "enterprise,site,name,area,timezone",
            *(
                f"{code},plant-1,Bench,{counties[n % len(counties)]},Asia/Shanghai"
                for n, code in enumerate(codes)
            ),
        ]
        for kind in ("enterprises", "sites", "equipment"):
            Path(folder, f"{kind}.csv").write_text("\n".join(lists[kind]) + "\n")
            _type("import", kind, str(Path(folder, f"{kind}.csv")), "--config", str(config))
        for n, code in enumerate(codes):
            add = ("gateway", "add", _gateway(n), "--enterprise", code, "--site", "plant-1")
            _type(*add, "--config", str(config))
    site = SiteItem("plant-1", "Bench", "Asia/Shanghai", 900_000)
    items = tuple(
        EquipmentItem(n, n, "bench", tuple(State), (), (), "in_use", None, None) for n in _machines()
    )
    says = Inventory("inventory", MIDNIGHT, site, CalendarItem((), ()), items, (), ())
    _store(url, [(_gateway(n), pack(_STREAM, 1, [says])) for n in range(gateways)], MIDNIGHT)
    settle(url)


def store(url: str, gateways: int, first: int, slots: int) -> float:
    """Facts a second: the slots from `first` on of every machine, three runs each, a frame a gateway and slot."""
    frames = []
    for slot in range(first, first + slots):
        frame = _frame(slot)
        frames += [(_gateway(n), frame) for n in range(gateways)]
    seconds = _store(url, frames, MIDNIGHT + (first + slots) * SLOT)
    return len(frames) * MACHINES / seconds


def settle(url: str, slots: int = SLOTS) -> float:
    """Seconds until nothing is dirty: days, then ledgers, then sums. So many slots of the day are over."""
    from ganpo_cloud import computing

    province = named("ganpo_cloud.province.divisions:load", "ganpo_cloud.divisions:load")()
    opened = database(url)
    gc.collect()
    began = time.perf_counter()
    computing.settle(opened, province, MIDNIGHT + slots * SLOT + timedelta(minutes=1))
    seconds = time.perf_counter() - began
    opened.close()
    return seconds


def live(url: str, gateways: int, first: int, slots: int, speed: float) -> dict[str, float]:
    """The collector's own loop beside frames that come in, in time that runs `speed` times as fast.

    Each gateway sends a frame a slot, all of them evenly over it. Gives seconds of the processor, and in seconds of the
    faster time how late a frame was stored at most (`late_s`), and by how much the oldest day row was older than a slot
    in the last one: how far pages are behind (`behind_s`).
    """
    return asyncio.run(_live(url, gateways, first, slots, speed))


class _Clock:
    """Begins at an instant and runs faster."""

    def __init__(self, begin: datetime, speed: float) -> None:
        self._begin, self._speed, self._began = begin, speed, time.monotonic()

    def utc(self) -> datetime:
        return self._begin + timedelta(seconds=self._speed * (time.monotonic() - self._began))

    def monotonic(self) -> float:
        return self._speed * time.monotonic()

    def trusted(self) -> bool:
        return True


async def _live(url: str, gateways: int, first: int, slots: int, speed: float) -> dict[str, float]:
    from sqlalchemy import text

    from ganpo_cloud import computing

    ingest = named("ganpo_cloud.inlet.ingest:ingest", "ganpo_cloud.ingest:ingest")
    load = named("ganpo_cloud.province.divisions:load", "ganpo_cloud.divisions:load")
    opened, frames = database(url), {slot: _frame(slot) for slot in range(first, first + slots)}
    due = [
        (MIDNIGHT + (slot + 1 + n / gateways) * SLOT, _gateway(n), slot)
        for slot in range(first, first + slots)
        for n in range(gateways)
    ]
    oldest = text(f"SELECT min(computed_at) FROM day WHERE day = '{DAY}'")
    late, behind, used = 0.0, 0.0, time.process_time()
    clock = _Clock(due[0][0], speed)
    loop = asyncio.create_task(computing.run(opened, load(), clock))
    while due:
        if (now := clock.utc()) < due[0][0]:
            await asyncio.sleep((due[0][0] - now).total_seconds() / speed)
            continue
        batch = [one for one in due[:BATCH] if one[0] <= now]
        del due[: len(batch)]
        await asyncio.to_thread(ingest, opened, [(one, frames[slot]) for _, one, slot in batch], now)
        late = max(late, (clock.utc() - batch[0][0]).total_seconds())
        if batch[-1][2] == first + slots - 1:
            with opened.read() as connection:
                computed = connection.execute(oldest).scalar_one()
            behind = max(behind, clock.utc().timestamp() - computed / 1000 - SLOT.total_seconds())
    used = time.process_time() - used
    loop.cancel()
    await asyncio.gather(loop, return_exceptions=True)
    opened.close()
    return {"cpu_s": used, "late_s": late, "behind_s": behind}


def province(url: str, devices: int) -> None:
    """A province as the checkout's own benchmark of it makes one."""
    opened = database(url)
    named("filling:fill", "province:fill")(opened, devices)
    opened.close()


def serve(url: str) -> str:
    """Where pages and API of a database answer from now on, as long as this process lives."""
    create_app = named("ganpo_cloud.web.application:create_app", "ganpo_cloud.web:create_app")
    served = importlib.import_module("support.serving").Served
    clock = importlib.import_module("support.plants").TestClock(wall=datetime(2026, 11, 28, 2, tzinfo=UTC))
    where = served(create_app(database(url), clock))
    return str(where.__enter__().url)


def _store(url: str, frames: list[tuple[str, bytes]], now: datetime) -> float:
    ingest = named("ganpo_cloud.inlet.ingest:ingest", "ganpo_cloud.ingest:ingest")
    opened = database(url)
    gc.collect()
    began = time.perf_counter()
    for first in range(0, len(frames), BATCH):
        batch = frames[first : first + BATCH]
        assert len(ingest(opened, batch, now)) == len(batch)
    seconds = time.perf_counter() - began
    opened.close()
    return seconds


def _type(*words: str) -> None:
    """A command of `ganpo-cloud`, in this process."""
    (command,) = entry_points(group="console_scripts", name="ganpo-cloud")
    said = io.StringIO()
    try:
        with redirect_stdout(said), redirect_stderr(said):
            command.load().main(words, standalone_mode=False)
    except BaseException:
        print(said.getvalue(), file=sys.stderr)
        raise


def _frame(slot: int) -> bytes:
    """What a gateway sends of a slot."""
    start = MIDNIGHT + slot * SLOT
    return pack(_STREAM, slot + 2, [States("states", n, start, start + SLOT, _RUNS) for n in _machines()])


def _machines() -> list[str]:
    return [f"SB-{n:04d}" for n in range(MACHINES)]


def _gateway(n: int) -> str:
    return f"gw-bench-{n:05d}"


def main() -> None:
    """Answer until standard input ends; what anything else prints goes to the errors."""
    checkout = Path(sys.argv[1])
    sys.path[0:1] = [str(checkout / "bench"), str(checkout / "tests")]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    for line in sys.stdin:
        function, arguments = json.loads(line)
        print(json.dumps(globals()[function](**arguments)), file=answers, flush=True)
    os._exit(0)


if __name__ == "__main__":
    main()
