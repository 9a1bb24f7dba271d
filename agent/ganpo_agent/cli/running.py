"""`ganpo run`: the process itself."""

import sys
from pathlib import Path

import click

from ganpo_agent.cli.common import config_option
from ganpo_service.commands import say


@click.command()
@config_option
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def run(config: Path | None, log_format: str, log_level: str) -> None:
    """Run the gateway until SIGTERM or Ctrl-C. SIGHUP: reload."""
    import asyncio
    import signal

    from ganpo_config import Loaded, load
    from ganpo_service import log, workbooks

    log.set_up(log_format, log_level)
    loaded = load(config, opener=workbooks.sheets)
    for warning in loaded.warnings:
        say(f"warning: {warning}", err=True)
    if loaded.plant is None:
        for error in loaded.errors:
            say(error, err=True)
        say(f"{len(loaded.errors)} errors: not started. `ganpo check` shows the same.", err=True)
        sys.exit(1)
    from ganpo_agent.app import Agent
    from ganpo_agent.owner import alone

    plant = loaded.plant
    del loaded  # its notes are for `check`

    def load_again() -> Loaded:
        return load(config, opener=workbooks.sheets)

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        with alone(plant.gateway.state_dir):
            agent = Agent(plant, load=load_again)
            loop.add_signal_handler(signal.SIGHUP, agent.reloading.ask)
            await agent.run(stop)

    asyncio.run(serve())
