"""One enterprise: what needs a person, what its machines and meters do, how far it has come on what evidence, and what
it counts for. The first half moves by itself. `/` is this page where one enterprise is known, else the overview."""

from collections.abc import Mapping
from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import commissioned, observed
from ganpo_cloud.inlet.gateways import known_gateways
from ganpo_cloud.province import tagged
from ganpo_cloud.province.measures import unit_of
from ganpo_cloud.province.why import why
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.store.localdays import DEFAULT_ZONE
from ganpo_cloud.store.tables import gateway
from ganpo_cloud.web.asking import OfEnterprise, Seen, asks
from ganpo_cloud.web.pages import machines, meters, trees
from ganpo_cloud.web.pages.device import ledger_on, listed
from ganpo_cloud.web.pages.figures import Figures
from ganpo_cloud.web.pages.needs import needs
from ganpo_cloud.web.pages.overview import overview
from ganpo_cloud.web.pages.rendering import Item, Rendering
from ganpo_model.coverage import MEASURES, Unit, ladder

EVIDENCE = {"networked_at": "now_networked", "cloud_at": "now_cloud"}
"""Dates that are kept with their evidence, and which devices have them still."""


@dataclass(frozen=True, slots=True, kw_only=True)
class OfCode(OfEnterprise):
    """The page of an enterprise."""

    fragment: Annotated[bool, asks("the moving part alone", True)] = False


def home(connection: Connection, rendering: Rendering, asked: Seen) -> Item:
    """The overview where several enterprises are known, else the page of the one."""
    codes = known(connection)
    if len(codes) > 1:
        return {"template": "overview.html", "here": "/overview"} | overview(connection, rendering, asked)
    return _enterprise(connection, rendering, "".join(codes), fragment=asked.fragment, alone=True)


def enterprise(connection: Connection, rendering: Rendering, asked: OfCode) -> Item:
    """The page of an enterprise."""
    alone = known(connection) == [asked.enterprise]
    return _enterprise(connection, rendering, asked.enterprise, fragment=asked.fragment, alone=alone)


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
    rows = listed(connection, rendering, code)
    found = observed.subjects(connection, rendering.now, code)
    gateways = known_gateways(connection, rendering.now, code)
    if not alone:
        gateways = [view for view in gateways if view.enterprise is not None]
    shown = [view for view in found if view.kind == "meter" and not view.withdrawn]
    units = {row.asset_no: unit_of(row) for row in rows}
    compared = commissioned.records(connection, code)
    counted = {name: sum(map(of.counts, units.values())) for name, of in MEASURES.items()}
    first = _first(connection, code, units)
    since = (about and about.since, *(getattr(first[name], name, None) for name in EVIDENCE))
    model = {
        "code": code,
        "about": about,
        "name": about.name if about is not None else code,
        "known": not code or about is not None or bool(found) or bool(gateways),
        "zone": found[0].timezone if found else DEFAULT_ZONE,
        "needs": needs(connection, rendering.now, found, gateways, None if alone else code, compared),
        "n": Figures(rendering.day, code),
        "counted": counted,
        "first": first,
        "steps": list(
            zip(ladder(MEASURES), (*since, rendering.day if counted["now_active"] else None), strict=True)
        ),
        "machines": machines.machines(connection, rendering, code, rows, found),
        "ticks": list(machines.ticks(rendering)),
        "meters": meters.lines(connection, rendering, code, shown),
        "gateways": gateways,
        "compared": commissioned.newest(compared),
    }
    if fragment:
        return model | {"template": "moving.html"}
    return model | {
        "charts": meters.usage(connection, rendering, code, shown),
        "entered": tagged.of_enterprise(connection, rendering.day, code),
        "tree": trees.of_enterprise(connection, rendering, code),
        "why": why(connection, code, None, rendering.now, rendering.province.holidays, gateways)
        if code
        else [],
    }


def _first(connection: Connection, code: str, units: Mapping[str, Unit]) -> dict[str, Any]:
    """By date the onboarding of the first device that has it and counts now; None where there is none."""
    mine = select(registry.onboarding).where(registry.onboarding.c.enterprise == code)
    seen = [row for row in connection.execute(mine) if row.asset_no in units]
    return {
        name: min(
            (row for row in seen if MEASURES[measure].counts(units[row.asset_no])),
            key=attrgetter(name),
            default=None,
        )
        for name, measure in EVIDENCE.items()
    }
