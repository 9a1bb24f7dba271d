"""Telegraf beside us, where `make peers` has built it: reads the same device, publishes to the same broker."""

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).parents[1]
TELEGRAF = ROOT / "build" / "peers" / "telegraf"
MISSING = "  Telegraf: not built here (make peers, where Go is): its column is left out"


def cpu_s(pid: int) -> float:
    """CPU that a process has taken so far, in seconds, in all its threads: its own clock, clock_getcpuclockid(3)."""
    return time.clock_gettime(~pid << 3 | 2)


@contextmanager
def telegraf(folder: Path, inputs: Sequence[str], broker: str) -> Iterator[int]:
    """Run it once a second with these lines of `inputs`, to `broker` at QoS 1; gives its pid."""
    config = folder / "telegraf.conf"
    output = ["[[outputs.mqtt]]", f'servers = ["{broker}"]', 'topic = "telegraf"', "qos = 1"]
    output.append('layout = "batch"')  # else a message for each OPC UA value
    agent = ["[agent]", 'interval = "1s"', 'flush_interval = "1s"', "omit_hostname = true"]
    config.write_text("\n".join([*agent, *output, 'data_format = "influx"', *inputs]), encoding="utf-8")
    with (folder / "telegraf.log").open("wb") as log:
        process = subprocess.Popen([TELEGRAF, "--config", config], stdout=log, stderr=log)
        try:
            yield process.pid
        finally:
            process.terminate()
            process.wait(20)
