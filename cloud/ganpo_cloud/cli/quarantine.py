"""`ganpo-cloud quarantine`: what waits there, trying it again, giving it up."""

from pathlib import Path

import click

from ganpo_cloud.cli import opening
from ganpo_service.commands import say


@click.group()
def quarantine() -> None:
    """Frames that could not be applied."""


@quarantine.command("list")
@opening.config
def list_(config: Path | None) -> None:
    """What waits, by gateway and reason."""
    from ganpo_cloud.inlet.quarantine import held

    with opening.database(config) as (database, *_), database.read() as connection:
        found = held(connection)
    for name, kept in sorted(found.items()):
        for one in kept:
            say(f"{name}  {one.reason}  {one.frames} frames  {one.detail}")
    if not found:
        say("nothing is quarantined")


@quarantine.command()
@opening.config
def retry(config: Path | None) -> None:
    """Try everything again; harmless at any time."""
    from ganpo_cloud.inlet.ingest import retry as again

    with opening.database(config) as (database, _, now):
        say(f"{again(database, now)} frames applied")


@quarantine.command()
@click.argument("gateway", metavar="ID")
@opening.config
def drop(gateway: str, config: Path | None) -> None:
    """Give up what waits of the gateway ID; nothing brings it back.

    Unknown gateways share one bound: one that nobody will ever register keeps others out.
    """
    from ganpo_cloud.inlet.quarantine import drop as give_up

    with opening.database(config) as (database, *_), database.write() as connection:
        say(f"{give_up(connection, gateway)} frames of {gateway} are given up")
