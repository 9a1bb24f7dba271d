"""Nothing lost, nobody stopped, nothing told wrong: what the collector has to remember for it."""

import json
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make what is new, from what is stored."""
    op.add_column("dirty_total", sa.Column("word", sa.BigInteger(), nullable=False, server_default="0"))
    op.execute("ALTER TABLE quarantine RENAME COLUMN crc32 TO digest")
    op.create_table(
        "quarantine_total",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("frames", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("gateway"),
    )
    op.execute(
        "INSERT INTO quarantine_total SELECT gateway, count(*), sum(size) FROM quarantine GROUP BY gateway"
    )
    op.create_table(
        "inventory_part",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("parts", sa.Integer(), nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("frame", sa.BigInteger(), nullable=False),
        sa.Column("place", sa.Integer(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "gateway", "at", "parts", "part"),
    )
    op.create_table(
        "live_item",
        sa.Column("gateway", sa.Text(), nullable=False),
        sa.Column("session", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("gateway", "session", "kind", "name"),
    )
    op.add_column("register", sa.Column("update_ms", sa.BigInteger(), nullable=True))
    op.add_column("register", sa.Column("at", sa.BigInteger(), nullable=False, server_default="0"))
    op.add_column("gateway", sa.Column("since", sa.BigInteger(), nullable=False, server_default="0"))
    op.create_table(
        "gateway_before",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("id", "since"),
    )
    op.create_table(
        "apart",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("since", sa.BigInteger(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("version", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "subject"),
    )
    _projection()
    _describe_anew()
    _judge_again()


def _judge_again() -> None:
    """Every register from the first thing on that is known of it: the rules are others, and so is a day's state. And
    the ledgers: a meter below one of its own role is inside it."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT g.enterprise, g.subject, g.timezone, min(r.at) FROM register g JOIN"
            " (SELECT enterprise, register, at FROM reading UNION ALL SELECT enterprise, register, at FROM declaration"
            " UNION ALL SELECT enterprise, new_register, at FROM declaration) r"
            " ON r.enterprise = g.enterprise AND r.register = g.id GROUP BY g.enterprise, g.subject, g.timezone"
        )
    ).all()
    for enterprise, subject, zone, at in rows:
        day = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).date()
        values = {"e": enterprise, "s": subject, "d": day.isoformat()}
        connection.execute(sa.text("INSERT INTO dirty VALUES (:e, :s, :d) ON CONFLICT DO NOTHING"), values)
    connection.execute(sa.text("DELETE FROM register_day"))
    connection.execute(sa.text("DELETE FROM consumption"))
    named = "INSERT INTO dirty_ledger SELECT DISTINCT enterprise FROM inventory WHERE 1 = 1 ON CONFLICT DO NOTHING"
    connection.execute(sa.text(named))


def _projection() -> None:
    """Each measurement has a cursor of its own, and says why it is not written."""
    op.create_table(
        "projection",
        sa.Column("measurement", sa.Text, primary_key=True),
        sa.Column("cursor", sa.BigInteger, nullable=False),
        sa.Column("failing_since", sa.BigInteger),
        sa.Column("problem", sa.Text),
    )
    op.execute("DELETE FROM counter WHERE name IN ('projection_frame', 'projection_day')")


def _describe_anew() -> None:
    """When each register was described, and those that only an older inventory of a batch named."""
    connection = op.get_bind()
    newest: dict[tuple[str, str], tuple[int, dict[str, Any]]] = {}
    rows = connection.execute(sa.text("SELECT enterprise, at, timezone, body FROM inventory ORDER BY at"))
    for enterprise, at, zone, body in rows:
        for item in json.loads(body)["registers"]:
            newest[enterprise, item["id"]] = (at, item | {"timezone": zone})
    known = {tuple(row) for row in connection.execute(sa.text("SELECT enterprise, id FROM register"))}
    for (enterprise, number), (at, item) in newest.items():
        key = {"e": enterprise, "r": number, "at": at}
        if (enterprise, number) in known:
            connection.execute(sa.text("UPDATE register SET at = :at WHERE enterprise = :e AND id = :r"), key)
            continue
        names = (
            "subject",
            "signal",
            "carrier",
            "unit",
            "num",
            "den",
            "modulus",
            "max_rate",
            "resets",
            "timezone",
        )
        connection.execute(
            sa.text(
                f"INSERT INTO register (enterprise, id, at, {', '.join(names)})"
                f" VALUES (:e, :r, :at, {', '.join(':' + name for name in names)})"
            ),
            key | {name: item.get(name) for name in names},
        )
