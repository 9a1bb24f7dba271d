"""Agent and broker killed in random order: every promised frame arrives, unaltered (I4)."""

import random
import signal
import threading
import time
from pathlib import Path

from support.broker import Mosquitto
from support.collecting import PlayedCollector
from support.processes import TESTS, end, python


class Appender:
    """The appender process, restarted on its own outbox; `promised` collects what its lines say."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.promised: dict[tuple[str, int], int] = {}
        self.raw = 0
        self._folder, self._broker = folder, broker
        self.start()

    def start(self) -> None:
        script = TESTS / "support" / "appender.py"
        self.process = python(script, self._folder, self._broker, 10, 20, self.raw)
        self._reader = threading.Thread(target=self._read, args=(self.process.stdout,))
        self._reader.start()

    def _read(self, lines: object) -> None:
        for line in lines:  # type: ignore[attr-defined]
            if line.endswith("\n"):
                stream, seq, crc32, raw = line.split()
                self.promised[stream, int(seq)] = int(crc32)
                self.raw = max(self.raw, int(raw))

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def finish(self) -> None:
        """In order: the process leaves once everything is acknowledged."""
        assert end(self.process, signal.SIGTERM, 60) == 0
        self._reader.join(10)


def test_frames_survive_kills_of_agent_and_broker(tmp_path: Path) -> None:
    rng = random.Random(20261125)
    with Mosquitto(tmp_path) as broker:
        collector = PlayedCollector(broker.port)
        appender = Appender(tmp_path / "state", broker.url)
        for victim in rng.sample(["agent", "broker"] * 4, 8):
            time.sleep(rng.uniform(0.3, 1.5))
            if victim == "agent":
                appender.kill()
                appender.start()
            else:
                broker.kill()
                time.sleep(rng.uniform(0, 0.5))
                broker.start()
        time.sleep(2)
        appender.finish()
        collector.wait_for(lambda: set(appender.promised) <= set(collector.frames), 30)
        assert len(appender.promised) > 20
        collector.stop()
