"""Nothing lost, nobody stopped, nothing told wrong: what the collector has to remember for it."""

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    pass
