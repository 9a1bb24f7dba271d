"""The code of today and that of the commit in `before`, each in a process of its own, in turn: A B A B ...

`make bench` puts that commit and its environment below `build/before`; a clone without it has no such column.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from measure import Figure, ratio

ROOT = Path(__file__).parents[1]
BEFORE = ROOT / "build" / "before"
_AREAS = ("model", "service", "drivers", "config", "agent", "cloud", "demo")
"""Where the packages of a checkout lie: each side imports its own."""
MISSING = "  before: not in this clone"


class Side:
    """A checkout at work. `ask` runs a function of worker.py there; all may be told before one is heard."""

    def __init__(self, name: str, checkout: Path, python: str) -> None:
        self.name = name
        self._process = subprocess.Popen(
            [python, str(Path(__file__).with_name("worker.py")), str(checkout)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(str(checkout / area) for area in _AREAS)},
        )

    def tell(self, function: str, **arguments: Any) -> None:
        """Begin; `hear` waits for what it gives."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps([function, arguments]) + "\n")
        self._process.stdin.flush()

    def hear(self) -> Any:
        """What the oldest unheard function gave."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        assert line, f"{self.name}: ended with {self._process.wait()}"
        return json.loads(line)

    def ask(self, function: str, **arguments: Any) -> Any:
        """Both at once."""
        self.tell(function, **arguments)
        return self.hear()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(60)
        self._process.stdout.close()


@contextmanager
def sides() -> Iterator[list[Side]]:
    """Today's, and the one before where this clone has it."""
    with ExitStack() as stack:
        found = [stack.enter_context(Side("now", ROOT, sys.executable))]
        python = BEFORE / ".venv" / "bin" / "python"
        if python.exists():
            found.append(stack.enter_context(Side("before", BEFORE, str(python))))
        yield found


def compared(
    name: str, found: Sequence[Sequence[float]], unit: str, *, goal: str = "", of_before: str = ""
) -> Iterator[str]:
    """Lines: a figure of each side, and their ratio run by run. Goals: of today's, and of the ratio."""
    now, *before = found
    yield str(Figure(f"{name}, now", now, unit)) + (f"   goal {goal}" if goal else "")
    for values in before:
        yield str(Figure(f"{name}, before", values, unit))
        yield ratio("  now / before", now, values, of_before)
    if not before:
        yield MISSING
