"""A thousand points as a plant has them: every other one a register, the rest the power by which a machine is known."""

import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from ganpo_agent.observing.observer import Observer
from ganpo_config.plant import Between, BoundPoint, Machine, Meaning, Register, Rule
from ganpo_drivers import Address, Point
from ganpo_model.clock import to_ms
from ganpo_model.facts import RegisterItem
from ganpo_model.states import State
from support.plants import START, PlantBuilder, PlayedDriver

BEGIN = to_ms(START)


def observed(
    number: int, address: Callable[[int], Address]
) -> tuple[list[Point[Any]], list[BoundPoint], Observer]:
    """What the driver reads, what the observer is fed with, and the observer, which stands at `BEGIN`."""
    builder = PlantBuilder(Path(tempfile.gettempdir()))
    builder.connection("line", PlayedDriver)
    read, bound = [], []
    for n in range(number):
        where = address(n)
        read.append(Point(str(n), where))
        if n % 2:
            register = RegisterItem(
                f"M-{n}/energy_import#{n:08x}",
                f"M-{n}",
                "energy_import",
                None,
                "kWh",
                1,
                100,
                None,
                10**6,
                resets=False,
            )
            bound.append(builder.point("line", f"M-{n}", "energy_import", where, Register(register, 100)))
        else:
            bound.append(builder.point("line", f"S-{n}", "power", where, Meaning("number")))
            rules = (
                Rule(State.OFF, {"power": Between(None, 0.05)}),
                Rule(State.PRODUCING, {"power": Between(3.0, None)}),
            )
            builder.machines.append(Machine(f"S-{n}", {"power": f"S-{n}/power"}, {}, rules, 0.0, {}))
    return read, bound, Observer(builder.build(), lambda _facts: None, BEGIN)
