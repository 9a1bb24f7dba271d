"""100,000 machines on 2 cores: the collector's own loop beside their frames, in faster time with as many times fewer.

A frame of 30 machines every 15 min from each gateway, from noon on, for an hour, when the day already has 48 slots. Of
1,800 seconds that two cores have in a slot: how many the collector and its database take, and how far pages are behind.
"""

from collections.abc import Iterator

import psutil

from sides import MISSING, sides
from stores import Store, stores
from support import databases
from worker import MACHINES

WHOLE = 100_000
_NOON, _SLOTS = 48, 4
_CORES = 2
_SLOT_S = 900


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    gateways = 4 if short else 100
    slots = 1 if short else _SLOTS
    speed = min(WHOLE / (gateways * MACHINES), 60) if short else WHOLE / (gateways * MACHINES)
    yield f"  {gateways * MACHINES:,} machines in time {speed:.0f} times as fast: as {gateways * MACHINES * speed:,.0f}"
    with sides() as each, stores() as kinds:
        for store in kinds:
            for side in each:
                url = store.new(f"live_{side.name}")
                side.ask("register", url=url, gateways=gateways)
                side.ask("store", url=url, gateways=gateways, first=0, slots=_NOON)
                side.ask("settle", url=url, slots=_NOON)
                served = _served(store)
                about = {"gateways": gateways, "first": _NOON, "slots": slots, "speed": speed}
                found = side.ask("live", url=url, **about)
                used = (found["cpu_s"] + _served(store) - served) * speed / slots
                told = f"frames late {found['late_s']:,.0f} s, pages behind {found['behind_s']:,.0f} s"
                name = f"{store.kind}, {side.name}: seconds of a slot"
                yield f"  {name:<46} {used:>9,.0f} of {_CORES * _SLOT_S:,}      {told}   goal <= {_SLOT_S} s"
        if len(each) == 1:
            yield MISSING


def _served(store: Store) -> float:
    """Seconds of the processor that the database's own processes took so far."""
    if store.kind == "sqlite":
        return 0.0
    whole = psutil.Process(databases.server().pid)
    times = [process.cpu_times() for process in (whole, *whole.children(recursive=True))]
    return sum(one.user + one.system + one.children_user + one.children_system for one in times)
