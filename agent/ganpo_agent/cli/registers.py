"""Registers of a Modbus line of which nobody has the manual: `ganpo decode` and `ganpo scan`. Neither writes."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganpo_agent.cli.asking import bound_target, reached, shown, target_options, told
from ganpo_agent.cli.text import Progress, row
from ganpo_service.commands import say
from ganpo_service.words import tell

if TYPE_CHECKING:
    from ganpo_agent.device.scanning import Found
    from ganpo_config.plant import BoundConnection

TOP = 12


@click.command()
@click.argument("target", metavar="NAME|URL")
@click.option("--unit", default=1, type=click.IntRange(0, 255), show_default=True, help="unit id")
@click.option(
    "--at", required=True, help="40001 as manuals have it, or holding:0, input:0: the protocol's number"
)
@click.option("--count", default=4, type=click.IntRange(1, 32), show_default=True, help="registers")
@click.option("--expect", help="what the display shows: 231.4")
@click.option("--all", "all_of_them", is_flag=True, help=f"not only the {TOP} likeliest")
@target_options
def decode(
    target: str,
    unit: int,
    at: str,
    count: int,
    expect: str | None,
    all_of_them: bool,
    config: Path | None,
    driver: str,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """What registers may mean, the likeliest first.

    As every type in every order; with --expect what comes to that number, also times a power of ten. Which it is, you
    decide: read a second value, and look at the display again.
    """
    import asyncio
    from dataclasses import asdict

    from ganpo_agent.device import decoding, registers
    from ganpo_drivers import PointFault
    from ganpo_drivers.modbus.cells import in_manuals, written

    bound = _modbus(config, target, driver, settings)
    place = registers.place_of(at)
    expected = None if expect is None else decoding.expected_of(expect)

    async def ask() -> list[int | PointFault]:
        async with reached(config, bound) as device:
            return list(await registers.words(device, unit, place, min(count, 65536 - place.number)))

    words = asyncio.run(ask())
    numbering = str(bound.settings.columns()["addressing"])
    found = decoding.meanings(words, expected)
    if as_json:
        answer = {
            "unit": unit,
            "area": place.area,
            "first": place.number,
            "words": [None if isinstance(word, PointFault) else word for word in words],
            "meanings": [
                asdict(one) | {"address": written(unit, place.area, place.number + one.offset, numbering)}
                for one in found
            ],
        }
        told(answer)
        sys.exit(0 if found else 1)
    faults = {word.text for word in words if isinstance(word, PointFault)}
    hexed = " ".join("----" if isinstance(word, PointFault) else f"{word:04X}" for word in words)
    manual = "-".join(
        in_manuals(place.area, number) for number in (place.number, place.number + len(words) - 1)
    )
    click.echo(row((f"unit {unit}  {manual}  {place.area}:{place.number}", hexed), (34,)))
    for fault in faults:
        click.echo(row(("  ----", fault), (8,)))
    if not found:
        say(
            f"nothing here comes to {expect}: other registers, or did the value move?"
            if expect
            else "nothing to decode"
        )
        sys.exit(1)
    for number, one in enumerate(found if all_of_them else found[:TOP], start=1):
        scaled = f"{shown(one.raw)} x 10^{one.scale} = {shown(one.value)}" if one.scale else shown(one.value)
        place_of = written(unit, place.area, place.number + one.offset, numbering)
        same = f"the same as {', '.join(one.same)}" if one.same else ""
        cells = (
            f"{number:>2}",
            place_of,
            one.type,
            one.order or "-",
            f"{scaled}  {tell(one.verdict)}  {tell(same)}".rstrip(),
        )
        click.echo(row(cells, (4, 18, 9, 10)))
    if not all_of_them and len(found) > TOP:
        say(f"{len(found) - TOP} more with --all")


@click.command()
@click.argument("target", metavar="NAME|URL")
@click.option("--units", default="1-247", show_default=True, help="1-32, or 1,2,17")
@click.option(
    "--registers", "span", default="0-999", show_default=True, help="the protocol's numbers, of each area"
)
@click.option("--bits", is_flag=True, help="coils and discrete inputs too")
@click.option("--afresh", is_flag=True, help="not from where it ended")
@target_options
def scan(
    target: str,
    units: str,
    span: str,
    bits: bool,
    afresh: bool,
    config: Path | None,
    driver: str,
    settings: tuple[str, ...],
    as_json: bool,
) -> None:
    """Which units of a Modbus line answer, and which registers.

    Slow: a unit that is not there costs its whole timeout. Ctrl-C ends it after the answer under way; the same command
    goes on from there. On a line of the running gateway it takes 5 % of the time.
    """
    import asyncio

    from ganpo_agent.device import kept_scan, scanning
    from ganpo_model.errors import GanpoError

    bound = _modbus(config, target, driver, settings)
    asked = kept_scan.numbers("--units", units, 0, 255)
    first, last = kept_scan.span_of(span)
    areas = ("holding", "input", "coil", "discrete") if bits else ("holding", "input")
    kept = kept_scan.KeptScan(target, (list(asked), areas, first, last))
    found = scanning.Found() if afresh else kept.taken_up()
    if found.units and not as_json:
        say(
            f"goes on after {len(found.units)} units, {len(found.ranges)} ranges; --afresh begins anew",
            err=True,
        )
    ended = False

    async def ask() -> None:
        async with reached(config, bound) as device:
            with Progress("scanning") as progress:

                def at(done: float, of: float, about: str) -> None:
                    progress.at(done, of, about)
                    kept.keep(found)

                await scanning.scan(device, asked, areas, (first, last), found, at)

    try:
        asyncio.run(ask())
        ended = True
    except KeyboardInterrupt:
        say("ended; the line is free again, and the same command goes on from here", err=True)
        raise
    except GanpoError:
        say("what was found so far is kept; the same command goes on from here", err=True)
        raise
    finally:
        kept.keep(found, now=True)
        _tell_scan(found, str(bound.settings.columns()["addressing"]), as_json=as_json)
    if ended:
        kept.forget()
    sys.exit(0 if ended and found.there else 1)


def _tell_scan(found: "Found", addressing: str, *, as_json: bool) -> None:
    from ganpo_drivers.modbus.cells import in_manuals, written

    if as_json:
        told(found.as_json())
        return
    for unit in found.there:
        click.echo(row((f"unit {unit}", str(found.units[unit])), (10,)))
        for one, area, first, last in found.ranges:
            if one != unit:
                continue
            numbers = dict.fromkeys((first, last))
            ends = " - ".join(written(unit, area, number, addressing) for number in numbers)
            manual = "-".join(in_manuals(area, number) for number in numbers)
            size = last - first + 1
            count = f"{size} bits" if area in ("coil", "discrete") else f"{size} registers"
            click.echo(row((f"  {ends}", f"{manual}, {count}"), (40,)))
    for note in found.notes:
        say(note)
    silent = sum(said is None for said in found.units.values())
    say(f"{len(found.there)} units answer, {silent} are silent")


def _modbus(config: Path | None, target: str, driver: str, settings: tuple[str, ...]) -> "BoundConnection":
    """A Modbus line; of a URL it needs not be said. Raises ConfigError for any other."""
    from ganpo_config.target import is_url
    from ganpo_model.errors import ConfigError

    bound = bound_target(config, target, driver or ("modbus" if is_url(target) else ""), settings)
    if bound.driver_id != "modbus":
        raise ConfigError(f"its driver is {bound.driver_id}: registers are Modbus alone", where=target)
    return bound
