"""A workbook of 5,000 points previewed, beside the bare reading of its cells with python-calamine: seconds.

What stands between: heads, notes, the comparison with the list that is there, and the check of the whole configuration.
"""

import io
import tempfile
import time
from collections.abc import Callable, Iterator
from functools import lru_cache
from pathlib import Path

from python_calamine import CalamineWorkbook

from ganpo_agent.listing import books, merging, tags
from ganpo_service import workbooks
from measure import Figure, pairs, ratio
from support.configs import BUS, HEAD


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    count, runs = (100, 1) if short else (5000, 5)
    with tempfile.TemporaryDirectory() as folder:
        config = Path(folder) / "agent.toml"
        config.write_text(HEAD + BUS, encoding="utf-8")
        raw = books.book({"meters": list(meters(count)), "points": list(points(count))}, {})

        def ours() -> None:
            opened = lru_cache(1)(workbooks.sheets)
            assert tags.read(raw, "plant.xlsx", opened) is None
            found = merging.preview(config, merging.held(raw, "plant.xlsx", opener=opened))
            assert not found.errors, found.errors[0]
            assert sum(len(one.added) for one in found.lists) == count + count // 10

        def bare() -> None:
            with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as book:
                for name in book.sheet_names:
                    book.get_sheet_by_name(name).to_python()

        times = pairs(runs, lambda: _timed(ours), lambda: _timed(bare))
    yield (
        str(Figure(f"{count:,} points and {count // 10:,} meters, preview", times[0], "s")) + "   goal <= 3 s"
    )
    yield str(Figure("its cells alone", times[1], "s"))
    yield ratio("preview / cells alone", *times)


def meters(count: int) -> Iterator[dict[str, str]]:
    """A meter for ten points."""
    for number in range(count // 10):
        yield {
            "asset_no": f"DB-{number:04}",
            "name": f"表 {number}",
            "carrier": "electricity",
            "role": "sub",
            "max_rate": "1000",
        }


def points(count: int) -> Iterator[dict[str, str]]:
    """Ten of each meter: of 240 units, whose registers follow one another."""
    signals: tuple[str, ...] = ("energy_import", "power", "voltage_l1", "voltage_l2", "voltage_l3")
    signals += ("current_l1", "current_l2", "current_l3", "frequency", "power_factor")
    for number in range(count):
        kind = "uint32" if number % 10 == 0 else "float32"
        yield {
            "asset_no": f"DB-{number // 10:04}",
            "signal": signals[number % 10],
            "connection": "bus",
            "address": f"{1 + number // 10 % 240}:holding:{number % 10 * 2 + number // 2400 * 20}",
            "type": kind,
            "order": "ABCD",
        }


def _timed(work: Callable[[], None]) -> float:
    began = time.perf_counter()
    work()
    return time.perf_counter() - began
