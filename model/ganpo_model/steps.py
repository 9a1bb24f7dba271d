"""What a register's judgement is made of: readings, declarations, and the steps between them (metrics.md section 5).

Times are ms since 1970, registers integer counts.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


@dataclass(frozen=True, slots=True)
class Register:
    """How a register may move: at most `max_rate` counts an hour; it wraps at `modulus`, or it `resets`.

    `update_ms`: it shows a new number only so often.
    """

    max_rate: int
    modulus: int | None = None
    resets: bool = False
    update_ms: int | None = None


class Reading(NamedTuple):
    """A register stood at `raw` at `at`."""

    at: int
    raw: int


class Declaration(NamedTuple):
    """At `at` the old register stood at `final` and the new one at `first`.

    `final` None: this register begins here. `first` None: it ends here. Both: until here it was not
    ours to see, and a break leads to the next reading.
    `confirmed`: a rise to `final` that does not fit is consumption all the same.
    """

    at: int
    final: int | None
    first: int | None
    confirmed: bool = False


class StepKind(StrEnum):
    """What a step between two accepted readings is; a test holds them equal to `reference/register_steps.csv`."""

    USED = "used"
    OPEN = "open"
    BREAK = "break"


class Step(NamedTuple):
    """One step of the chain. `total`: what the register adds up to at `start` (raw of the first + used)."""

    kind: StepKind
    start: Reading
    end: Reading
    amount: int
    total: int

    @property
    def total_after(self) -> int:
        """What the register adds up to at `end`: only *used* counts."""
        return self.total + self.amount if self.kind is StepKind.USED else self.total
