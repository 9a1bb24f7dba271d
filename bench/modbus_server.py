"""A Modbus TCP server in a process of its own; a benchmark says what stands in its holding registers."""

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

_SERVER = """
import asyncio, struct, sys, time
REGISTERS
class Server(asyncio.Protocol):
    def connection_made(self, transport): self.transport, self.left = transport, b""
    def data_received(self, data):
        self.left += data
        while len(self.left) >= 12:
            tid, _, _, unit, fc, first, count = struct.unpack(">HHHBBHH", self.left[:12])
            self.left = self.left[12:]
            body = registers(first)[first * 2:(first + count) * 2]
            self.transport.write(struct.pack(">HHHBBB", tid, 0, 3 + len(body), unit, fc, len(body)) + body)
async def main():
    server = await asyncio.get_running_loop().create_server(Server, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
asyncio.run(main())
"""


@contextmanager
def serving(registers: str) -> Iterator[int]:
    """`registers`: Python that defines `registers(first)`, the bytes of all of them, asked for with each request; it
    may use asyncio, struct, sys and time. Gives the port."""
    command = [sys.executable, "-c", _SERVER.replace("REGISTERS", registers)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        assert server.stdin is not None
        yield int(server.stdout.readline())
        server.stdin.close()
