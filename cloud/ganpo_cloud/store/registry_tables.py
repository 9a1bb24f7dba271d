"""The tables of the registry: what people say of enterprises, dated. Rows are added; one of the same key corrects.

A dated row holds from `since` to the next row of the same subject. Local days of the site; amounts are integers.
"""

from functools import partial

from sqlalchemy import Index

from ganpo_cloud.store.columns import dates, flags, integers, longs, table, texts

entered = partial(longs, "recorded_at", comment="ms: when the row was imported as it stands")

enterprise = table(
    "enterprise",
    texts("code", comment="unified social credit code"),
    dates("since"),
    texts("name"),
    texts("parent", nullable=True, comment="code of the legal person of a branch"),
    texts("area", comment="its statistical home: a county"),
    texts("industry"),
    texts("gbt4754", comment="its main class"),
    flags("above_scale"),
    key="code since",
)

site = table(
    "site",
    texts("enterprise", "site", "name"),
    texts("area", comment="where it stands: equipment, energy and water count there"),
    texts("timezone"),
    key="enterprise site",
)

equipment = table(
    "equipment",
    texts("enterprise", "asset_no"),
    dates("since"),
    texts("site", "name", "status"),
    key="enterprise asset_no since",
)

flag = table(
    "flag",
    texts("enterprise", "asset_no", "flag"),
    texts("evidence", comment="claimed | document"),
    dates("since"),
    flags("value"),
    texts("document", "by"),
    key="enterprise asset_no flag evidence since",
)
"""What people say of a flag. Evidence `controller` is no row: it comes from `link_up.proves` alone."""

population = table(
    "population",
    texts("area", "industry"),
    integers("year", "count"),
    texts("source"),
    key="area industry year",
)

value_added = table(
    "value_added",
    texts("enterprise"),
    integers("year"),
    longs("fen", comment="hundredths of a CNY"),
    texts("price_basis", "source"),
    texts("through", comment="2026-09: from January to the end of this month; empty: the whole year"),
    key="enterprise year through",
)

statement = table(
    "statement",
    texts("enterprise"),
    texts("month", comment="2026-11"),
    texts("carrier"),
    longs("millionths", comment="of the carrier's unit"),
    texts("document", "by"),
    texts("part", comment="whole | unmetered"),
    key="enterprise month carrier",
)
"""What papers say. Of the whole carrier: meters stand where they cover the month, else the paper. Of what is unmetered
(coal over a weighbridge): it is added to the meters."""

declared_carrier = table(
    "declared_carrier", texts("enterprise"), integers("year"), texts("carrier"), key="enterprise year carrier"
)

target = table(
    "target",
    texts("id", "area", "industry", "comparator"),
    texts("value", nullable=True, comment="a decimal text; null: no number in the plan"),
    dates("deadline"),
    texts("baseline_value", nullable=True),
    dates("baseline_date", nullable=True),
    texts("document", "by"),
    entered(),
    key="id area industry deadline document",
)

calendar = table(
    "calendar",
    texts("enterprise", "site"),
    dates("valid_from"),
    texts("shift"),
    dates("valid_to", nullable=True),
    texts("days", "start", "end", "breaks"),
    key="enterprise site valid_from shift",
)
"""Shifts as they are corrected at the collector; without any the inventory's hold."""

calendar_exception = table(
    "calendar_exception",
    texts("enterprise", "site"),
    dates("first", "last"),
    texts("plan", comment="off | like mon"),
    texts("why"),
    key="enterprise site first",
)

downtime = table(
    "downtime",
    texts("enterprise", "asset_no"),
    longs("start", "end"),
    texts("why"),
    longs("recorded_at", comment="it counts only if before `start`"),
    key="enterprise asset_no start",
)

node = table(
    "node",
    texts("enterprise", "node"),
    dates("first"),
    dates("last", nullable=True),
    texts("site", "name"),
    texts("parent", comment="the node above it; empty: none"),
    texts("kind", comment="factory | workshop | line | cell"),
    Index("node_parent", "enterprise", "parent"),
    key="enterprise node first",
)
"""The tree of an enterprise. `first` to `last`, here as below: both days belong to it, null is open."""

node_equipment = table(
    "node_equipment",
    texts("enterprise", "node", "asset_no"),
    dates("first"),
    dates("last", nullable=True),
    Index("node_equipment_node", "enterprise", "node"),
    key="enterprise asset_no node first",
)

accreditation = table(
    "accreditation",
    texts("enterprise", "node", "kind"),
    texts("grade", comment="national | provincial | city | county"),
    dates("first"),
    dates("last", nullable=True),
    texts("document", "by"),
    entered(),
    key="enterprise node kind grade first",
)
"""What somebody has recognised a node as."""

limit = table(
    "limit_of",
    texts("area", "industry", "enterprise", comment="of exactly one: area or enterprise; the other is empty"),
    integers("year"),
    texts("kind", comment="total_tce | intensity"),
    texts("value", comment="a decimal text: tce, or tce per 10,000 CNY"),
    texts("price_basis", comment="of an intensity"),
    texts("document", "by"),
    entered(),
    key="area industry enterprise year kind document",
)

product = table(
    "product",
    texts("product", "zh", "en"),
    texts("unit", comment="in which all output of it is told"),
    texts("industry"),
    key="product",
)

output = table(
    "output",
    texts("enterprise", "month", "product"),
    longs("millionths", comment="of the product's unit"),
    texts("meters", comment="the `process` meters that measure its energy, by a blank; empty: none"),
    texts("document", "by"),
    entered(),
    key="enterprise month product",
)

capacity = table(
    "capacity",
    texts("enterprise", "product"),
    integers("year"),
    longs("millionths", comment="of the product's unit in a year"),
    texts("document", "by"),
    entered(),
    key="enterprise product year",
)

cloud_move = table(
    "cloud_move",
    texts("enterprise"),
    texts("kind", comment="data_centre | business_systems"),
    dates("since"),
    flags("value"),
    texts("document", "by"),
    entered(),
    key="enterprise kind since",
)

tag = table(
    "tag",
    texts("tag", comment="one of `ganpo_model/reference/tags.csv`"),
    texts("enterprise", comment="of an enterprise; empty: of an area, or of an industry in it"),
    texts("area", "industry"),
    dates("first"),
    dates("last", nullable=True),
    texts("document", "by"),
    entered(),
    key="tag enterprise area industry first",
)
"""Marks that filter and never partition."""

banned = table(
    "banned",
    texts("enterprise", "asset_no"),
    texts("kind", comment="outdated | forbidden"),
    dates("since"),
    texts("meter", comment="asset_no of the meter that measures it; empty: none"),
    texts("standby_kw", comment="a decimal text; empty: 1 % of the most its register may rise"),
    texts("document", "by"),
    entered(),
    key="enterprise asset_no since",
)
"""Equipment that may not run from `since` on."""

proof = table(
    "proof", texts("enterprise", "asset_no", "flag"), longs("at", "frame"), key="enterprise asset_no flag"
)
"""Evidence `controller`: the earliest `link_up` whose Good value proves a flag. Facts add to it alone."""

onboarding = table(
    "onboarding",
    texts("enterprise", "asset_no"),
    longs("networked_at", comment="least time of a Good value: the agent's"),
    texts("evidence", comment="what that value was, JSON"),
    longs("networked_frame"),
    longs("cloud_at", comment="least commit time of a Good value: ours"),
    longs("cloud_frame"),
    Index("onboarding_cloud", "cloud_at"),
    key="enterprise asset_no",
)
"""When each device came onto the network and into the cloud: computed from what is stored, never entered."""
