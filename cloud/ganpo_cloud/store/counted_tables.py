"""The tables of what is worked out: from facts and registry, never entered and never incremented.

`day`, `production` and `ledger` are of one subject, `register_day` and `consumption` of one register; `area_day`,
`area_month` and `area_year` add them up. Areas stand with every area above them and industries with ALL, so that an
answer reads the rows it shows and adds nothing.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Column, ColumnElement, Index, Table, case, text

from ganpo_cloud.store.columns import blobs, dates, flags, integers, longs, shorts, table, texts
from ganpo_model.coverage import ENTERPRISES, MEASURES
from ganpo_model.kpi import complete

ALL = ""
"""Every industry together."""
NOWHERE = "?"
"""The place of sites that the registry does not know: below the province, in no city."""
STOCKS = (*MEASURES, *ENTERPRISES)
"""As they are at the end of a day."""
QUANTITIES = {
    "millionths": "what counts: boundary_in + generation - boundary_out, and statements",
    "by_statement": "so much of it is by statements",
    "metered": "boundary_in + generation - boundary_out",
    "stated": "what statements say",
    "difference": "what statements of the whole say above the meters of the same enterprise",
}
"""A carrier in millionths of its unit: what counts, and what it was chosen from. Null: nobody says anything."""
YEARLY = (
    *(
        f"{of}_{what}"
        for of in ("energy", "water")
        for what in ("enterprises", "declared", "millionths", "fen")
    ),
    "through",
)
"""Intensities: tce and m3 in millionths over value added in fen, of the enterprises that have both. `through`: the
number of the newest month until which value added of any is known; 12: of the whole year."""


day = table(
    "day",
    texts("enterprise", "subject"),
    dates("day"),
    longs("start", "end"),
    blobs("spans", comment="`runs.py`"),
    longs("computed_at"),
    Index("day_computed", "computed_at"),
    key="enterprise subject day",
)
"""The painted day of one machine: its spans fill it from `start` to `end`."""

_waits = text("open > 0 OR aside_since IS NOT NULL")
register_day = table(
    "register_day",
    texts("enterprise", "register"),
    dates("day"),
    texts("state", comment="the fold's state at the end of the day"),
    texts("steps", comment="the steps that the day decided"),
    integers("dropped", comment="how many steps of earlier days it took back before"),
    longs("settled", nullable=True, comment="no later day takes back a step that ends before"),
    integers("open", comment="how many of its steps are open"),
    longs("aside_since", nullable=True, comment="since when nothing is believed, at its end"),
    dates("touches", comment="from this day on it may have changed quantities"),
    longs("computed_at"),
    Index("register_day_computed", "computed_at"),
    Index("register_day_waits", "enterprise", "register", sqlite_where=_waits, postgresql_where=_waits),
    key="enterprise register day",
)
"""The judged day of one register (`ganpo_model.registers.Day`), from which the next day goes on.

`computed_at` rises with every transaction that computes days, here and in `day`: a cursor over it misses nothing.
"""

_below = text("parent IS NOT NULL")
ledger = table(
    "ledger",
    texts("enterprise"),
    texts("asset_no", comment="empty: the enterprise itself"),
    dates("since"),
    dates("until", nullable=True, comment="exclusive; null is open"),
    texts("kind", comment="equipment | meter | enterprise"),
    texts("name", "site"),
    texts("area", comment="county of its site, of an enterprise its statistical home"),
    texts("industry", "status"),
    flags("in_service", comment="of an enterprise: it is a legal person"),
    flags("retired", "banned"),
    texts(
        "parent",
        nullable=True,
        comment="of a branch its legal person, of a sub-meter the one above it that counts",
    ),
    flags("above_scale"),
    shorts("main", comment="0 no, 1 claimed, 2 document, 3 controller"),
    shorts("numerical_control", "digital", "intelligent"),
    flags("networked", "cloud"),
    texts("age", nullable=True, comment="active | seen | silent | gone; null: nothing Good was ever seen"),
    shorts("named", comment="0 in the ledger alone, 1 a gateway names it, 2 and has a connection to it"),
    texts("carrier", "role", nullable=True),
    Index("ledger_place", "kind", "area", "industry"),
    Index("ledger_age", "age"),
    Index("ledger_parent", "parent", sqlite_where=_below, postgresql_where=_below),
    key="enterprise asset_no since",
)
"""What the ledger says of everything from day to day, one row as long as nothing of it changes."""

production = table(
    "production",
    texts("enterprise", "subject"),
    dates("day"),
    integers("planned_ms", "producing_ms", "setup_ms", "held_ms", "fault_ms", "idle_ms", "off_ms"),
    integers("maintenance_ms", "unknown_ms"),
    integers("outside_ms", comment="PRODUCING outside planned time"),
    longs("made", "made_good", nullable=True),
    flags("watched", comment="planned, or nobody said when the site works"),
    flags("known", comment="at least half of what was planned was seen"),
    flags("good", comment="something Good was seen on the local day"),
    texts("age", comment="active | seen | silent | gone, at its end"),
    Index("production_day", "day"),
    key="enterprise subject day",
)
"""The other half of a machine's day row: its production day."""
_p = production.c
_known, _seen = _p.planned_ms - _p.unknown_ms, complete(_p.planned_ms, _p.planned_ms - _p.unknown_ms)
FLOWS: Mapping[str, ColumnElement[int]] = {
    "planned_ms": _p.planned_ms,
    "known_ms": _known,
    "producing_ms": case((_seen, _p.producing_ms), else_=0),
    "busy_ms": case((_seen, _known), else_=0),
    "outside_ms": _p.outside_ms,
    "machine_days": case((_seen, 1), else_=0),
    "machine_days_left_out": case((_seen | (_p.planned_ms == 0), 0), else_=1),
}
"""Sums over machines and days, and of what. `producing_ms` and `busy_ms` (PBT): of those that are complete enough."""

consumption = table(
    "consumption",
    texts("enterprise", "register"),
    dates("day"),
    texts("subject", "carrier", "signal"),
    longs("millionths", nullable=True),
    longs("spread_ms"),
    integers("open", comment="steps of the day that nobody explained"),
    flags("covered", comment="it has a quantity from its begin to its end"),
    Index("consumption_day", "day"),
    key="enterprise register day",
)
"""What a register of a meter comes to on a local day."""

evidence = table(
    "evidence",
    texts("enterprise", "asset_no"),
    longs("at", "until"),
    texts("register", comment="of the meter that shows it; empty: its own states do"),
    dates("day", comment="the local day of `at`"),
    longs("counts", "millionths", nullable=True, comment="of the register, and of its unit, meanwhile"),
    longs("frame", comment="the first that tells it"),
    longs("known_at", comment="ms: when the last that tells it was stored"),
    Index("evidence_day", "day"),
    key="enterprise asset_no at register",
)
"""Every stretch in which something banned ran, from the day on which that was banned; no longer than a local day."""


def _quantities() -> Sequence[Column[Any]]:
    return [
        *(column for name, why in QUANTITIES.items() for column in longs(name, nullable=True, comment=why)),
        *longs("spread_ms"),
        *integers("open"),
    ]


balance = table(
    "balance",
    texts("enterprise"),
    texts("area", comment="county of the site; of a statement the home"),
    texts("month", comment="2026-11"),
    texts("carrier", "industry"),
    _quantities(),
    integers("covered_days", comment="of the enterprise, at all its places together"),
    flags("declared", comment="the enterprise says that it uses this carrier"),
    Index("balance_month", "month"),
    key="enterprise area month carrier",
)
"""The quantity of a carrier that an enterprise took at a place in a month."""


def _area(name: str, period: Sequence[Column[Any]], measures: Sequence[str]) -> Table:
    place = texts("area"), texts("industry", comment="empty: all of them")
    return table(name, *place, period, longs(*measures), key=f"area industry {period[0].name}")


area_day = _area("area_day", dates("day", index=True), (*STOCKS, *FLOWS))
area_month = _area("area_month", texts("month", index=True), (*STOCKS, *FLOWS))
area_year = _area("area_year", integers("year", index=True), YEARLY)

area_carrier = table(
    "area_carrier",
    texts("area", "industry"),
    texts("month", index=True),
    texts("carrier"),
    _quantities(),
    integers("enterprises", comment="with a quantity"),
    integers("declared", comment="enterprises that declare it"),
    integers("covered", comment="of them, covered for 90 % of the month"),
    key="area industry month carrier",
)
"""Carriers by place and month; what nobody meters stands here too, with its `declared`."""

area_plan = table(
    "area_plan",
    texts("area", "industry"),
    texts("month", index=True),
    texts(
        "name", comment="of what is counted; empty, of the whole: the day on which the month was worked out"
    ),
    longs("number"),
    key="area industry month name",
)
"""What the lists of the plan come to at the end of a month, of the one that runs as of today; what is 0 is left out."""

OUTLOOK = {
    "ahead": "millionths of tce that the rest of the year is expected to add, by place",
    "last_year": "millionths of tce of all last year",
    "lost": "of it, of enterprises without a projection",
    "by_last_year": "enterprises whose rest follows last year's",
    "by_linear": "whose rest goes on evenly over planned days",
    "by_none": "without a projection",
    "energy_declared": "enterprises that declare energy; this and all below at their home",
    "valued": "of them, those with value added of this year",
    "added_enterprises": "of these, those with all carriers covered until then",
    "added_millionths": "their tce of the same months",
    "added_fen": "their value added",
    "expected_enterprises": "of these, those with a projection of both",
    "expected_millionths": "their tce of the year, as it is projected",
    "expected_fen": "their value added of the year, as it is projected",
}
"""What is expected of a year as told at the end of a month; dual control stands on it."""
area_outlook = _area("area_outlook", texts("month", index=True), tuple(OUTLOOK))

outlook = table(
    "outlook",
    texts("enterprise"),
    texts("month", index=True, comment="until the end of which the year is known"),
    texts("area", "industry", comment="its home then"),
    longs("so_far", nullable=True, comment="millionths of tce from January on; null: nobody knows"),
    longs(
        "ahead", nullable=True, comment="what the rest of the year is expected to add; null: nobody can tell"
    ),
    longs("last_year", nullable=True, comment="all of it"),
    texts("method", comment="last_year | linear | none"),
    integers("gone", "planned", comment="days until then, and of the whole year"),
    integers(
        "covered", comment="of the days until then, in millionths: of the carrier of which the least is known"
    ),
    texts("through", comment="the month until which value added is known; empty: of no month"),
    longs("added_millionths", "added_fen", nullable=True, comment="tce and value added of the same months"),
    longs("expected_fen", nullable=True, comment="value added of the year, as it is projected"),
    key="enterprise month",
)
"""What a year of one enterprise is expected to come to."""

assessed = table(
    "assessed",
    texts("area"),
    integers("year"),
    longs("published_at"),
    texts("by", comment="who signed it"),
    integers("tenths", comment="of a point"),
    texts("grade"),
    texts("checksum", comment="SHA-256 of scheme and rows"),
    texts("scheme", comment="as it was then, JSON"),
    texts("rows", comment="one JSON object a line: an item and what it came to"),
    key="area year",
)
"""Assessments as they were published; never changed."""

published = table(
    "published",
    texts("month"),
    longs("published_at"),
    texts("checksum", comment="SHA-256 of the rows"),
    texts("rows", comment="one JSON object a line"),
    key="month",
)
"""Monthly reports as they were published; never changed."""
