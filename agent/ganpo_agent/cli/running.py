"""`ganpo run`: the process itself."""

import sys
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import click

from ganpo_agent.cli.common import config_option, read
from ganpo_service.commands import say


@click.command()
@config_option
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
@click.option("--strict", is_flag=True, help="never run the last good configuration instead of a bad one")
def run(config: Path | None, log_format: str, log_level: str, strict: bool) -> None:
    """Run the gateway until SIGTERM or Ctrl-C. SIGHUP: reload.

    With mistakes in the configuration the last good one runs, and that is told.
    """
    import asyncio
    import signal

    from ganpo_agent.reloading import last_good
    from ganpo_config.load import Loaded, file_of
    from ganpo_config.state_dir import look_at
    from ganpo_model.errors import ConfigError
    from ganpo_service import log

    log.set_up(log_format, log_level)
    loaded = read(config)
    wrong: list[ConfigError] = []
    for warning in loaded.warnings:
        say(f"warning: {warning}", err=True)
    if loaded.plant is None:
        for error in loaded.errors:
            say(error, err=True)
        found = None if strict else last_good.instead_of(config, loaded.errors)
        if found is None:
            say(f"{len(loaded.errors)} errors: not started. `ganpo check` shows the same.", err=True)
            sys.exit(1)
        wrong = [found[1], *loaded.errors]
        loaded = found[0]
        say(f"warning: {wrong[0]}", err=True)
    from ganpo_agent.app import Agent
    from ganpo_agent.owner import alone

    plant = loaded.plant
    assert plant is not None
    unfit = look_at(plant.gateway.state_dir)

    def keep(loaded: Loaded) -> None:
        last_good.keep(loaded, file_of(config), plant.gateway.state_dir, datetime.now(UTC))

    started = [loaded]
    del loaded  # its notes are for `check`, and its texts for `keep`

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        with alone(plant.gateway.state_dir):
            if unfit:
                say(f"warning: {unfit}", err=True)
            agent = Agent(plant, config=file_of(config), load=partial(read, config), keep=keep, wrong=wrong)
            if not wrong:
                keep(started[0])
            started.clear()
            loop.add_signal_handler(signal.SIGHUP, agent.reloading.ask)
            await agent.run(stop)

    asyncio.run(serve())
