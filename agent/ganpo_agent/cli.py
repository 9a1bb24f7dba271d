"""The command `ganpo`. Heavy imports happen inside the commands: `ganpo --help` is quick."""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ganpo_service.commands import Group

if TYPE_CHECKING:
    from ganpo_config.profiles import Profiles


@click.group(cls=Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 80})
@click.version_option(package_name="ganpo")
def main() -> None:
    """The gateway of Ganpo: reads PLCs, CNC controllers and meters, keeps what it saw, sends it on."""


_config = click.option(
    "--config",
    type=click.Path(dir_okay=False, path_type=Path),
    help="agent.toml  [default: $GANPO_CONFIG, then /etc/ganpo/agent.toml]",
)


@main.command()
@_config
@click.option("--log-format", type=click.Choice(["text", "json"]), default="text", show_default=True)
@click.option(
    "--log-level", type=click.Choice(["debug", "info", "warning", "error"]), default="info", show_default=True
)
def run(config: Path | None, log_format: str, log_level: str) -> None:
    """Run the gateway until SIGTERM or Ctrl-C."""
    import asyncio
    import signal

    from ganpo_config import load
    from ganpo_service import log

    log.set_up(log_format, log_level)
    loaded = load(config)
    for warning in loaded.warnings:
        click.echo(f"warning: {warning}", err=True)
    if loaded.plant is None:
        for error in loaded.errors:
            click.echo(str(error), err=True)
        click.echo(f"{len(loaded.errors)} errors: not started. `ganpo check` shows the same.", err=True)
        sys.exit(1)
    from ganpo_agent.app import Agent
    from ganpo_agent.owner import alone

    plant = loaded.plant
    del loaded  # its notes are for `check`

    async def serve() -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        with alone(plant.gateway.state_dir):
            await Agent(plant).run(stop)

    asyncio.run(serve())


@main.command()
@_config
def check(config: Path | None) -> None:
    """Name every mistake of the configuration, with its place.

    No device is touched. What follows from what is written is told as notes.
    """
    from ganpo_config import load
    from ganpo_config.state_dir import look_at

    loaded = load(config)
    plant, warnings = loaded.plant, list(loaded.warnings)
    if plant is not None and (wrong := look_at(plant.gateway.state_dir)):
        warnings.append(wrong)
    lines = [f"error    {error}" for error in loaded.errors]
    lines += [f"warning  {warning}" for warning in warnings]
    lines += [f"note     {note}" for note in loaded.notes]
    if plant is None:
        lines.append(f"{len(loaded.errors)} errors, {len(warnings)} warnings")
    else:
        points = sum(len(connection.points) for connection in plant.connections)
        lines.append(
            f"ok: {len(plant.connections)} connections, {points} points, {len(plant.equipment)} equipment, "
            f"{len(plant.meters)} meters, {len(warnings)} warnings"
        )
    click.echo("\n".join(lines))  # thousands at once
    sys.exit(0 if plant is not None else 1)


@main.command()
@_config
@click.argument("connection")
@click.argument("start", default="")
def browse(config: Path | None, connection: str, start: str) -> None:
    """Print what a device offers, as lists write it.

    All of it, or what lies below the address START.
    """
    import asyncio

    from ganpo_agent.browsing import browse
    from ganpo_agent.configured import configured
    from ganpo_config.plant import Plant

    async def tell(plant: Plant) -> None:
        async for address in browse(plant, connection, start):
            click.echo(address)

    asyncio.run(tell(configured(config)))


@main.command()
@_config
@click.argument("connection")
@click.option("--any-date", is_flag=True, help="Take the certificate outside its dates too.")
@click.option("--yes", is_flag=True, help="Do not ask: somebody has compared the fingerprint.")
def trust(config: Path | None, connection: str, any_date: bool, yes: bool) -> None:
    """Show the certificate of an OPC UA server, and trust it.

    From then on no other one will do.
    """
    from ganpo_agent import certificates

    certificates.trust(config, connection, any_date=any_date, yes=yes)


@main.group()
def cert() -> None:
    """The gateway's own certificate, by which OPC UA servers know it."""


@cert.command("show")
@_config
def cert_show(config: Path | None) -> None:
    """File, fingerprints, ApplicationUri and dates.

    The certificate is made where there is none yet.
    """
    from ganpo_agent import certificates

    certificates.show(config)


@cert.command("export")
@_config
@click.argument("connection")
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    help="folder to write into  [default: the present one]",
)
def cert_export(config: Path | None, connection: str, to: Path) -> None:
    """Write what the server of a connection has to trust, as DER."""
    from ganpo_agent import certificates

    certificates.export(config, connection, to)


@cert.command("renew")
@_config
def cert_renew(config: Path | None) -> None:
    """Make a new certificate beside the one in use.

    Servers have to trust it before `ganpo cert switch`.
    """
    from ganpo_agent import certificates

    certificates.renew(config)


@cert.command("switch")
@_config
def cert_switch(config: Path | None) -> None:
    """Use the renewed certificate from the next session on."""
    from ganpo_agent import certificates

    certificates.switch(config)


@main.command()
@_config
@click.argument("connection")
@click.option("--silent", multiple=True, metavar="KEY", help="as if this unit did not answer; may come again")
@click.option("--json", "as_json", is_flag=True, help="for programs")
def plan(config: Path | None, connection: str, silent: tuple[str, ...], as_json: bool) -> None:
    """What a connection asks for, and how long that takes.

    Now, and with units silent. No device is touched.
    """
    import json

    from ganpo_agent.configured import configured
    from ganpo_agent.reading.plan import planned
    from ganpo_model.errors import ConfigError

    connections = configured(config).connections
    found = {bound.name: bound for bound in connections}.get(connection)
    if found is None:
        names = ", ".join(bound.name for bound in connections)
        raise ConfigError(f"no connection {connection!r}: there are {names or 'none'}")
    answer = planned(found, silent)
    click.echo(json.dumps(answer.as_json(), indent=1, ensure_ascii=False) if as_json else str(answer))


@main.group()
def driver() -> None:
    """The drivers that are installed."""


@driver.command("list")
def driver_list() -> None:
    """Name, version, origin and abilities of every driver.

    Of one that cannot be loaded, why.
    """
    from ganpo_drivers import registry

    for info in registry.listing():
        told = info.error or ", ".join(info.abilities) or "cyclic read"
        click.echo(f"{info.id:<12} {info.version:<8} {info.origin:<20} {told}")


@main.group()
def profile() -> None:
    """The kinds of meters, drives and machines that a list can name."""


@profile.command("list")
@click.argument("word", default="")
@_config
def profile_list(word: str, config: Path | None) -> None:
    """Profiles by name, all or those that have WORD.

    In name, vendor, device or title. Behind them what is read by addresses in a point list, and what cannot be read.
    """
    from ganpo_config.devices import addressed, unreadable
    from ganpo_config.profile_text import columns

    found = _profiles(config)
    for name in found.having(word):
        title = found[name].title
        click.echo(columns(name, f"{title.zh} / {title.en}"))
    for one in addressed():
        if word.casefold() in f"{one.vendor} {one.device} {one.addressing}".casefold():
            how = f'addressing = "{one.addressing}", address = "{one.example}"'
            click.echo(columns("(in a point list)", f"{one.vendor} {one.device}: {how}"))
    for other in unreadable():
        if word.casefold() in f"{other.vendor} {other.device}".casefold():
            for line in (f"{other.why_zh}：{other.instead_zh}", f"{other.why_en}: {other.instead_en}"):
                click.echo(columns("(not readable)", f"{other.vendor} {other.device}: {line}"))


@profile.command("show")
@click.argument("name")
@_config
def profile_show(name: str, config: Path | None) -> None:
    """What a profile reads, asks for and cannot say.

    Its addresses, states, parameters, sources and notes.
    """
    from ganpo_config.profile_text import told

    found = _profiles(config)
    if name not in found:
        click.echo(f"no profile {name}; {found.meant(name)}", err=True)
        sys.exit(1)
    for line in told(found[name]):
        click.echo(line)


def _profiles(config: Path | None) -> "Profiles":
    """The site's own beside its file, and ours. What is wrong in one of its own is told, and it is left out."""
    from ganpo_config.load import file_of
    from ganpo_config.profiles import Profiles

    found = Profiles(file_of(config).parent / "profiles")
    for error in found.errors:
        click.echo(f"error    {error}", err=True)
    return found
