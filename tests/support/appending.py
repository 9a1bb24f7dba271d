"""The appender process as a test holds it: killed and started again on its own outbox."""

import signal
import threading
from pathlib import Path

from support.processes import TESTS, end, python


class Appender:
    """The appender process, restarted on its own outbox; `promised` collects what its lines say."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.promised: dict[tuple[str, int], int] = {}
        self.raw = 0
        self._folder, self._broker = folder, broker
        self.start()

    def start(self) -> None:
        self._speaks = threading.Event()
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
                self._speaks.set()

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)
        self._reader.join(10)
        assert self.process.stdout is not None
        self.process.stdout.close()

    def finish(self) -> None:
        """In order: the process leaves once everything is acknowledged."""
        assert self._speaks.wait(60), "it never came as far as to hear SIGTERM"
        assert end(self.process, signal.SIGTERM, 60) == 0
        self._reader.join(10)
