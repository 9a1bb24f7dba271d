"""`ganpo run` with a bad file: the last good configuration runs and that is told; a reload takes the mended one."""

import json
import signal
from pathlib import Path

import pytest

from support.configs import BUS, meter
from support.running import Run

GOOD = BUS + meter('ct = "400/5"\nreads = "secondary"')
BAD = GOOD.replace("400/5", "400")


@pytest.mark.timeout(120)
def test_the_last_good_one_runs_until_the_file_is_mended(tmp_path: Path) -> None:
    copy = tmp_path / "state" / "last-good" / "agent.toml"
    with Run(tmp_path) as run:
        run.start(BAD)
        assert run.stop(0) == 1, "nothing good was ever there"
        assert "no ratio like 400/5" in run.log.read_text()
        run.start(GOOD)
        assert run.configuration(ok=True)["errors"] == []
        assert run.stop() == 0
        assert copy.read_text() == run.file.read_text()

        run.start(BAD)
        told = run.configuration(ok=False)["errors"]
        assert "the last good configuration runs, of 20" in told[0]
        assert "no ratio like 400/5" in told[1]
        assert told[0] in run.log.read_text()
        run.write(GOOD.replace("400/5", "600/5"))
        assert run.process is not None
        run.process.send_signal(signal.SIGHUP)
        assert run.configuration(ok=True)["errors"] == []
        assert run.stop() == 0
        assert "600/5" in copy.read_text()

        run.start(BAD, "--strict")
        assert run.stop(0) == 1
        assert "1 error: not started" in run.log.read_text()


@pytest.mark.timeout(120)
def test_the_command_reload_says_what_changed_and_every_mistake(tmp_path: Path) -> None:
    with Run(tmp_path) as run:
        run.write(GOOD)
        done = run.command("reload")
        assert done.returncode == 1
        assert "no gateway runs with this configuration" in done.stderr
        run.start(GOOD)
        run.configuration(ok=True)
        done = run.command("reload", "--wait")
        assert (done.returncode, done.stdout) == (0, "nothing changed\n"), done.stderr
        run.write(GOOD.replace("400/5", "600/5"))
        done = run.command("reload", "--wait")
        assert (done.returncode, done.stderr) == (0, "")
        assert done.stdout == (
            "connections changed: bus\nsubjects changed: DB-1\nthe inventory is told anew\n"
        )
        run.write(BAD)
        done = run.command("reload")
        assert done.returncode == 1
        assert "meters[0].ct = 400: no ratio like 400/5" in done.stderr
        assert "nothing was applied: what ran before goes on" in done.stderr
        done = run.command("reload", "--json")
        assert (done.returncode, len(json.loads(done.stdout)["errors"])) == (1, 1)
        assert run.configuration(ok=False)["errors"] == json.loads(done.stdout)["errors"]
