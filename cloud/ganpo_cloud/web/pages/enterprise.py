"""One enterprise: what needs a person, what its machines and meters do, how far it has come on what evidence, and what
it counts for. The first half moves by itself. `/` is this page where one enterprise is known, else the overview."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from fastapi import Path
from sqlalchemy import Connection, select

from ganpo_cloud.days import observed
from ganpo_cloud.inlet.gateways import known_gateways
from ganpo_cloud.province import lists
from ganpo_cloud.province.measures import unit_of
from ganpo_cloud.province.why import why
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.store.localdays import DEFAULT_ZONE
from ganpo_cloud.store.tables import gateway
from ganpo_cloud.web.asking import Asked, Seen, asks
from ganpo_cloud.web.pages import machines, meters
from ganpo_cloud.web.pages.device import ledger_on, sound
from ganpo_cloud.web.pages.needs import needs
from ganpo_cloud.web.pages.overview import overview
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model.coverage import MEASURES, ladder
from ganpo_model.states import State

COUNTS = (("nc_checked", "main"), ("intelligent_checked", "units"), ("cloud", "units"), ("active", "cloud"))
"""The rates of the province that an enterprise counts for: how many devices, among how many."""


@dataclass(frozen=True, slots=True)
class Step:
    """A date of onboarding: `at`: ms or a day, None: not reached; `m` of `n` devices; `first`: what proves it."""

    word: str
    at: int | date | None
    m: int
    n: int
    first: Any = None

    @property
    def evidence(self) -> Item:
        """What the first Good value was."""
        return dict(json.loads(self.first.evidence)) if self.first is not None else {}


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCode(Asked):
    """The page of an enterprise."""

    code: Annotated[str, Path()]
    fragment: Annotated[bool, asks("the moving part alone", True)] = False


def home(connection: Connection, rendering: Rendering, asked: Seen) -> Item:
    """The overview where several enterprises are known, else the page of the one."""
    codes = known(connection)
    if len(codes) > 1:
        return {"template": "overview.html", "here": "/overview"} | overview(connection, rendering, asked)
    return _enterprise(connection, rendering, "".join(codes), fragment=asked.fragment, alone=True)


def enterprise(connection: Connection, rendering: Rendering, asked: OfCode) -> Item:
    """The page of an enterprise."""
    code = sound(asked.code)
    alone = known(connection) == [code]
    return _enterprise(connection, rendering, code, fragment=asked.fragment, alone=alone)


def known(connection: Connection) -> list[str]:
    """The code of the one enterprise that is known; of several two; none where there is none."""
    listed = select(ledger.c.enterprise).where(ledger.c.kind == "enterprise")
    codes = listed.union(select(gateway.c.enterprise)).order_by("enterprise").limit(2)
    return list(connection.execute(codes).scalars())


def _enterprise(
    connection: Connection, rendering: Rendering, code: str, *, fragment: bool, alone: bool
) -> Item:
    """The page of an enterprise, or its moving part; `alone`: what belongs to nobody yet is shown here too."""
    about = ledger_on(connection, code, "", rendering.day)
    everywhere = lists.Filter(rendering.province.whole, None, rendering.day)
    rows = connection.execute(
        lists.devices(rendering.province, everywhere).where(ledger.c.enterprise == code)
    ).all()
    found = observed.subjects(connection, rendering.now, code)
    gateways = known_gateways(connection, rendering.now, code)
    if not alone:
        gateways = [view for view in gateways if view.enterprise is not None]
    shown = [view for view in found if view.kind == "meter" and not view.withdrawn]
    seen = _seen(connection, code)
    steps = _steps(rendering, about, rows, seen)
    lines = machines.machines(connection, rendering, code, rows, found)
    connected = [line.state for line in lines if line.state is not None]
    main = [row for row in rows if row.in_service and row.main]
    model = {
        "code": code,
        "about": about,
        "name": about.name if about is not None else code,
        "known": not code or about is not None or bool(found) or bool(gateways),
        "zone": found[0].timezone if found else DEFAULT_ZONE,
        "needs": needs(connection, rendering.now, found, gateways, None if alone else code),
        "steps": steps,
        "main": len(main),
        "nc": sum(MEASURES["nc_checked"].counts(unit_of(row)) for row in main),
        "machines": lines,
        "ticks": list(machines.ticks(rendering)),
        "states": {state: connected.count(state) for state in State if state in connected},
        "connected": len(connected),
        "meters": meters.lines(connection, rendering, code, shown),
        "gateways": gateways,
        "online": sum(view.online for view in gateways),
        "registered": sum(view.enterprise is not None for view in gateways),
    }
    if fragment:
        return model | {"template": "moving.html"}
    return model | {
        "charts": meters.usage(connection, rendering, code, shown),
        "why": why(connection, code, None, rendering.now, rendering.province.holidays, gateways)
        if code
        else [],
        "counts": [_counted(rows, about, *measures) for measures in COUNTS],
    }


def _seen(connection: Connection, code: str) -> dict[str, Any]:
    rows = connection.execute(select(registry.onboarding).where(registry.onboarding.c.enterprise == code))
    return {row.asset_no: row for row in rows}


def _steps(rendering: Rendering, about: Any, rows: Sequence[Any], seen: dict[str, Any]) -> list[Step]:
    """Registered, on the network, in the cloud, active: since when, on what evidence, and how many count so now."""
    units = [(row.asset_no, unit_of(row)) for row in rows]
    of = {
        word: [asset_no for asset_no, unit in units if MEASURES[now].counts(unit)]
        for word, now, _ in ladder(MEASURES)
    }
    every = len(of["registered"])
    steps = [Step("registered", about.since if about is not None else None, every, every)]
    at: tuple[tuple[str, Callable[[Any], int]], ...] = (
        ("on the network", lambda row: int(row.networked_at)),
        ("in the cloud", lambda row: int(row.cloud_at)),
    )
    for word, when in at:
        first = min((seen[asset_no] for asset_no in of[word] if asset_no in seen), key=when, default=None)
        steps.append(Step(word, when(first) if first is not None else None, len(of[word]), every, first))
    active = len(of["active"])
    return [*steps, Step("active", rendering.day if active else None, active, every)]


def _counted(rows: Sequence[Any], about: Any, numerator: str, among: str) -> Item:
    """For which number of the province it counts, and with how much."""
    units = [unit_of(row) for row in rows]
    n, of = (sum(MEASURES[measure].counts(unit) for unit in units) for measure in (numerator, among))
    return {"measure": numerator, "n": n, "of": of, "counted": about is not None and bool(of)}
