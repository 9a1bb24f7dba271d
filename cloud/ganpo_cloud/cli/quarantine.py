"""`ganpo-cloud quarantine`: what waits there, trying it again, giving it up."""

import datetime
from pathlib import Path

import click

from ganpo_cloud.cli import opening


@click.group()
def quarantine() -> None:
    """Frames that could not be applied."""


@quarantine.command("list")
@opening.config
def list_(config: Path | None) -> None:
    """What waits, by gateway and reason."""
    from sqlalchemy import func, select

    from ganpo_cloud.store.tables import quarantine as table

    with opening.told(), opening.database(config) as database, database.read() as connection:
        rows = connection.execute(
            select(table.c.gateway, table.c.reason, func.count(), func.max(table.c.detail))
            .group_by(table.c.gateway, table.c.reason)
            .order_by(table.c.gateway)
        ).all()
        for name, reason, number, detail in rows:
            click.echo(f"{name}  {reason}  {number} frames  {detail}")
        if not rows:
            click.echo("nothing is quarantined")


@quarantine.command()
@opening.config
def retry(config: Path | None) -> None:
    """Try everything again; harmless at any time."""
    from ganpo_cloud.inlet.ingest import retry as again

    with opening.told(), opening.database(config) as database:
        click.echo(f"{again(database, datetime.datetime.now(datetime.UTC))} frames applied")


@quarantine.command()
@click.argument("gateway", metavar="ID")
@opening.config
def drop(gateway: str, config: Path | None) -> None:
    """Give up what waits of the gateway ID; nothing brings it back.

    Unknown gateways share one bound: one that nobody will ever register keeps others out.
    """
    from ganpo_cloud.inlet import quarantine as kept

    with opening.told(), opening.database(config) as database, database.write() as connection:
        click.echo(f"{kept.drop(connection, gateway)} frames of {gateway} are given up")
