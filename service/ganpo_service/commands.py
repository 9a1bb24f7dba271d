"""What our commands have in common: their language, and how they end. An error of ours is told in a line with its code,
and so is output without room."""

import copy
import errno
import os
import sys
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, TypeVar

import click
from click.exceptions import NoArgsIsHelpError

from ganpo_model.errors import GanpoError
from ganpo_service import words
from ganpo_service.release import RELEASED
from ganpo_service.words import tell

_NO_ROOM = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO}
"""With these a disk, or what standard output goes to, takes no more: no bug of ours."""
_READER_GONE = 128 + 13
"""What a shell says of a program that SIGPIPE ended, as `head` ends the one before it."""
_INTERRUPTED = 128 + 2
"""What a shell says of a program that Ctrl-C ended."""
CommandT = TypeVar("CommandT", bound=click.Command)
_COLUMN = 30
"""Names of options and commands that take more columns have a line of their own."""


def say(text: object = "", *, err: bool = False) -> None:
    """Print what a person reads, in the person's language; an error of ours with its code."""
    click.echo(told(text) if isinstance(text, GanpoError) else tell(str(text)), err=err)


def told(error: GanpoError) -> str:
    """An error in the person's language; its code stands behind it in every language."""
    if words.language() == "en":  # also behind a Chinese word, where others have a Chinese sign
        return f"{tell(str(error))} [{error.code}]"
    text = (
        words.joined(words.tell_part(error.where), ": ", tell(error.what))
        if error.where
        else tell(error.what)
    )
    text = words.joined(text, "; ", tell(error.hint)) if error.hint else text
    return f"{text} [{error.code}]"


version_option = click.version_option(
    package_name="ganpo", message=f"%(prog)s %(version)s ({RELEASED:%Y-%m-%d})"
)
"""`--version`: number and day, so that a box tells how old it is."""


class _Plain(click.Command):
    """Exits with 1 at an error of ours, without a traceback. `--lang` may stand anywhere."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        languages = click.Choice(list(words.LANGUAGES))
        self.params.append(
            click.Option(
                ["--lang"], type=languages, expose_value=False, help="language  [default: that of LANG]"
            )
        )

    def main(self, args: Sequence[str] | None = None, *, standalone_mode: bool = True, **kwargs: Any) -> Any:  # type: ignore[override]
        """As click's; an OSError that is not about room goes on, and all bugs."""
        asked, given = _asked(list(sys.argv[1:] if args is None else args))
        out = sys.stdout
        with words.speaking(words.choose(asked, os.environ, out.encoding, terminal=out.isatty())):
            shown = self if words.language() == "en" else _in_words(self)
            if not standalone_mode:
                return super(_Plain, shown).main(given, standalone_mode=False, **kwargs)
            try:
                code = super(_Plain, shown).main(given, standalone_mode=False, **kwargs)
            except click.ClickException as error:
                _show(error)
                code = error.exit_code
            except click.Abort as error:
                code = _INTERRUPTED
                if not isinstance(error.__cause__ or error.__context__, KeyboardInterrupt):
                    say("Aborted!", err=True)
                    code = 1
            except _ReaderGone:
                _give_up_output()
                code = _READER_GONE
            except GanpoError as error:
                say(error, err=True)
                code = 1
            except OSError as error:
                if error.errno not in _NO_ROOM:
                    raise
                _give_up_output()
                where = f"{error.filename}: " if error.filename else ""
                say(f"{where}cannot be written: {error.strerror}: what came out is not whole", err=True)
                code = 1
        sys.exit(code if isinstance(code, int) else 0)

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """As click's: help and version are printed here."""
        with _read_by_somebody():
            return super().make_context(*args, **kwargs)

    def invoke(self, ctx: click.Context) -> Any:
        """As click's."""
        with _read_by_somebody():
            return super().invoke(ctx)


class _ReaderGone(Exception):
    """Whoever read what is printed has ended. No OSError: click would end those with 1 by itself."""


@contextmanager
def _read_by_somebody() -> Iterator[None]:
    try:
        yield
    except BrokenPipeError as error:
        raise _ReaderGone from error


class Command(_Plain):
    """A command alone."""


class Group(_Plain, click.Group):
    """A command with commands below it."""


class Below(Mapping[str, click.Command]):
    """The commands below one by name, each made when it is asked for: what a command does without that runs for years
    takes none of its memory."""

    def __init__(self, names: Collection[str], make: Callable[[str], click.Command]) -> None:
        self._names, self._make = names, make

    def __getitem__(self, name: str) -> click.Command:
        """Raises KeyError."""
        if name not in self._names:
            raise KeyError(name)
        return self._make(name)

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)


class _Formatter(click.HelpFormatter):
    """Help in the person's language; Chinese takes two columns a sign."""

    def write_usage(self, prog: str, args: str = "", prefix: str | None = None) -> None:
        """`Usage: PROG ARGS`."""
        self._lines(f"{tell('Usage: ')}{prog} {args}", "", " " * 4)

    def write_heading(self, heading: str) -> None:
        """`Options:`."""
        self._lines(tell(f"{heading}:"), "", "")

    def write_text(self, text: str) -> None:
        """The paragraphs of a docstring."""
        paragraphs = [" ".join(paragraph.split()) for paragraph in text.split("\n\n")]
        for number, paragraph in enumerate(paragraphs):
            self.write("\n" if number else "")
            self._lines(tell(paragraph), "", "")

    def write_dl(self, rows: Any, col_max: int = _COLUMN, col_spacing: int = 2) -> None:
        """Options or commands, and what each is."""
        rows = list(rows)
        column = min(max((words.width(first) for first, _ in rows), default=0), col_max) + col_spacing
        for first, second in rows:
            name = first + " " * max(0, column - words.width(first))
            if words.width(first) > column - col_spacing:
                self._lines(first, "", "")
                name = " " * column
            self._lines("  ".join(map(tell, second.split("  "))), name, " " * column)

    def _lines(self, text: str, first: str, others: str) -> None:
        margin = " " * self.current_indent
        room = self.width - self.current_indent - words.width(first)
        for number, line in enumerate(words.wrapped(text, room)):
            self.write(f"{margin}{others if number else first}{line}".rstrip() + "\n")


class _Context(click.Context):
    formatter_class = _Formatter


def _in_words(command: CommandT) -> CommandT:
    """A copy of a command, and of those below it, whose help is in the person's language."""
    shown = copy.copy(command)
    shown.context_class = _Context
    if command.help:
        shown.short_help = tell(command.short_help or " ".join(command.help.split("\n\n")[0].split()))
    if isinstance(command, click.Group) and isinstance(shown, click.Group):
        below = command.commands
        shown.commands = Below(below, lambda name: _in_words(below[name]))  # type: ignore[assignment]
    return shown


def _asked(args: list[str]) -> tuple[str | None, list[str]]:
    """The language that is asked for, and the arguments with `--lang` in front: it may stand anywhere."""
    for place, word in enumerate(args[: args.index("--") if "--" in args else None]):
        if word == "--lang" or word.startswith("--lang="):
            taken = args[place : place + (2 if word == "--lang" else 1)]
            rest = args[:place] + args[place + len(taken) :]
            return taken[-1].rpartition("=")[2], [*taken, *rest]
    return None, args


def _show(error: click.ClickException) -> None:
    """As click shows it."""
    if isinstance(error, NoArgsIsHelpError):
        error.show()
        return
    if isinstance(error, click.UsageError) and error.ctx is not None:
        click.echo(error.ctx.get_usage(), err=True)
        say(f"Try '{error.ctx.command_path} --help' for help.\n", err=True)
    say(f"Error: {error.format_message()}", err=True)


def _give_up_output() -> None:
    """What is still buffered goes nowhere: the interpreter would fail at it once more when it ends."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
