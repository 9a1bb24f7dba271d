"""The demo as a person runs it: its command in a process of its own."""

import http.client
import json
import re
import signal
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ganpo_demo.loopback import free_port
from support import writes
from support.processes import BIN


def alive(pid: int) -> bool:
    """Whether a process runs: one that ended and waits to be collected does not."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


class Demo:
    """`ganpo-demo ARGS` on a free port, with `folder` for its temporary files; `with` ends it."""

    def __init__(self, folder: Path, *args: object, fleet: bool = False, **env: str) -> None:
        """`fleet`: with the invented province, which takes a core for minutes."""
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}/"
        self._folder = folder
        self._out = folder.with_suffix(".out")
        folder.mkdir()
        with self._out.open("w") as out:
            self.process = subprocess.Popen(
                [
                    str(BIN / "ganpo-demo"),
                    *("--port", str(self.port), "--fleet" if fleet else "--no-fleet"),
                    *map(str, args),
                ],
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**writes.environment(), "TMPDIR": str(folder), "PYTHONUNBUFFERED": "1", **env},
            )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)

    @property
    def told(self) -> str:
        """Everything it wrote so far."""
        return self._out.read_text()

    @property
    def child(self) -> int:
        """The process of the simulated devices."""
        pid = self.process.pid
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        (child,) = (c for c in children if b"ganpo_demo.devices" in Path(f"/proc/{c}/cmdline").read_bytes())
        return int(child)

    def wait_for(self, pattern: str, seconds: float = 60.0) -> re.Match[str]:
        """Wait until it wrote something like `pattern`."""
        deadline = time.monotonic() + seconds
        while (found := re.search(pattern, self.told)) is None:
            assert self.process.poll() is None, f"it ended:\n{self.told}"
            assert time.monotonic() < deadline, f"never told {pattern!r}:\n{self.told}"
            time.sleep(0.05)
        return found

    def get(self, path: str) -> Any:
        """What the page answers: JSON, else text."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read().decode()
            assert answer.status == http.HTTPStatus.OK, body
            return json.loads(body) if "json" in answer.headers["content-type"] else body
        finally:
            connection.close()

    def end(self, number: int = signal.SIGTERM, within_s: float = 5.0) -> int:
        """Send a signal and wait for the end; one that takes longer is a failure."""
        self.process.send_signal(number)
        return self.process.wait(within_s)

    def left(self) -> list[str]:
        """What it left in its temporary folder."""
        return sorted(path.name for path in self._folder.rglob("*"))

    def refuses(self) -> bool:
        """Whether nobody listens at its port any more."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.connect()
        except ConnectionRefusedError:
            return True
        finally:
            connection.close()
        return False
