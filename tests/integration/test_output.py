"""Commands whose output has no room or no reader: a line that says so, or silence, and never a traceback;
and how one ends that a person broke off."""

import os
import subprocess
import sys
from pathlib import Path
from unittest.mock import Mock

import click
import pytest

from ganpo_service import commands

BIN = Path(sys.executable).parent
EXAMPLE = Path(__file__).parents[2] / "config" / "examples" / "agent.toml"
PRINTING = [
    ["ganpo", "--help"],
    ["ganpo", "--version"],
    ["ganpo", "check", "--config", str(EXAMPLE)],
    ["ganpo", "plan", "meter-bus", "--config", str(EXAMPLE)],
    ["ganpo", "driver", "list"],
    ["ganpo", "profile", "list"],
    ["ganpo", "profile", "show", "acrel_dtsd1352"],
    ["ganpo-cloud", "--help"],
    ["ganpo-demo", "--help"],
]


@pytest.mark.parametrize("command", PRINTING, ids=lambda command: " ".join(command[:3]))
def test_output_without_room_is_told_in_a_line(command: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [BIN / command[0], *command[1:]], stdout=full, stderr=subprocess.PIPE, text=True, timeout=60
        )
    assert done.returncode == 1
    assert done.stderr == "cannot be written: No space left on device: what came out is not whole\n"


@pytest.mark.parametrize("buffered", ["", "1"])
@pytest.mark.parametrize(
    "command", [PRINTING[0], PRINTING[2], PRINTING[5], PRINTING[6]], ids=lambda command: " ".join(command[:3])
)
def test_a_pipe_that_is_closed_early_ends_it_silently(command: list[str], buffered: str) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [BIN / command[0], *command[1:]],
            stdout=write,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            env={**os.environ, "PYTHONUNBUFFERED": buffered},
        )
    finally:
        os.close(write)
    assert (done.returncode, done.stderr) == (141, "")  # 128 + SIGPIPE, as a shell says


def test_ctrl_c_ends_it_with_130_and_who_hangs_up_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for error, code, told in ((KeyboardInterrupt, 130, ""), (EOFError, 1, "Aborted!")):
        ends = Mock(side_effect=error)
        monkeypatch.setattr("click.termui.visible_prompt_func", ends)
        monkeypatch.setattr("click.termui.hidden_prompt_func", ends)
        for work in (ends, lambda: click.prompt("which"), lambda: click.prompt("which", hide_input=True)):
            with pytest.raises(SystemExit) as ended:
                commands.Command("ganpo", callback=work).main([])
            assert (ended.value.code, capsys.readouterr().err.strip()) == (code, told)
