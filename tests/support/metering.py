"""One meter at a collector: its readings, what they come to, and what waits for a person."""

import shlex
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from ganpo_cloud.cli.main import main
from ganpo_cloud.days import days
from ganpo_cloud.days.consumed import of_carrier
from ganpo_cloud.days.open_items import open_items
from ganpo_cloud.days.reasons import Reason
from ganpo_cloud.imports import registry
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.store.database import Database
from ganpo_model.clock import to_ms
from ganpo_model.facts import CalendarItem, Fact, Inventory, MeterItem, Reading, RegisterItem, SiteItem
from ganpo_model.frame import pack
from support import databases

ENTERPRISE = "91360000625912173B"
GATEWAY = "gw-test-0001"
OLD, NEW = "DB-1/energy_import#0123abcd", "DB-1/energy_import#89ef4567"
START = datetime(2026, 11, 20, 16, 0, tzinfo=UTC)
NOW = START + timedelta(days=4)
QUARTER = timedelta(minutes=15)


class MeteredPlant:
    """One meter at the collector. `rules`: what its registers are judged by, where it is not the usual."""

    def __init__(self, folder: Path, **rules: Any) -> None:
        self.rules = rules
        about = databases.settings(folder)
        self.database = Database(about)
        registry.add(self.database, GATEWAY, ENTERPRISE, "plant-1")
        self.config = folder / "cloud.toml"
        self.config.write_text(f'[database]\nurl = "{about.url}"\n')
        self._seq = 0
        self.send([self.inventory(OLD)])

    def inventory(self, *registers: str, at: datetime = START) -> Inventory:
        items = [
            replace(
                RegisterItem(n, "DB-1", "energy_import", "electricity", "kWh", 1, 100, None, 3600, False),
                **self.rules,
            )
            for n in registers
        ]
        meter = MeterItem("DB-1", "Main meter", "electricity", "boundary_in", None, None)
        site = SiteItem("plant-1", "Plant", "Asia/Shanghai", 900_000)
        return Inventory("inventory", at, site, CalendarItem((), ()), (), (meter,), tuple(items))

    def send(self, facts: list[Fact]) -> None:
        self._seq += 1
        assert ingest(self.database, [(GATEWAY, pack("01HF7YAT00V3RS3DTR98H6BCFN", self._seq, facts))], NOW)

    def read(self, number: str, begin: datetime, *raws: int) -> None:
        """Readings every quarter of an hour."""
        self.send([Reading("reading", number, begin + n * QUARTER, raw) for n, raw in enumerate(raws)])

    def settle(self) -> None:
        while days.recompute(self.database, NOW):
            pass

    def consumption(self) -> tuple[int | None, int, int]:
        """Counts of all that was used, and how many open steps and breaks."""
        self.settle()
        with self.database.read() as connection:
            found = of_carrier(connection, ENTERPRISE, "DB-1", "electricity", to_ms(START), to_ms(NOW))
        assert found is not None
        assert found.millionths is not None
        return found.millionths // 10_000, len(found.open), len(found.breaks)

    def open(self) -> list[Reason]:
        self.settle()
        with self.database.read() as connection:
            return open_items(connection, NOW)

    def type(self, line: str) -> Result:
        """What a person types, word for word."""
        program, *words = shlex.split(line)
        assert program == "ganpo-cloud"
        env = {"GANPO_CLOUD_CONFIG": str(self.config)}
        return CliRunner().invoke(main, words, env=env)
