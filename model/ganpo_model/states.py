"""The states of a machine (metrics.md section 2). A test holds them equal to `reference/canonical_states.csv`."""

from enum import StrEnum


class State(StrEnum):
    """What a machine is doing. UNKNOWN is loss of observation, OFF needs positive proof."""

    PRODUCING = "PRODUCING"
    SETUP = "SETUP"
    HELD = "HELD"
    IDLE = "IDLE"
    FAULT = "FAULT"
    MAINTENANCE = "MAINTENANCE"
    OFF = "OFF"
    UNKNOWN = "UNKNOWN"

    @property
    def code(self) -> int:
        """The integer that goes to the time-series store, 0-7."""
        return _CODES[self]


_CODES = {state: code for code, state in enumerate(State)}

PRECEDENCE = (State.OFF, State.MAINTENANCE, State.FAULT, State.SETUP, State.HELD, State.PRODUCING)
"""The order in which a profile's rules must stand; none holds: IDLE."""
