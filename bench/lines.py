"""Lines of Python in the collector, wing by wing, beside the commit before and the 13,300 that the issue begins with.

Migrations are left out: they only ever grow.
"""

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from sides import BEFORE, MISSING, ROOT

WINGS = ("store", "inlet", "days", "province", "imports", "projection", "web")
GOAL = 10_500


def run(*, short: bool) -> Iterator[str]:
    """Lines to print; short or not they are the same."""
    now = counted(ROOT)
    for wing in (*WINGS, *sorted(now.keys() - set(WINGS))):
        yield f"  {wing:<46} {now[wing]:>9,} lines"
    yield f"  {'all':<46} {now.total():>9,} lines      goal <= {GOAL:,}"
    yield f"  {'before':<46} {counted(BEFORE).total():>9,} lines" if BEFORE.exists() else MISSING
    yield f"  {'as the issue begins':<46} {13_300:>9,} lines"


def counted(checkout: Path) -> Counter[str]:
    """Lines of each wing, or of each folder and file beside them."""
    package = checkout / "cloud" / "ganpo_cloud"
    found: Counter[str] = Counter()
    for file in package.rglob("*.py"):
        parts = file.relative_to(package).parts
        if "migrations" not in parts:
            found[parts[0]] += len(file.read_text().splitlines())
    return found
