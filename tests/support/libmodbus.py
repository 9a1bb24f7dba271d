"""A Modbus server on libmodbus, in C (`libmodbus_server.c`): over TCP, or RTU at a pseudo-terminal of its own."""

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SOURCE = Path(__file__).with_name("libmodbus_server.c")


def compiled(folder: Path) -> Path:
    """The program."""
    made = folder / "server"
    command = ["gcc", "-Wall", "-Werror", "-I/usr/include/modbus", "-o", str(made), str(SOURCE), "-lmodbus"]
    subprocess.run(command, check=True)
    return made


@contextmanager
def running(program: Path, *arguments: str) -> Iterator[str]:
    """The server at work; gives what it prints first: a port, or a device."""
    with subprocess.Popen(
        [str(program), *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        try:
            yield server.stdout.readline().strip()
        finally:
            server.stdin.close()
            server.wait(10)
