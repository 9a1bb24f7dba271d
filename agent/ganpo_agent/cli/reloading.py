"""`ganpo reload`: the running gateway takes what changed."""

import sys
from pathlib import Path

import click

from ganpo_agent.cli.common import config_option, json_option, the_running
from ganpo_service.commands import say


@click.command()
@config_option
@click.option("--wait", is_flag=True, help="until it works, or 60 s have passed and it is taken back")
@json_option
def reload(config: Path | None, wait: bool, as_json: bool) -> None:
    """Apply what changed in configuration, lists and profiles.

    What did not change goes on. With a mistake in them nothing is applied.
    """
    import asyncio
    import json

    answer = asyncio.run(the_running(config).post("reload", {"wait": wait}))
    if as_json:
        click.echo(json.dumps(answer, ensure_ascii=False, indent=1))
    else:
        for error in answer["errors"]:
            say(f"error    {error}", err=True)
        for line in _lines(answer["changed"]):
            say(line)
        if answer["returned"]:
            say("taken back: what ran before runs again", err=True)
        elif answer["errors"]:
            say("nothing was applied: what ran before goes on", err=True)
    sys.exit(1 if answer["errors"] else 0)


def _lines(changed: dict[str, object]) -> list[str]:
    lines = ["uplink: connects anew"] if changed["uplink"] else []
    for kind in ("connections", "subjects"):
        found = changed[kind]
        assert isinstance(found, dict)
        lines += [f"{kind} {word}: {', '.join(names)}" for word, names in found.items() if names]
    lines += ["the inventory is told anew"] if changed["inventory"] else []
    return lines or ["nothing changed"]
