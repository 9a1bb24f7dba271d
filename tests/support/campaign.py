"""Long campaigns in a short form: `make test` runs each small, `make campaign` the way its figures were taken."""

import os

LONG = bool(os.environ.get("GANPO_CAMPAIGN"))


def rounds(short: int, long: int) -> int:
    """How many times a campaign does what it does: `short` in the suite, `long` in `make campaign`."""
    return long if LONG else short
