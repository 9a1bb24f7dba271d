"""What a meter was found not to give, so that it does not cost the line its time at every poll."""

from collections.abc import Hashable
from dataclasses import dataclass

from ganpo_drivers.api import PointFault

REFUSED_S, REFUSED_MOST_S = 60.0, 3600.0
MUTE_S, MUTE_MOST_S = 10.0, 300.0
MUTE_AFTER = 3
"""Times in a row without an answer while the meter answers others."""


@dataclass(slots=True)
class _Lack:
    """`fault`: why it is not asked before `due`. `times`: how often in a row the meter gave others and not this;
    `vain`: how often it was asked for at all."""

    fault: PointFault | None = None
    due: float = 0.0
    times: int = 0
    vain: int = 0


class Patience:
    """By question (meter and item). Times are monotonic seconds. It outlives the session."""

    def __init__(self) -> None:
        self._lacks: dict[Hashable, _Lack] = {}

    def fault(self, question: Hashable, now: float) -> PointFault | None:
        """Why it is not asked now; None: ask."""
        lack = self._lacks.get(question)
        return lack.fault if lack is not None and now < lack.due else None

    def vain(self, question: Hashable) -> int:
        """How often in a row it was asked in vain: the least is asked first, so that one mute item hides no other."""
        lack = self._lacks.get(question)
        return 0 if lack is None else lack.vain

    def answered(self, question: Hashable) -> None:
        """It gave a value."""
        self._lacks.pop(question, None)

    def asked_in_vain(self, question: Hashable) -> None:
        """Nothing usable came."""
        self._lacks.setdefault(question, _Lack()).vain += 1

    def refused(self, question: Hashable, fault: PointFault, now: float) -> None:
        """The meter says no: asked again after a minute, doubling to an hour."""
        lack = self._lacks.setdefault(question, _Lack())
        lack.fault, lack.due = fault, now + min(REFUSED_S * 2 ** min(lack.times, 6), REFUSED_MOST_S)
        lack.times += 1

    def missed(self, question: Hashable, fault: PointFault, now: float) -> None:
        """Nothing usable came to this while the meter gave others: from the third time on it is asked after 10 s,
        doubling to 5 min."""
        lack = self._lacks.setdefault(question, _Lack())
        lack.times += 1
        if lack.times >= MUTE_AFTER:
            pause_s = min(MUTE_S * 2 ** min(lack.times - MUTE_AFTER, 5), MUTE_MOST_S)
            lack.fault, lack.due = fault, now + pause_s
