"""A machine's day of 96 slots, three runs each: from dirty to the sums of county, city and province; bytes on disk.

Gateways of 30 machines, each of an enterprise, in all counties. Every run works out a copy of the same database, in
which a day of all machines lies dirty. Bytes: what the day adds, facts and day rows, after VACUUM.
"""

from collections.abc import Iterator
from statistics import median

from sides import Side, compared, sides
from stores import Store, stores
from worker import MACHINES, SLOTS

_GOALS = {"sqlite": ("<= 0.35", "<= 9 kB"), "postgresql": ("<= 0.3", "<= 11 kB")}


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    small, runs = (1, 1) if short else (30, 5)
    with sides() as each, stores() as kinds:
        for store in kinds:
            faster, smaller = _GOALS[store.kind]
            found = {}
            for gateways in (small, 10 * small):
                machines = gateways * MACHINES
                filled = [_filled(side, store, gateways) for side in each]
                found[machines] = _settled(each, store, [url for url, _ in filled], runs, machines)
                yield from compared(
                    f"{store.kind}, {machines:,} machine-days", found[machines], "ms each", of_before=faster
                )
            grown = 10 * median(found[10 * small * MACHINES][0]) / median(found[small * MACHINES][0])
            yield f"  {'  10 x the machines, now':<46} {grown:>9.2f} x          goal <= 11"
            for side, (url, base) in zip(each, filled, strict=True):
                kept = (store.size(url) - base) / machines
                side.ask("settle", url=url)
                day = (store.size(url) - base) / machines
                goal = f"   goal {smaller}" if side is each[0] else ""
                name = f"{store.kind}, bytes a machine-day, {side.name}"
                yield f"  {name:<46} {day:>9,.0f} bytes      (facts alone {kept:,.0f}){goal}"


def _filled(side: Side, store: Store, gateways: int) -> tuple[str, int]:
    """A database with a day of every machine, all of it dirty; and how large it was without that day."""
    url = store.new(f"filled_{side.name}")
    side.ask("register", url=url, gateways=gateways)
    base = store.size(url)
    side.ask("store", url=url, gateways=gateways, first=0, slots=SLOTS)
    return url, base


def _settled(
    each: list[Side], store: Store, filled: list[str], runs: int, machines: int
) -> list[list[float]]:
    """Milliseconds a machine-day of each side, run by run, in turn; the first of each is not counted."""
    found: list[list[float]] = [[] for _ in each]
    for _ in range(runs + 1):
        for values, side, url in zip(found, each, filled, strict=True):
            copy = store.copy(url, f"copy_{side.name}")
            values.append(1000 * side.ask("settle", url=copy) / machines)
    return [values[1:] for values in found]
