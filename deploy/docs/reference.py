"""Pages that are written from the code: settings of both programs, commands, errors, the collector's API."""

import json
from collections.abc import Iterable, Iterator
from importlib import import_module
from typing import Any, cast

import click

import ganpo_config
from ganpo_cloud.store.database import Reader
from ganpo_cloud.store.settings import CloudSettings
from ganpo_cloud.web.application import create_app
from ganpo_model.errors import GanpoError
from ganpo_service.clock import SystemClock

PROGRAMS = {
    "ganpo": "ganpo_agent.cli.main",
    "ganpo-cloud": "ganpo_cloud.cli.main",
    "ganpo-demo": "ganpo_demo.cli",
}
Schema = dict[str, Any]


def pages() -> dict[str, str]:
    """Text by the name of its file."""
    return {
        "agent-toml.md": settings("agent.toml", ganpo_config.json_schema()),
        "cloud-toml.md": settings("cloud.toml", CloudSettings.model_json_schema(by_alias=True)),
        "commands.md": commands(),
        "error-codes.md": errors(),
        "api.md": api(),
    }


def settings(file: str, schema: Schema) -> str:
    """Every key of a file, table by table."""
    lines = [f"# {file}", "", "Every key, written from the code.", ""]
    lines += _table("top", schema, schema)
    for name, section in schema.get("$defs", {}).items():
        if "properties" in section:
            lines += [f"## {name}", "", section.get("description", ""), "", *_table(name, section, schema)]
    return _text(lines)


def _table(name: str, section: Schema, whole: Schema) -> Iterator[str]:
    required = section.get("required", ())
    yield from ("| key | type | default | |", "|---|---|---|---|")
    for key, about in section["properties"].items():
        default = (
            "required" if key in required else f"`{json.dumps(about.get('default'), ensure_ascii=False)}`"
        )
        yield f"| `{key}` | {_kind(about, whole)} | {default} | {_cell(about.get('description', ''))} |"
    yield ""


def _kind(about: Schema, whole: Schema) -> str:
    if "$ref" in about:
        name = about["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})" if "properties" in whole["$defs"].get(name, {}) else name
    if "const" in about:
        return f"`{json.dumps(about['const'])}`"
    if "enum" in about:
        return ", ".join(f"`{value}`" for value in about["enum"])
    for several in ("anyOf", "oneOf", "allOf"):
        if several in about:
            kinds = [_kind(one, whole) for one in about[several] if one.get("type") != "null"]
            return " or ".join(dict.fromkeys(kinds))
    kind = about.get("type", "any")
    if kind == "array":
        return f"list of {_kind(about.get('items', {}), whole)}"
    if kind == "object" and isinstance(about.get("additionalProperties"), dict):
        return f"table of {_kind(about['additionalProperties'], whole)}"
    return " or ".join(kind) if isinstance(kind, list) else str(kind)


def commands() -> str:
    """Every command with what it says of itself."""
    lines = ["# Commands", "", "What each says to `--help`.", ""]
    for program, module in PROGRAMS.items():
        lines += [f"## {program}", ""]
        lines += _below(
            import_module(module).main, click.Context(import_module(module).main, info_name=program)
        )
    return _text(lines)


def _below(command: click.Command, context: click.Context) -> Iterator[str]:
    if not isinstance(command, click.Group):
        yield from ("```text", command.get_help(context), "```", "")
        return
    for name in command.list_commands(context):
        sub = command.get_command(context, name)
        if sub is None or sub.hidden:
            continue
        below = click.Context(sub, info_name=name, parent=context)
        if not isinstance(sub, click.Group):
            yield from (f"### {below.command_path}", "")
        yield from _below(sub, below)


def errors() -> str:
    """The tree of errors: what is about what."""
    lines = [
        "# Error codes",
        "",
        "A code stands in brackets behind a message.",
        "",
        "| code | is a kind of | |",
        "|---|---|---|",
    ]
    for module in ("ganpo_agent.app", "ganpo_config", "ganpo_drivers", "ganpo_cloud.app"):
        import_module(module)
    seen = set()
    for kind in _kinds(GanpoError):
        if kind.code in seen or not kind.__module__.startswith("ganpo_"):
            continue
        seen.add(kind.code)
        above = kind.__bases__[0]
        parent = f"`{above.code}`" if issubclass(above, GanpoError) else ""
        lines.append(
            f"| [`{kind.code}`](../errors.md#{kind.code}) | {parent} | {_cell(_first(kind.__doc__ or ''))} |"
        )
    return _text([*lines, ""])


def _kinds(root: type[GanpoError]) -> Iterator[type[GanpoError]]:
    yield root
    for kind in root.__subclasses__():
        yield from _kinds(kind)


def api() -> str:
    """What the collector answers: its own OpenAPI document as a page."""
    document = create_app(cast(Reader, None), SystemClock()).openapi()  # no request is made
    lines = ["# API of the collector", "", "`GET /api/v1/openapi.json` says the same to programs.", ""]
    for path, item in document["paths"].items():
        for method, operation in item.items():
            lines += [
                f"## {method.upper()} {path}",
                "",
                operation.get("description") or operation.get("summary", ""),
                "",
            ]
            if parameters := operation.get("parameters"):
                lines += ["| parameter | in | type | |", "|---|---|---|---|", *_parameters(parameters), ""]
    return _text(lines)


def _parameters(parameters: Iterable[Schema]) -> Iterator[str]:
    for one in parameters:
        kind = _kind(one["schema"], {"$defs": {}})
        about = one.get("description") or one["schema"].get("description", "")
        name = f"**`{one['name']}`**" if one.get("required") else f"`{one['name']}`"
        yield f"| {name} | {one['in']} | {kind} | {_cell(about)} |"


def _first(text: str) -> str:
    return " ".join(text.strip().split("\n\n")[0].split())


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|").replace("<", "&lt;")


def _text(lines: Iterable[str]) -> str:
    return "\n".join(lines) + "\n"
