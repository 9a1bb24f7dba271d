"""`ganpo-cloud` as a process, and its commands."""

import json
import os
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from ganpo_cloud.cli.main import main
from ganpo_demo.loopback import free_port
from support.gateways import wait_for
from support.processes import BIN, end


class Cloud:
    """`ganpo-cloud` with a cloud.toml of its own."""

    def __init__(self, folder: Path, broker: str, more: str = "") -> None:
        """`more`: further keys of [database]."""
        self.path = folder / "cloud.db"
        self.log = folder / "cloud.log"
        port = free_port()
        self.url = f"http://127.0.0.1:{port}"
        self._file = folder / "cloud.toml"
        self._file.write_text(
            f'[broker]\nurl = "{broker}"\nback_off_max_s = 1\n'
            f'[database]\nurl = "sqlite:///{self.path}"\n{more}\n[http]\nlisten = "127.0.0.1:{port}"\n'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def type(self, *words: str) -> Result:
        """A command, in the process of the test: another one than the collector's."""
        return CliRunner().invoke(main, [*words, "--config", str(self._file)])

    def start(self, *words: str, **env: str) -> None:
        with self.log.open("w") as log:
            command = [str(BIN / "ganpo-cloud"), "run", "--config", str(self._file), *words]
            self.process = subprocess.Popen(command, stderr=log, env={**os.environ, **env})

    def ready(self) -> None:
        """Wait until it says that all is well."""

        def well() -> bool:
            assert self.process is not None
            assert self.process.poll() is None, self.log.read_text()
            return self.health()[0] == 200

        wait_for(well, 120)

    def health(self) -> tuple[int, dict[str, Any]]:
        try:
            with urllib.request.urlopen(f"{self.url}/health", timeout=5) as answer:
                return answer.status, json.load(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.load(error)
        except OSError:
            return 0, {}

    def end(self) -> tuple[int, float]:
        """SIGTERM; exit code, and how many seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        code = end(self.process, signal.SIGTERM, 20)
        return code, time.monotonic() - began

    def kill(self) -> None:
        """SIGKILL."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait(10)
