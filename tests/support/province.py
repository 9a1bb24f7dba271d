"""A collector of a province that a test fills with lists and facts."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime

from ganpo_cloud import computing
from ganpo_cloud.days import days
from ganpo_cloud.imports.importing import apply, preview
from ganpo_cloud.imports.kinds import KINDS
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.province.divisions import load
from ganpo_cloud.store.database import Database
from ganpo_model.facts import CalendarItem, EquipmentItem, Event, EventKind, Fact, Inventory, SiteItem
from ganpo_model.frame import pack
from ganpo_model.states import State

CODES = ("91360000625912173B", "914403001922038216", "9144030071526726XG", "91350100M000100Y43")
NOW = datetime(2026, 11, 28, 2, 0, tzinfo=UTC)
STREAM = "01HF7YAT00V3RS3DTR98H6BCFN"
PROVINCE = load()


def listed(kind: str, rows: Iterable[str]) -> list[dict[str, str]]:
    """The rows of a list as a person reads them: what a plain loop counts."""
    return [dict(zip(KINDS[kind].columns, row.split(","), strict=False)) for row in rows]


@dataclass
class Plant:
    """A collector that a test fills with lists and facts."""

    database: Database
    seqs: dict[str, int] = field(default_factory=dict)

    def take(self, kind: str, *rows: str, now: datetime = NOW) -> None:
        self.take_text(kind, "\n".join([",".join(KINDS[kind].columns), *rows]), now)

    def take_text(self, kind: str, text: str, now: datetime = NOW) -> None:
        with self.database.write() as connection:
            found = preview(connection, kind, text.encode(), f"{kind}.csv", PROVINCE, now)
            assert found.errors == ()
            apply(connection, found, now.date())

    def send(self, gateway: str, facts: list[Fact], now: datetime = NOW) -> None:
        self.seqs[gateway] = self.seqs.get(gateway, 0) + 1
        assert ingest(self.database, [(gateway, pack(STREAM, self.seqs[gateway], facts))], now)
        while days.recompute(self.database, now, PROVINCE.holidays):
            pass

    def settle(self, now: datetime = NOW) -> None:
        """Work out everything that is dirty."""
        computing.settle(self.database, PROVINCE, now)


def enterprise(code: str, area: str = "360681", gbt4754: str = "3211", industry: str = "NONFERROUS") -> str:
    return f"{code},Name,,{area},{industry},{gbt4754},yes,2018-01-01"


def inventory(*numbers: str, flags: tuple[str, ...] = (), at: datetime = NOW) -> Inventory:
    items = tuple(
        EquipmentItem(n, n, "machine", tuple(State), ("numerical_control",), flags, "in_use", None, None)
        for n in numbers
    )
    site = SiteItem("plant-1", "Plant", "Asia/Shanghai", 900_000)
    return Inventory("inventory", at, site, CalendarItem((), ()), items, (), ())


def link_up(number: str, at: datetime, *proves: str) -> Event:
    data = {"point": f"{number}/channel_state", "value": "Active", "driver": "opcua", "proves": list(proves)}
    return Event("event", at, EventKind.LINK_UP, number, data)
