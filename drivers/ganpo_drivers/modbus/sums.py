"""A value that lies in several registers of one request: parts that are added, and a power of ten."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Any

from ganpo_drivers.api import FaultKind, PointFault, Value
from ganpo_drivers.modbus.address import ModbusAddress
from ganpo_drivers.modbus.layers import Field, layers
from ganpo_drivers.modbus.values import INFINITE

LARGEST_EXPONENT = 18


class Sum:
    """The registers of one such address in a block that begins with register `first`."""

    def __init__(self, index: int, address: ModbusAddress, first: int) -> None:
        self._index = index
        self._times = [part.times for part in address.parts]
        self._whole = address.whole
        self._power = address.exponent
        fields = [Field(n, part.number, part.type, address.order) for n, part in enumerate(address.parts)]
        if self._power is not None and self._power.near:
            fields.append(Field(len(fields), self._power.number, self._power.type, ""))
        self._size = len(fields)
        self._layers = layers(first, sorted(fields, key=lambda field: field.number))

    def take(self, payload: bytes, values: list[Any]) -> None:
        """Put the value of an answer into its place; where the exponent comes apart, the exact sum of the parts."""
        found: list[Any] = [None] * self._size
        for layer in self._layers:
            layer.take(payload, found)
        values[self._index] = self._total(found)

    def _total(self, found: Sequence[Any]) -> Value | Fraction | PointFault:
        for value in found:
            if isinstance(value, PointFault):
                return value
        total = sum(
            (Fraction(value) * times for value, times in zip(found, self._times, strict=False)), Fraction(0)
        )
        if self._power is None:
            return _settled(total, whole=self._whole)
        return raised(total, found[-1], whole=self._whole) if self._power.near else total


def raised(mantissa: Any, exponent: Any, *, whole: bool) -> Value | PointFault:
    """`mantissa` x 10^`exponent`, or the fault of one of them. `whole`: no part is a float."""
    for value in (mantissa, exponent):
        if isinstance(value, PointFault):
            return value
    if abs(exponent) > LARGEST_EXPONENT:
        text = f"the exponent {exponent} lies outside -{LARGEST_EXPONENT} ... {LARGEST_EXPONENT}"
        return PointFault(FaultKind.BAD, text)
    return _settled(mantissa * Fraction(10) ** exponent, whole=whole)


def _settled(total: Fraction, *, whole: bool) -> Value | PointFault:
    """A whole number stays one; what has a fraction, or came from a float, is a float."""
    if whole and total.denominator == 1:
        return total.numerator
    try:
        return float(total)
    except OverflowError:
        return INFINITE
