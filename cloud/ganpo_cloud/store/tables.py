"""The tables of the collector. Instants are ms since 1970 (UTC), quantities integers, structures JSON text."""

from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Date,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    PrimaryKeyConstraint,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

from ganpo_model.clock import DAY_MS

metadata = MetaData()
_Id = BigInteger().with_variant(Integer, "sqlite")
_NARROW: dict[str, Any] = {
    "postgresql_using": "brin",
    "postgresql_with": {"pages_per_range": 16, "autosummarize": True},
}
"""An index over what rises with every row: on PostgreSQL it names the least and the greatest of some pages."""

gateway = Table(
    "gateway",
    metadata,
    Column("id", Text, primary_key=True),
    Column("enterprise", Text, nullable=False, comment="unified social credit code"),
    Column("site", Text, nullable=False),
    Column("since", BigInteger, nullable=False, comment="0: ever"),
)
"""The registry: whose a gateway is says this row alone."""

gateway_before = Table(
    "gateway_before",
    metadata,
    Column("id", Text, nullable=False),
    Column("enterprise", Text, nullable=False),
    Column("site", Text, nullable=False),
    Column("since", BigInteger, nullable=False),
    PrimaryKeyConstraint("id", "since"),
)
"""Whose it was before; a registration ends where the next one begins."""

frame = Table(
    "frame",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("gateway", Text, nullable=False),
    Column("stream", Text, nullable=False),
    Column("seq", BigInteger, nullable=False),
    Column("crc32", BigInteger, nullable=False),
    Column("committed_at", BigInteger, nullable=False),
    UniqueConstraint("gateway", "stream", "seq", "crc32"),
    Index("frame_committed", "committed_at"),
)

reading = Table(
    "reading",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("register", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("raw", BigInteger, nullable=False),
    Column("frame", BigInteger, nullable=False),
    PrimaryKeyConstraint("enterprise", "register", "at", "raw"),
    Index("reading_frame", "frame", **_NARROW),
    sqlite_with_rowid=False,
)

named = Table(
    "named",
    metadata,
    Column("id", _Id, primary_key=True, autoincrement=False),
    Column("enterprise", Text, nullable=False),
    Column("name", Text, nullable=False),
    UniqueConstraint("enterprise", "name"),
)
"""Subjects of which any state was ever told, by number: every slot would say enterprise and asset_no again."""

states = Table(
    "states",
    metadata,
    Column("start", BigInteger, nullable=False),
    Column("frame", BigInteger, nullable=False),
    Column("subject", Integer, nullable=False, comment="its number in named"),
    Column("length", Integer, nullable=False, comment="ms"),
    Column("place", SmallInteger, nullable=False),
    Column("runs", LargeBinary, nullable=False, comment="store/runs.py"),
    PrimaryKeyConstraint("subject", "start", "frame", "place").ddl_if(dialect="sqlite"),
    Index("states_day", "subject", text(f"(start / {DAY_MS})")).ddl_if(dialect="postgresql"),
    Index("states_frame", "frame", **_NARROW),
    sqlite_with_rowid=False,
)
"""A slot is stored once because its frame is."""

inventory = Table(
    "inventory",
    metadata,
    Column("frame", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("enterprise", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("frame", "place"),
    Index("inventory_newest", "enterprise", "gateway", "at"),
)

inventory_part = Table(
    "inventory_part",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("parts", Integer, nullable=False, comment="so many make it whole"),
    Column("part", Integer, nullable=False, comment="from 1"),
    Column("frame", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("enterprise", "gateway", "at", "parts", "part"),
)
"""Parts of an inventory that wait for the others (`parts.py`): nothing of them is applied."""

event = Table(
    "event",
    metadata,
    Column("frame", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("gateway", Text, nullable=False),
    Column("enterprise", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("subject", Text),
    Column("data", Text, nullable=False),
    PrimaryKeyConstraint("frame", "place"),
    Index("event_kind", "gateway", "kind", "at"),
    Index("event_subject", "enterprise", "subject", "kind", "at"),
)

subject = Table(
    "subject",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("asset_no", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="equipment | meter"),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column(
        "gateway",
        Text,
        nullable=False,
        comment="whose newest inventory names it; none: who described it last",
    ),
    Column("at", BigInteger, nullable=False),
    Column("since", Date, nullable=False, comment="the local day on which it was first named"),
    Column("withdrawn", Boolean, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("enterprise", "asset_no"),
)
"""The newest description of everything an inventory ever named, brought up to date whenever one arrives."""

register = Table(
    "register",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("id", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("signal", Text, nullable=False),
    Column("carrier", Text),
    Column("unit", Text, nullable=False),
    Column("num", BigInteger, nullable=False),
    Column("den", BigInteger, nullable=False),
    Column("modulus", BigInteger),
    Column("max_rate", BigInteger, nullable=False),
    Column("resets", Boolean, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("update_ms", BigInteger, comment="it shows a new number only so often"),
    Column("at", BigInteger, nullable=False, comment="when that was said"),
    PrimaryKeyConstraint("enterprise", "id"),
    Index("register_subject", "enterprise", "subject"),
)

declaration = Table(
    "declaration",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("enterprise", Text, nullable=False),
    Column("register", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("final", BigInteger, nullable=False),
    Column("new_register", Text),
    Column("first", BigInteger, nullable=False),
    Column("confirmed", Boolean, nullable=False),
    Column("why", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("declared_at", BigInteger, nullable=False),
    Index("declaration_register", "enterprise", "register"),
)

withdrawal = Table(
    "withdrawal",
    metadata,
    Column("declaration", BigInteger, primary_key=True),
    Column("why", Text, nullable=False),
    Column("by", Text, nullable=False),
    Column("withdrawn_at", BigInteger, nullable=False),
)
"""Declarations are withdrawn, never edited."""

dirty = Table(
    "dirty",
    metadata,
    Column("kind", Text, nullable=False, comment="day | subject | register | ledger | sums"),
    Column("key", Text, nullable=False, comment="of what: enterprise/asset_no"),
    Column("day", Date, nullable=False, comment="0001-01-01: of no single day"),
    Column("word", BigInteger, nullable=False, comment="of the last marking"),
    PrimaryKeyConstraint("kind", "key", "day"),
    postgresql_with={"fillfactor": 40},
    sqlite_with_rowid=False,
)
"""What has to be worked out again (`marks.py`)."""

apart = Table(
    "apart",
    metadata,
    Column(
        "key", Text, primary_key=True, comment="enterprise/asset_no; the ledger of an enterprise: its code"
    ),
    Column("since", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("version", Text, nullable=False, comment="which version could not"),
)
"""What cannot be computed: its marks wait, and nobody waits for it."""

day = Table(
    "day",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("subject", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("start", BigInteger, nullable=False),
    Column("end", BigInteger, nullable=False),
    Column("spans", LargeBinary, nullable=False, comment="`runs.py`"),
    Column("computed_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("enterprise", "subject", "day"),
    Index("day_computed", "computed_at"),
)
"""The painted day of one machine: its spans fill it from `start` to `end`."""

_waits = text("open > 0 OR aside_since IS NOT NULL")

register_day = Table(
    "register_day",
    metadata,
    Column("enterprise", Text, nullable=False),
    Column("register", Text, nullable=False),
    Column("day", Date, nullable=False),
    Column("state", Text, nullable=False, comment="the fold's state at the end of the day"),
    Column("steps", Text, nullable=False, comment="the steps that the day decided"),
    Column("dropped", Integer, nullable=False, comment="how many steps of earlier days it took back before"),
    Column("settled", BigInteger, comment="no later day takes back a step that ends before"),
    Column("open", Integer, nullable=False, comment="how many of its steps are open"),
    Column("aside_since", BigInteger, comment="since when nothing is believed, at its end"),
    Column("touches", Date, nullable=False, comment="from this day on it may have changed quantities"),
    Column("computed_at", BigInteger, nullable=False),
    PrimaryKeyConstraint("enterprise", "register", "day"),
    Index("register_day_computed", "computed_at"),
    Index("register_day_waits", "enterprise", "register", sqlite_where=_waits, postgresql_where=_waits),
)
"""The judged day of one register (`ganpo_model.registers.Day`), from which the next day goes on.

`computed_at` rises with every transaction that computes days, here and in `day`: a cursor over it misses nothing.
"""

quarantine = Table(
    "quarantine",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("gateway", Text, nullable=False),
    Column("received_at", BigInteger, nullable=False),
    Column("reason", Text, nullable=False),
    Column("detail", Text, nullable=False),
    Column("stream", Text),
    Column("seq", BigInteger),
    Column("digest", BigInteger, nullable=False, comment="64 bits of BLAKE2b of the bytes"),
    Column("bytes", LargeBinary, nullable=False),
    Column("size", Integer, nullable=False),
    UniqueConstraint("gateway", "digest", "size"),
    Index("quarantine_gateway", "gateway", "id"),
)
"""Frames kept as they came, with the reason why they were not applied."""

quarantine_total = Table(
    "quarantine_total",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("frames", BigInteger, nullable=False),
    Column("bytes", BigInteger, nullable=False),
)
"""What the quarantine holds of each gateway: added up anew for each frame, a flood would grow slower and slower."""

live = Table(
    "live",
    metadata,
    Column("gateway", Text, primary_key=True),
    Column("heard_at", BigInteger, nullable=False),
    Column("session", Text, nullable=False),
    Column("offline", Boolean, nullable=False, comment="the will of that session was told"),
    Column("interval_ms", BigInteger, nullable=False),
    Column("body", Text, nullable=False, comment="without connections and subjects"),
)

live_item = Table(
    "live_item",
    metadata,
    Column("gateway", Text, nullable=False),
    Column("session", Text, nullable=False),
    Column("kind", Text, nullable=False, comment="connections | subjects"),
    Column("name", Text, nullable=False),
    Column("body", Text, nullable=False),
    PrimaryKeyConstraint("gateway", "session", "kind", "name"),
)
"""What a gateway said last of each connection and subject, in its present session and the one before."""

transition = Table(
    "transition",
    metadata,
    Column("gateway", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("online", Boolean, nullable=False),
    PrimaryKeyConstraint("gateway", "at"),
)

counter = Table(
    "counter",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False),
)
"""What must outlive the process: frames given up by a full quarantine."""

projection = Table(
    "projection",
    metadata,
    Column("measurement", Text, primary_key=True),
    Column("cursor", BigInteger, nullable=False, comment="a frame, or when days were worked out"),
    Column("failing_since", BigInteger),
    Column("problem", Text, comment="why the store does not take it, in its own words"),
)
"""How far each measurement is written to the time-series store, and why it is not."""
