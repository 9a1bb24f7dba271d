"""What is asked of a device by hand."""

from pathlib import Path

import click

from ganpo_agent.cli.common import bound_connection, config_option


@click.command()
@config_option
@click.argument("connection")
@click.argument("start", default="")
def browse(config: Path | None, connection: str, start: str) -> None:
    """Print what a device offers, as lists write it.

    All of it, or what lies below the address START.
    """
    import asyncio

    from ganpo_agent.device.browsing import browse

    bound = bound_connection(config, connection)

    async def tell() -> None:
        async for address in browse(bound, start):
            click.echo(address)

    asyncio.run(tell())
