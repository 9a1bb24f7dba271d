"""`ganpo check` and `ganpo plan`: what the configuration says, without touching a device."""

import sys
from pathlib import Path

import click

from ganpo_agent.cli.common import bound_connection, config_option, json_option
from ganpo_service.commands import told
from ganpo_service.words import tell


@click.command()
@config_option
def check(config: Path | None) -> None:
    """Name every mistake of the configuration, with its place.

    No device is touched. What follows from what is written is told as notes.
    """
    from ganpo_config import load
    from ganpo_config.state_dir import look_at
    from ganpo_service import workbooks

    loaded = load(config, opener=workbooks.sheets)
    plant, warnings = loaded.plant, list(loaded.warnings)
    if plant is not None and (wrong := look_at(plant.gateway.state_dir)):
        warnings.append(wrong)
    lines = [f"error    {told(error)}" for error in loaded.errors]
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
    click.echo("\n".join(map(tell, lines)))  # thousands at once
    sys.exit(0 if plant is not None else 1)


@click.command()
@config_option
@click.argument("connection")
@click.option("--silent", multiple=True, metavar="KEY", help="as if this unit did not answer; may come again")
@json_option
def plan(config: Path | None, connection: str, silent: tuple[str, ...], as_json: bool) -> None:
    """What a connection asks for, and how long that takes.

    Now, and with units silent. No device is touched.
    """
    import json

    from ganpo_agent.reading.plan import planned

    answer = planned(bound_connection(config, connection), silent)
    click.echo(json.dumps(answer.as_json(), indent=1, ensure_ascii=False) if as_json else tell(str(answer)))
