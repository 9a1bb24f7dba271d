"""`ganpo-cloud alarm`: what is banned and runs, and how somebody answers it."""

from pathlib import Path

import click

from ganpo_cloud.cli import opening
from ganpo_service import words
from ganpo_service.commands import say


@click.group()
def alarm() -> None:
    """Banned equipment that runs."""


@alarm.command("list")
@click.option("--all", "every", is_flag=True, help="closed ones too")
@opening.config
def list_(every: bool, config: Path | None) -> None:
    """What is open, the newest first."""
    from ganpo_cloud.days import alarms
    from ganpo_service.pages import spoken

    lang = words.language()
    with opening.database(config) as (database, *_), database.read() as connection:
        found = alarms.listed(connection, every=every)
    for row in found:
        opened = spoken.instant(row.opened_at, lang)
        say(f"{row.id}  {row.enterprise} {row.asset_no}: runs though it is banned, since {opened}")
        if row.closed_at is None:
            say(f"    {alarms.command(row.id)}")
        else:
            say(f"    closed {spoken.instant(row.closed_at, lang)} by {row.by}: {row.why}")
    if not found:
        say("no alarm is open" if not every else "there was no alarm yet")


@alarm.command("close")
@click.argument("number", metavar="ID", type=click.IntRange(1, 2**63 - 1))
@click.option("--why", required=True, help="what was found, and what was done")
@click.option("--by", required=True, help="who says so")
@opening.config
def close(number: int, why: str, by: str, config: Path | None) -> None:
    """Close the alarm ID.

    What ran up to now is answered. What runs from now on opens the next one, and so does what a gateway kept back.
    """
    from ganpo_cloud.days import alarms

    with opening.database(config) as (database, _, now):
        found = alarms.close(database, number, why, by, now)
        say(f"alarm {number} of {found.enterprise} {found.asset_no} is closed; running again opens the next")
