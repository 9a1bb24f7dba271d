"""What holds for every test: no skip on CI, nothing left behind, no blocking call in a loop of ours."""

import asyncio
import gc
import inspect
import logging
import os
import shutil
import sys
import tempfile
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest

from support import leaks, writes

ROOT = Path(__file__).parents[1]
MEMORY = Path("/dev/shm")
CI = os.environ.get("CI") == "true"


def _has_room(folder: Path) -> bool:
    """For what a run keeps, and for programs that tests build there: containers often give 64 MB and no programs."""
    if not folder.is_dir() or os.statvfs(folder).f_flag & os.ST_NOEXEC:
        return False
    return shutil.disk_usage(folder).free > 4 * 1024**3


hypothesis.settings.register_profile("here", deadline=None)
hypothesis.settings.register_profile("ci", deadline=None, derandomize=True, print_blob=True)
hypothesis.settings.load_profile("ci" if CI else "here")
# Where byte code may not be written, every process that a test starts compiles what it imports, for seconds.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False
# Thousands of commits that each wait for a disk show nothing more: temporary folders lie in memory where it has room.
if "TMPDIR" not in os.environ and _has_room(MEMORY):
    os.environ["TMPDIR"] = tempfile.tempdir = str(MEMORY)
leaks.watch_for_blocking_calls()
writes.watch()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder with recordings that are not ours to publish: beside the checkout, or $GANPO_SHARED."""
    folder = Path(os.environ.get("GANPO_SHARED") or ROOT.parent / "shared")
    if not folder.is_dir():
        pytest.skip(f"the recordings are missing: no folder {folder}; GANPO_SHARED names another")
    return folder


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long modules begin first; every asynchronous test is watched for tasks that outlive it."""
    longest: dict[Path, float] = {}
    for item in items:
        longest[item.path] = max(longest.get(item.path, 0), _seconds(item))
    items.sort(key=lambda item: -longest[item.path])
    for item in items:
        if not isinstance(item, pytest.Function) or not inspect.iscoroutinefunction(item.obj):
            continue
        if "no_task_left" not in item.fixturenames:
            item.fixturenames.insert(0, "no_task_left")


def _seconds(item: pytest.Item) -> float:
    """What a test is granted beyond the usual: one that begins last would keep one core busy and the other idle."""
    granted = item.get_closest_marker("timeout")
    return float(granted.args[0]) if granted is not None else 0.0


@pytest.fixture
async def no_task_left() -> AsyncIterator[None]:
    """Fails a test that ends before its tasks do."""
    before = asyncio.all_tasks()
    yield
    for _ in range(5):
        await asyncio.sleep(0)
    left = asyncio.all_tasks() - before - {asyncio.current_task()}
    assert not left, f"tasks left behind: {[task.get_name() for task in left]}"


def _ours() -> list[str]:
    return [name for name in logging.root.manager.loggerDict if name.startswith("ganpo_")]


@pytest.fixture(autouse=True)
def same_levels() -> Iterator[None]:
    """What a command in the process of a test sets for its log (`ganpo_service.log`) ends with that test."""
    before = {name: logging.getLogger(name).level for name in _ours()}
    yield
    for name in _ours():
        logging.getLogger(name).setLevel(before.get(name, logging.NOTSET))


@pytest.fixture(autouse=True)
def no_blocking_call(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fails a test in which a loop of ours was held by a blocking call."""
    leaks.blocked.clear()
    yield
    request.node.funcargs.clear()  # what fixtures gave is over: `nothing_left` must not find it held by the test
    assert not leaks.blocked


@pytest.fixture(autouse=True)
def nothing_written() -> Iterator[None]:
    """Fails a test in which a simulated device was asked for a write."""
    yield
    found = writes.noted()
    assert not found, f"written to a device: {found}"


@pytest.fixture(autouse=True, scope="module")
def nothing_left() -> Iterator[None]:
    """Fails a module that leaves a process or a socket; what is collected here unclosed is an error by itself."""
    children, sockets = leaks.children(), leaks.sockets()
    yield
    gc.collect()
    left = leaks.left_over(children, leaks.children)
    assert not left, f"processes left behind: {left}"
    open_still = leaks.left_over(sockets, leaks.sockets)
    assert not open_still, f"sockets left open: {open_still}"


def pytest_collection_finish() -> None:
    """What thousands of modules brought stays: it is not looked at again by each collection of garbage in a test."""
    gc.collect()
    gc.freeze()


def pytest_sessionfinish(session: pytest.Session) -> None:
    """On CI a skip is a failure."""
    writes.end()
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    if CI and reporter is not None and reporter.stats.get("skipped") and session.exitstatus == 0:
        reporter.write_line("on CI nothing is skipped", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
