"""What a whole answer is worth: the bytes that were asked for, an exception of the device, or another thing."""

from typing import NamedTuple

from ganpo_drivers.modbus.blocks import Block
from ganpo_drivers.modbus.requests import EXCEPTION, FUNCTIONS


class Answer(NamedTuple):
    """Of one frame: `data` is what follows the function code. Which request it answers is the framing's to know."""

    unit: int
    function: int
    data: bytes


class WrongAnswer(Exception):
    """A whole answer, and not to what was asked: it costs its block. `kind`: the word it is counted under."""

    def __init__(self, kind: str, text: str) -> None:
        super().__init__(text)
        self.kind = kind


def judged(answer: Answer, block: Block) -> bytes | int:
    """The `block.size` bytes that were asked for, or the code of an exception.

    Raises WrongAnswer: of another unit or function, not to be decoded, of another length.
    """
    function, data = FUNCTIONS[block.area], answer.data
    if answer.unit != block.unit:
        text = f"the device answered for unit {answer.unit}, unit {block.unit} was asked"
        raise WrongAnswer("unit", f"{text}: ask that one, or set the device's address")
    if answer.function == function | EXCEPTION and len(data) == 1:
        return data[0]
    if answer.function & 0x7F != function:
        raise WrongAnswer(
            "function", f"the device answered function {answer.function:02X}, {function:02X} was asked"
        )
    if answer.function != function or not data or data[0] != len(data) - 1:
        raise WrongAnswer("undecodable", f"the answer cannot be decoded: {_hex(answer)}")
    if data[0] != block.size:
        raise WrongAnswer("length", f"asked {_amount(block, block.size)}, got {_amount(block, data[0])}")
    return data[1:]


def _amount(block: Block, size: int) -> str:
    if block.of_bits:
        return f"{block.count} bits ({size} bytes)" if size == block.size else f"{size} bytes"
    if size % 2:
        return f"{size} bytes"
    return f"{size // 2} register{'' if size == 2 else 's'}"


def _hex(answer: Answer) -> str:
    begin = bytes((answer.unit, answer.function)) + answer.data[:12]
    return begin.hex(" ") + (" ..." if len(answer.data) > 12 else "")
