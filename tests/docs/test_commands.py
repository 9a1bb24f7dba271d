"""Every command on a page can be typed: make targets exist, our commands take what the page gives them."""

import re
import shlex
from importlib import import_module
from pathlib import Path

import click
import pytest

ROOT = Path(__file__).parents[2]
PAGES = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("[a-z]*/README.md")])
COMMANDS = {
    "ganpo": "ganpo_agent.cli.main",
    "ganpo-cloud": "ganpo_cloud.cli.main",
    "ganpo-demo": "ganpo_demo.cli",
}
TARGETS = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))


def typed() -> list[tuple[str, list[str]]]:
    """(page, words) of every command line in a fence marked `sh`."""
    found = []
    for page in PAGES:
        for block in re.findall(r"^```sh\n(.*?)^```", page.read_text(), re.MULTILINE | re.DOTALL):
            lines = block.replace("\\\n", " ").splitlines()
            found += [(str(page.relative_to(ROOT)), shlex.split(line, comments=True)) for line in lines]
    return [(page, words) for page, words in found if words]


def lines_of(*programs: str) -> list[object]:
    """The lines that call one of these programs, named by page and text."""
    return [
        pytest.param(words, id=f"{page}: {' '.join(words)}")
        for page, words in typed()
        if Path(words[0]).name in programs
    ]


@pytest.mark.parametrize("words", lines_of("make"))
def test_a_make_target_on_a_page_exists(words: list[str]) -> None:
    assert {word for word in words[1:] if "=" not in word} <= TARGETS


@pytest.mark.parametrize("words", lines_of(*COMMANDS))
def test_a_command_on_a_page_is_understood(words: list[str]) -> None:
    name, rest = Path(words[0]).name, words[1:]
    command: click.Command = import_module(COMMANDS[name]).main
    while isinstance(command, click.Group):
        sub = command.get_command(click.Context(command), rest[0])
        assert sub is not None, f"{name} has no command {rest[0]}"
        command, rest = sub, rest[1:]
    command.make_context(name, rest)


def test_the_readme_shows_what_the_product_is_tried_with() -> None:
    for readme in ("README.md", "README.zh-CN.md"):
        said = {" ".join(words) for page, words in typed() if page == readme}
        assert {"make demo", "make test", "make bench"} <= said
