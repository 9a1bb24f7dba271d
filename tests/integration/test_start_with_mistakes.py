"""`ganpo run` with a bad file: the last good configuration runs and that is told; SIGHUP takes the mended one."""

import json
import signal
import subprocess
import time
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest

from ganpo_demo.loopback import free_port
from support.configs import BUS, HEAD, meter
from support.processes import BIN, end

GOOD = BUS + meter('ct = "400/5"\nreads = "secondary"')


class Run:
    """The process; `health` waits until it answers."""

    def __init__(self, folder: Path) -> None:
        self.file = folder / "agent.toml"
        self.log = folder / "log"
        self.port = free_port()
        self.head = HEAD.replace("/var/lib/ganpo", str(folder / "state")).replace(
            "[uplink]", f'http = "127.0.0.1:{self.port}"\n[uplink]'
        )
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, text: str, *more: str) -> None:
        self.file.write_text(self.head + text)
        with self.log.open("w") as log:
            command = [str(BIN / "ganpo"), "run", "--config", str(self.file), *more]
            self.process = subprocess.Popen(command, stderr=log)

    def stop(self, number: int = signal.SIGTERM) -> int:
        assert self.process is not None
        process, self.process = self.process, None
        return end(process, number, 30)

    def configuration(self, *, ok: bool) -> dict[str, Any]:
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


@pytest.mark.timeout(120)
def test_the_last_good_one_runs_until_the_file_is_mended(tmp_path: Path) -> None:
    run = Run(tmp_path)
    try:
        run.start(GOOD.replace("400/5", "400"))
        assert run.stop(0) == 1, "nothing good was ever there"
        assert "400" in run.log.read_text()
        run.start(GOOD)
        assert run.configuration(ok=True)["errors"] == []
        assert run.stop() == 0
        assert (tmp_path / "state" / "last-good" / "agent.toml").read_text() == run.file.read_text()

        run.start(GOOD.replace("400/5", "400"))
        told = run.configuration(ok=False)["errors"]
        assert "the last good configuration runs, of 20" in told[0]
        assert "no ratio like 400/5" in told[1]
        assert told[0] in run.log.read_text()
        run.file.write_text(run.head + GOOD.replace("400/5", "600/5"))
        assert run.process is not None
        run.process.send_signal(signal.SIGHUP)
        assert run.configuration(ok=True)["errors"] == []
        assert run.stop() == 0
        assert "600/5" in (tmp_path / "state" / "last-good" / "agent.toml").read_text()

        run.start(GOOD.replace("400/5", "400"), "--strict")
        assert run.stop(0) == 1
        assert "1 errors: not started" in run.log.read_text()
    finally:
        if run.process is not None:
            run.stop()
