"""What is asked of a unit, as pymodbus writes it: function codes 1 to 4 and 43/14. Nothing else exists here (I10)."""

from dataclasses import dataclass

from pymodbus.pdu import ModbusPDU
from pymodbus.pdu.bit_message import ReadCoilsRequest, ReadDiscreteInputsRequest
from pymodbus.pdu.mei_message import ReadDeviceInformationRequest
from pymodbus.pdu.register_message import ReadHoldingRegistersRequest, ReadInputRegistersRequest

_READS: dict[str, type[ModbusPDU]] = {
    "coil": ReadCoilsRequest,
    "discrete": ReadDiscreteInputsRequest,
    "holding": ReadHoldingRegistersRequest,
    "input": ReadInputRegistersRequest,
}
FUNCTIONS = {area: kind.function_code for area, kind in _READS.items()}
"""Function code by area."""
AREAS = {function: area for area, function in FUNCTIONS.items()}
IDENTIFY = ReadDeviceInformationRequest.function_code
"""Function code of Read Device Identification, with the MEI type 0E."""
EXCEPTION = 0x80
"""Added to the function code of a request that is refused."""
LONGEST_PDU = 253
_IDENTIFIED = 7  # function, MEI type, code, conformity, more follows, next object, number of objects


@dataclass(frozen=True, slots=True)
class Request:
    """`pdu`: the function code and what follows it. `size`: the data bytes of a right answer to a read; None where the
    answer says itself how long it is."""

    unit: int
    pdu: bytes
    size: int | None = None

    @property
    def function(self) -> int:
        """The function code."""
        return self.pdu[0]

    @property
    def shape(self) -> tuple[int, int | None]:
        """What an answer shows of its request where it carries no id."""
        return self.function, self.size

    @property
    def longest(self) -> int:
        """The most bytes that the PDU of an answer has."""
        return LONGEST_PDU if self.size is None else 2 + self.size

    def end(self, data: bytes, at: int) -> int | None:
        """Where the PDU that begins at `at` ends, if it answers or refuses this; 0 where it does not, None where too
        little of it came."""
        if len(data) <= at:
            return None
        if data[at] == self.function | EXCEPTION:
            return at + 2
        if data[at] != self.function:
            return 0
        if self.size is None:
            return _identified(data, at)
        if len(data) <= at + 1:
            return None
        return at + 2 + self.size if data[at + 1] == self.size else 0


def read_request(unit: int, area: str, first: int, count: int) -> Request:
    """`count` registers or bits of an area from `first` on."""
    size = (count + 7) // 8 if area in ("coil", "discrete") else 2 * count
    return Request(unit, _pdu(_READS[area](address=first, count=count)), size)


def identification(unit: int) -> Request:
    """Who the device is: vendor, product and revision."""
    return Request(unit, _BASIC)


def _pdu(asked: ModbusPDU) -> bytes:
    return bytes((asked.function_code,)) + asked.encode()


_BASIC = _pdu(ReadDeviceInformationRequest(read_code=1, object_id=0))


def objects(data: bytes) -> dict[int, str]:
    """The texts by object id in an answer to `identification`; `data` follows the function code. What is cut off is
    left out."""
    found: dict[int, str] = {}
    at = _IDENTIFIED - 1
    while len(data) >= at + 2 and len(data) >= at + 2 + data[at + 1]:
        text = data[at + 2 : at + 2 + data[at + 1]].decode("utf-8", "replace")
        found[data[at]] = "".join(sign for sign in text if sign.isprintable()).strip()
        at += 2 + data[at + 1]
    return found


def _identified(data: bytes, at: int) -> int | None:
    end = at + _IDENTIFIED
    if len(data) < end:
        return None
    if data[at + 1 : at + 3] != _BASIC[1:3]:
        return 0
    for _ in range(data[end - 1]):
        if len(data) < end + 2:
            return None
        end += 2 + data[end + 1]
        if end - at > LONGEST_PDU:
            return 0
    return end
