"""Power that flows back: a machine that brakes, or a current transformer the wrong way round (metrics.md 2)."""

from ganpo_drivers import FaultKind, PointFault


class Reversal:
    """Watches the power of a machine that cannot generate. What flows back in all without power the right way
    meanwhile is a brake for less than `bearable_ms`, then a fault.

    Counted together and not burst by burst: a press behind a reversed transformer flows back at every stroke.
    """

    __slots__ = ("_back_ms", "_bearable_ms", "_fault", "_limit_kw", "at_rest", "flows_back")

    def __init__(self, limit_kw: float, bearable_ms: int) -> None:
        """`limit_kw`: less than this is nothing, either way."""
        self.flows_back = False
        """Whether the power seen last is negative beyond the limit."""
        self.at_rest = True
        """Whether power that is not negative need not be looked at: most never is, and every poll comes by here."""
        self._limit_kw = limit_kw
        self._bearable_ms = bearable_ms
        self._back_ms = 0
        self._fault: PointFault | None = None

    @property
    def rest_ms(self) -> int:
        """How long what was seen last may go on to flow back."""
        return self._bearable_ms - self._back_ms

    def look(self, power_kw: float, held_ms: int) -> PointFault | None:
        """The fault that `power_kw` amounts to, None where it may be believed. `held_ms`: how long the power seen
        before held."""
        if self.flows_back:
            self._back_ms += held_ms
        if power_kw >= self._limit_kw:
            self._back_ms, self._fault = 0, None
        self.flows_back = power_kw <= -self._limit_kw
        self.at_rest = not self.flows_back and not self._back_ms
        if not self.flows_back or self._back_ms < self._bearable_ms:
            return None
        if self._fault is None:
            text = (
                f"{power_kw:g} kW, and power flows back for {self._bearable_ms / 1000:g} s: "
                "the current transformer (CT) is the wrong way round; swap its two wires, or the meter's phase"
            )
            self._fault = PointFault(FaultKind.BAD, text)
        return self._fault
