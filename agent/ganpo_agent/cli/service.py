"""`ganpo service`: the gateway as a service of systemd."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganpo_agent.cli.common import json_option
from ganpo_service.commands import say
from ganpo_service.words import tell

if TYPE_CHECKING:
    from ganpo_service import units

CONFIG = "etc/ganpo/agent.toml"
"""The file that the unit runs with."""

dry_run_option = click.option("--dry-run", is_flag=True, help="Print what would be done, and do nothing.")
root_option = click.option(
    "--root",
    type=click.Path(file_okay=False, exists=True, resolve_path=True, path_type=Path),
    default="/",
    help="the file system of a box that does not run  [default: this machine]",
)


@click.group()
def service() -> None:
    """The gateway as a service: it starts with the machine, and again when it falls."""


@service.command()
@click.option(
    "--serial/--no-serial",
    default=None,
    help="Open serial ports to it, or none.  [default: as the configuration needs it]",
)
@click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    default=f"/{CONFIG}",
    show_default=True,
    help="agent.toml that it runs with",
)
@dry_run_option
@root_option
def install(serial: bool | None, config: Path, dry_run: bool, root: Path) -> None:
    """Start the gateway, now and with the machine.

    As the user ganpo, who may open serial ports (group dialout). May be given again:
    after an upgrade, or when the first serial line has come.
    """
    from ganpo_model.errors import ConfigError
    from ganpo_service import units

    if not dry_run:
        units.as_root()
    found = _service(root)
    config = config.absolute()
    if (folder := units.hidden(config)) is not None:
        raise ConfigError(
            f"/{folder} is hidden from the service", where=str(config), hint=f"copy it to /{CONFIG}"
        )
    if serial is None:
        serial = _has_serial(root / config.relative_to("/"), found.state_dir)
    other = {} if config == Path("/") / CONFIG else {"GANPO_CONFIG": str(config)}
    steps = list(found.install(serial=serial, environment=other))
    if dry_run:
        for step in steps:
            click.echo(tell(str(step)), nl=False)
        return
    units.carry_out(steps)
    say(units.as_text(found.status(), as_json=False))
    say("its log: journalctl -fu ganpo-agent")
    if other:
        say(f"commands find it with --config {config}, or: export GANPO_CONFIG={config}")


@service.command()
@root_option
@json_option
def status(root: Path, as_json: bool) -> None:
    """Whether the service runs, and starts with the machine.

    What the gateway reads and sends tells `ganpo status`.
    """
    from ganpo_service import units

    found = _service(root).status()
    (click.echo if as_json else say)(units.as_text(found, as_json=as_json))
    sys.exit(0 if found["active"] == "active" and found["enabled"] == "enabled" else 1)


@service.command()
@dry_run_option
@root_option
def uninstall(dry_run: bool, root: Path) -> None:
    """End the service, and take away its unit.

    Data and configuration stay where they are, and so does the user.
    """
    from ganpo_service import units

    if not dry_run:
        units.as_root()
    found = _service(root)
    steps = list(found.uninstall())
    if dry_run:
        for step in steps:
            click.echo(tell(str(step)), nl=False)
        return
    units.carry_out(steps)
    say(f"kept: {found.state_dir}, /etc/ganpo")


def _service(root: Path) -> "units.Service":
    from dataclasses import replace

    from ganpo_service.units import GATEWAY

    return replace(GATEWAY, root=root)


def _has_serial(config: Path, state_dir: Path) -> bool:
    """Whether a connection opens a serial port. Raises ConfigError where the service could not run with this file."""
    from ganpo_agent.cli.common import configured
    from ganpo_model.errors import ConfigError

    plant = configured(config)
    if not plant.gateway.state_dir.is_relative_to(state_dir):
        raise ConfigError(
            f"the service can write to {state_dir} alone",
            where=f"gateway.state_dir = {plant.gateway.state_dir}",
            hint=f'state_dir = "{state_dir}"; where the disk is another one, mount it there',
        )
    about = config.stat()
    if not (about.st_mode & 0o004 or (about.st_mode & 0o040 and about.st_gid)):
        raise ConfigError(
            "the service runs as the user ganpo, who cannot read it",
            where=str(config),
            hint=f"chmod 644 {config}",
        )
    return any(bound.settings.characters for bound in plant.connections)
