"""The copy of the last good configuration: whole, without secrets, of one file, and found when that file is bad."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest

from ganpo_agent.reloading import last_good
from ganpo_config import Loaded, load
from support.configs import BUS, HEAD

NOW = datetime(2026, 11, 29, 17, tzinfo=UTC)
POINTS = """asset_no,signal,connection,address,type,max_rate
DB-2,energy_import,bus,7:holding:0,uint32,100
"""


class Site:
    """A file with a list beside it, one elsewhere, a profile of its own and a password."""

    def __init__(self, folder: Path) -> None:
        self.state_dir = folder / "state"
        self.file = folder / "etc" / "agent.toml"
        (self.file.parent / "profiles").mkdir(parents=True)
        (folder / "elsewhere").mkdir()
        self.points = folder / "elsewhere" / "points.csv"
        self.points.write_text(POINTS)
        self.meters = self.file.parent / "meters.csv"
        self.meters.write_text(
            "asset_no,name,carrier,role,profile,connection,parameters,ct,reads\n"
            "DB-1,Meter,electricity,sub,own,bus,unit=1,400/5,secondary\nDB-2,Other,electricity,sub,,,,,\n"
        )
        (self.file.parent / "profiles" / "own.toml").write_text(
            'format = 1\nid = "own"\nbase = "power_meter_3p_modbus"\n'
            'title = { zh = "自己的", en = "Our own" }\norigin = "test"\ndriver = "modbus"\n'
        )
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        (self.secrets / "mqtt_password").write_text("very-secret")
        self.environ = {"CREDENTIALS_DIRECTORY": str(self.secrets)}
        head = HEAD.replace("/var/lib/ganpo", str(self.state_dir))
        self.text = (
            head.replace("[site]", 'password_file = "mqtt_password"\n[site]')
            + f'[lists]\nmeters = "meters.csv"\npoints = "{self.points}"\n'
            + BUS
        )
        self.file.write_text(self.text, encoding="utf-8")

    def load(self) -> Loaded:
        return load(self.file, self.environ)

    def keep(self) -> Loaded:
        loaded = self.load()
        assert loaded.errors == ()
        last_good.keep(loaded, self.file, self.state_dir, NOW)
        return loaded

    def found(self, **environ: str) -> tuple[Loaded, str] | None:
        found = last_good.instead_of(self.file, self.load().errors, self.environ | environ)
        return None if found is None else (found[0], str(found[1]))

    @property
    def copy(self) -> Path:
        return self.state_dir / "last-good"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def test_the_copy_is_loaded_as_the_file_was_whatever_became_of_file_lists_and_profiles(site: Site) -> None:
    before = site.keep().plant
    site.file.write_text(site.text + "[connections.bus]\n")
    site.meters.write_text("nothing")
    site.points.unlink()
    (site.file.parent / "profiles" / "own.toml").unlink()
    found = site.found()
    assert found is not None
    loaded, told = found
    assert loaded.plant == before
    assert told.startswith(
        f"{site.file}: has an error: the last good configuration runs, of 2026-11-29T17:00:00.000Z"
    )
    assert loaded.files.keys() == {"agent.toml", "meters.csv", str(site.points), "profiles/own.toml"}


def test_there_is_no_secret_in_it_and_others_cannot_read_it(site: Site) -> None:
    site.keep()
    texts = [path.read_bytes() for path in site.copy.rglob("*") if path.is_file()]
    assert len(texts) == 5
    assert not any(b"very-secret" in text for text in texts)
    assert site.copy.stat().st_mode & 0o077 == 0


def test_it_is_of_one_file_and_no_other_runs_it(site: Site, tmp_path: Path) -> None:
    site.keep()
    other = tmp_path / "other.toml"
    other.write_text(site.text + "wrong = [")
    errors = load(other, site.environ).errors
    assert last_good.instead_of(other, errors, site.environ) is None


@pytest.mark.parametrize("broken", ["[[[", "", None])
def test_it_is_found_where_the_file_says_no_more_where_it_is(site: Site, broken: str | None) -> None:
    site.keep()
    if broken is None:
        site.file.unlink()
    else:
        site.file.write_text(broken)
    assert site.found() is None
    assert site.found(STATE_DIRECTORY=f"{site.state_dir}:/var/lib/other") is not None
    if broken is not None:
        site.file.write_text(site.text + broken + "\n[oh no")
        assert site.found() is not None, "its line of state_dir can still be read"


def test_one_that_is_bad_by_now_is_not_run(site: Site) -> None:
    site.keep()
    site.file.write_text("[[[")
    (site.secrets / "mqtt_password").unlink()
    assert site.found(STATE_DIRECTORY=str(site.state_dir)) is None


def test_whenever_the_power_goes_a_whole_copy_lies_there(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    before = site.keep().plant
    site.file.write_text(site.text.replace("Test plant", "Another name"))
    after = site.load().plant
    replaced = Path.replace
    for gone_after in range(12):
        steps = iter(range(12))

        def step(*_: object, gone_after: int = gone_after, steps: object = steps) -> None:
            if next(steps) >= gone_after:  # type: ignore[call-overload]
                raise KeyboardInterrupt

        def moved(self: Path, target: Path, step: object = step) -> Path:
            step()  # type: ignore[operator]
            return replaced(self, target)

        monkeypatch.setattr(Path, "replace", moved)
        monkeypatch.setattr(last_good, "sync", step)
        site.file.write_text(site.text.replace("Test plant", "Another name"))
        try:
            site.keep()
        except KeyboardInterrupt:
            assert gone_after < 11
        site.file.write_text("[[[")
        found = site.found(STATE_DIRECTORY=str(site.state_dir))
        assert found is not None
        assert found[0].plant in (before, after)
    assert found is not None
    assert found[0].plant == after


def test_what_says_the_same_is_not_written_again_and_a_disk_that_refuses_is_told(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    site.keep()
    inode = site.copy.stat().st_ino
    site.keep()
    assert site.copy.stat().st_ino == inode
    (site.state_dir / "last-good.new").write_text("a file in the way")
    site.meters.write_text(site.meters.read_text() + "\n")
    site.keep()
    assert "the last good configuration is not kept" in caplog.text
    os.unlink(site.state_dir / "last-good.new")  # noqa: PTH108 - a file
    site.keep()
    assert site.copy.stat().st_ino != inode
