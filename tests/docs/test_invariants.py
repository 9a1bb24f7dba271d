"""The invariants of tests/README.md: all fourteen, each with a test that exists."""

import ast
import re
from pathlib import Path

TESTS = Path(__file__).parents[1]
MAY_WAIT = {"I9", "I12"}


def listed() -> dict[str, list[str]]:
    """The tests beside each invariant; an empty list where it waits."""
    rows = re.findall(r"^\| (I\d+) \| (.+) \| (.+) \|$", (TESTS / "README.md").read_text(), re.MULTILINE)
    return {number: re.findall(r"`([^`]+)`", tests) for number, _, tests in rows}


def test_every_invariant_stands_in_the_list_once_and_in_order() -> None:
    assert list(listed()) == [f"I{number}" for number in range(1, 15)]


def test_every_invariant_has_a_test_but_those_whose_part_is_not_built() -> None:
    assert {number for number, tests in listed().items() if not tests} <= MAY_WAIT


def test_every_listed_test_exists() -> None:
    for number, tests in listed().items():
        for test in tests:
            file, _, name = test.partition("::")
            tree = ast.parse((TESTS / file).read_text())
            names = {n.name for n in ast.walk(tree) if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef)}
            assert name in names, f"{number}: no {test}"
