"""SIGKILL of agent, broker and collector in random order: every promised frame is stored, once, unaltered (I4, I5)."""

import random
import signal
import sqlite3
import subprocess
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from ganpo_cloud.imports import registry
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_demo.loopback import free_port
from ganpo_model.registers import StepKind, standing
from support.appending import Appender
from support.broker import Mosquitto
from support.campaign import rounds
from support.processes import BIN, end

EACH = rounds(2, 7)
"""Kills of each of the three."""
ENTERPRISE = "91360000625912173B"


class CollectorProcess:
    """`ganpo-cloud run` on one database, restarted at will."""

    def __init__(self, folder: Path, broker: str) -> None:
        self.database = folder / "cloud.db"
        self.config = folder / "cloud.toml"
        self.config.write_text(
            f'format = 1\n[broker]\nurl = "{broker}"\nback_off_max_s = 2\n[database]\nurl = "sqlite:///{self.database}"\n'
            f'[http]\nlisten = "127.0.0.1:{free_port()}"\n'
        )
        database = Database(DatabaseSettings(url=f"sqlite:///{self.database}"))
        registry.add(database, "gw-test-0001", ENTERPRISE, "plant-1")
        database.close()
        self.start()

    def start(self) -> None:
        self.process = subprocess.Popen(
            [BIN / "ganpo-cloud", "run", "--config", self.config], stderr=subprocess.DEVNULL
        )

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)


def stored(path: Path) -> dict[tuple[str, int], list[int]]:
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    found: dict[tuple[str, int], list[int]] = {}
    for stream, seq, crc32 in db.execute("SELECT stream, seq, crc32 FROM frame"):
        found.setdefault((stream, seq), []).append(crc32)
    db.close()
    return found


def followed(path: Path) -> bool:
    """Whether the days have come as far as the readings."""
    db = sqlite3.connect(f"file:{path}?mode=ro", uri=True)
    states = dict(db.execute("SELECT register, state FROM register_day ORDER BY day"))
    highest = db.execute("SELECT register, max(raw) FROM reading GROUP BY register").fetchall()
    db.close()
    return bool(highest) and all(
        register in states and standing(states[register]).total == raw for register, raw in highest
    )


def until(true: Callable[[], bool], seconds: float = 60) -> None:
    """Wait, at most so long: what is asserted afterwards tells what did not come."""
    deadline = time.monotonic() + seconds
    while not true() and time.monotonic() < deadline:
        time.sleep(0.2)


@pytest.mark.campaign
@pytest.mark.timeout(240)
def test_kills_of_agent_broker_and_collector_lose_nothing_and_count_nothing_twice(tmp_path: Path) -> None:
    rng = random.Random(20261125)
    with Mosquitto(tmp_path) as broker, ExitStack() as ends:
        collector = CollectorProcess(tmp_path, broker.url)
        ends.callback(collector.kill)
        appender = Appender(tmp_path / "state", broker.url)
        ends.callback(appender.kill)
        until(lambda: len(stored(collector.database)) > 0)
        victims = ["agent", "broker", "collector"] * EACH
        rng.shuffle(victims)
        for victim in victims:
            time.sleep(rng.uniform(0.5, 2.0))
            if victim == "agent":
                appender.kill()
                appender.start()
            elif victim == "broker":
                broker.kill()
                time.sleep(rng.uniform(0, 1))
                broker.start()
            else:
                collector.kill()
                time.sleep(rng.uniform(0, 1))
                collector.start()
        until(lambda: len(appender.promised) > 100)
        appender.finish()
        promised = appender.promised
        until(lambda: set(promised) <= set(stored(collector.database)))
        found = stored(collector.database)
        until(lambda: followed(collector.database))
        end(collector.process, signal.SIGTERM)
    lost = set(promised) - set(found)
    assert not lost, f"{len(lost)} of {len(promised)} promised frames are not stored"
    assert len(promised) > 100
    assert all(found[key] == [crc32] for key, crc32 in promised.items()), "stored once, unaltered"
    db = sqlite3.connect(collector.database)
    for number in range(20):
        register = f"M-{number}/energy_import#{number:08x}"
        low, high = db.execute(
            "SELECT min(raw), max(raw) FROM reading WHERE register = ?", (register,)
        ).fetchone()
        assert high >= appender.raw
        states = db.execute(
            "SELECT state FROM register_day WHERE register = ? ORDER BY day", (register,)
        ).fetchall()
        assert states, register
        assert standing(states[-1][0]).total == high, "the register's total is the truth"
        steps = db.execute("SELECT steps FROM register_day WHERE register = ?", (register,)).fetchall()
        assert all(f'"{StepKind.OPEN}"' not in text for (text,) in steps)
        assert low >= 1
    db.close()
