"""What a meter itself says of its transformers, against the list: the list counts, and a difference is a fault."""

from collections.abc import Sequence

from ganpo_config.plant import Plant, SignalValue, Transformer
from ganpo_drivers import FaultKind, PointFault

TOLERANCE = 0.01
"""Of the ratio: a meter may hold 133 for 400/3."""


class Nameplate:
    """Compares, for all points of one meter: none of them is believed while meter and list differ."""

    __slots__ = ("_said", "_transformers", "fault")

    def __init__(self, transformers: Sequence[Transformer]) -> None:
        self.fault: PointFault | None = None
        """What differs."""
        self._transformers = transformers
        self._said: dict[str, float | None] = {name: None for t in transformers for name in t.said.values()}

    def look(self, point: str, value: SignalValue | None) -> PointFault | None:
        """The fault of a value that a point of this meter brought; None where it may be believed."""
        if point in self._said and value != self._said[point]:
            self._said[point] = float(value)  # type: ignore[arg-type]  # these signals are numbers
            self.fault = next((fault for t in self._transformers if (fault := self._judged(t))), None)
        return self.fault

    def _judged(self, about: Transformer) -> PointFault | None:
        said = {side: self._said[name] for side, name in about.said.items()}
        ratio, primary, secondary = said.get("ratio"), said.get("primary"), said.get("secondary")
        if ratio is None and primary is not None and secondary:
            ratio = primary / secondary
        if ratio is not None:
            return _compared(about, "ratio", ratio, about.primary / about.secondary)
        if primary is not None and "secondary" not in about.said:
            return _compared(about, "primary side", primary, about.primary)
        return None


def nameplates(plant: Plant) -> dict[str, Nameplate]:
    """By the name of each point of a meter that says its transformers."""
    by_meter: dict[str, list[Transformer]] = {}
    for transformer in plant.transformers:
        by_meter.setdefault(transformer.meter, []).append(transformer)
    made = {meter: Nameplate(transformers) for meter, transformers in by_meter.items()}
    points = (point for connection in plant.connections for point in connection.points)
    return {point.name: made[point.subject] for point in points if point.subject in made}


def _compared(about: Transformer, what: str, meter: float, listed: float) -> PointFault | None:
    if abs(meter - listed) <= TOLERANCE * listed:
        return None
    text = (
        f"the {what} of its {about.kind} is {meter:g} in the meter and {listed:g} in the list "
        f"({about.kind} {about.plate}): set the meter, or mend the list"
    )
    return PointFault(FaultKind.BAD, text)
