"""`ganpo-cloud alarm`: what is banned and runs, and how somebody answers it."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import click

from ganpo_cloud.cli import opening
from ganpo_model.banned import RUNNING
from ganpo_model.clock import HOUR_MS
from ganpo_service import words
from ganpo_service.commands import say

SHOWN = 5
"""Stretches of an alarm that are printed; its device's page has all."""


@click.group()
def alarm() -> None:
    """Banned equipment that runs."""


@alarm.command("list")
@click.option("--all", "every", is_flag=True, help="closed ones too")
@opening.config
def list_(every: bool, config: Path | None) -> None:
    """What is open, the newest first."""
    from ganpo_cloud.days import alarms
    from ganpo_cloud.province import banned
    from ganpo_model.clock import to_ms
    from ganpo_service.pages import spoken

    lang = words.language()
    with opening.database(config) as (database, _, now), database.read() as connection:
        found = alarms.listed(connection, every=every)
        ran = [
            banned.stretches(connection, row.enterprise, row.asset_no, to_ms(now), SHOWN + 1) for row in found
        ]
    for row, stretches in zip(found, ran, strict=True):
        opened = spoken.instant(row.opened_at, lang)
        say(f"{row.id}  {row.enterprise} {row.asset_no}: runs though it is banned, since {opened}")
        if row.closed_at is not None:
            say(f"    closed {spoken.instant(row.closed_at, lang)} by {row.by}: {row.why}")
            continue
        for one in stretches[:SHOWN]:
            say(f"    {spoken.minute(one.at)} - {spoken.minute(one.until)}  {_told(one)}")
        if len(stretches) > SHOWN:
            say("    ...")
        say(f"    {alarms.command(row.id)}")
    if not found:
        say("no alarm is open" if not every else "there was no alarm yet")


@alarm.command("close")
@click.argument("text", metavar="ID")
@click.option("--why", required=True, help="what was found, and what was done")
@click.option("--by", required=True, help="who says so")
@opening.config
def close(text: str, why: str, by: str, config: Path | None) -> None:
    """Close the alarm ID.

    What ran up to now is answered. What runs from now on opens the next one, and so does what a gateway kept back.
    """
    from ganpo_cloud.days import alarms

    if (number := opening.numbered(text)) is None:
        raise click.UsageError(f"{text}: no number of an alarm, as ganpo-cloud alarm list tells it")
    with opening.database(config) as (database, _, now):
        found = alarms.close(database, number, why, by, now)
        say(f"alarm {number} of {found.enterprise} {found.asset_no} is closed; running again opens the next")


def _told(stretch: Any) -> str:
    """What shows that it ran, and the frame that tells it."""
    frame = f"{stretch.gateway}/{stretch.stream}/{stretch.seq}" if stretch.gateway is not None else "-"
    if not stretch.register:
        return "  ".join((" / ".join(sorted(RUNNING)), frame))
    hours = Fraction(stretch.until - stretch.at, HOUR_MS)
    unit = "kW" if stretch.unit == "kWh" else f"{stretch.unit}/h"
    amount = Fraction(stretch.millionths, 10**6)
    return f"{float(amount):,.1f} {stretch.unit}, {float(amount / hours):,.1f} {unit}  {frame}"
