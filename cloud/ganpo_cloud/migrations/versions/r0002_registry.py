"""The registry of the province; Alembic keeps the version from here on."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Drop what Alembic does better, and make the registry's tables."""
    op.drop_table("schema")
    op.create_table(
        "calendar",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("valid_from", sa.Date(), nullable=False),
        sa.Column("shift", sa.Text(), nullable=False),
        sa.Column("valid_to", sa.Date(), nullable=True),
        sa.Column("days", sa.Text(), nullable=False),
        sa.Column("start", sa.Text(), nullable=False),
        sa.Column("end", sa.Text(), nullable=False),
        sa.Column("breaks", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "site", "valid_from", "shift"),
    )
    op.create_table(
        "calendar_exception",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("first", sa.Date(), nullable=False),
        sa.Column("last", sa.Date(), nullable=False),
        sa.Column("plan", sa.Text(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "site", "first"),
    )
    op.create_table(
        "declared_carrier",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "year", "carrier"),
    )
    op.create_table(
        "downtime",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("asset_no", sa.Text(), nullable=False),
        sa.Column("start", sa.BigInteger(), nullable=False),
        sa.Column("end", sa.BigInteger(), nullable=False),
        sa.Column("why", sa.Text(), nullable=False),
        sa.Column("recorded_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "asset_no", "start"),
    )
    op.create_table(
        "enterprise",
        sa.Column("code", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("gbt4754", sa.Text(), nullable=False),
        sa.Column("above_scale", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("code", "since"),
    )
    op.create_table(
        "equipment",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("asset_no", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "asset_no", "since"),
    )
    op.create_table(
        "flag",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("asset_no", sa.Text(), nullable=False),
        sa.Column("flag", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("value", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "asset_no", "flag", "evidence", "since"),
    )
    op.create_table(
        "population",
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("count", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("area", "industry", "year"),
    )
    op.create_table(
        "site",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "site"),
    )
    op.create_table(
        "statement",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("millionths", sa.BigInteger(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "month", "carrier"),
    )
    op.create_table(
        "target",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("comparator", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=True),
        sa.Column("deadline", sa.Date(), nullable=False),
        sa.Column("baseline_value", sa.Text(), nullable=True),
        sa.Column("baseline_date", sa.Date(), nullable=True),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", "area", "industry", "deadline"),
    )
    op.create_table(
        "value_added",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        sa.Column("fen", sa.BigInteger(), nullable=False),
        sa.Column("price_basis", sa.Text(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "year"),
    )
    op.create_table(
        "proof",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("asset_no", sa.Text(), nullable=False),
        sa.Column("flag", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("frame", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "asset_no", "flag"),
    )
    op.create_table(
        "onboarding",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("asset_no", sa.Text(), nullable=False),
        sa.Column("networked_at", sa.BigInteger(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("networked_frame", sa.BigInteger(), nullable=False),
        sa.Column("cloud_at", sa.BigInteger(), nullable=False),
        sa.Column("cloud_frame", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "asset_no"),
    )
    op.create_index("event_subject", "event", ["enterprise", "subject", "kind", "at"])
    _look_at_what_is_stored()


def _look_at_what_is_stored() -> None:
    """Everything observed before is looked at again: proofs are kept, and every subject's first day is dirty, so that
    its onboarding is computed."""
    connection = op.get_bind()
    rows = connection.execute(
        sa.text(
            "SELECT enterprise, subject, at, frame, data FROM event WHERE kind = 'link_up' ORDER BY at DESC"
        )
    )
    proofs = {}
    for enterprise, subject, at, frame, data in rows:
        for flag in json.loads(data).get("proves") or []:
            proofs[enterprise, subject, str(flag)] = (at, frame)
    for (enterprise, subject, flag), (at, frame) in proofs.items():
        values = {"e": enterprise, "s": subject, "f": flag, "at": at, "frame": frame}
        connection.execute(sa.text("INSERT INTO proof VALUES (:e, :s, :f, :at, :frame)"), values)
    connection.execute(
        sa.text(
            "INSERT INTO dirty (enterprise, subject, day) SELECT enterprise, asset_no, since FROM subject WHERE 1 = 1"
            " ON CONFLICT DO NOTHING"
        )
    )
