"""Which meter stands below which: parents that are there, no circle, and what is counted twice."""

from ganpo_config.document import MeterRow
from ganpo_config.findings import Findings
from ganpo_config.rows import Rows
from ganpo_model.energy import InBalance, inside


class Parents:
    """Built once for all meters."""

    def __init__(self, rows: Rows, findings: Findings) -> None:
        self._findings, self._numbers = findings, rows.numbers
        self._equipment = {placed.row.asset_no for placed in rows.equipment}
        self._meters = {
            placed.row.asset_no: InBalance(placed.row.carrier, placed.row.role, placed.row.parent or None)
            for placed in rows.meters
        }

    def check(self, row: MeterRow, path: str) -> None:
        """What a meter says of the one above it."""
        meters, findings = self._meters, self._findings
        if not row.parent:
            return
        if row.parent not in meters:
            if self._numbers.lack(row.parent):
                hint = findings.near(row.parent, meters)
                findings.error(f"{path}.parent", "no meter has this number", hint, value=row.parent)
            elif row.parent in self._equipment:
                hint = "the number of the meter above it; empty where none is above"
                findings.error(f"{path}.parent", "is equipment, no meter", hint, value=row.parent)
            return
        above, chain = row.parent or None, {row.asset_no: None}
        while above and above not in chain:
            chain[above] = None
            above = meters[above].parent if above in meters else None
        if above == row.asset_no:
            what = f"a circle: {' below '.join([*chain, above])}"
            hint = "the one at the top has no parent: leave it empty there"
            findings.error(f"{path}.parent", what, hint, value=row.parent)
            return
        if (outer := inside(row.asset_no, meters)) is not None:
            findings.warn(
                f"{path}.role",
                f"{row.asset_no} is {row.role} below {outer}, which is "
                f"{'too' if meters[outer].role == row.role else meters[outer].role}: "
                "it counts as a sub-meter, not in the total",
            )
