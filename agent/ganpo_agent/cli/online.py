"""`ganpo check --online`: the part of `check` that asks the devices."""

from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ganpo_agent.cli.asking import shown
from ganpo_agent.cli.common import running
from ganpo_agent.cli.text import Progress, row
from ganpo_service import words
from ganpo_service.commands import say

if TYPE_CHECKING:
    from ganpo_agent.device.online import ConnectionResult
    from ganpo_config.plant import Plant


def asked(config: Path | None, plant: "Plant") -> "list[ConnectionResult]":
    """Every point of every connection; all lines at once, each with one owner."""
    import asyncio

    from ganpo_agent.device import online
    from ganpo_agent.device.session import Own

    bounds = [bound for bound in plant.connections if bound.points]
    total, done = sum(len(bound.points) for bound in bounds), 0

    async def alone(bound: Any, progress: Progress) -> "ConnectionResult":
        def told(points: int) -> None:
            nonlocal done
            done += points
            progress.at(done, total, bound.name)

        device = Own(bound)
        try:
            return await online.check(device, bound, told)
        finally:
            await device.close()

    async def ask() -> "list[ConnectionResult]":
        agent = running(config)
        links = {one["name"]: one for one in await agent.get("connections")} if agent is not None else {}
        points = {one["name"]: one for one in await agent.get("points")} if agent is not None else {}
        with Progress("reading") as progress:
            found = await asyncio.gather(
                *(alone(bound, progress) for bound in bounds if bound.name not in links)
            )
        by_name = {one.connection: one for one in found}
        return [by_name.get(b.name) or online.of_agent(b, points, links[b.name]) for b in bounds]

    return asyncio.run(ask())


def tell(found: "Sequence[ConnectionResult]") -> bool:
    """Print it, what is wrong last; whether nothing failed and nothing is suspicious."""
    from ganpo_agent.device.online import FAILED, OK, SUSPICIOUS

    points = [point for one in found for point in one.points]
    for point in sorted(points, key=lambda point: (OK, SUSPICIOUS, FAILED).index(point.level)):
        value = "" if point.value is None else f"{shown(point.value)} {point.unit}".strip()
        click.echo(row((point.level, point.name, value, point.why), (11, 28, 16)))
    for one in found:
        parts = [f"{one.count(OK)} ok, {one.count(SUSPICIOUS)} suspicious, {one.count(FAILED)} failed"]
        if one.cycle_s is not None:
            parts.append(f"; everything once takes {one.cycle_s:.3f} s")
        if one.load is not None:
            parts.append(f", {one.load:.0%} of the line's time")
        if one.held:
            parts.append("; read by the running gateway")
        counts = "".join(map(words.tell, parts))
        click.echo(row((words.joined(one.connection, ": ", counts),), ()))
        if one.load is not None and one.load > 1:
            say(
                f"{one.connection}: the line is too slow for that: longer intervals, fewer points, or a second line"
            )
    return well(found)


def well(found: "Sequence[ConnectionResult]") -> bool:
    """Whether nothing failed and nothing is suspicious."""
    from ganpo_agent.device.online import OK

    return all(point.level == OK for one in found for point in one.points)


def as_json(found: "Sequence[ConnectionResult]") -> list[dict[str, Any]]:
    """For programs."""
    return [asdict(one) for one in found]
