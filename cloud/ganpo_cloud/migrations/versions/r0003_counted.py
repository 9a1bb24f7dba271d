"""What the province counts; everything that is stored is worked out again."""

from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_STOCKS = (
    "units",
    "main",
    "nc_declared",
    "nc_checked",
    "nc_proven",
    "intelligent_declared",
    "intelligent_checked",
    "intelligent_proven",
    "digital_declared",
    "digital_checked",
    "digital_proven",
    "networked",
    "digital_networked",
    "cloud",
    "active",
    "ever_registered",
    "now_registered",
    "ever_networked",
    "now_networked",
    "ever_cloud",
    "now_cloud",
    "now_active",
    "silent",
    "gone",
    "retired",
    "enterprises",
    "enterprises_above_scale",
    "enterprises_with_main",
    "enterprises_ever_networked",
    "enterprises_networked",
    "enterprises_ever_cloud",
    "enterprises_cloud",
    "enterprises_active",
)
_FLOWS = (
    "planned_ms",
    "known_ms",
    "producing_ms",
    "busy_ms",
    "outside_ms",
    "machine_days",
    "machine_days_left_out",
)
_YEARLY = (
    "energy_enterprises",
    "energy_declared",
    "energy_millionths",
    "energy_fen",
    "water_enterprises",
    "water_declared",
    "water_millionths",
    "water_fen",
)


def upgrade() -> None:
    """Make the tables of what is counted, and mark everything that is stored."""
    op.create_table(
        "standing",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("asset_no", sa.Text(), nullable=False),
        sa.Column("since", sa.Date(), nullable=False),
        sa.Column("until", sa.Date(), nullable=True),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("site", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("in_service", sa.Boolean(), nullable=False),
        sa.Column("parent", sa.Text(), nullable=True),
        sa.Column("above_scale", sa.Boolean(), nullable=False),
        sa.Column("main", sa.Integer(), nullable=False),
        sa.Column("numerical_control", sa.Integer(), nullable=False),
        sa.Column("digital", sa.Integer(), nullable=False),
        sa.Column("intelligent", sa.Integer(), nullable=False),
        sa.Column("networked", sa.Boolean(), nullable=False),
        sa.Column("cloud", sa.Boolean(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=True),
        sa.Column("role", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("enterprise", "asset_no", "since"),
    )
    op.create_index("standing_place", "standing", ["area", "industry"])
    op.create_table(
        "production",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("planned_ms", sa.BigInteger(), nullable=False),
        sa.Column("producing_ms", sa.BigInteger(), nullable=False),
        sa.Column("setup_ms", sa.BigInteger(), nullable=False),
        sa.Column("held_ms", sa.BigInteger(), nullable=False),
        sa.Column("fault_ms", sa.BigInteger(), nullable=False),
        sa.Column("idle_ms", sa.BigInteger(), nullable=False),
        sa.Column("off_ms", sa.BigInteger(), nullable=False),
        sa.Column("maintenance_ms", sa.BigInteger(), nullable=False),
        sa.Column("unknown_ms", sa.BigInteger(), nullable=False),
        sa.Column("outside_ms", sa.BigInteger(), nullable=False),
        sa.Column("made", sa.BigInteger(), nullable=True),
        sa.Column("made_good", sa.BigInteger(), nullable=True),
        sa.Column("known", sa.Boolean(), nullable=False),
        sa.Column("good", sa.Boolean(), nullable=False),
        sa.Column("age", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "subject", "day"),
    )
    op.create_index("production_day", "production", ["day"])
    op.create_table(
        "consumption",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("register", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("signal", sa.Text(), nullable=False),
        sa.Column("millionths", sa.BigInteger(), nullable=True),
        sa.Column("spread_ms", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("covered", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "register", "day"),
    )
    op.create_index("consumption_day", "consumption", ["day"])
    op.create_table(
        "balance",
        sa.Column("enterprise", sa.Text(), nullable=False),
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("millionths", sa.BigInteger(), nullable=True),
        sa.Column("spread_ms", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("covered_days", sa.Integer(), nullable=False),
        sa.Column("declared", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("enterprise", "area", "month", "carrier"),
    )
    op.create_index("balance_month", "balance", ["month"])
    op.create_table(
        "area_day",
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *(sa.Column(measure, sa.BigInteger(), nullable=False) for measure in (*_STOCKS, *_FLOWS)),
        sa.PrimaryKeyConstraint("area", "industry", "day"),
    )
    op.create_index("ix_area_day_day", "area_day", ["day"])
    op.create_table(
        "area_month",
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        *(sa.Column(measure, sa.BigInteger(), nullable=False) for measure in (*_STOCKS, *_FLOWS)),
        sa.PrimaryKeyConstraint("area", "industry", "month"),
    )
    op.create_index("ix_area_month_month", "area_month", ["month"])
    op.create_table(
        "area_year",
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("year", sa.Integer(), nullable=False),
        *(sa.Column(measure, sa.BigInteger(), nullable=False) for measure in _YEARLY),
        sa.PrimaryKeyConstraint("area", "industry", "year"),
    )
    op.create_index("ix_area_year_year", "area_year", ["year"])
    op.create_table(
        "area_carrier",
        sa.Column("area", sa.Text(), nullable=False),
        sa.Column("industry", sa.Text(), nullable=False),
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("carrier", sa.Text(), nullable=False),
        sa.Column("millionths", sa.BigInteger(), nullable=True),
        sa.Column("spread_ms", sa.BigInteger(), nullable=False),
        sa.Column("open", sa.Integer(), nullable=False),
        sa.Column("enterprises", sa.Integer(), nullable=False),
        sa.Column("declared", sa.Integer(), nullable=False),
        sa.Column("covered", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("area", "industry", "month", "carrier"),
    )
    op.create_index("ix_area_carrier_month", "area_carrier", ["month"])
    op.create_table(
        "dirty_ledger",
        sa.Column("enterprise", sa.Text(), nullable=False, primary_key=True),
    )
    op.create_table(
        "dirty_total",
        sa.Column("day", sa.Date(), nullable=False, primary_key=True),
    )
    op.create_table(
        "published",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("published_at", sa.BigInteger(), nullable=False),
        sa.Column("checksum", sa.Text(), nullable=False),
        sa.Column("rows", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("month"),
    )
    _work_out_again()


def _work_out_again() -> None:
    """Every painted day, every register from its first reading on, and every ledger."""
    connection = op.get_bind()
    connection.execute(
        sa.text(
            "INSERT INTO dirty SELECT enterprise, subject, day FROM day WHERE 1 = 1 ON CONFLICT DO NOTHING"
        )
    )
    connection.execute(
        sa.text(
            "INSERT INTO dirty_ledger SELECT code FROM enterprise UNION SELECT enterprise FROM inventory"
            " UNION SELECT enterprise FROM equipment"
        )
    )
    rows = connection.execute(
        sa.text(
            "SELECT g.enterprise, g.subject, g.timezone, min(r.at) FROM register g JOIN reading r"
            " ON r.enterprise = g.enterprise AND r.register = g.id GROUP BY g.enterprise, g.subject, g.timezone"
        )
    ).all()
    for enterprise, subject, zone, at in rows:
        day = datetime.fromtimestamp(at / 1000, UTC).astimezone(ZoneInfo(zone)).date()
        values = {"e": enterprise, "s": subject, "d": day.isoformat()}
        connection.execute(sa.text("INSERT INTO dirty VALUES (:e, :s, :d) ON CONFLICT DO NOTHING"), values)
    connection.execute(sa.text("DELETE FROM register_day"))
