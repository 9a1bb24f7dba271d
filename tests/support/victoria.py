"""A real VictoriaMetrics on a free loopback port: the InfluxDB v2 endpoint of the tests."""

import json
import os
import shutil
import signal
import subprocess
import time
from datetime import datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from ganpo_demo.loopback import free_port

Series = dict[tuple[tuple[str, str], ...], dict[int, int]]
"""By its sorted labels: values by ms since 1970."""


class Victoria:
    """`with` starts it; `kill` is SIGKILL, `freeze` SIGSTOP; it keeps its files until `wipe`."""

    def __init__(self, folder: Path) -> None:
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self._data = folder / "victoria"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it and wait until it answers."""
        self._process = subprocess.Popen(
            [
                shutil.which("victoria-metrics") or "/usr/bin/victoria-metrics",
                f"-httpListenAddr=127.0.0.1:{self.port}",
                f"-storageDataPath={self._data}",
                "-dedup.minScrapeInterval=1ms",
                "-retentionPeriod=10y",
                "-memory.allowedBytes=64MB",
            ],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        deadline = time.monotonic() + 20
        while True:
            try:
                httpx.get(f"{self.url}/health", timeout=1)
            except httpx.TransportError:
                assert time.monotonic() < deadline
                assert self._process.poll() is None
                time.sleep(0.05)
            else:
                return

    def kill(self) -> None:
        """SIGKILL, as a power cut would."""
        assert self._process is not None
        self._process.send_signal(signal.SIGKILL)
        self._process.wait(10)
        self._process = None

    def freeze(self) -> None:
        """SIGSTOP: it takes connections and says nothing."""
        assert self._process is not None
        os.kill(self._process.pid, signal.SIGSTOP)

    def wipe(self) -> None:
        """Begin with empty files."""
        self.kill()
        shutil.rmtree(self._data)
        self.start()

    def series(self, name: str) -> Series:
        """Everything of one `measurement_field`."""
        httpx.get(f"{self.url}/internal/force_flush", timeout=10)
        selector = {"match[]": f'{{__name__="{name}"}}'}
        answer = httpx.get(f"{self.url}/api/v1/export", params=selector, timeout=20)
        found: Series = {}
        for line in answer.text.splitlines():
            item = json.loads(line)
            labels = tuple(sorted((k, v) for k, v in item["metric"].items() if k not in ("__name__", "db")))
            values = dict(zip(item["timestamps"], item["values"], strict=True))
            found.setdefault(labels, {}).update(values)
        return found

    def newest(self, name: str, midnight: datetime, days: int) -> Series:
        """The newest point of each of `days` days from a local midnight, as docs/collector.md asks for them."""
        httpx.get(f"{self.url}/internal/force_flush", timeout=10)
        query: dict[str, str | float] = {
            "query": f"last_over_time({name}[1d] offset -1d)",
            "start": midnight.timestamp(),
            "end": (midnight + timedelta(days=days - 1)).timestamp(),
            "step": "1d",
            "nocache": "1",
        }
        answer = httpx.get(f"{self.url}/api/v1/query_range", params=query, timeout=20).json()
        found: Series = {}
        for item in answer["data"]["result"]:
            labels = tuple(sorted((k, v) for k, v in item["metric"].items() if k not in ("__name__", "db")))
            found[labels] = {int(at * 1000): int(float(value)) for at, value in item["values"]}
        return found

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process is not None:
            self.kill()
