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

from ganpo_cloud.inlet.inventories import OLDEST
from ganpo_cloud.province.divisions import OTHER
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import NOWHERE, production
from ganpo_cloud.store.localdays import DEFAULT_ZONE, bounds, day_of
from ganpo_cloud.store.owners import registrations
from ganpo_cloud.store.tables import frame, gateway_before, inventory
from ganpo_model.coverage import LONGEST_IDLE_MONTHS, Evidence, in_service, months_later
from ganpo_model.energy import InBalance, inside

FLAGS = ("main", "numerical_control", "digital", "intelligent")
"""Those that are counted by place; others stand with their equipment only."""
_EVIDENCE = {"claimed": Evidence.CLAIMED, "document": Evidence.DOCUMENT}
_EVER = date(1900, 1, 1)
_NEVER = 2**63


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
    in_service: bool
    flags: Mapping[str, Evidence] = field(default_factory=dict)
    networked: bool = False
    cloud: bool = False
    parent: str | None = None
    above_scale: bool = False
    carrier: str | None = None
    role: str | None = None


@dataclass(slots=True)
class Ledger:
    """Everything that one enterprise's ledger stands on, oldest first."""

    code: str
    homes: list[Any] = field(default_factory=list)
    sites: dict[str, str] = field(default_factory=dict)
    statuses: dict[str, list[Any]] = field(default_factory=dict)
    flags: dict[str, list[tuple[date, str, Evidence, bool]]] = field(default_factory=dict)
    inventories: list[tuple[int, str, str, dict[str, Any]]] = field(default_factory=list)
    meters: dict[str, dict[date, dict[str, Any]]] = field(default_factory=dict)
    proofs: dict[str, list[tuple[int, str]]] = field(default_factory=dict)
    seen: dict[str, tuple[int, int]] = field(default_factory=dict)
    words: dict[str, list[tuple[date, str]]] = field(default_factory=dict)
    """For how a machine is seen, each from its day on."""

    def turns(self) -> list[date]:
        """The days on which anything may be another than on the day before, ages apart."""
        statuses = [(row.status, row.since) for rows in self.statuses.values() for row in rows]
        told = [item for _, _, _, items in self.inventories for item in items.values()]
        dated = statuses + [
            (item["status"], date.fromisoformat(item["since"])) for item in told if item["since"]
        ]
        idle = {months_later(since, LONGEST_IDLE_MONTHS) for status, since in dated if status == "idle"}
        found = {row.since for row in self.homes} | {since for _, since in statuses}
        found |= {day + timedelta(days=1) for day in idle}
        found |= {since for rows in self.flags.values() for since, *_ in rows}
        found |= {since for rows in self.meters.values() for since in rows}
        instants = {at for at, *_ in self.inventories} | {at for pair in self.seen.values() for at in pair}
        instants |= {at for rows in self.proofs.values() for at, _ in rows}
        return sorted(found | {day_of(at, DEFAULT_ZONE) for at in instants})

    def at(self, instant: int) -> Iterator[Device]:
        """The ledger as of an instant in ms: the enterprise, then everything it has, by number."""
        day = day_of(instant, DEFAULT_ZONE)
        home = _latest(self.homes, day)
        industry = home.industry if home is not None else OTHER
        if home is not None:
            yield Device(
                self.code,
                "",
                "enterprise",
                home.name,
                "",
                home.area,
                industry,
                "",
                in_service=home.parent is None,
                parent=home.parent,
                above_scale=home.above_scale,
            )
        found = self._described(instant)
        for asset_no, rows in self.statuses.items():
            if (row := _latest(rows, day)) is not None:
                about = {"site": row.site, "name": row.name, "status": row.status, "since": row.since}
                found[asset_no] = found.get(asset_no, {}) | about
        for asset_no, about in sorted(found.items()):
            networked, cloud = self._seen(asset_no, instant)
            yield Device(
                self.code,
                asset_no,
                "equipment",
                about["name"],
                about["site"],
                self.sites.get(about["site"], NOWHERE),
                industry,
                about["status"],
                in_service(about["status"], about["since"] or day, day),
                self._flags(asset_no, about.get("flags", ()), instant, day),
                networked,
                cloud,
            )
        yield from self._meters(instant, day, industry)

    def _described(self, instant: int) -> dict[str, dict[str, Any]]:
        """What the newest inventories up to an instant say; where two gateways differ the newer one wins."""
        newest: dict[str, tuple[str, dict[str, Any]]] = {}
        for at, gateway, site, items in self.inventories:
            if at <= instant:
                newest.pop(gateway, None)
                newest[gateway] = (site, items)
        found: dict[str, dict[str, Any]] = {}
        for site, items in newest.values():
            for asset_no, item in items.items():
                since = date.fromisoformat(item["since"]) if item["since"] else None
                found[asset_no] = {
                    "name": item["name"],
                    "site": site,
                    "status": item["status"],
                    "since": since,
                    "flags": item["flags"],
                }
        return found

    def _seen(self, asset_no: str, instant: int) -> tuple[bool, bool]:
        """Whether it was on the network, and in the cloud."""
        networked, cloud = (at <= instant for at in self.seen.get(asset_no, (_NEVER, _NEVER)))
        return networked, cloud

    def _flags(self, asset_no: str, claimed: Any, instant: int, day: date) -> dict[str, Evidence]:
        """The flags that hold, each with its strongest evidence. What a document says stands above what is claimed,
        also where it says no; what the machine shows stands above both."""
        said = {flag: {Evidence.CLAIMED: True} for flag in claimed}
        for since, flag, evidence, value in self.flags.get(asset_no, ()):
            if since <= day:
                said.setdefault(flag, {})[evidence] = value
        for at, flag in self.proofs.get(asset_no, ()):
            if at <= instant:
                said.setdefault(flag, {})[Evidence.CONTROLLER] = True
        strongest = {flag: max(levels) for flag, levels in said.items()}
        return {flag: level for flag, level in strongest.items() if said[flag][level]}

    def _meters(self, instant: int, day: date, industry: str) -> Iterator[Device]:
        there = {
            asset_no: rows[max(begun)]
            for asset_no, rows in sorted(self.meters.items())
            if (begun := [since for since in rows if since <= day])
        }
        placed = {
            number: InBalance(item["carrier"], item["role"], item["parent"])
            for number, item in there.items()
            if item["status"] == "in_use"
        }
        for asset_no, item in there.items():
            above = inside(asset_no, placed)
            networked, cloud = self._seen(asset_no, instant)
            yield Device(
                self.code,
                asset_no,
                "meter",
                item["name"],
                item["site"],
                self.sites.get(item["site"], NOWHERE),
                industry,
                item["status"],
                in_service=False,
                networked=networked,
                cloud=cloud,
                parent=above,
                carrier=item["carrier"],
                role="sub" if above is not None else item["role"],
            )


def ledgers(connection: Connection, enterprises: list[str]) -> dict[str, Ledger]:
    """What the ledgers of enterprises stand on, in one question per table."""
    found: dict[str, Ledger] = {}

    def of(code: str) -> Ledger:
        return found.setdefault(code, Ledger(code))

    def rows(table: Any, code: Any, *order: Any) -> Any:
        return connection.execute(select(table).where(code.in_(enterprises)).order_by(code, *order))

    for row in rows(registry.enterprise, registry.enterprise.c.code, registry.enterprise.c.since):
        of(row.code).homes.append(row)
    for row in rows(registry.site, registry.site.c.enterprise):
        of(row.enterprise).sites[row.site] = row.area
    for row in rows(registry.equipment, registry.equipment.c.enterprise, registry.equipment.c.since):
        of(row.enterprise).statuses.setdefault(row.asset_no, []).append(row)
    for row in rows(registry.flag, registry.flag.c.enterprise, registry.flag.c.since):
        told = (row.since, row.flag, _EVIDENCE[row.evidence], row.value)
        of(row.enterprise).flags.setdefault(row.asset_no, []).append(told)
    for row in rows(registry.proof, registry.proof.c.enterprise):
        of(row.enterprise).proofs.setdefault(row.asset_no, []).append((row.at, row.flag))
    for row in rows(registry.onboarding, registry.onboarding.c.enterprise):
        of(row.enterprise).seen[row.asset_no] = (row.networked_at, row.cloud_at)
    for row in connection.execute(_words(enterprises)):
        of(row.enterprise).words.setdefault(row.subject, []).append((row.day, row.age))
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


def end_of(day: date) -> int:
    """The last instant of a day of the province."""
    return bounds(day, DEFAULT_ZONE)[1] - 1


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
