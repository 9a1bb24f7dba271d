"""The list of bad input in tests/README.md: every line has its tests, and they exist."""

import ast
import re
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
LINES = dict(
    re.findall(
        r"^\| (.+?) \| (`.+`) \|$",
        (TESTS / "README.md").read_text().partition("## Bad input")[2],
        re.MULTILINE,
    )
)


def test_the_list_is_as_long_as_it_was_agreed() -> None:
    assert len(LINES) == 15


@pytest.mark.parametrize("line", LINES)
def test_every_line_has_a_test_that_exists(line: str) -> None:
    for test in re.findall(r"`([^`]+)`", LINES[line]):
        file, _, name = test.partition("::")
        tree = ast.parse((TESTS / file).read_text())
        assert name in {
            n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)
        }
