"""The ledger as of an instant: every device that counts, with its place, its industry and what is known of it.

It stands on the registry, on the newest inventory of every gateway up to then, on proofs and on onboarding: all of that
is dated, so that a past instant can be asked for at any time.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, func, select

from ganpo_cloud import registry_tables as registry
from ganpo_cloud.divisions import OTHER, Province
from ganpo_cloud.localdays import DEFAULT_ZONE
from ganpo_cloud.tables import inventory
from ganpo_model.clock import to_ms
from ganpo_model.coverage import Evidence, Unit, in_service

_EVIDENCE = {"claimed": Evidence.CLAIMED, "document": Evidence.DOCUMENT}
Key = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Device:
    """One device in the ledger. `area`: the county of its site, None where nobody said; `unit`: what counts of it."""

    enterprise: str
    asset_no: str
    name: str
    site: str
    area: str | None
    industry: str
    status: str
    counts: bool
    unit: Unit


@dataclass(frozen=True, slots=True)
class Ledger:
    """All devices as of an instant; `enterprises`: what the registry says of each then."""

    as_of: datetime
    devices: tuple[Device, ...]
    enterprises: Mapping[str, Mapping[str, Any]]

    def within(self, province: Province, area: str, industry: str | None) -> Iterator[Device]:
        """The devices of an area and an industry (None: of all). Those whose place nobody said are the province's."""
        whole = area == province.whole
        for device in self.devices:
            above = province.above(device.area) if device.area is not None else ()
            if (whole or area in above) and industry in (None, device.industry):
                yield device


def ledger(connection: Connection, as_of: datetime) -> Ledger:
    """The ledger as of an instant. A day of the registry begins at midnight in Asia/Shanghai."""
    at, day = to_ms(as_of), as_of.astimezone(ZoneInfo(DEFAULT_ZONE)).date()
    enterprises = {row["code"]: row for row in _newest(connection, registry.enterprise, ("code",), day)}
    areas = {(row.enterprise, row.site): row.area for row in connection.execute(select(registry.site))}
    found = _described(connection, at)
    for row in _newest(connection, registry.equipment, ("enterprise", "asset_no"), day):
        described = found.get((row["enterprise"], row["asset_no"]), {})
        found[row["enterprise"], row["asset_no"]] = {**described, **row}
    flags = _flags(connection, found, at, day)
    seen = {
        (row.enterprise, row.asset_no): (row.networked_at <= at, row.cloud_at <= at)
        for row in connection.execute(select(registry.onboarding))
    }
    devices = []
    for (code, asset_no), about in sorted(found.items()):
        status = about["status"]
        since = about.get("since") or day  # an inventory does not say since when it is idle: it counts
        networked, cloud = seen.get((code, asset_no), (False, False))
        devices.append(
            Device(
                code,
                asset_no,
                about["name"],
                about["site"],
                areas.get((code, about["site"])),
                enterprises[code]["industry"] if code in enterprises else OTHER,
                status,
                in_service(status, since, day),
                Unit(code, flags.get((code, asset_no), {}), networked, cloud),
            )
        )
    return Ledger(as_of, tuple(devices), enterprises)


def _newest(connection: Connection, table: Any, keys: Iterable[str], day: date) -> Iterable[dict[str, Any]]:
    """The rows in force on a day: of each key the latest that has begun."""
    found: dict[tuple[Any, ...], dict[str, Any]] = {}
    query = select(table).where(table.c.since <= day).order_by(table.c.since)
    for row in connection.execute(query).mappings():
        found[tuple(row[key] for key in keys)] = dict(row)
    return found.values()


def _described(connection: Connection, at: int) -> dict[Key, dict[str, Any]]:
    """What the newest inventories up to an instant say of equipment; where two gateways differ the newer one wins."""
    newest = (
        select(inventory.c.enterprise, inventory.c.gateway, func.max(inventory.c.at).label("at"))
        .where(inventory.c.at <= at)
        .group_by(inventory.c.enterprise, inventory.c.gateway)
        .subquery()
    )
    same = (
        (inventory.c.enterprise == newest.c.enterprise)
        & (inventory.c.gateway == newest.c.gateway)
        & (inventory.c.at == newest.c.at)
    )
    rows = connection.execute(
        select(inventory.c.enterprise, inventory.c.body)
        .join(newest, same)
        .order_by(inventory.c.at, inventory.c.frame, inventory.c.place)
    )
    found: dict[Key, dict[str, Any]] = {}
    for enterprise, body in rows:
        said = json.loads(body)
        for item in said["equipment"]:
            found[enterprise, item["asset_no"]] = {
                "name": item["name"],
                "site": said["site"]["id"],
                "status": item["status"],
                "flags": item["flags"],
            }
    return found


def _flags(
    connection: Connection, found: Mapping[Key, Mapping[str, Any]], at: int, day: date
) -> dict[Key, dict[str, Evidence]]:
    """The flags that hold, each with its strongest evidence. What a document says stands above what is claimed, also
    where it says no; what the machine shows stands above both."""
    said: dict[tuple[str, str, str], dict[Evidence, bool]] = {}
    for (code, asset_no), about in found.items():
        for flag in about.get("flags", ()):
            said.setdefault((code, asset_no, flag), {})[Evidence.CLAIMED] = True
    keys = ("enterprise", "asset_no", "flag", "evidence")
    for row in _newest(connection, registry.flag, keys, day):
        key = (row["enterprise"], row["asset_no"], row["flag"])
        said.setdefault(key, {})[_EVIDENCE[row["evidence"]]] = row["value"]
    for proof in connection.execute(select(registry.proof).where(registry.proof.c.at <= at)):
        said.setdefault((proof.enterprise, proof.asset_no, proof.flag), {})[Evidence.CONTROLLER] = True
    holding: dict[Key, dict[str, Evidence]] = {}
    for (code, asset_no, flag), levels in said.items():
        strongest = max(levels)
        if levels[strongest]:
            holding.setdefault((code, asset_no), {})[flag] = strongest
    return holding
