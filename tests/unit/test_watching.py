"""The suite's own watchmen: each is shown a test that does wrong, and must fail it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]

FORGOTTEN_TASK = """
import asyncio
async def test():
    globals()["kept"] = asyncio.get_running_loop().create_task(asyncio.sleep(60), name="forgotten")
"""
FORGOTTEN_PROCESS = """
import subprocess, sys
def test():
    globals()["kept"] = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
"""
WRONG = {
    "test_task.py": (FORGOTTEN_TASK, "tasks left behind: ['forgotten']"),
    "test_process.py": (FORGOTTEN_PROCESS, "processes left behind"),
    "test_kept.py": ("import socket\ndef test(): globals()['kept'] = socket.socket()", "sockets left open"),
    "test_unclosed.py": ("import socket\ndef test(): socket.socket()", "unclosed <socket.socket"),
    "test_blocking.py": (
        "import ganpo_slow\nasync def test(): await ganpo_slow.wait()",
        "time.sleep in a running loop",
    ),
}
"""A module that does wrong, and what has to be said about it."""


def run(folder: Path, modules: dict[str, str], **env: str) -> subprocess.CompletedProcess[str]:
    """pytest over test modules, with this suite's conftest and settings."""
    tests = folder / "tests"
    (tests / "support").mkdir(parents=True)
    shutil.copy(TESTS.parent / "pyproject.toml", folder)
    shutil.copy(TESTS / "conftest.py", tests)
    for module in ("leaks.py", "writes.py"):
        shutil.copy(TESTS / "support" / module, tests / "support")
    (tests / "ganpo_slow.py").write_text("import time\nasync def wait(): time.sleep(0.001)\n")
    for name, body in modules.items():
        (tests / name).write_text(body)
    return subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env={name: value for name, value in os.environ.items() if name != "CI"} | env,
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_what_a_test_leaves_behind_or_blocks_fails_it(tmp_path: Path) -> None:
    done = run(tmp_path, {name: body for name, (body, _) in WRONG.items()})
    assert done.returncode == 1, done.stdout
    for name, (_, told) in WRONG.items():
        assert told in done.stdout, name


@pytest.mark.parametrize(("ci", "code"), [("", 0), ("true", 1)])
def test_a_skip_fails_the_run_on_ci_alone(tmp_path: Path, ci: str, code: int) -> None:
    body = "import pytest\ndef test(shared): assert shared\ndef test_other(): pass"
    done = run(tmp_path, {"test_it.py": body}, CI=ci, GANPO_SHARED="/nowhere")
    assert done.returncode == code, done.stdout
    assert "no folder /nowhere" in done.stdout
