"""What a device was found not to have, so that it is not asked for at every poll: holes, and walls between blocks.

Kept by area and numbers: it outlives the session, and what one query learned serves the others.
"""

from dataclasses import dataclass, field

from ganpo_drivers.api import FaultKind, PointFault
from ganpo_drivers.modbus.blocks import Block, Placed, Plan

MINUTE_S = 60.0
HOUR_S = 3600.0
DAY_S = 86_400.0
PROBE_S = 10.0
LONGEST_PROBE_S = 300.0

Span = tuple[int, int]
"""The first register (or bit) and the one after the last."""


@dataclass(frozen=True, slots=True)
class Hole:
    """What was refused: every request that holds one of `spans`, or any of the area where there are none.

    One of its points is asked for again at `due`, each time another; `tries`: how often that was in vain.
    """

    spans: frozenset[Span]
    fault: PointFault
    due: float
    tries: int

    def refuses(self, asked: Span) -> bool:
        """Whether a request for this is known to be refused."""
        return not self.spans or any(asked[0] <= first and end <= asked[1] for first, end in self.spans)


@dataclass(slots=True)
class _Area:
    """One area of one unit. `walls`: no request reaches over one of these registers, until then. `answered`: what
    ever came in one answer."""

    holes: list[Hole] = field(default_factory=list)
    walls: dict[int, float] = field(default_factory=dict)
    answered: set[Span] = field(default_factory=set)


class Learned:
    """All areas of all units of a connection. Times are monotonic seconds."""

    def __init__(self) -> None:
        self._areas: dict[tuple[int, str], _Area] = {}
        self._units: set[int] = set()
        self._version = 0

    def told(self) -> dict[str, list[str]]:
        """The holes by unit, a line each, in the protocol's own numbers."""
        found: dict[str, list[str]] = {}
        for (unit, name), area in self._areas.items():
            for hole in area.holes:
                places = ", ".join(
                    f"{first}" if end - first == 1 else f"{first}-{end - 1}"
                    for first, end in sorted(hole.spans)
                )
                found.setdefault(str(unit), []).append(f"{name} {places or 'registers'}: {hole.fault.text}")
        return found

    def plan(self, block: Block, now: float) -> Plan:
        """The fewest requests that touch no hole, and one for each hole that is due."""
        plan = block.plan
        if plan is None or plan.version != self._version or now >= plan.until:
            plan = block.plan = self._planned(block, self._area(block), now)
        return plan

    def knows(self, block: Block) -> bool:
        """Whether it touches a hole: then it was asked because that was due."""
        return any(hole.refuses(_span(block)) for hole in self._area(block).holes)

    def answered(self, block: Block) -> None:
        """Its registers came in one answer: a hole that has one of them is none."""
        area = self._area(block)
        if not block.answered:
            block.answered = True
            self._units.add(block.unit)
            area.answered.add(_span(block))
        if area.holes:
            kept = [hole for hole in area.holes if not hole.refuses(_span(block))]
            if len(kept) < len(area.holes):
                area.holes = kept
                self._version += 1

    def refused(self, block: Block, fault: PointFault, now: float, *, area: bool = False) -> None:
        """Each of its points was refused, or (`area`) the function with which all of the area is read: unless some
        of that once came, then it is only these points.

        Asked for again after a minute, doubling to an hour, where it once answered or nothing of the unit has yet
        (it may be starting); else after a day. What is silent (`missing`) is probed as a silent unit is: after 10 s,
        doubling to 5 min.
        """
        known = self._area(block)
        area = area and not known.answered
        before = [hole for hole in known.holes if area or hole.refuses(_span(block))]
        spans = {_of(item) for item in block.placed}.union(*(hole.spans for hole in before))
        came = (
            known.answered if area else [a for a in known.answered if any(_holds(a, span) for span in spans)]
        )
        tries = max((hole.tries + 1 for hole in before), default=0)
        pause_s = DAY_S
        if fault.kind is FaultKind.MISSING:
            pause_s = min(PROBE_S * 2 ** min(tries, 6), LONGEST_PROBE_S)
        elif block.unit not in self._units or came:
            pause_s = min(MINUTE_S * 2 ** min(tries, 6), HOUR_S)
        known.holes = [hole for hole in known.holes if hole not in before]
        known.holes.append(Hole(frozenset() if area else frozenset(spans), fault, now + pause_s, tries))
        self._version += 1

    def apart(self, right: Block, now: float) -> None:
        """It answers, and so does what lies before it, but not both at once: a hole between them, or too much."""
        self._area(right).walls[right.first] = now + DAY_S
        self._version += 1

    def _area(self, block: Block) -> _Area:
        key = block.unit, block.area
        found = self._areas.get(key)
        if found is None:
            found = self._areas[key] = _Area()
        return found

    def _planned(self, block: Block, area: _Area, now: float) -> Plan:
        area.walls = {number: until for number, until in area.walls.items() if now < until}
        lost: dict[Hole, list[Placed]] = {}
        runs: list[list[Placed]] = []
        first = end = 0
        for item in block.placed:
            span = _of(item)
            hole = next((hole for hole in area.holes if hole.refuses(span)), None)
            if hole is not None:
                lost.setdefault(hole, []).append(item)
                continue
            whole = (first, max(end, span[1]))
            if (
                not runs
                or any(hole.refuses(whole) for hole in area.holes)
                or any(whole[0] < wall < whole[1] for wall in area.walls)
            ):
                runs.append([])
                whole = span
            first, end = whole
            runs[-1].append(item)
        tried = [[items[hole.tries % len(items)]] for hole, items in lost.items() if now >= hole.due]
        parts = (block,) if len(block.placed) in map(len, runs) else tuple(map(Block, runs + tried))
        faults = {index: hole.fault for hole, items in lost.items() for index, _ in items}
        waits = [*(hole.due for hole in area.holes if now < hole.due), *area.walls.values()]
        return Plan(parts, faults, min(waits, default=float("inf")), self._version)


def _of(item: Placed) -> Span:
    address = item[1].address
    return address.number, address.number + address.words


def _span(block: Block) -> Span:
    return block.first, block.first + block.count


def _holds(outer: Span, inner: Span) -> bool:
    return outer[0] <= inner[0] and inner[1] <= outer[1]
