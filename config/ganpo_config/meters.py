"""A meter as the collector knows it, and the transformers that it and the list both know."""

from collections.abc import Iterator

from ganpo_config.document import MeterRow
from ganpo_config.findings import Findings, nearest
from ganpo_config.plant import Transformer
from ganpo_config.points import Points
from ganpo_config.rows import Rows
from ganpo_config.subject import Subject
from ganpo_model import reference
from ganpo_model.facts import MeterItem


def meter_item(row: MeterRow, subject: Subject, points: Points, rows: Rows, findings: Findings) -> MeterItem:
    """The meter; its points are bound already."""
    meter, path = subject.meter, subject.path
    carrier = None if meter is None else meter.carrier
    if carrier is None:
        hint = nearest(row.carrier, reference.carriers())
        findings.error(f"{path}.carrier", "no such carrier (the table of carriers)", hint, value=row.carrier)
    said = (reference.signals()[s] for s in points.said(row.asset_no) if s in reference.signals())
    counts = meter is not None and any(meter.measures(s.unit) for s in said if s.type == "register")
    told = subject.parameters is None or not rows.points_known(row.asset_no)
    if carrier is not None and not counts and not told:
        findings.warn(path, f"{row.asset_no} has no register that measures {row.carrier}: it counts nothing")
    return MeterItem(row.asset_no, row.name, row.carrier, row.role, row.parent or None, row.since)


def transformers(
    row: MeterRow, subject: Subject, points: Points, findings: Findings
) -> Iterator[Transformer]:
    """What the meter says of its transformers is compared with the list; no pt there is one of 1/1."""
    plates = {} if subject.meter is None else subject.meter.plates
    for kind, plate in (("ct", row.ct), ("pt", row.pt)):
        said = {
            side: f"{row.asset_no}/{signal}"
            for side in ("ratio", "primary", "secondary")
            if (signal := f"{kind}_{side}") in points.bound(row.asset_no)
        }
        if said and (kind in plates or (kind == "pt" and not plate)):
            primary, secondary = map(float, plates.get(kind, (1, 1)))
            yield Transformer(row.asset_no, kind, plate or "1/1", primary, secondary, said)
            findings.note(f"{row.asset_no}: {kind} {plate or '1/1'} is compared with what the meter says")
