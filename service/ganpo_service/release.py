"""Of which day this version is."""

from datetime import UTC, datetime

RELEASED = datetime(2026, 11, 25, tzinfo=UTC)
"""No clock is right that stands before the day of this version."""
