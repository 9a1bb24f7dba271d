"""A list of the invented province as a file that the importer takes."""

import csv
import io
from collections.abc import Iterable, Sequence

from ganpo_cloud.imports.kinds import KINDS

WHO = "演示 Demo"
"""Who wrote every invented row, and in which document it stands."""


def written(kind: str, rows: Iterable[Sequence[str]]) -> tuple[str, bytes]:
    """The kind of a list and its bytes."""
    told = io.StringIO(newline="")
    writer = csv.writer(told)
    writer.writerow(KINDS[kind].columns)
    writer.writerows(rows)
    return kind, told.getvalue().encode()
