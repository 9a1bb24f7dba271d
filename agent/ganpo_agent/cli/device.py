"""What is asked of a device by hand: `ganpo ping`, `identify`, `browse` and `read`. None of them writes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganpo_agent.cli.asking import bound_target, reached, shown, target_options, told
from ganpo_agent.cli.common import configured
from ganpo_agent.cli.text import Progress, row
from ganpo_service.commands import say
from ganpo_service.words import tell

if TYPE_CHECKING:
    from ganpo_agent.device import guessing
    from ganpo_config.plant import BoundConnection

SHOWN, REASONS = 5, 6
"""Guesses, and what speaks for each or against it."""


@click.command()
@click.argument("target", metavar="NAME|URL")
@click.option("--unit", "units", multiple=True, help="unit or meter on a line; may come again  [of a URL: 1]")
@click.option(
    "--count", default=3, type=click.IntRange(1, 1000), show_default=True, help="round trips of each unit"
)
@target_options
def ping(
    target: str,
    units: tuple[str, ...],
    count: int,
    config: Path | None,
    driver: str,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Every step to a device by itself, with its time.

    Name, TCP, handshake, session, and a round trip of each unit; where it ends, a plain word says how. A device that is
    silent has another unit id, another rate, or no power.
    """
    import asyncio
    from dataclasses import asdict

    from ganpo_agent.device import pinging

    bound = bound_target(config, target, driver, settings)
    steps: list[pinging.Step] = []
    if not as_json:
        click.echo(_head(bound))

    async def ask() -> None:
        async with reached(config, bound) as device:
            async for step in pinging.ping(device, units, count):
                steps.append(step)
                if not as_json:
                    took = "" if step.ms is None else f"{step.ms:.1f} ms"
                    click.echo(row((f"  {tell(step.step)}", step.word, took, step.what), (14, 16, 11)))

    asyncio.run(ask())
    ok = all(step.ok for step in steps)
    if as_json:
        told(
            {"target": target, "driver": bound.driver_id, "ok": ok, "steps": [asdict(step) for step in steps]}
        )
    sys.exit(0 if ok else 1)


@click.command()
@click.argument("target", metavar="[NAME|URL]", default="")
@click.option("--unit", help="unit or meter on a line")
@click.option(
    "--guess", "guesses", is_flag=True, help="which profiles of the library would read plausible values"
)
@target_options
def identify(
    target: str,
    unit: str | None,
    guesses: bool,
    config: Path | None,
    driver: str,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """What a device says of itself.

    Vendor, model, serial number, controller; without a name of all connections. Most meters do not say: --guess tries
    the profiles of the library, and tells with its reasons which would read what can be true.
    """
    import asyncio
    from dataclasses import asdict

    from ganpo_agent.device import pinging
    from ganpo_model.errors import ConfigError, GanpoError

    if guesses:
        if not target:
            raise ConfigError("--guess asks one device", hint="ganpo identify --guess NAME or URL")
        _guess(bound_target(config, target, driver, settings), unit, config, as_json=as_json)
        return
    bounds = (
        [bound_target(config, target, driver, settings)] if target else list(configured(config).connections)
    )
    found: list[dict[str, str | None]] = []

    async def ask() -> None:
        for bound in bounds:
            said: dict[str, str | None] = {"connection": bound.name, "error": None}
            try:
                async with reached(config, bound) as device:
                    said |= asdict(await device.identify(pinging.address_of(bound, unit)))
            except GanpoError as error:
                if target:
                    raise
                said["error"] = str(error)
            found.append(said)

    asyncio.run(ask())
    if as_json:
        told(found)
    else:
        for said in found:
            click.echo(f"{said['connection']}:")
            names = ("vendor", "model", "serial", "controller")
            rows = [(f"  {tell(name)}", said[name]) for name in names if said.get(name)]
            if said["error"] is not None:
                rows = [(f"  {tell('error')}", said["error"])]
            for name, text in rows or [
                ("  -", "it does not say; `ganpo identify --guess` tries the library")
            ]:
                click.echo(row((name, str(text)), (13,)))
    sys.exit(1 if any(said["error"] for said in found) else 0)


def _guess(bound: "BoundConnection", unit: str | None, config: Path | None, *, as_json: bool) -> None:
    unit, found = guesses_at(bound, unit, config)
    if as_json:
        told([one.as_json() for one in found])
        sys.exit(0 if found else 1)
    tell_guesses(bound, unit, found)
    if not found:
        sys.exit(1)
    last = "`ganpo profile show NAME` says what it reads; compare with the display before you take one"
    click.echo(row((last,), ()))


def guesses_at(
    bound: "BoundConnection", unit: str | None, config: Path | None
) -> "tuple[str, list[guessing.Guess]]":
    """The unit that was asked, and the profiles that would read plausible values, the likeliest first."""
    import asyncio

    from ganpo_agent.device import guessing, pinging
    from ganpo_config.load import file_of
    from ganpo_config.profiles import Profiles

    asked = unit or pinging.only_unit(bound) or pinging.first_unit(bound)

    async def ask() -> list[guessing.Guess]:
        async with reached(config, bound) as device:
            with Progress("guessing") as progress:
                profiles = Profiles(file_of(config).parent / "profiles")
                return await guessing.guess(device, asked, profiles, progress.at)

    return asked, asyncio.run(ask())


def tell_guesses(bound: "BoundConnection", unit: str, found: "list[guessing.Guess]") -> None:
    """Print the likeliest, each with its reasons."""
    if not found:
        say(f"no profile of the library reads plausible values at {bound.name}, unit {unit}")
        if bound.driver_id == "modbus":
            say("`ganpo scan` shows what it answers, `ganpo decode` what that may mean", err=True)
    for place, one in enumerate(found[:SHOWN], start=1):
        click.echo(f"{place}  {one.profile}  {one.row}")
        click.echo(row(("", f"score {one.score:g}, {one.good} of {len(one.told)} values can be true"), (3,)))
        for told_of in one.told[:REASONS]:
            sign = "+" if told_of.judgement.weight > 0 else "-" if told_of.judgement.weight < 0 else " "
            click.echo(row((f"   {sign} {told_of.signal}", told_of.judgement.why), (23,)))
        if one.same:
            click.echo(row(("", f"the same values: {', '.join(one.same)}"), (3,)))


@click.command()
@click.argument("target", metavar="NAME|URL")
@click.argument("start", default="")
@target_options
def browse(
    target: str, start: str, config: Path | None, driver: str, settings: tuple[str, ...], as_json: bool
) -> None:
    """Print what a device offers, as lists write it.

    All of it, or what lies below the address START; behind each address, after a tab, what it holds now.
    """
    import asyncio

    from ganpo_drivers import PointFault

    bound = bound_target(config, target, driver, settings)
    found: list[dict[str, object]] = []

    async def ask() -> None:
        async with reached(config, bound) as device:
            async for address, value in device.browse(start):
                fault = value.text if isinstance(value, PointFault) else None
                if as_json:
                    found.append({"address": address, "value": None if fault else value, "fault": fault})
                else:
                    click.echo(f"{address}\t{shown(value)}")

    try:
        asyncio.run(ask())
    finally:  # what came before an error is worth something
        if as_json:
            told(found)


@click.command()
@click.argument("target", metavar="NAME|URL")
@click.argument("addresses", metavar="ADDRESS...", nargs=-1, required=True)
@click.option(
    "--type", "kind", default="", help="of the values: float32; without it a register is shown as it is"
)
@click.option("--order", default="", help="of the bytes of several registers: CDAB")
@click.option("--raw", is_flag=True, help="also the bytes that went over the line")
@target_options
def read(
    target: str,
    addresses: tuple[str, ...],
    kind: str,
    order: str,
    raw: bool,
    config: Path | None,
    driver: str,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Read addresses of a device once.

    As the lists write them, 1:holding:0 or nsu=urn:x;s=Name; or points of the connection by name, DB-0101/power, which
    are shown in the device's own unit.
    """
    import asyncio

    from ganpo_agent.device import reading

    bound = bound_target(config, target, driver, settings)
    asked = reading.asked(bound, addresses, kind, order)

    async def ask() -> list[reading.Read]:
        async with reached(config, bound) as device:
            return await reading.read(device, asked, raw=raw)

    found = asyncio.run(ask())
    if as_json:
        told([one.as_json() for one in found])
    else:
        width = min(40, 2 + max(len(value.text) for one in found for value in one.values))
        for one in found:
            for value in one.values:
                about = f"  at {value.source_time}" if value.source_time else ""
                click.echo(row((value.text, f"{shown(value.value)}{about}"), (width,)))
            for way, data in one.trace or ():
                click.echo(row((f"  {way} ", data.hex(" ").upper()), (4,)))
    sys.exit(1 if any(value.fault for one in found for value in one.values) else 0)


def _head(bound: "BoundConnection") -> str:
    url = getattr(bound.settings, "url", "")
    return f"{url} ({bound.driver_id})" if bound.name == url else f"{bound.name}: {url} ({bound.driver_id})"
