"""A list of 100,000 devices as a file: seconds, first byte, memory of the pages' process; and the ingest meanwhile.

A gateway sends a reading every 0.2 s, first alone, then beside a reader who downloads the workbook again and again.
"""

import http.client
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from filling import fill
from flood import Sending, started
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import DatabaseSettings
from measure import Figure
from support.broker import Mosquitto

GOALS = {"xlsx": "   goal <= 4 s", "csv": "", "json": ""}


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    devices, runs, seconds = (2_000, 1, 3.0) if short else (100_000, 5, 30.0)
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name)) as broker, ExitStack() as at_end:
        database = Database(DatabaseSettings(url=f"sqlite:///{name}/cloud.db"))
        fill(database, devices, datetime.now(UTC))
        database.close()
        cloud = started(Path(name), broker.url)
        at_end.callback(cloud.end)
        port, pid = int(cloud.url.rpartition(":")[2]), cloud.health()[1]["pages"]["pid"]
        _download(port, "xlsx", 10)
        for form, goal in GOALS.items():
            taken = [_watched(pid, partial(_download, port, form, devices)) for _ in range(runs)]
            size = taken[-1][1] / 1e6
            yield (
                str(Figure(f"{devices:,} devices, {form} of {size:.1f} MB", [one[0] for one in taken], "s"))
                + goal
            )
            yield str(Figure("  its first byte", [one[2] for one in taken], "s"))
            yield str(Figure("  memory of the pages more than before", [one[3] for one in taken], "MB")) + (
                "   goal <= 30 MB" if form == "xlsx" else ""
            )
        good = Sending(broker.port, cloud.path, every_s=0.2)
        at_end.callback(good.stop)
        time.sleep(2)
        yield from good.watched("no reader", seconds)
        over = threading.Event()
        reader = threading.Thread(target=_until, args=(over, partial(_download, port, "xlsx", devices)))
        reader.start()
        yield from good.watched("beside a reader of workbooks", seconds, " goal ack p95 <= 0.3 s")
        over.set()
        reader.join()


def _download(port: int, form: str, limit: int) -> tuple[int, float]:
    """How many bytes came, and when the first did, in seconds."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    began = time.perf_counter()
    connection.request("GET", f"/api/v1/equipment?format={form}&lang=zh&limit={limit}")
    answer = connection.getresponse()
    assert answer.status == http.HTTPStatus.OK
    first, size = None, 0
    while part := answer.read1(1 << 16):
        first = first or time.perf_counter() - began
        size += len(part)
    connection.close()
    return size, first or 0.0


def _watched(pid: int, download: Callable[[], tuple[int, float]]) -> tuple[float, int, float, float]:
    """Seconds, bytes, seconds to the first byte, and MB that the process held more than before."""
    before, most, over = _held(pid), 0.0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(0.02):
            most = max(most, _held(pid))

    watching = threading.Thread(target=watch)
    watching.start()
    began = time.perf_counter()
    size, first = download()
    taken = time.perf_counter() - began
    over.set()
    watching.join()
    return taken, size, first, max(most - before, 0.0)


def _held(pid: int) -> float:
    """Resident memory of a process in MB."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * 4096 / 1e6


def _until(over: threading.Event, work: Callable[[], object]) -> None:
    while not over.is_set():
        work()
