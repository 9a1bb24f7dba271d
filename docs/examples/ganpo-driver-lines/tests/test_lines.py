import contextlib
import re
import socketserver
import threading
from collections.abc import Iterator

import pytest
from ganpo_driver_lines import LinesAddress, LinesDriver, LinesSettings

from ganpo_drivers.testing import DriverConformance

VALUES = {"force": "12.5", "stroke": "80"}


class Gauge(socketserver.StreamRequestHandler):
    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):
            for line in self.rfile:
                self.wfile.write(VALUES.get(line.decode().strip("?\n"), "?").encode() + b"\n")


class Server(socketserver.ThreadingTCPServer):
    daemon_threads = True


@pytest.fixture(scope="module", autouse=True)
def gauge() -> Iterator[None]:
    with Server(("127.0.0.1", 0), Gauge) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        TestLines.port = server.server_address[1]
        yield
        server.shutdown()


class TestLines(DriverConformance):
    port: int
    bad_addresses = ("", "Force", "force 2")

    def make(self) -> LinesDriver:
        settings = LinesSettings(driver="lines", host="127.0.0.1", port=self.port, timeout_s=0.3)
        return LinesDriver(settings)

    def make_unreachable(self) -> LinesDriver:
        return LinesDriver(LinesSettings(driver="lines", host="127.0.0.1", port=1))

    def known(self) -> list[LinesAddress]:
        return [LinesAddress(name=name) for name in VALUES]

    def expected(self) -> list[float]:
        return [12.5, 80.0]

    def unknown(self) -> LinesAddress:
        return LinesAddress(name="nothing")

    def forbidden(self, sent: bytes) -> list[str]:
        return [line for line in sent.decode().splitlines() if not re.fullmatch(r"[a-z]+\?", line)]
