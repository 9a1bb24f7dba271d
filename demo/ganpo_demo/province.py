"""The parent's hold on the process that fills the demo with an invented province, and the copy that is kept of it."""

import asyncio
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from ganpo_cloud.store import schema
from ganpo_demo.fleet import ZONE
from ganpo_demo.plant import CELL_GATEWAY, METER_GATEWAY

SEED = 20180615


def kept(months: int) -> Path:
    """Where the province that ends yesterday is kept from one start to the next."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    today = datetime.now(UTC).astimezone(ZONE).date()
    return Path(cache, "ganpo-demo", f"province-{SEED}-{months}-{today}-{schema.HEAD}.db")


def reuse(database: Path, months: int) -> bool:
    """Begin with the province that was kept, where there is one of today and of this version."""
    if not kept(months).exists():
        return False
    shutil.copyfile(kept(months), database)
    return True


class Seeding:
    """The process; it is ended with the demo, whatever it does."""

    def __init__(self, database: Path, months: int) -> None:
        self._months = months
        names = (str(database), str(kept(months)), str(SEED), str(months), METER_GATEWAY, CELL_GATEWAY)
        self._process = subprocess.Popen(  # noqa: S603 - our own module, our own interpreter
            [sys.executable, "-m", "ganpo_demo.seeding", *names],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            process_group=0,  # Ctrl-C is for the parent alone
        )

    async def tell(self, echo: Callable[[str], None]) -> None:
        """Tell how far it is, until everything is there; and if it ends before, that."""
        output = self._process.stdout
        if output is None:
            return
        whole = False
        while line := await asyncio.to_thread(output.readline):
            said = json.loads(line)
            if said["recent"]:
                echo(f"the province's last 60 days are there after {said['seconds']:g} s")
            if said["percent"] == 100:
                whole = True
                echo(f"the province's {self._months} months are there after {said['seconds']:g} s")
        if not whole:
            echo("the province could not be filled: its process ended")

    def end(self) -> None:
        """End it. Safe twice."""
        self._process.kill()
        self._process.wait()
        if self._process.stdout is not None:
            self._process.stdout.close()
