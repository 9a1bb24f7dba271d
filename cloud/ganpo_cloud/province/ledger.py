"""The ledger as of an instant: every device that counts, with its place, its industry and what is known of it.

It stands on the registry, on the newest inventory of every gateway up to then, on proofs and on onboarding: all of that
is dated, so that a past instant can be asked for at any time.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

from sqlalchemy import Connection, Select, func, select

from ganpo_cloud.days.banned import counting
from ganpo_cloud.inlet.inventories import OLDEST
from ganpo_cloud.province.divisions import OTHER
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import NOWHERE, production
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.store.owners import registrations
from ganpo_cloud.store.tables import frame, gateway_before, inventory
from ganpo_model.coverage import LONGEST_IDLE_MONTHS, Evidence, in_service, months_later
from ganpo_model.energy import InBalance, inside

FLAGS = ("main", "numerical_control", "digital", "intelligent")
"""Those that are counted by place; others stand with their equipment only."""
_EVIDENCE = {"claimed": Evidence.CLAIMED, "document": Evidence.DOCUMENT}
_EVER = date(1900, 1, 1)
_TABLES = {
    "sites": registry.site,
    "statuses": registry.equipment,
    "flags": registry.flag,
    "proofs": registry.proof,
    "seen": registry.onboarding,
    "bans": registry.banned,
}
Rows = dict[str, list[Any]]
"""Of what the registry knows by this number, oldest first."""


@dataclass(frozen=True, slots=True)
class Device:
    """Something of the ledger at an instant. `asset_no` empty: the enterprise itself. `area`: of its site.
    `parent`: of a branch the code of its legal person, of a meter the one above it that makes it a sub-meter."""

    enterprise: str
    asset_no: str
    kind: str
    name: str
    site: str
    area: str
    industry: str
    status: str
    in_service: bool = False
    banned: bool = False
    flags: Mapping[str, Evidence] = field(default_factory=dict)
    networked: bool = False
    cloud: bool = False
    named: int = 0
    parent: str | None = None
    above_scale: bool = False
    carrier: str | None = None
    role: str | None = None


@dataclass(slots=True)
class Ledger:
    """Everything that one enterprise's ledger stands on: rows of the registry, what gateways told, and in `words` how
    its machines are seen, each from its day on."""

    code: str
    homes: list[Any] = field(default_factory=list)
    sites: Rows = field(default_factory=dict)
    statuses: Rows = field(default_factory=dict)
    flags: Rows = field(default_factory=dict)
    proofs: Rows = field(default_factory=dict)
    seen: Rows = field(default_factory=dict)
    bans: Rows = field(default_factory=dict)
    words: Rows = field(default_factory=dict)
    inventories: list[tuple[int, str, str, dict[str, Any]]] = field(default_factory=list)
    meters: dict[str, dict[date, dict[str, Any]]] = field(default_factory=dict)

    def turns(self) -> list[date]:
        """The days on which anything may be another than on the day before, ages apart."""
        of = {name: [row for rows in getattr(self, name).values() for row in rows] for name in _TABLES}
        dated = [(row.status, row.since) for row in of["statuses"]]
        for item in (item for _, _, _, items in self.inventories for item in items.values()):
            if item["since"]:
                dated.append((item["status"], date.fromisoformat(item["since"])))
        idle = {months_later(since, LONGEST_IDLE_MONTHS) for status, since in dated if status == "idle"}
        found = {row.since for row in (*self.homes, *of["statuses"], *of["flags"], *of["bans"])}
        found |= {day + timedelta(days=1) for day in idle}
        found |= {since for rows in self.meters.values() for since in rows}
        instants = {at for at, *_ in self.inventories} | {row.at for row in of["proofs"]}
        instants |= {at for row in of["seen"] for at in (row.networked_at, row.cloud_at)}
        return sorted(found | {day_of(at, DEFAULT_ZONE) for at in instants})

    def at(self, instant: int) -> Iterator[Device]:
        """The ledger as of an instant in ms: the enterprise, then everything it has, by number."""
        day = day_of(instant, DEFAULT_ZONE)
        home = _latest(self.homes, day)
        industry = home.industry if home is not None else OTHER
        if home is not None:
            own = {"parent": home.parent, "above_scale": home.above_scale}
            place = ("", home.area, industry, "")
            yield Device(
                self.code, "", "enterprise", home.name, *place, in_service=home.parent is None, **own
            )
        found = self._described(instant)
        for asset_no, rows in self.statuses.items():
            if (row := _latest(rows, day)) is not None:
                said = {"site": row.site, "name": row.name, "status": row.status, "since": row.since}
                found[asset_no] = found.get(asset_no, {}) | said
        for asset_no, item in sorted(found.items()):
            banned = self.banned(asset_no, day) is not None
            more: dict[str, Any] = {
                "in_service": in_service(item["status"], item["since"] or day, day) and not banned,
                "banned": banned,
                "flags": self._flags(asset_no, item.get("flags", ()), instant, day),
                "named": 1 + bool(item["profile"]) if "profile" in item else 0,
            }
            yield self._device("equipment", asset_no, item, industry, instant, **more)
        there = self.meters_at(day)
        placed = {
            number: InBalance(item["carrier"], item["role"], item["parent"])
            for number, item in there.items()
            if item["status"] == "in_use"
        }
        for asset_no, item in there.items():
            above = inside(asset_no, placed)
            role = "sub" if above is not None else item["role"]
            more = {"parent": above, "carrier": item["carrier"], "role": role}
            yield self._device("meter", asset_no, item, industry, instant, **more)

    def banned(self, asset_no: str, day: date) -> Any:
        """The row that bans a device on a day; None: nothing does."""
        row = counting(self.bans.get(asset_no, ()))
        return row if row is not None and row.since <= day else None

    def meters_at(self, day: date) -> dict[str, dict[str, Any]]:
        """What is said of each meter on a day, by number."""
        return {
            asset_no: dated[max(begun)]
            for asset_no, dated in sorted(self.meters.items())
            if (begun := [since for since in dated if since <= day])
        }

    def _device(
        self, kind: str, asset_no: str, item: Mapping[str, Any], industry: str, instant: int, **more: Any
    ) -> Device:
        """What is told of it, with its place, and whether it was on the network, and in the cloud: what was stored was
        on the network, also where the gateway's clock runs ahead."""
        area = next((row.area for row in self.sites.get(item["site"], ())), NOWHERE)
        place = (item["site"], area, industry, item["status"])
        seen = self.seen.get(asset_no, ())
        more["networked"] = any(min(row.networked_at, row.cloud_at) <= instant for row in seen)
        more["cloud"] = any(row.cloud_at <= instant for row in seen)
        return Device(self.code, asset_no, kind, item["name"], *place, **more)

    def _described(self, instant: int) -> dict[str, dict[str, Any]]:
        """What the newest inventories up to an instant say; where two gateways differ the newer one wins."""
        newest: dict[str, tuple[str, dict[str, Any]]] = {}
        for at, gateway, site, items in self.inventories:
            if at <= instant:
                newest.pop(gateway, None)
                newest[gateway] = (site, items)
        return {
            asset_no: item
            | {"site": site, "since": date.fromisoformat(item["since"]) if item["since"] else None}
            for site, items in newest.values()
            for asset_no, item in items.items()
        }

    def _flags(self, asset_no: str, claimed: Any, instant: int, day: date) -> dict[str, Evidence]:
        """The flags that hold, each with its strongest evidence. What a document says stands above what is claimed,
        also where it says no; what the machine shows stands above both."""
        said = {flag: {Evidence.CLAIMED: True} for flag in claimed}
        for row in self.flags.get(asset_no, ()):
            if row.since <= day:
                said.setdefault(row.flag, {})[_EVIDENCE[row.evidence]] = row.value
        for row in self.proofs.get(asset_no, ()):
            if row.at <= instant:
                said.setdefault(row.flag, {})[Evidence.CONTROLLER] = True
        strongest = {flag: max(levels) for flag, levels in said.items()}
        return {flag: level for flag, level in strongest.items() if said[flag][level]}


def ledgers(connection: Connection, enterprises: list[str]) -> dict[str, Ledger]:
    """What the ledgers of enterprises stand on, in one question per table."""
    found: dict[str, Ledger] = {}
    homes = select(registry.enterprise).where(registry.enterprise.c.code.in_(enterprises))
    for row in connection.execute(homes.order_by(registry.enterprise.c.since)):
        found.setdefault(row.code, Ledger(row.code)).homes.append(row)
    asked = {
        name: select(table).where(table.c.enterprise.in_(enterprises)).order_by(*table.primary_key)
        for name, table in _TABLES.items()
    }
    for name, query in (asked | {"words": _words(enterprises)}).items():
        for row in connection.execute(query):
            rows = getattr(found.setdefault(row.enterprise, Ledger(row.enterprise)), name)
            rows.setdefault(row[1], []).append(row)
    _tell(connection, found, enterprises)
    return found


def _tell(connection: Connection, found: dict[str, Ledger], enterprises: list[str]) -> None:
    """What gateways told, by inventories; nothing of those that have changed hands, from then on."""
    order = (inventory.c.enterprise, inventory.c.at, inventory.c.gateway, *OLDEST)
    told = select(inventory).join(frame, frame.c.id == inventory.c.frame)
    for row in connection.execute(told.where(inventory.c.enterprise.in_(enterprises)).order_by(*order)):
        _describe(found.setdefault(row.enterprise, Ledger(row.enterprise)), row)
    changed = connection.execute(select(gateway_before.c.id).distinct()).scalars().all()
    for number, dated in registrations(connection, changed).items():
        for one, following in pairwise(dated):
            if one.enterprise in found and following.enterprise != one.enterprise:
                found[one.enterprise].inventories.append((following.since, number, "", {}))
    for record in found.values():
        record.inventories.sort(key=lambda told: told[0])


def _words(enterprises: list[str]) -> Select[Any]:
    """The days on which the word for how a machine is seen is another than before."""
    p = production.c
    before = func.lag(p.age).over(partition_by=(p.enterprise, p.subject), order_by=p.day)
    told = select(p.enterprise, p.subject, p.day, p.age, before.label("before"))
    found = told.where(p.enterprise.in_(enterprises)).subquery()
    turned = found.c.before.is_(None) | (found.c.before != found.c.age)
    return select(found).where(turned).order_by(found.c.enterprise, found.c.subject, found.c.day)


def _describe(of: Ledger, row: Any) -> None:
    """Add one inventory. A meter's role holds from the day it names; without one from ever, and when changed from the
    day on which that was told. What its gateway names no more is withdrawn."""
    said = json.loads(row.body)
    site = said["site"]["id"]
    of.inventories.append((row.at, row.gateway, site, {item["asset_no"]: item for item in said["equipment"]}))
    day = day_of(row.at, DEFAULT_ZONE)
    for item in said["meters"]:
        told = {key: item[key] for key in ("name", "carrier", "role", "parent")}
        told |= {"site": site, "gateway": row.gateway, "status": "in_use"}
        dated = of.meters.setdefault(item["asset_no"], {})
        if item["since"]:
            dated[date.fromisoformat(item["since"])] = told
        elif not dated:
            dated[_EVER] = told
        newest = dated[max(dated)]
        if newest != told and (not item["since"] or newest["status"] == "withdrawn"):
            dated[max(day, max(dated))] = told
    named = {item["asset_no"] for item in said["meters"]}
    for asset_no, dated in of.meters.items():
        newest = dated[max(dated)]
        if asset_no not in named and (newest["gateway"], newest["status"]) == (row.gateway, "in_use"):
            dated[max(day, max(dated))] = newest | {"status": "withdrawn"}


def _latest(rows: list[Any], day: date) -> Any:
    """Of dated rows the one in force on a day."""
    begun = [row for row in rows if row.since <= day]
    return begun[-1] if begun else None
