"""A damaged outbox, and a power cut while it is taken over: every number is stored, waiting or declared (I4, I6)."""

import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from ganpo_agent import metrics
from ganpo_agent.app import Agent
from support.campaign import rounds
from support.damaging import KINDS, Given, fill, found, killed
from support.plants import PlantBuilder

TAKEOVER = {"takeover.py", "outbox.py", "outbox_file.py", "issued.py"}
ALL = TAKEOVER | {"salvage.py", "pages.py"}


@pytest.fixture(scope="module")
def bases(tmp_path_factory: pytest.TempPathFactory) -> Callable[[int, bool], Given]:
    """Outboxes by seed, with a log or `closed`, each made once."""
    folder = tmp_path_factory.mktemp("outboxes")

    @cache
    def base(seed: int, closed: bool) -> Given:
        return fill(folder / f"{seed}-{closed}", seed, closed=closed)

    return base


def judge(folder: Path, given: Given) -> tuple[int, int]:
    """Frames that wait again, and numbers declared lost; fails where a number is neither, nor stored."""
    whole = b"".join(file.read_bytes() for file in folder.iterdir())
    readable = {key for key, packed in given.promised.items() if packed in whole} - given.stored
    now = found(folder)
    for key, packed in given.promised.items():
        assert key in now.waiting or key in now.lost or key in given.stored, key
        assert now.waiting.get(key, packed) == packed
    assert readable <= set(now.waiting), "a frame whose bytes stand somewhere is sent"
    made = {key for key in now.waiting if key not in given.promised}
    assert all(stream >= given.stream for stream, _ in made), "nothing of another gateway's"
    lost = now.lost - given.stored - set(now.waiting)
    assert now.lost <= set(given.promised), "no number is declared that was never given"
    again = found(folder)
    assert set(now.waiting) <= set(again.waiting), "what was taken over is whole"
    return len(set(now.waiting) & set(given.promised)), len(lost)


@pytest.mark.campaign
@pytest.mark.parametrize("kind", KINDS)
def test_whatever_happens_to_the_files_every_number_is_stored_waiting_or_declared(
    kind: str, bases: Callable[[int, bool], Given], tmp_path: Path
) -> None:
    for seed in range(rounds(1, 20)):
        rng = random.Random(seed)
        given = bases(seed // 5, seed % 2 == 0 and "log" not in kind)
        folder = tmp_path / f"{seed}"
        shutil.copytree(given.folder, folder)
        KINDS[kind](folder, rng)
        deaths = sum(killed(folder, rng.choice((ALL, TAKEOVER)), rng.randrange(1, 400)) for _ in range(2))
        waiting, lost = judge(folder, given)
        print(f"{kind}: killed {deaths} times, {waiting} of {len(given.promised)} wait, {lost} declared lost")
        shutil.rmtree(folder)


def test_a_takeover_is_told_until_somebody_looked(tmp_path: Path) -> None:
    given = fill(tmp_path, 1, 30)
    KINDS["the file cut at 50 %"](given.folder, random.Random(1))
    agent = Agent(PlantBuilder(given.folder).build(), rng=random.Random(1))
    assert agent.health()["outbox"]["damaged"] == ["outbox.db.damaged-1"]
    assert not agent.health()["ok"]
    assert "ganpo_outbox_damaged_files 1\n" in metrics.text(agent.time, agent.keeper, agent.uplink, [])
    (given.folder / "outbox.db.damaged-1").unlink()
    agent.keeper.outbox.keep_open([])
    assert agent.health()["outbox"]["damaged"] == []
    agent.keeper.close()
