"""A damaged outbox, and a power cut while it is taken over: every number is stored, waiting or declared (I4, I6)."""

import os
import random
import shutil
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from ganpo_agent.app import Agent
from ganpo_agent.keeping.outbox import Outbox
from ganpo_agent.keeping.takeover import take_over
from ganpo_agent.local import metrics
from ganpo_model.errors import StorageError
from ganpo_model.frame import crc32_of
from support.bad.places import small_disk
from support.campaign import rounds
from support.damaging import KINDS, Given, appended_until_killed, fill, judge, killed
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
    assert "ganpo_outbox_damaged_files 1\n" in metrics.of(agent)
    (given.folder / "outbox.db.damaged-1").unlink()
    agent.keeper.outbox.keep_open([])
    assert agent.health()["outbox"]["damaged"] == []
    agent.keeper.close()


def test_without_room_for_a_second_file_the_first_is_left_as_it_is(
    bases: Callable[[int, bool], Given], tmp_path: Path
) -> None:
    given = bases(0, True)
    size = (given.folder / "outbox.db").stat().st_size
    with small_disk(tmp_path, f"{3 * size // 2}") as disk:
        folder = disk / "state"
        shutil.copytree(given.folder, folder)
        KINDS["the schema damaged"](folder, random.Random(1))
        before = (folder / "outbox.db").read_bytes()
        box = Outbox(folder, 64)
        for _ in range(2):
            with pytest.raises(StorageError, match=r"cannot be taken over: .* full; free as much space"):
                box.open()
        assert not list(folder.glob("*.filling"))
        assert (folder / "outbox.db").read_bytes() == before
        shutil.copytree(folder, tmp_path / "larger")
    assert judge(tmp_path / "larger", given)[1] == 0


@pytest.mark.campaign
def test_a_flipped_bit_anywhere_loses_one_frame_at_most_and_declares_it(
    bases: Callable[[int, bool], Given], tmp_path: Path
) -> None:
    lost = []
    for seed in range(rounds(10, 200)):
        given = bases(0, False)
        folder = tmp_path / f"{seed}"
        shutil.copytree(given.folder, folder)
        KINDS[f"a flipped bit in the {('file', 'log')[seed % 2]}"](folder, random.Random(seed))
        lost.append(judge(folder, given)[1])
        shutil.rmtree(folder)
    print(f"{len(lost)} flips, {sum(lost)} frames declared lost")
    assert max(lost) <= 1


@pytest.mark.campaign
def test_kills_while_frames_are_written_lose_none_and_are_no_damage(tmp_path: Path) -> None:
    rng = random.Random(1)
    promised: dict[tuple[str, int], int] = {}
    kills = rounds(15, 500)
    for _ in range(kills):
        promised |= appended_until_killed(tmp_path, rng)
    box = Outbox(tmp_path, 64)
    box.open()
    held = {row.key: crc32_of(row.packed) for row in box.waiting(1_000_000)}
    assert not box.aside, "no power cut is taken for damage"
    box.close()
    assert promised.items() <= held.items()
    assert len(promised) > kills
    print(f"{kills} kills, {len(promised)} frames promised, all of them wait")


def test_a_commit_that_a_kill_cut_short_is_no_damage(
    bases: Callable[[int, bool], Given], tmp_path: Path
) -> None:
    given = bases(0, False)
    folder = tmp_path / "state"
    shutil.copytree(given.folder, folder)
    log = (folder / "outbox.db-wal").read_bytes()
    commit = log[-24 - 4096 : -4096]
    for page in (b"", random.Random(1).randbytes(4096)):
        (folder / "outbox.db-wal").write_bytes(log + commit + page)
        box = Outbox(folder, 64)
        box.open()
        assert not box.aside
        assert box.counts()[0] == len(set(given.promised) - given.stored)
        box.close()


def test_a_wrong_last_frame_of_the_log_is_damage_where_nothing_else_knows_the_numbers(
    bases: Callable[[int, bool], Given], tmp_path: Path
) -> None:
    given = bases(0, False)
    folder = tmp_path / "state"
    shutil.copytree(given.folder, folder)
    (folder / "outbox.db.issued").unlink()
    log = bytearray((folder / "outbox.db-wal").read_bytes())
    log[-4000] ^= 1
    (folder / "outbox.db-wal").write_bytes(log)
    assert judge(folder, given)[1] <= 1


def test_a_new_file_says_that_it_has_a_log_before_sqlite_opens_it(tmp_path: Path) -> None:
    path = tmp_path / "outbox.db"
    take_over(path, {})
    assert path.read_bytes()[18:20] == b"\2\2", "SQLite would make a rollback journal to say it"


def test_a_new_file_is_synced_before_it_is_renamed_and_the_names_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    given = fill(tmp_path, 1, 30)
    KINDS["the first page zeroed"](given.folder, random.Random(1))
    KINDS["the log gone"](given.folder, random.Random(1))
    done: list[str] = []
    fsync, replace = os.fsync, Path.replace

    def synced(fd: int) -> None:
        fsync(fd)
        done.append(f"sync {Path(f'/proc/self/fd/{fd}').readlink().name}")

    def renamed(self: Path, target: Path) -> Path:
        done.append(f"{self.name} -> {Path(target).name}")
        return replace(self, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(Path, "replace", renamed)
    box = Outbox(given.folder, 64)
    box.open()
    box.close()
    assert done == [
        "sync outbox.db.filling",
        "outbox.db.filling -> outbox.db.next",
        "sync state",
        "outbox.db -> outbox.db.damaged-1",
        "sync state",
        "outbox.db.next -> outbox.db",
        "sync state",
    ]
