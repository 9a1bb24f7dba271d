"""`ganpo check` and `ganpo plan`: what the configuration says, without touching a device."""

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from ganpo_agent.cli.common import bound_connection, config_option, json_option, read
from ganpo_agent.cli.text import fitted, row
from ganpo_service.commands import told
from ganpo_service.words import tell

if TYPE_CHECKING:
    from ganpo_config.plant import Plant
    from ganpo_model.errors import GanpoError

_LEVEL = 9
"""Columns for what a line is."""


@click.command()
@config_option
@click.option("--online", is_flag=True, help="then read every point once from its device")
@json_option
def check(config: Path | None, online: bool, as_json: bool) -> None:
    """Name every mistake of the configuration, with its place.

    No device is touched. What follows from what is written is told as notes. With --online, in their place, every point
    is read once: ok, suspicious, or failed and why, what is wrong last, and how long all of it takes.
    """
    from ganpo_agent.keeping.left import look
    from ganpo_agent.keeping.outbox_file import OutboxNewer
    from ganpo_config.state_dir import look_at

    loaded = read(config)
    plant, warnings, notes = loaded.plant, list(loaded.warnings), list(loaded.notes)
    errors: list[GanpoError] = list(loaded.errors)
    if plant is not None and (wrong := look_at(plant.gateway.state_dir)):
        warnings.append(wrong)
    try:
        if plant is not None and (left := look(plant.gateway.state_dir)) is not None:
            waiting = "unknown" if left.waiting is None else left.waiting
            notes.append(f"outbox: {waiting} frames wait; this version reads it")
    except OutboxNewer as error:
        errors.append(error)
    if as_json:
        _as_json(config, errors, warnings, notes, plant if online else None)
    found = [("error", told(error)) for error in errors]
    found += [("warning", tell(warning)) for warning in warnings]
    if online and plant is not None and not errors and notes:  # the values are wanted, on a small screen
        notes = [f"{len(notes)} lines of what follows from what is written: `ganpo check` has them"]
    found += [("note", tell(note)) for note in notes]
    lines = [_line(level, text) for level, text in found]
    if plant is None or errors:
        lines.append(tell(f"{len(errors)} errors, {len(warnings)} warnings"))
    else:
        points = sum(len(connection.points) for connection in plant.connections)
        lines.append(
            tell(
                f"ok: {len(plant.connections)} connections, {points} points, {len(plant.equipment)} equipment, "
                f"{len(plant.meters)} meters, {len(warnings)} warnings"
            )
        )
    click.echo("\n".join(lines))  # thousands at once
    if plant is None or errors:
        sys.exit(1)
    if online:
        from ganpo_agent.cli import online as devices

        sys.exit(0 if devices.tell(devices.asked(config, plant)) else 1)


def _line(level: str, text: str) -> str:
    """For a person what follows the first word stands in a column. Programs have one line for each."""
    return row((level, text), (_LEVEL,)) if sys.stdout.isatty() else fitted(tell(level), _LEVEL) + text


def _as_json(
    config: Path | None,
    errors: "Sequence[GanpoError]",
    warnings: Sequence[str],
    notes: Sequence[str],
    plant: "Plant | None",
) -> NoReturn:
    """For programs; `plant`: whose devices are asked too."""
    import json

    from ganpo_agent.cli import online as devices

    answer: dict[str, Any] = {
        "errors": [
            {"code": one.code, "what": one.what, "where": one.where, "hint": one.hint} for one in errors
        ],
        "warnings": list(warnings),
        "notes": list(notes),
    }
    found = None if plant is None else devices.asked(config, plant)
    if found is not None:
        answer["online"] = devices.as_json(found)
    click.echo(json.dumps(answer, indent=1, ensure_ascii=False))
    sys.exit(1 if errors or (found is not None and not devices.well(found)) else 0)


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
