"""The tables of the registry: what people say of enterprises, dated. Rows are added; one of the same key corrects.

A dated row holds from `since` to the next row of the same subject. Local days of the site; amounts are integers.
"""

from sqlalchemy import BigInteger, Boolean, Column, Date, Integer, PrimaryKeyConstraint, Table, Text

from ganpo_cloud.store.tables import metadata

enterprise = Table(
    "enterprise",
    metadata,
    Column("code", Text, nullable=False, comment="unified social credit code"),
    Column("since", Date, nullable=False),
    Column("name", Text, nullable=False),
    Column("parent", Text, comment="code of the legal person of a branch"),
    Column("area", Text, nullable=False, comment="its statistical home: a county"),
    Column("industry", Text, nullable=False),
    Column("gbt4754", Text, nullable=False, comment="its main class"),
    Column("above_scale", Boolean, nullable=False),
    PrimaryKeyConstraint("code", "since"),
)

site = Table(
    "site",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("area", Text, nullable=False, comment="where it stands: equipment, energy and water count there"),
    Column("timezone", Text, nullable=False),
    PrimaryKeyConstraint("enterprise", "site"),
)

equipment = Table(
    "equipment",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("asset_no", Text, nullable=False),
    Column("since", Date, nullable=False),
    Column("site", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("status", Text, nullable=False),
    PrimaryKeyConstraint("enterprise", "asset_no", "since"),
)

flag = Table(
    "flag",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("asset_no", Text, nullable=False),
    Column("flag", Text, nullable=False),
    Column("evidence", Text, nullable=False, comment="claimed | document"),
    Column("since", Date, nullable=False),
    Column("value", Boolean, nullable=False),
    Column("document", Text, nullable=False),
    Column("by", Text, nullable=False),
    PrimaryKeyConstraint("enterprise", "asset_no", "flag", "evidence", "since"),
)
"""What people say of a flag. Evidence `controller` is no row: it comes from `link_up.proves` alone."""

population = Table(
    "population",
    metadata,
    Column("area", Text, nullable=False),
    Column("industry", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("count", Integer, nullable=False),
    Column("source", Text, nullable=False),
    PrimaryKeyConstraint("area", "industry", "year"),
)

value_added = Table(
    "value_added",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("fen", BigInteger, nullable=False, comment="hundredths of a CNY"),
    Column("price_basis", Text, nullable=False),
    Column("source", Text, nullable=False),
    PrimaryKeyConstraint("enterprise", "year"),
)

statement = Table(
    "statement",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("month", Text, nullable=False, comment="2026-11"),
    Column("carrier", Text, nullable=False),
    Column("millionths", BigInteger, nullable=False, comment="of the carrier's unit"),
    Column("document", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("part", Text, nullable=False, comment="whole | unmetered"),
    PrimaryKeyConstraint("enterprise", "month", "carrier"),
)
"""What papers say. Of the whole carrier: meters stand where they cover the month, else the paper. Of what is unmetered
(coal over a weighbridge): it is added to the meters."""

declared_carrier = Table(
    "declared_carrier",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("year", Integer, nullable=False),
    Column("carrier", Text, nullable=False),
    PrimaryKeyConstraint("enterprise", "year", "carrier"),
)

target = Table(
    "target",
    metadata,
    Column("id", Text, nullable=False),
    Column("area", Text, nullable=False),
    Column("industry", Text, nullable=False),
    Column("comparator", Text, nullable=False),
    Column("value", Text, comment="a decimal text; null: no number in the plan"),
    Column("deadline", Date, nullable=False),
    Column("baseline_value", Text),
    Column("baseline_date", Date),
    Column("document", Text, nullable=False),
    PrimaryKeyConstraint("id", "area", "industry", "deadline"),
)

calendar = Table(
    "calendar",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("valid_from", Date, nullable=False),
    Column("shift", Text, nullable=False),
    Column("valid_to", Date),
    Column("days", Text, nullable=False),
    Column("start", Text, nullable=False),
    Column("end", Text, nullable=False),
    Column("breaks", Text, nullable=False),
    PrimaryKeyConstraint("enterprise", "site", "valid_from", "shift"),
)
"""Shifts as they are corrected at the collector; without any the inventory's hold."""

calendar_exception = Table(
    "calendar_exception",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("first", Date, nullable=False),
    Column("last", Date, nullable=False),
    Column("plan", Text, nullable=False, comment="off | like mon"),
    Column("why", Text, nullable=False),
    PrimaryKeyConstraint("enterprise", "site", "first"),
)

downtime = Table(
    "downtime",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("asset_no", Text, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("why", Text, nullable=False),
    Column("recorded_at", BigInteger, nullable=False, comment="it counts only if before `start`"),
    PrimaryKeyConstraint("enterprise", "asset_no", "start"),
)

proof = Table(
    "proof",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("asset_no", Text, nullable=False),
    Column("flag", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("frame", BigInteger, nullable=False),
    PrimaryKeyConstraint("enterprise", "asset_no", "flag"),
)
"""Evidence `controller`: the earliest `link_up` whose Good value proves a flag. Facts add to it alone."""

onboarding = Table(
    "onboarding",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("asset_no", Text, nullable=False),
    Column("networked_at", BigInteger, nullable=False, comment="least time of a Good value: the agent's"),
    Column("evidence", Text, nullable=False, comment="what that value was, JSON"),
    Column("networked_frame", BigInteger, nullable=False),
    Column("cloud_at", BigInteger, nullable=False, comment="least commit time of a Good value: ours"),
    Column("cloud_frame", BigInteger, nullable=False),
    PrimaryKeyConstraint("enterprise", "asset_no"),
)
"""When each device came onto the network and into the cloud: computed from what is stored, never entered."""
