"""What lists say of a filled province beside its ledger: trees, tags, limits, outputs, bans, energy, gateways, targets.

As many among 100,000 devices as the plan itself asks for (100 factories and 700 lines, 100 benchmark firms, 1,700 that
rose above scale), a technical upgrading at every fifth enterprise, 9,700 with energy and water, 1,900 makers of eight
products, of which every tenth has a process meter, and 1,000 banned machines.
"""

from collections.abc import Iterable, Iterator
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Table, Text, literal, select, text

from filling import NOW, PROVINCE, again, row
from ganpo_cloud.days import periods
from ganpo_cloud.province import balances, intensities, outlooks, plan, plan_sums, trees
from ganpo_cloud.province.targets import Targets, kept
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import (
    area_carrier,
    area_month,
    area_outlook,
    area_plan,
    balance,
    consumption,
    evidence,
    ledger,
)
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.localdays import DEFAULT_ZONE, day_of
from ganpo_cloud.store.marks import Kind, mark
from ganpo_cloud.store.runs import packed
from ganpo_cloud.store.tables import alarm, alarm_closing, gateway, live, named, reading, register, states
from ganpo_model.clock import HOUR_MS, MINUTE_MS, to_ms
from ganpo_model.reference import tags

_NOW = to_ms(NOW)
_TODAY = day_of(_NOW, DEFAULT_ZONE)
_FIRST = date(2019, 1, 1)
_PAPER = {"document": "a paper", "by": "bench", "recorded_at": 0}
_TAGGED = {
    "technology_centre": 300,
    "technical_upgrade": 5,
    "integration_standard": 100,
    "integration_benchmark": 300,
    "industrial_platform": 3000,
    "green_factory": 150,
}
"""Of so many enterprises one has a tag."""
_INDUSTRIES = [name for name in PROVINCE.industries if name != "OTHER"]
_OVER = periods.months(_TODAY, periods.MONTHS)[:-1]
_AT_ONCE = 5000


def fill_lists(database: Database, devices: int) -> None:
    """The lists of a province that `filling.fill` has filled, and what follows from them until now."""
    firms = -(-devices // 3)
    with database.write() as connection:
        for table, rows in _lists(firms).items():
            _insert(connection, table, rows)
        for table, rows in _of_banned(devices).items():
            _insert(connection, table, rows)
        connection.execute(_BANNED)
        for table, rows in _of_meters(firms).items():
            _insert(connection, table, rows)
        month = periods.month_of(_TODAY)
        balances.recompute(connection, PROVINCE, month, _TODAY)
        for table in (balance, area_carrier):
            for other in _OVER:
                again(connection, table, "month", month, literal(other, Text))
        for year in (_TODAY.year - 1, _TODAY.year):
            intensities.add_up(connection, PROVINCE, year, _TODAY)
        for other in Targets(connection).months(_TODAY):
            again(connection, area_month, "month", month, literal(other, Text))
        outlooks.mark(connection, [_OVER[-1]], _TODAY)
    outlooks.recompute(database, PROVINCE, _TODAY)
    with database.write() as connection:
        for other in _OVER[:-1]:
            again(connection, area_outlook, "month", _OVER[-1], literal(other, Text))
        mark(
            connection,
            Kind.PLAN,
            [("", periods.span(month)[1]) for month in (_OVER[-1], periods.month_of(_TODAY))],
        )
    while plan_sums.recompute(database, PROVINCE, NOW):
        pass
    with database.write() as connection:
        for other in set(kept(connection, _TODAY)) - {_OVER[-1], periods.month_of(_TODAY)}:
            again(connection, area_plan, "month", _OVER[-1], literal(other, Text))
        connection.execute(text("ANALYZE"))


_BANNED = ledger.update().where(
    ledger.c.asset_no.in_(select(registry.banned.c.asset_no)), ledger.c.kind == "equipment"
)
_BANNED = _BANNED.values(banned=True, in_service=False)


def _lists(firms: int) -> dict[Table, Iterable[dict[str, Any]]]:
    """By table the rows of a list, of which every column is said or nothing."""
    every = [f"E{n:08d}" for n in range(firms)]
    trees_of, makers, energy = every[::50], every[4::18], sorted({*every[::4], *every[4::18]})
    made = {code: _INDUSTRIES[int(code[1:]) % 8] for code in makers}
    places = [(number, rows[-1].kind) for number, rows in PROVINCE.areas.items() if rows[-1].until is None]
    counties = [number for number, kind in places if kind == "county"]
    years = [_TODAY.year - 1, _TODAY.year]
    return {
        registry.enterprise: (
            {
                "code": code,
                "since": since,
                "name": "Name",
                "area": counties[n % len(counties)],
                "industry": _INDUSTRIES[n % 8],
                "above_scale": since >= _FIRST or n % 20 != 3,
            }
            for n, code in enumerate(every)
            for since in [date(2015, 1, 1), *([_FIRST] if n % 20 == 3 else [])]
        ),
        registry.site: (
            {
                "enterprise": code,
                "site": "plant-1",
                "area": counties[n % len(counties)],
                "timezone": DEFAULT_ZONE,
            }
            for n, code in enumerate(every)
        ),
        registry.node: (
            {"enterprise": code, "node": kind, "first": _FIRST, "site": "plant-1", "name": kind, "kind": kind}
            | {"parent": parent}
            for code in trees_of
            for kind, parent in zip(trees.KINDS, (*trees.KINDS[1:], ""), strict=True)
        ),
        registry.node_equipment: (
            {
                "enterprise": code,
                "node": "cell",
                "asset_no": f"SB-{3 * int(code[1:]) + n:06d}",
                "first": _FIRST,
            }
            for code in trees_of
            for n in range(3)
        ),
        registry.accreditation: (
            {
                "enterprise": code,
                "node": kind,
                "kind": kind,
                "grade": trees.GRADES[at // 50 % 5],
                "first": _FIRST,
            }
            | _PAPER
            for code in trees_of
            for kind in trees.KINDS
            if (at := int(code[1:])) // 50 % 5 < 4
        ),
        registry.tag: (
            {"first": _FIRST} | _PAPER | one for one in [*_tags(every), *_tags_of_places(counties)]
        ),
        registry.cloud_move: (
            {"enterprise": code, "kind": kind, "since": _FIRST, "value": True} | _PAPER
            for code in every[2::8]
            for kind in ("data_centre", "business_systems")
        ),
        registry.product: (
            {"product": name, "zh": name, "en": name, "unit": "t", "industry": name} for name in _INDUSTRIES
        ),
        registry.output: (
            {
                "enterprise": code,
                "month": month,
                "product": product,
                "millionths": 10**9 + int(code[1:]) * 10**6,
            }
            | {"meters": f"{code}-DB" if metered(code) else ""}
            | _PAPER
            for code, product in made.items()
            for month in _OVER[-13:]
        ),
        registry.capacity: (
            {"enterprise": code, "product": product, "year": year, "millionths": 10**12} | _PAPER
            for code, product in made.items()
            for year in years
        ),
        registry.declared_carrier: (
            {"enterprise": code, "year": year, "carrier": carrier}
            for code in energy
            for year in years
            for carrier in ("electricity", "water")
        ),
        registry.statement: (
            {"enterprise": code, "month": periods.month_of(_TODAY), "carrier": carrier, "part": "whole"}
            | {"millionths": 10**11 + int(code[1:]) * 10**7}
            for code in energy
            for carrier in ("electricity", "water")
        ),
        registry.value_added: (
            {"enterprise": code, "year": year, "fen": fen, "through": through, "price_basis": "2020"}
            for code in energy
            for year, through, fen in (
                (years[0], "", 12 * 10**8),
                (years[0], f"{years[0]}-10", 10**9),
                (years[1], f"{years[1]}-10", 11 * 10**8),
            )
        ),
        registry.limit: (
            one | {"year": _TODAY.year, "kind": kind, "value": value, "price_basis": basis} | _PAPER
            for one in [
                *({"area": number} for number, _ in places),
                *({"area": PROVINCE.whole, "industry": name} for name in _INDUSTRIES),
                *({"enterprise": code} for code in energy[::10]),
            ]
            for kind, value, basis in (("total_tce", "1000000", ""), ("intensity", "0.5", "2020"))
        ),
        registry.target: _targets(),
        gateway: ({"id": f"gw-{code}", "enterprise": code, "site": "plant-1"} for code in every[::10]),
        live: (
            {"gateway": f"gw-{code}", "heard_at": _NOW - MINUTE_MS, "interval_ms": MINUTE_MS, "body": "{}"}
            for code in every[::10]
        ),
    }


def _tags(every: list[str]) -> Iterator[dict[str, Any]]:
    for tag, of in _TAGGED.items():
        for code in every[1::of]:
            yield {"tag": tag, "enterprise": code}


def _tags_of_places(counties: list[str]) -> Iterator[dict[str, Any]]:
    for n, tag in enumerate(tags().values()):
        if tag.of == "area":
            yield from ({"tag": tag.id, "area": county} for county in counties[n::9])
        elif tag.of == "area_industry":
            for county, industry in zip(counties[::12], _INDUSTRIES, strict=False):
                yield {"tag": tag.id, "area": county, "industry": industry}


def _targets() -> Iterator[dict[str, Any]]:
    """What the plan has a number for, once as it says and once with a later deadline; out of reach, so that the pages
    have to tell how everything moves."""
    aims = {aim.id: aim for aim in PROVINCE.plan}
    asked = {id_: aims[id_].value for id_ in plan.asked_for(PROVINCE) & aims.keys() if aims[id_].value}
    asked |= {id_: str(number) for id_, number in trees.THRESHOLDS.items()}
    asked |= {f"nodes_{kind}": "1000000" for kind in trees.KINDS} | {"banned": "0"}
    for id_, value in asked.items():
        about = {"id": id_, "area": PROVINCE.whole, "value": value if value == "0" else f"{10 * int(value)}"}
        about["comparator"] = "<=" if value == "0" else ">="
        if aims.get(id_) is not None and aims[id_].unit_en == "%":
            about["value"] = value
        for deadline, at in ((date(2020, 12, 31), 1), (date(2028, 12, 31), 2)):
            yield about | {"deadline": deadline, "document": f"{at}", "by": "bench", "recorded_at": at}


def metered(code: str) -> bool:
    """Whether the product of a maker has a meter of its own."""
    return int(code[1:]) // 18 % 10 == 0


def _of_banned(devices: int) -> dict[Table, Iterable[dict[str, Any]]]:
    """Of 100 devices one is banned: a tenth of these with an open alarm, a tenth with one that is closed."""
    some = [(n, f"E{n // 3:08d}", f"SB-{n:06d}") for n in range(7, devices, 100)]
    alarmed = [(n, *of) for n, (_, *of) in enumerate(some, start=1) if n % 5 == 0]
    day = {"day": _TODAY - timedelta(days=1)}
    return {
        registry.banned: (
            {
                "enterprise": code,
                "asset_no": asset,
                "kind": "forbidden",
                "since": date(2020, 1, 1),
                "meter": "",
            }
            | _PAPER
            for _, code, asset in some
        ),
        named: ({"id": n, "enterprise": code, "name": asset} for n, (_, code, asset) in enumerate(some, 1)),
        states: (
            {"subject": n, "start": _NOW - slot * 15 * MINUTE_MS, "length": 15 * MINUTE_MS, "frame": slot}
            | {"runs": packed([(0, "OFF")])}
            for n, _ in enumerate(some, 1)
            for slot in range(1, 97)
        ),
        evidence: (
            {
                "enterprise": code,
                "asset_no": asset,
                "at": _NOW - (30 + n) * HOUR_MS,
                "register": "",
                "frame": n,
            }
            | {"until": _NOW - (29 + n) * HOUR_MS}
            | day
            for _, code, asset in alarmed
            for n in range(5)
        ),
        alarm: (
            {"id": n, "enterprise": code, "asset_no": asset, "opened_at": _NOW - 35 * HOUR_MS}
            | {"raised_at": _NOW - 34 * HOUR_MS}
            for n, code, asset in alarmed
        ),
        alarm_closing: (
            {"alarm": n, "closed_at": _NOW - 20 * HOUR_MS, "why": "sealed", "by": "bench"}
            for n, *_ in alarmed[::2]
        ),
    }


def _of_meters(firms: int) -> dict[Table, Iterable[dict[str, Any]]]:
    """A process meter of every tenth maker: twelve months of days, and a day of readings."""
    some = [(code, f"{code}-DB") for code in (f"E{n:08d}" for n in range(4, firms, 18)) if metered(code)]
    days = [_TODAY - timedelta(days=n) for n in range(400)]
    return {
        ledger: (
            {"enterprise": code, "asset_no": meter, "since": _FIRST, "kind": "meter", "status": "in_use"}
            | {"carrier": "electricity", "role": "process", "area": "", "industry": ""}
            for code, meter in some
        ),
        register: (
            {
                "enterprise": code,
                "id": f"{meter}/energy",
                "subject": meter,
                "signal": "energy_import",
                "unit": "kWh",
            }
            | {"carrier": "electricity", "num": 1, "den": 1, "timezone": DEFAULT_ZONE}
            for code, meter in some
        ),
        reading: (
            {
                "enterprise": code,
                "register": f"{meter}/energy",
                "at": _NOW - n * 15 * MINUTE_MS,
                "raw": n,
                "frame": n,
            }
            for code, meter in some
            for n in range(96)
        ),
        consumption: (
            {"enterprise": code, "register": f"{meter}/energy", "day": day, "subject": meter}
            | {"carrier": "electricity", "signal": "energy_import", "millionths": 10**9, "covered": True}
            for code, meter in some
            for day in days
        ),
    }


def _insert(connection: Connection, table: Table, rows: Iterable[dict[str, Any]]) -> None:
    some: list[dict[str, Any]] = []
    for one in rows:
        some.append(row(table, **one))
        if len(some) == _AT_ONCE:
            connection.execute(table.insert(), some)
            some = []
    if some:
        connection.execute(table.insert(), some)
