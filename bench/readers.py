"""Fifty clients that ask for the overview again and again: how long does a gateway wait for its acknowledgement?

A province of 10,000 devices; a reading every 0.2 s, first without readers, then beside 50, each on a connection of its
own.
"""

import http.client
import signal
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from filling import fill
from flood import Sending, started
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import DatabaseSettings
from support.broker import Mosquitto
from support.processes import end, python

READERS = 50


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    seconds = 3.0 if short else 30.0
    with tempfile.TemporaryDirectory() as name, Mosquitto(Path(name)) as broker, ExitStack() as at_end:
        database = Database(DatabaseSettings(url=f"sqlite:///{name}/cloud.db"))
        fill(database, 1000 if short else 10_000, datetime.now(UTC))
        database.close()
        cloud = started(Path(name), broker.url)
        at_end.callback(cloud.end)
        good = Sending(broker.port, cloud.path, every_s=0.2)
        at_end.callback(good.stop)
        time.sleep(2)
        yield from good.watched("no readers", seconds)
        readers = python(__file__, cloud.url.rpartition(":")[2])
        time.sleep(2)
        yield from good.watched(f"{READERS} readers", seconds, " goal ack p95 <= 0.3 s")
        readers.send_signal(signal.SIGTERM)
        assert readers.stdout is not None
        told = readers.stdout.read().split()
        end(readers)
    yield f"  {'overviews a second; other answers than 200':<46} {int(told[0]) / (seconds + 2):>9.0f}; {told[1]}"


def _read(port: int) -> None:
    """Fifty readers, until SIGTERM; then how many pages they saw, and how many other answers."""
    counts = [0, 0]
    over = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: over.set())

    def read() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        while not over.is_set():
            connection.request("GET", "/overview?lang=en")
            answer = connection.getresponse()
            answer.read()
            counts[answer.status != http.HTTPStatus.OK] += 1
        connection.close()

    threads = [threading.Thread(target=read) for _ in range(READERS)]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        threads[0].join(0.1)
    print(*counts)


if __name__ == "__main__":
    _read(int(sys.argv[1]))
