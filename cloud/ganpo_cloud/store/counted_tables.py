"""The tables of what is counted: recomputed from facts and registry, never entered and never incremented.

`ledger` and `production` are of one subject; `area_day`, `area_month` and `area_year` add them up. Areas stand with
every area above them and industries with ALL, so that an answer reads the rows it shows and adds nothing.
"""

from collections.abc import Mapping

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ColumnElement,
    Date,
    Index,
    Integer,
    PrimaryKeyConstraint,
    Table,
    Text,
    case,
)

from ganpo_cloud.store.tables import metadata
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
    "energy_enterprises",
    "energy_declared",
    "energy_millionths",
    "energy_fen",
    "water_enterprises",
    "water_declared",
    "water_millionths",
    "water_fen",
)
"""Intensities: tce and m3 in millionths over value added in fen, of the enterprises that have both."""

ledger = Table(
    "ledger",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("asset_no", Text, nullable=False, comment="empty: the enterprise itself"),
    Column("since", Date, nullable=False),
    Column("until", Date, comment="exclusive; null is open"),
    Column("kind", Text, nullable=False, comment="equipment | meter | enterprise"),
    Column("name", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("area", Text, nullable=False, comment="county of its site, of an enterprise its statistical home"),
    Column("industry", Text, nullable=False),
    Column("status", Text, nullable=False),
    Column("in_service", Boolean, nullable=False, comment="of an enterprise: it is a legal person"),
    Column("retired", Boolean, nullable=False),
    Column(
        "parent", Text, comment="of a branch its legal person, of a sub-meter the one above it that counts"
    ),
    Column("above_scale", Boolean, nullable=False),
    Column("main", Integer, nullable=False, comment="0 no, 1 claimed, 2 document, 3 controller"),
    Column("numerical_control", Integer, nullable=False),
    Column("digital", Integer, nullable=False),
    Column("intelligent", Integer, nullable=False),
    Column("networked", Boolean, nullable=False),
    Column("cloud", Boolean, nullable=False),
    Column("age", Text, comment="active | seen | silent | gone; null: nothing Good was ever seen"),
    Column("carrier", Text),
    Column("role", Text),
    PrimaryKeyConstraint("enterprise", "asset_no", "since"),
    Index("ledger_place", "kind", "area", "industry"),
)
"""What the ledger says of everything from day to day, one row as long as nothing of it changes."""

production = Table(
    "production",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("planned_ms", BigInteger, nullable=False),
    *(
        Column(f"{state}_ms", BigInteger, nullable=False)
        for state in ("producing", "setup", "held", "fault", "idle", "off", "maintenance", "unknown")
    ),
    Column("outside_ms", BigInteger, nullable=False, comment="PRODUCING outside planned time"),
    Column("made", BigInteger),
    Column("made_good", BigInteger),
    Column("watched", Boolean, nullable=False, comment="planned, or nobody said when the site works"),
    Column("known", Boolean, nullable=False, comment="at least half of what was planned was seen"),
    Column("good", Boolean, nullable=False, comment="something Good was seen on the local day"),
    Column("age", Text, nullable=False, comment="active | seen | silent | gone, at its end"),
    PrimaryKeyConstraint("enterprise", "subject", "day"),
    Index("production_day", "day"),
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

consumption = Table(
    "consumption",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("register", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("subject", Text, nullable=False),
    Column("carrier", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("millionths", BigInteger),
    Column("spread_ms", BigInteger, nullable=False),
    Column("open", Integer, nullable=False, comment="steps of the day that nobody explained"),
    Column("covered", Boolean, nullable=False, comment="it has a quantity from its begin to its end"),
    PrimaryKeyConstraint("enterprise", "register", "day"),
    Index("consumption_day", "day"),
)
"""What a register of a meter comes to on a local day."""

balance = Table(
    "balance",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("area", Text, nullable=False, comment="county of the site; of a statement the home"),
    Column("month", Text, nullable=False, comment="2026-11"),
    Column("carrier", Text, nullable=False),
    Column("industry", Text, nullable=False),
    *(Column(name, BigInteger, comment=comment) for name, comment in QUANTITIES.items()),
    Column("spread_ms", BigInteger, nullable=False),
    Column("open", Integer, nullable=False),
    Column("covered_days", Integer, nullable=False, comment="of the enterprise, at all its places together"),
    Column("declared", Boolean, nullable=False, comment="the enterprise says that it uses this carrier"),
    PrimaryKeyConstraint("enterprise", "area", "month", "carrier"),
    Index("balance_month", "month"),
)
"""The quantity of a carrier that an enterprise took at a place in a month."""


def _area(name: str, period: Column[object], measures: tuple[str, ...]) -> Table:
    return Table(
        name,
        metadata,
        Column("area", Text, nullable=False),
        Column("industry", Text, nullable=False, comment="empty: all of them"),
        period,
        *(Column(measure, BigInteger, nullable=False) for measure in measures),
        PrimaryKeyConstraint("area", "industry", period.name),
    )


area_day = _area("area_day", Column("day", Date, nullable=False, index=True), (*STOCKS, *FLOWS))
area_month = _area("area_month", Column("month", Text, nullable=False, index=True), (*STOCKS, *FLOWS))
area_year = _area("area_year", Column("year", Integer, nullable=False, index=True), YEARLY)

area_carrier = Table(
    "area_carrier",
    metadata,
    Column("area", Text, nullable=False),
    Column("industry", Text, nullable=False),
    Column("month", Text, nullable=False, index=True),
    Column("carrier", Text, nullable=False),
    *(Column(name, BigInteger, comment=comment) for name, comment in QUANTITIES.items()),
    Column("spread_ms", BigInteger, nullable=False),
    Column("open", Integer, nullable=False),
    Column("enterprises", Integer, nullable=False, comment="with a quantity"),
    Column("declared", Integer, nullable=False, comment="enterprises that declare it"),
    Column("covered", Integer, nullable=False, comment="of them, covered for 90 % of the month"),
    PrimaryKeyConstraint("area", "industry", "month", "carrier"),
)
"""Carriers by place and month; what nobody meters stands here too, with its `declared`."""

published = Table(
    "published",
    metadata,
    Column("month", Text, nullable=False),
    Column("published_at", BigInteger, nullable=False),
    Column("checksum", Text, nullable=False, comment="SHA-256 of the rows"),
    Column("rows", Text, nullable=False, comment="one JSON object a line"),
    PrimaryKeyConstraint("month"),
)
"""Monthly reports as they were published; never changed."""
