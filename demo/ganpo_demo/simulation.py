"""The machines and meters of the demo as a pure simulation: what they do depends on the seed and on time alone."""

import math
import random
from dataclasses import dataclass, field

from ganpo_model.states import State

COUNTS_PER_KWH = 100

Programme = dict[State, tuple[tuple[float, float], tuple[tuple[State, float], ...]]]
"""State to (shortest and longest stay in seconds, states that follow with their weights)."""

CNC: Programme = {
    State.IDLE: ((5, 12), ((State.SETUP, 3), (State.PRODUCING, 3), (State.MAINTENANCE, 1))),
    State.SETUP: ((6, 14), ((State.PRODUCING, 1),)),
    State.PRODUCING: ((15, 40), ((State.IDLE, 3), (State.HELD, 3), (State.FAULT, 1))),
    State.HELD: ((4, 9), ((State.PRODUCING, 4), (State.IDLE, 1))),
    State.FAULT: ((6, 12), ((State.IDLE, 1), (State.MAINTENANCE, 1))),
    State.MAINTENANCE: ((10, 16), ((State.SETUP, 1),)),
}
PRESS: Programme = {
    State.OFF: ((6, 10), ((State.IDLE, 1),)),
    State.IDLE: ((5, 10), ((State.PRODUCING, 4), (State.OFF, 1))),
    State.PRODUCING: ((14, 30), ((State.IDLE, 1),)),
}
POWER_KW = {
    State.OFF: 0.0,
    State.IDLE: 1.2,
    State.HELD: 2.4,
    State.SETUP: 4.5,
    State.MAINTENANCE: 0.8,
    State.FAULT: 1.0,
    State.PRODUCING: 9.0,
}
CYCLE_S = 4.0
"""How long a part takes."""


@dataclass(slots=True)
class Machine:
    """A machine that goes through its programme; `power_kw` and `parts` follow from its state."""

    programme: Programme
    rng: random.Random
    state: State
    power_kw: float = 0.0
    parts: int = 0
    _left_s: float = 0.0
    _cutting_s: float = 0.0

    def __post_init__(self) -> None:
        self._left_s = self._stay()

    def advance(self, seconds: float) -> None:
        """Go on for so long."""
        self._left_s -= seconds
        if self._left_s <= 0:
            following = self.programme[self.state][1]
            self.state = self.rng.choices([s for s, _ in following], [weight for _, weight in following])[0]
            self._left_s = self._stay()
        if self.state is State.PRODUCING:
            self._cutting_s += seconds
            done, self._cutting_s = divmod(self._cutting_s, CYCLE_S)
            self.parts += round(done)
        self.power_kw = POWER_KW[self.state] * self.rng.uniform(0.92, 1.08)

    def _stay(self) -> float:
        shortest, longest = self.programme[self.state][0]
        return self.rng.uniform(shortest, longest)


@dataclass(slots=True)
class Meter:
    """A meter whose register integrates power."""

    energy_kwh: float
    power_kw: float = 0.0

    @property
    def counts(self) -> int:
        """The register: whole hundredths of a kWh, as the device shows it."""
        return math.floor(self.energy_kwh * COUNTS_PER_KWH)

    def advance(self, seconds: float, power_kw: float) -> None:
        """Take so much power for so long."""
        self.power_kw = power_kw
        self.energy_kwh += power_kw * seconds / 3600


@dataclass(slots=True)
class Workshop:
    """Two CNC machines, a press behind its own meter, and the meter of everything."""

    seed: int
    cnc: dict[str, Machine] = field(default_factory=dict)
    press: Machine = field(init=False)
    main_meter: Meter = field(default_factory=lambda: Meter(48_213.57))
    press_meter: Meter = field(default_factory=lambda: Meter(1_907.32))
    _rng: random.Random = field(init=False)
    _ran_s: float = 0.0

    def __post_init__(self) -> None:
        self._rng = random.Random(self.seed)  # noqa: S311 - a simulation has to repeat itself
        starts = (State.PRODUCING, State.SETUP)
        for name, state in zip(("VMC850-1", "CK6150-2"), starts, strict=True):
            self.cnc[name] = Machine(CNC, self._stream(), state)
        self.press = Machine(PRESS, self._stream(), State.IDLE)

    def advance(self, seconds: float) -> None:
        """Everything goes on for so long."""
        self._ran_s += seconds
        for machine in (*self.cnc.values(), self.press):
            machine.advance(seconds)
        hall_kw = 80 + 12 * math.sin(self._ran_s / 20) + self._rng.uniform(-2, 2)
        self.press_meter.advance(seconds, self.press.power_kw)
        self.main_meter.advance(
            seconds, hall_kw + self.press.power_kw + sum(machine.power_kw for machine in self.cnc.values())
        )

    def _stream(self) -> random.Random:
        return random.Random(self._rng.random())  # noqa: S311 - a simulation has to repeat itself
