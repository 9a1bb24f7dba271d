"""The command `ganpo-demo`. Heavy imports come after the devices' process has started, and before any loop."""

import os
import sys
import time
from collections.abc import Iterator
from typing import TYPE_CHECKING

import click

from ganpo_service.commands import Command, say, told, version_option

if TYPE_CHECKING:
    from ganpo_demo.child import Devices

_SEED = 20180615
_BY_MAKE = "GANPO_DEMO_INSTALLED_S"
"""Set by `make demo`: the seconds that the installation took."""


@click.command(cls=Command, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@version_option
@click.option(
    "--for",
    "seconds",
    type=click.FloatRange(min=0, min_open=True),
    help="End so many seconds after the page is there.",
)
@click.option(
    "--port", type=click.IntRange(1, 65535), default=8700, show_default=True, help="Of the page and the API."
)
@click.option("--faults", is_flag=True, help="Pull a plug every 20 s and compare the total with the truth.")
@click.option(
    "--fleet/--no-fleet",
    default=True,
    show_default=True,
    help="Fill the province: 200 invented enterprises, 13 months, by seed.",
)
@click.option(
    "--site",
    type=click.Choice(["plain", "mixed"]),
    default="plain",
    show_default=True,
    help="mixed: a third gateway with three serial lines (DL/T 645, CJ/T 188, Modbus RTU), a drive, and machines "
    "behind signed and encrypted OPC UA.",
)
@click.option("--fleet-months", type=click.IntRange(2, 13), default=13, hidden=True)
@click.option("--fault-every", type=click.FloatRange(min=2), default=20.0, hidden=True)
@click.option("--fault-for", type=click.FloatRange(min=1), default=8.0, hidden=True)
def main(
    seconds: float | None,
    port: int,
    faults: bool,
    site: str,
    fleet: bool,
    fleet_months: int,
    fault_every: float,
    fault_for: float,
) -> None:
    """A plant in a box: meters, machines, two gateways, collector and pages.

    Everything is simulated and stays on this computer. Every page says DEMO DATA / 演示数据. Nothing is kept but
    the invented province, in ~/.cache/ganpo-demo, so that the next start of the day has it at once.
    """
    began = time.monotonic()
    _refuse_used(port)

    from ganpo_demo.child import Devices

    devices = Devices(_SEED, site)
    try:
        plugs = (fault_every, fault_for) if faults else None
        problems = _run(
            devices, port, seconds, plugs, began, months=fleet_months if fleet else 0, mixed=site == "mixed"
        )
    finally:
        devices.end()
    for problem in problems:
        say(problem, err=True)
    sys.exit(1 if problems else 0)


def _run(
    devices: "Devices",
    port: int,
    seconds: float | None,
    faults: tuple[float, float] | None,
    began: float,
    *,
    months: int,
    mixed: bool,
) -> list[str]:
    """Run the demo to its end; gives what went wrong, for a person to read."""
    import asyncio
    import logging

    from ganpo_demo.faults import Faults
    from ganpo_demo.run import Options, run
    from ganpo_model.errors import GanpoError

    logging.basicConfig(level=logging.ERROR, format="%(levelname)s %(name)s %(message)s")
    for library in ("amqtt", "asyncua", "pymodbus", "uvicorn"):
        logging.getLogger(library).setLevel(logging.CRITICAL)
    installed_s = os.environ.get(_BY_MAKE)
    options = Options(port, seconds, Faults(*faults) if faults else None, installed_s, began, months, mixed)
    problems: list[str] = []
    try:
        asyncio.run(run(devices, options))
    except* GanpoError as group:
        problems = list(_leaves(group))
    return problems


def _leaves(error: BaseException) -> Iterator[str]:
    from ganpo_model.errors import GanpoError

    if isinstance(error, BaseExceptionGroup):
        for inner in error.exceptions:
            yield from _leaves(inner)
    else:
        yield told(error) if isinstance(error, GanpoError) else str(error)


def _refuse_used(port: int) -> None:
    import socket

    from ganpo_demo.loopback import HOST

    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            other = port + 1 if port < 65535 else port - 1
            hint = f"choose a free one, ganpo-demo --port {other}"
            if _BY_MAKE in os.environ:
                hint = f'choose a free one, make demo ARGS="--port {other}"'
            say(f"--port {port}: cannot listen: {error.strerror}; another program uses it: {hint}", err=True)
            sys.exit(1)
