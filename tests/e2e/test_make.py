"""The Makefile in a fresh copy of the project and an empty environment: no PATH, no HOME, no locale."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest

from ganpo_demo.loopback import free_port

ROOT = Path(__file__).parents[2]
MAKE = shutil.which("make") or "/usr/bin/make"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git would clone, as it stands in the working tree."""
    folder = tmp_path_factory.mktemp("fresh") / "ganpo"
    shutil.copytree(
        ROOT,
        folder,
        ignore=shutil.ignore_patterns(".venv", ".git", ".*_cache", "__pycache__", ".hypothesis", "build"),
    )
    return folder


@pytest.mark.timeout(300)
def test_make_demo_installs_and_runs_in_an_empty_environment_until_ctrl_c(checkout: Path) -> None:
    with subprocess.Popen(
        [MAKE, "demo", f"ARGS=--port {free_port()}"],
        cwd=checkout,
        env={},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        start_new_session=True,
    ) as process:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "first value in " in line:
                break
        assert "first value in " in said
        group = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGINT)
        process.wait(20)
    assert "installed in " in said
    assert "page in " in said
    assert group
    _, alive = psutil.wait_procs(group, 5)
    assert not alive


def test_what_is_installed_is_not_installed_again(checkout: Path) -> None:
    began = time.monotonic()
    done = make(checkout, "install")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("installed in ")
    assert time.monotonic() - began < 2


def test_without_a_python_it_says_what_to_install(tmp_path: Path) -> None:
    shutil.copy(ROOT / "Makefile", tmp_path)
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name in ("date", "cat", "mkdir"):
        (programs / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    done = make(tmp_path, "install", f"PATH={programs}")
    assert done.returncode == 2
    assert "apt-get install python3-venv" in done.stderr


def test_figures_are_compared_with_nothing_and_say_so_where_the_clone_has_no_commit_before(
    tmp_path: Path,
) -> None:
    for name in ("Makefile", "bench/before"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    done = make(tmp_path, "before")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("before: ")
    assert "not in this clone" in done.stdout
    assert not (tmp_path / "build").exists()


def make(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([MAKE, *args], cwd=folder, env={}, capture_output=True, text=True, timeout=280)
