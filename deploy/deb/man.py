"""Man pages and completion out of click: what the commands say of themselves."""

from collections.abc import Iterator
from datetime import datetime

import click
from click.shell_completion import BashComplete, ZshComplete

SHELLS = {"bash": BashComplete, "zsh": ZshComplete}
_EVALUATED = "\nif [[ $zsh_eval_context"
_REST = """\
.SH EXIT STATUS
0: done. 1: it could not be done, or something was found. 2: it was not typed as it has to be.
130: Ctrl-C ended it. 141: whoever read what it prints had ended.
.SH SEE ALSO
/usr/share/doc/{package}, {others}
"""


def page(program: str, command: click.Command, released: datetime, files: dict[str, str], others: str) -> str:
    """The page of a program, in the language of man(7). `files`: what it reads and writes, and what for."""
    context = click.Context(command, info_name=program)
    lines = [
        f'.TH {program.upper()} 1 "{released:%Y-%m-%d}" "Ganpo"',
        ".SH NAME",
        f"{_escaped(program)} \\- {_escaped(command.get_short_help_str(200))}",
        ".SH SYNOPSIS",
        *_synopsis(context),
        ".SH DESCRIPTION",
        *_paragraphs(command.help or ""),
        *_options(context),
    ]
    if isinstance(command, click.Group):
        lines.append(".SH COMMANDS")
        lines += _commands(command, context)
    lines.append(".SH FILES")
    for path, what in files.items():
        lines += [".TP", f".I {_escaped(path)}", _escaped(what)]
    return "\n".join(lines) + "\n" + _REST.format(package=program, others=others)


def completion(program: str, shell: str, command: click.Command) -> str:
    """What a shell loads: it asks the program itself for what may come next."""
    variable = f"_{program.replace('-', '_').upper()}_COMPLETE"
    made = SHELLS[shell](command, {}, program, variable)
    text: str = made.source_template % made.source_vars()
    if shell == "zsh":
        # zsh makes the whole file a function: with the last lines of click the second Tab is lost (findings/).
        text = f'{text.partition(_EVALUATED)[0]}\n{made.func_name} "$@"\n'
    return text


def _commands(group: click.Group, context: click.Context) -> Iterator[str]:
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        if command is None or command.hidden:
            continue
        below = click.Context(command, info_name=name, parent=context)
        if isinstance(command, click.Group):
            yield from (f".SS {_escaped(below.command_path)}", *_paragraphs(command.help or ""))
            yield from _commands(command, below)
            continue
        yield f".SS {_escaped(below.command_path)}"
        yield from _synopsis(below)
        yield ".PP"
        yield from _paragraphs(command.help or "")
        yield from _options(below)


def _synopsis(context: click.Context) -> Iterator[str]:
    pieces = " ".join(context.command.collect_usage_pieces(context))
    yield f".B {_escaped(context.command_path)}"
    yield _escaped(pieces)


def _paragraphs(text: str) -> Iterator[str]:
    for number, paragraph in enumerate(text.replace("\b", "").strip().split("\n\n")):
        if number:
            yield ".PP"
        yield _escaped(" ".join(paragraph.split()))


def _options(context: click.Context) -> Iterator[str]:
    for parameter in context.command.params:
        record = parameter.get_help_record(context)
        if record is not None and record[1]:
            yield from (".TP", f".B {_escaped(record[0])}", _escaped(record[1]))


def _escaped(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{text}" if text[:1] in (".", "'") else text
