"""Ingest of states, three runs a slot, a frame of 30 machines: into an empty database, and into one of 5 GB.

What gateways really send. A hundred of them; both sides commit 64 frames at a time. To fill takes an hour:
GANPO_BENCH_GB says another size.
"""

import os
from collections.abc import Iterator

from measure import ratio
from sides import Side, compared, sides
from stores import Store, stores

GATEWAYS = 100
_GB = 10**9


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    runs, slots, full = (
        (1, 1, _GB // 50) if short else (5, 12, int(_GB * float(os.environ.get("GANPO_BENCH_GB", "5"))))
    )
    with sides() as each, stores() as kinds:
        for store in kinds:
            registered = [store.new(f"registered_{side.name}") for side in each]
            for side, url in zip(each, registered, strict=True):
                side.tell("register", url=url, gateways=GATEWAYS)
            for side in each:
                side.hear()
            empty: list[list[float]] = [[] for _ in each]
            for _ in range(runs + 1):
                for values, side, url in zip(empty, each, registered, strict=True):
                    copy = store.copy(url, f"copy_{side.name}")
                    values.append(side.ask("store", url=copy, gateways=GATEWAYS, first=0, slots=slots))
            empty = [values[1:] for values in empty]
            yield from compared(f"{store.kind}, empty", empty, "facts/s", of_before=">= 1.8")
            begun = _fill(each, store, registered, full)
            filled: list[list[float]] = [[] for _ in each]
            for n in range(runs):
                for values, side, url, first in zip(filled, each, registered, begun, strict=True):
                    more = {"first": first + n * slots, "slots": slots}
                    values.append(side.ask("store", url=url, gateways=GATEWAYS, **more))
            yield from compared(f"{store.kind}, {full / _GB:g} GB", filled, "facts/s", of_before=">= 1.8")
            for side, with_facts, without in zip(each, filled, empty, strict=True):
                yield ratio(f"  {full / _GB:g} GB / empty, {side.name}", with_facts, without, ">= 1")


def _fill(each: list[Side], store: Store, urls: list[str], full: int) -> list[int]:
    """Fill all at once, a day at a time, until each is so large; gives the next slot of each."""
    begun = [0 for _ in each]
    while growing := [n for n, url in enumerate(urls) if store.grown(url) < full]:
        for n in growing:
            each[n].tell("store", url=urls[n], gateways=GATEWAYS, first=begun[n], slots=96)
            begun[n] += 96
        for n in growing:
            each[n].hear()
    return begun
