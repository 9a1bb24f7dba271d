"""One agent works in a state folder, also where another user started it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganpo_agent.owner import alone
from ganpo_model.errors import ConfigError
from support.shut import not_root as another_user


@pytest.fixture
def folder() -> Iterator[Path]:
    """A place that other users may come to, unlike pytest's own."""
    found = Path(tempfile.mkdtemp(prefix="ganpo-owner-"))
    found.chmod(0o755)
    yield found
    (found / "state").chmod(0o755)
    shutil.rmtree(found)


def test_a_folder_in_which_another_users_agent_works_is_refused_and_one_that_is_closed_too(
    folder: Path,
) -> None:
    state = folder / "state"
    with alone(state):
        (state / "agent.lock").chmod(0o444)
        state.chmod(0o555)
        with another_user(), pytest.raises(ConfigError, match="another agent works in it; stop that one"):
            alone(state).__enter__()
        state.chmod(0o000)
        with another_user(), pytest.raises(ConfigError, match="is closed to the user of this command"):
            alone(state).__enter__()
    state.chmod(0o555)
    with another_user(), alone(state):
        pass  # nobody works in it: devices are read, and the outbox tells what it cannot keep


def test_where_no_folder_can_be_nobody_works_in_it(folder: Path) -> None:
    (folder / "state").mkdir(mode=0o555)
    with another_user(), alone(folder / "state" / "below"), alone(Path(__file__) / "no-folder"):
        pass
