"""The tables of what came in, as it came, and of what waits to be worked out.

Instants are ms since 1970 (UTC), quantities integers, structures JSON text.
"""

from typing import Any

from sqlalchemy import Index, PrimaryKeyConstraint, UniqueConstraint, text

from ganpo_cloud.store.columns import ID, blobs, columns, dates, flags, integers, longs, shorts, table, texts
from ganpo_model.clock import DAY_MS

_NARROW: dict[str, Any] = {
    "postgresql_using": "brin",
    "postgresql_with": {"pages_per_range": 16, "autosummarize": True},
}
"""An index over what rises with every row: on PostgreSQL it names the least and the greatest of some pages."""

gateway = table("gateway", texts("id", "enterprise", "site"), longs("since", comment="0: ever"), key="id")
"""The registry: whose a gateway is says this row alone."""

gateway_before = table("gateway_before", texts("id", "enterprise", "site"), longs("since"), key="id since")
"""Whose it was before; a registration ends where the next one begins."""

frame = table(
    "frame",
    columns(ID, "id", autoincrement=False),
    texts("gateway", "stream"),
    longs("seq", "crc32", "committed_at"),
    UniqueConstraint("gateway", "stream", "seq", "crc32"),
    key="id",
)

reading = table(
    "reading",
    texts("enterprise", "register"),
    longs("at", "raw", "frame"),
    Index("reading_frame", "frame", **_NARROW),
    key="enterprise register at raw",
    sqlite_with_rowid=False,
)

named = table(
    "named",
    integers("id", autoincrement=False),
    texts("enterprise", "name"),
    UniqueConstraint("enterprise", "name"),
    key="id",
)
"""Subjects of which any state was ever told, by number: every slot would say enterprise and asset_no again."""

states = table(
    "states",
    longs("start", "frame"),
    integers("subject", comment="its number in named"),
    integers("length", comment="ms"),
    shorts("place"),
    blobs("runs", comment="store/runs.py"),
    PrimaryKeyConstraint("subject", "start", "frame", "place").ddl_if(dialect="sqlite"),
    Index("states_day", "subject", text(f"(start / {DAY_MS})")).ddl_if(dialect="postgresql"),
    Index("states_frame", "frame", **_NARROW),
    sqlite_with_rowid=False,
)
"""A slot is stored once because its frame is."""

inventory = table(
    "inventory",
    longs("frame"),
    integers("place"),
    texts("gateway", "enterprise"),
    longs("at"),
    texts("timezone", "body"),
    Index("inventory_newest", "enterprise", "gateway", "at"),
    key="frame place",
)

inventory_part = table(
    "inventory_part",
    texts("enterprise", "gateway"),
    longs("at"),
    integers("parts", comment="so many make it whole"),
    integers("part", comment="from 1"),
    longs("frame"),
    integers("place"),
    texts("body"),
    key="enterprise gateway at parts part",
)
"""Parts of an inventory that wait for the others (`parts.py`): nothing of them is applied."""

event = table(
    "event",
    longs("frame"),
    integers("place"),
    texts("gateway", "enterprise"),
    longs("at"),
    texts("kind"),
    texts("subject", nullable=True),
    texts("data"),
    Index("event_kind", "gateway", "kind", "at"),
    Index("event_subject", "enterprise", "subject", "kind", "at"),
    key="frame place",
)

subject = table(
    "subject",
    texts("enterprise", "asset_no"),
    texts("kind", comment="equipment | meter"),
    texts("name", "timezone"),
    texts("gateway", comment="whose newest inventory names it; none: who described it last"),
    longs("at"),
    dates("since", comment="the local day on which it was first named"),
    flags("withdrawn"),
    texts("body"),
    key="enterprise asset_no",
)
"""The newest description of everything an inventory ever named, brought up to date whenever one arrives."""

register = table(
    "register",
    texts("enterprise", "id", "subject", "signal"),
    texts("carrier", nullable=True),
    texts("unit"),
    longs("num", "den"),
    longs("modulus", nullable=True),
    longs("max_rate"),
    flags("resets"),
    texts("timezone"),
    longs("update_ms", nullable=True, comment="it shows a new number only so often"),
    longs("at", comment="when that was said"),
    Index("register_subject", "enterprise", "subject"),
    key="enterprise id",
)

declaration = table(
    "declaration",
    columns(ID, "id"),
    texts("enterprise", "register"),
    longs("at", "final"),
    texts("new_register", nullable=True),
    longs("first"),
    flags("confirmed"),
    texts("why", "by"),
    longs("declared_at"),
    Index("declaration_register", "enterprise", "register"),
    key="id",
)

withdrawal = table(
    "withdrawal", longs("declaration"), texts("why", "by"), longs("withdrawn_at"), key="declaration"
)
"""Declarations are withdrawn, never edited."""

alarm = table(
    "alarm",
    columns(ID, "id"),
    texts("enterprise", "asset_no"),
    longs("opened_at", comment="ms: from here on it ran, unanswered"),
    longs("raised_at", comment="ms: when that was worked out"),
    longs("frame", comment="the one that told it"),
    Index("alarm_device", "enterprise", "asset_no"),
    key="id",
)
"""Of something banned that ran. One of a device until it is closed; never edited, and never taken back."""

alarm_closing = table("alarm_closing", longs("alarm"), longs("closed_at"), texts("why", "by"), key="alarm")

dirty = table(
    "dirty",
    texts("kind", comment="day | subject | register | ledger | sums"),
    texts("key", comment="of what: enterprise/asset_no"),
    dates("day", comment="0001-01-01: of no single day"),
    longs("word", comment="of the last marking"),
    key="kind key day",
    postgresql_with={"fillfactor": 40},
    sqlite_with_rowid=False,
)
"""What has to be worked out again (`marks.py`)."""

apart = table(
    "apart",
    texts("key", comment="enterprise/asset_no; the ledger of an enterprise: its code"),
    longs("since"),
    texts("reason"),
    texts("version", comment="which version could not"),
    key="key",
)
"""What cannot be computed: its marks wait, and nobody waits for it."""

quarantine = table(
    "quarantine",
    columns(ID, "id"),
    texts("gateway"),
    longs("received_at"),
    texts("reason", "detail"),
    texts("stream", nullable=True),
    longs("seq", nullable=True),
    longs("digest", comment="64 bits of BLAKE2b of the bytes"),
    blobs("bytes"),
    integers("size"),
    UniqueConstraint("gateway", "digest", "size"),
    Index("quarantine_gateway", "gateway", "id"),
    key="id",
)
"""Frames kept as they came, with the reason why they were not applied."""

quarantine_total = table("quarantine_total", texts("gateway"), longs("frames", "bytes"), key="gateway")
"""What the quarantine holds of each gateway: added up anew for each frame, a flood would grow slower and slower."""

live = table(
    "live",
    texts("gateway"),
    longs("heard_at"),
    texts("session"),
    flags("offline", comment="the will of that session was told"),
    longs("interval_ms"),
    texts("body", comment="without connections and subjects"),
    key="gateway",
)

live_item = table(
    "live_item",
    texts("gateway", "session"),
    texts("kind", comment="connections | subjects"),
    texts("name", "body"),
    key="gateway session kind name",
)
"""What a gateway said last of each connection and subject, in its present session and the one before."""

transition = table("transition", texts("gateway"), longs("at"), flags("online"), key="gateway at")

counter = table("counter", texts("name"), longs("value"), key="name")
"""What must outlive the process: frames given up by a full quarantine."""

projection = table(
    "projection",
    texts("measurement"),
    longs("cursor", comment="a frame, or when days were worked out"),
    longs("failing_since", nullable=True),
    texts("problem", nullable=True, comment="why the store does not take it, in its own words"),
    key="measurement",
)
"""How far each measurement is written to the time-series store, and why it is not."""
