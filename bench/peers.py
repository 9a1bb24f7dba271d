"""Telegraf beside us, where `make peers` has built it: reads the same device, publishes to the same broker."""

import os
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
TELEGRAF = ROOT / "build" / "peers" / "telegraf"
MISSING = "  Telegraf: not built here (make peers, where Go is): its column is left out"
_TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid: int) -> float:
    """CPU that a process has taken so far, in seconds, in all its threads."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


@contextmanager
def telegraf(folder: Path, inputs: Sequence[str], broker: str) -> Iterator[int]:
    """Run it once a second with these lines of `inputs`, to `broker` at QoS 1, as it comes; gives its pid."""
    config = folder / "telegraf.conf"
    output = ["[[outputs.mqtt]]", f'servers = ["{broker}"]', 'topic = "telegraf"', "qos = 1"]
    agent = ["[agent]", 'interval = "1s"', 'flush_interval = "1s"', "omit_hostname = true"]
    config.write_text("\n".join([*agent, *output, 'data_format = "influx"', *inputs]), encoding="utf-8")
    with (folder / "telegraf.log").open("wb") as log:
        process = subprocess.Popen([TELEGRAF, "--config", config], stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(20)
