"""The command that compares a device with its own display."""

import getpass
import sys
from pathlib import Path
from typing import Any

import click

from ganpo_agent.cli.common import config_option, configured, json_option, the_running
from ganpo_service.commands import say
from ganpo_service.words import tell


@click.command()
@click.argument("asset_no")
@click.argument("signal", default="")
@click.option("--displayed", help="what the display shows  [default: asked for]")
@click.option("--unit", help="of the display, where it is another one: MWh")
@click.option("--by", help="who stands at the device  [default: asked for]")
@config_option
@json_option
def commission(
    asset_no: str,
    signal: str,
    displayed: str | None,
    unit: str | None,
    by: str | None,
    config: Path | None,
    as_json: bool,
) -> None:
    """Compare a device with its own display, for the record.

    Type what the display of the machine or meter ASSET_NO shows; the running agent reads the same value at that moment,
    and both go to the collector, whether or not they agree. They agree within one step of the display. Without SIGNAL
    its register is compared. Of a value that moves type only the digits that stand still.
    """
    import asyncio

    from ganpo_agent.local.commissioning import point_of

    plant = configured(config)
    _, point = point_of(plant, asset_no, signal or None)
    client = the_running(config)
    by = by or click.prompt(tell("who stands at the device"), default=getpass.getuser(), err=True)
    displayed = displayed or click.prompt(tell(f"{asset_no} {point.signal}: the display shows"), err=True)
    body = {"asset_no": asset_no, "signal": point.signal, "displayed": displayed, "unit": unit, "by": by}
    found = asyncio.run(client.post("commission", body))
    if as_json:
        import json

        click.echo(json.dumps(found, indent=1, ensure_ascii=False))
    else:
        for line in _told(found):
            say(line)
    sys.exit(0 if found["agrees"] else 1)


def _told(found: dict[str, Any]) -> list[str]:
    unit = f" {found['unit']}" if found["unit"] else ""
    lines = [f"displayed {found['displayed']}{unit}, read {found['read']}{unit} at {found['at']}"]
    if found["agrees"]:
        return [*lines, "they agree: the record is on its way to the collector"]
    lines.append("they differ: the record goes to the collector as it is")
    if found["off"] is not None:
        lines.append(f"read is {found['off']}{unit} off, a step of the display is {found['step']}{unit}")
        if (times := _times(float(found["read"]), float(found["displayed"]))) is not None:
            lines.append(f"read is {times} x the display: check CT, scale, unit or the order of words")
    return [*lines, "mistyped? do it again: the newest record counts"]


def _times(read: float, displayed: float) -> str | None:
    """How many times as much was read, where that is another size."""
    if not displayed or 0.5 < (of := read / displayed) < 2:
        return None
    return f"{of:.4g}"
