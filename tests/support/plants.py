"""Plants built by hand: what `agent.toml` would come to, with a driver that a test plays."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, ClassVar, Self

from ganpo_config.plant import BoundConnection, BoundPoint, Machine, Meaning, OneOf, Plant, Register, Rule
from ganpo_config.settings import GatewaySettings, UplinkSettings
from ganpo_drivers import Address, ConnectionSettings, Driver, Point, PointFault, Scan, Value
from ganpo_model.facts import CalendarItem, EquipmentItem, MeterItem, RegisterItem, SiteItem
from ganpo_model.states import State

START = datetime(2026, 11, 25, 1, 0, tzinfo=UTC)
REGISTER = "DB-1/energy_import#0123abcd"


class PlayedAddress(Address):
    """An address of the played driver: any text; `unit:rest` has a key."""

    text: str

    @classmethod
    def parse(cls, text: str, **_columns: Any) -> Self:
        return cls(text=text)

    def __str__(self) -> str:
        return self.text

    @property
    def key(self) -> str:
        return self.text.partition(":")[0] if ":" in self.text else ""


@dataclass
class PlayedQuery:
    points: Sequence[Point[PlayedAddress]]

    def __str__(self) -> str:
        return f"{len(self.points)} points"


class PlayedDriver(Driver[ConnectionSettings, PlayedAddress]):
    """A driver whose answers a test sets: `values` by address; an exception is raised; `opened` counts."""

    connection_type: ClassVar[type[ConnectionSettings]] = ConnectionSettings
    address_type: ClassVar[type[Address]] = PlayedAddress
    values: ClassVar[dict[str, Value | PointFault | BaseException]] = {}
    opened: ClassVar[int] = 0
    on_open: ClassVar[BaseException | None] = None
    reads: ClassVar[list[str]] = []

    async def open(self) -> None:
        type(self).opened += 1
        if self.on_open is not None:
            raise self.on_open

    def prepare(self, points: Sequence[Point[PlayedAddress]]) -> PlayedQuery:
        return PlayedQuery(points)

    async def read(self, query: Any) -> Scan:
        found: list[Value | PointFault] = []
        self.reads.append(query.points[0].address.key)
        for point in query.points:
            value = self.values[str(point.address)]
            if isinstance(value, BaseException):
                raise value
            found.append(value)
        return Scan(found)

    async def close(self) -> None:
        return


@dataclass
class TestClock:
    """A clock that a test moves."""

    __test__: ClassVar[bool] = False
    wall: datetime = START
    mono: float = 1000.0
    sure: bool = True

    def utc(self) -> datetime:
        return self.wall

    def monotonic(self) -> float:
        return self.mono

    def trusted(self) -> bool:
        return self.sure

    def advance(self, delta: Any) -> None:
        self.wall += delta
        self.mono += delta.total_seconds()


@dataclass
class PlantBuilder:
    """Collects connections and subjects; `build` gives the plant."""

    state_dir: Path
    broker: str = "mqtt://127.0.0.1:1"
    gateway: str = "gw-test-0001"
    slot_ms: int = 900_000
    points: dict[str, list[BoundPoint]] = field(default_factory=dict)
    connections: dict[str, tuple[str, type[Driver[Any, Any]], ConnectionSettings]] = field(
        default_factory=dict
    )
    machines: list[Machine] = field(default_factory=list)
    meters: list[MeterItem] = field(default_factory=list)
    uplink: dict[str, Any] = field(default_factory=dict)

    def connection(
        self,
        name: str,
        driver: type[Driver[Any, Any]] = PlayedDriver,
        settings: ConnectionSettings | None = None,
        driver_id: str = "played",
    ) -> None:
        self.connections[name] = (driver_id, driver, settings or ConnectionSettings(driver=driver_id))
        self.points.setdefault(name, [])

    def point(
        self,
        connection: str,
        subject: str,
        signal: str,
        address: Address | str,
        meaning: Meaning | Register,
        interval_s: float = 1.0,
        stale_s: float = 60.0,
    ) -> BoundPoint:
        where = PlayedAddress(text=address) if isinstance(address, str) else address
        bound = BoundPoint(f"{subject}/{signal}", subject, signal, where, interval_s, stale_s, meaning)
        self.points[connection].append(bound)
        return bound

    def meter(
        self,
        connection: str,
        asset_no: str,
        address: Address | str,
        register: str = REGISTER,
        *,
        max_rate: int = 80_000,
        modulus: int | None = None,
        num: int = 1,
        den: int = 100,
        resets: bool = False,
        interval_s: float = 1.0,
        stale_s: float = 60.0,
    ) -> BoundPoint:
        self.meters.append(MeterItem(asset_no, asset_no, "electricity", "boundary_in", None, None))
        item = RegisterItem(
            register,
            asset_no,
            "energy_import",
            "electricity",
            "kWh",
            num,
            den,
            modulus,
            max_rate,
            resets=resets,
        )
        return self.point(connection, asset_no, "energy_import", address, Register(item), interval_s, stale_s)

    def machine(
        self,
        connection: str,
        asset_no: str,
        addresses: dict[str, Address | str],
        rules: tuple[Rule, ...] | None = None,
        *,
        meanings: dict[str, Meaning] | None = None,
        absent: dict[str, Any] | None = None,
        debounce_s: float = 0.0,
        proves: dict[str, tuple[str, ...]] | None = None,
        interval_s: float = 1.0,
        stale_s: float = 60.0,
    ) -> None:
        for signal, address in addresses.items():
            meaning = (meanings or {}).get(signal, Meaning("string"))
            self.point(connection, asset_no, signal, address, meaning, interval_s, stale_s)
        self.machines.append(
            Machine(
                asset_no,
                {signal: f"{asset_no}/{signal}" for signal in addresses},
                absent or {},
                rules if rules is not None else (Rule(State.PRODUCING, {"execution": OneOf(("ACTIVE",))}),),
                debounce_s,
                proves or {},
            )
        )

    def build(self) -> Plant:
        links = tuple(
            BoundConnection(name, driver_id, driver, settings, tuple(self.points[name]))
            for name, (driver_id, driver, settings) in self.connections.items()
        )
        equipment = tuple(
            EquipmentItem(
                m.asset_no, m.asset_no, "test", tuple(State), tuple(m.proves), ("main",), "in_use", None, None
            )
            for m in self.machines
        )
        return Plant(
            GatewaySettings(id=self.gateway, state_dir=self.state_dir, http="127.0.0.1:0"),
            UplinkSettings(
                broker=self.broker, **{"live_s": 1, "back_off_max_s": 2, "repeat_s": 30, **self.uplink}
            ),
            SiteItem("plant-1", "Test plant", "Asia/Shanghai", self.slot_ms),
            CalendarItem((), ()),
            links,
            tuple(self.machines),
            equipment,
            tuple(self.meters),
        )
