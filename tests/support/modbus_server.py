"""A real Modbus TCP server (pymodbus') in a child process, whose registers a test sets."""

import json
import os
import signal
import struct
import subprocess
import sys
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from support import writes
from support.registers import laid_out

_FORMAT = {
    "int8": "b",
    "int16": "h",
    "int32": "i",
    "int64": "q",
    "uint8": "B",
    "uint16": "H",
    "uint32": "I",
    "uint64": "Q",
    "float16": "e",
    "float32": "f",
    "float64": "d",
}


def words(kind: str, value: float, order: str = "") -> list[int]:
    """The registers of a value; without an order the highest byte first."""
    return laid_out(struct.pack(f">{_FORMAT[kind]}", value), order)


class ModbusServer:
    """Starts at once, on a free port or on `port`; `with` stops it. Addresses are the protocol's own, from 0. `framer`:
    socket, or rtu, as behind a converter. `host`: of the loopback."""

    def __init__(self, port: int = 0, framer: str = "socket", host: str = "127.0.0.1") -> None:
        child = Path(__file__).with_name("modbus_server_child.py")
        self._process = subprocess.Popen(
            [sys.executable, str(child), str(port), framer, host],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            env=writes.environment(),
        )
        assert self._process.stdout is not None
        self.port: int = json.loads(self._process.stdout.readline())
        self.url = f"tcp://{host}:{self.port}"
        self.pid = self._process.pid

    def set(self, unit: int, area: str, address: int, values: list[int]) -> None:
        """Registers (or bits) of an area from `address` on."""
        self.set_many([(unit, area, address, values)])

    def set_value(
        self, unit: int, area: str, address: int, kind: str, value: float, order: str = "ABCD"
    ) -> None:
        """One value of a type."""
        self.set(unit, area, address, words(kind, value, order))

    def set_many(self, blocks: list[tuple[int, str, int, list[int]]]) -> None:
        """Several at once."""
        self._do("set", *blocks)

    def remove(self, unit: int, area: str, address: int) -> None:
        """Make one register illegal."""
        self._do("remove", unit, area, address)

    def exception(self, unit: int, code: int) -> None:
        """The unit answers everything with this exception code; 0 ends that."""
        self._do("exception", unit, code)

    def silent(self, *units: int) -> None:
        """These units, and no others, do not answer."""
        self._do("silent", *units)

    def delay(self, seconds: float) -> None:
        """Every answer takes so long."""
        self._do("delay", seconds)

    def requests(self) -> list[list[int]]:
        """What was asked since the last call: [unit, function code, address, count]."""
        found: list[list[int]] = self._do("requests")
        return found

    def freeze(self) -> None:
        """SIGSTOP: half-open, it says nothing."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """SIGCONT."""
        os.kill(self.pid, signal.SIGCONT)

    def stop(self) -> None:
        """SIGKILL. Safe twice."""
        if self._process.poll() is None:
            self._process.kill()
        self._process.wait(10)
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None and not pipe.closed:
                pipe.close()

    def _do(self, *command: Any) -> Any:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return json.loads(self._process.stdout.readline())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()
