"""`ganpo run` as a process, whose configuration a test writes."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ganpo_demo.loopback import free_port
from support.configs import HEAD
from support.processes import BIN, end


class Run:
    """`head`: what stands before the text of `start`. `log`: what it said. Leaving `with` stops it."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "agent.toml"
        self.log = folder / "log"
        self.port = free_port()
        self.head = HEAD.replace("/var/lib/ganpo", str(folder / "state")).replace(
            "[uplink]", f'http = "127.0.0.1:{self.port}"\n[uplink]'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def write(self, text: str) -> None:
        """Another configuration."""
        self.file.write_text(self.head + text)

    def start(self, text: str, *more: str) -> None:
        """With this configuration."""
        self.write(text)
        with self.log.open("w") as log:
            command = [str(BIN / "ganpo"), "run", "--config", str(self.file), *more]
            self.process = subprocess.Popen(command, stderr=log)

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Its exit code after a signal; 0: after none."""
        assert self.process is not None
        process, self.process = self.process, None
        return end(process, number, 30)

    def configuration(self, *, ok: bool) -> dict[str, Any]:
        """What `/health` says of it, once that is so."""
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/health", timeout=5) as answer:
                    told = json.load(answer)["configuration"]
            except urllib.error.HTTPError as error:
                with error:
                    told = json.load(error)["configuration"]
            except OSError:
                told = None
            if told is not None and told["ok"] is ok:
                return dict(told)
            time.sleep(0.05)
        raise AssertionError(self.log.read_text())

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        """What `ganpo WORDS --config ...` says."""
        return subprocess.run(
            [str(BIN / "ganpo"), *words, "--config", str(self.file), "--lang", "en"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self.process is not None:
            self.stop()
