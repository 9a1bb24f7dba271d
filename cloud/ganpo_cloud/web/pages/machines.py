"""The machines of an enterprise as lines: what they do now, the painted lane, yesterday, and how far each has come."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy import Connection, select

from ganpo_cloud.days import observed, painting
from ganpo_cloud.store.counted_tables import production
from ganpo_cloud.web.pages.rendering import Rendering
from ganpo_model.clock import DAY_MS
from ganpo_model.paint import Slot, Span, paint
from ganpo_model.states import State
from ganpo_service.pages import timeline

DEMO_WINDOW_MS = 600_000
"""The demo's bars show ten minutes: a day of it would be a hair."""
_ORDER = (State.FAULT, State.HELD, State.UNKNOWN)
"""Machines in these states stand first; ui.md, State timeline."""


@dataclass(frozen=True, slots=True)
class Machine:
    """One line. `row`: of the ledger, None: no list names it; `view`: as it is observed, None: no gateway names it;
    `bar`: its window; `spent`: ms per state in it; `yesterday`: its production day."""

    row: Any
    view: observed.Subject | None
    bar: Sequence[timeline.Piece]
    spent: Mapping[str, int]
    yesterday: Any

    @property
    def state(self) -> State | None:
        """What it does now; None without a connection."""
        return self.view.state if self.view is not None else None

    @property
    def of(self) -> Any:
        """What has its number and name."""
        return self.view or self.row


def window(rendering: Rendering) -> tuple[int, int]:
    """The stretch that bars show: the last day, in the demo ten minutes."""
    return rendering.ms - (DEMO_WINDOW_MS if rendering.site.demo else DAY_MS), rendering.ms


def machines(
    connection: Connection,
    rendering: Rendering,
    code: str,
    rows: Sequence[Any],
    found: Sequence[observed.Subject],
) -> list[Machine]:
    """Those of the ledger and those that gateways name, the worst first; read at once."""
    start, end = window(rendering)
    mine = (production.c.enterprise == code) & (production.c.day == rendering.today - timedelta(days=1))
    yesterday = {row.subject: row for row in connection.execute(select(production).where(mine))}
    listed = {row.asset_no: row for row in rows}
    seen = {view.asset_no: view for view in found if view.kind == "equipment" and not view.withdrawn}
    connected = [asset_no for asset_no, view in seen.items() if view.state is not None]
    axes = [(code, asset_no, start, end) for asset_no in connected]
    spans = dict(zip(connected, painting.slots(connection, axes), strict=True))
    lines = []
    for asset_no in sorted(listed.keys() | seen.keys()):
        row, view = listed.get(asset_no), seen.get(asset_no)
        if view is None and not (row is not None and row.in_service):
            continue
        painted: Sequence[Span] = ()
        if view is not None and asset_no in spans:
            painted = _with_now(paint(spans[asset_no], start, end), view, start, end)
        bar = timeline.pieces(painted, start, end, end) if painted else []
        spent = painting.ms_per_state(painted)
        lines.append(Machine(row, view, bar, spent, yesterday.get(asset_no)))
    return sorted(lines, key=_urgency)


def ticks(rendering: Rendering) -> Iterator[int]:
    """The instants below a bar."""
    start, end = window(rendering)
    yield from range(start, end + 1, (end - start) // (5 if rendering.site.demo else 6))


def _with_now(spans: Sequence[Span], view: observed.Subject, start: int, until: int) -> Sequence[Span]:
    """What a gateway says now reaches back to where its state began; slots come only when they end."""
    if view.state is None or view.state_since is None or max(view.state_since, start) >= until:
        return spans
    slots = [Slot((0, n), s.start, s.end, ((0, s.state),)) for n, s in enumerate(spans)]
    slots.append(Slot((1,), max(view.state_since, start), until, ((0, view.state),)))
    return paint(slots, start, until)


def _urgency(line: Machine) -> tuple[int, str]:
    state = line.state
    place = _ORDER.index(state) if state in _ORDER else len(_ORDER)
    return (place + (line.view is None), line.of.asset_no)
