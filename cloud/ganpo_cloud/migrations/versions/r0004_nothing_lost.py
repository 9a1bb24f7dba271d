"""Nothing lost, nobody stopped, nothing told wrong: what the collector has to remember for it."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make what is new, from what is stored."""
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
