"""The engineer's afternoon from the installed packages; run in the trial by the package's own Python, which has the
libraries that pymodbus' server and the devices' table need. Prints the transcript."""

import os
from collections.abc import Mapping

from support import afternoon
from support.modbus_server import ModbusServer

GATEWAY, COLLECTOR = "http://127.0.0.1:8780", "http://127.0.0.1:8700"


def main(environ: Mapping[str, str]) -> None:
    """Nothing stands in the place of anything: the trial's machine has the addresses of the page."""
    host, _, port = afternoon.METER.rpartition(":")
    with ModbusServer(int(port), host=host) as server:
        afternoon.lay_out(server)
        for one in afternoon.walk(environ):
            if one.command == afternoon.LAST_HERE:
                afternoon.shows_at_the_gateway(GATEWAY, server)
        afternoon.shows_at_the_collector(COLLECTOR)
    print("the gateway's page has shown 48,203.2 kWh, the collector's 48,204.00 and 0.80 kWh counted")


if __name__ == "__main__":
    main({key: os.environ[key] for key in ("PATH", "HOME")} | {"LANG": "en_US.UTF-8"})
