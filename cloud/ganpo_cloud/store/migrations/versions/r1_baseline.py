"""The schema of the first release: what `metadata` makes where there is nothing. Never changed once released."""

revision = "1"
down_revision = None


def upgrade() -> None:
    """Databases begin here: `schema.prepare` makes the tables and stamps them."""
