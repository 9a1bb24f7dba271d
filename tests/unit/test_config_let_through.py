"""What can be run and is probably meant otherwise: `check` tells it."""

import itertools
from pathlib import Path

import pytest
from click.testing import CliRunner

from ganpo_agent.cli.main import main
from ganpo_config import secret_files
from ganpo_config.state_dir import look_at
from ganpo_model.shifts import overlaps
from support.configs import BUS, HEAD, errors, meter, point, write
from support.shut import not_root

UINT16 = 'address = "1:input:0"\ntype = "uint16"'
MACHINE = '[[equipment]]\nasset_no = "SB-1"\nname = "Machine"\n'
SUM = '[[meters]]\nasset_no = "DB-1"\nname = "M"\ncarrier = "electricity"\nrole = "sub"\nmax_rate = 9\n'


def checked(folder: Path, state_dir: Path) -> tuple[int, str]:
    file = folder / "agent.toml"
    file.write_text(HEAD.replace("/var/lib/ganpo", str(state_dir)), encoding="utf-8")
    done = CliRunner().invoke(main, ["check", "--config", str(file)])
    return done.exit_code, done.output


def test_a_state_dir_below_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "taken").touch()
    code, out = checked(tmp_path, tmp_path / "taken" / "ganpo")
    assert code == 0  # it can be mended until the gateway starts
    told = f"gateway.state_dir = {tmp_path}/taken/ganpo: {tmp_path}/taken is no folder: give another"
    assert told[:60] in out
    assert "1 warning\n" in out


@pytest.mark.parametrize(
    ("folder", "there"), [("/usr", "cannot be written"), ("/usr/x/ganpo", "cannot be made: /usr")]
)
def test_a_state_dir_that_cannot_be_written_is_told(folder: str, there: str) -> None:
    with not_root():
        told = look_at(Path(folder))
    assert told.startswith(f"gateway.state_dir = {folder}: {there}")
    assert f"sudo install -d -o USER -m 750 {folder}" in told


def test_a_state_dir_that_can_be_made_is_right_and_is_not_made(tmp_path: Path) -> None:
    code, out = checked(tmp_path, tmp_path / "var" / "ganpo")
    assert (code, "0 warnings" in out) == (0, True), out
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(("mode", "told"), [(0o644, True), (0o604, True), (0o640, False), (0o600, False)])
def test_a_password_that_everybody_can_read_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int, told: bool
) -> None:
    (tmp_path / "broker").write_text("open sesame\n")
    (tmp_path / "broker").chmod(mode)
    monkeypatch.setattr(secret_files, "FOLDER", tmp_path)
    text = HEAD.replace("[site]", 'password_file = "broker"\n[site]')
    loaded = write(tmp_path, text)
    assert loaded.errors == ()
    what = f"every user of this machine can read it (mode {mode:o}): sudo chmod o= {tmp_path}/broker"
    expected = (f"agent.toml: uplink.password_file = broker: {what}",) if told else ()
    assert loaded.warnings == expected
    assert write(tmp_path, text, {"CREDENTIALS_DIRECTORY": str(tmp_path)}).warnings == ()


@pytest.mark.parametrize(
    ("shifts", "told"),
    [
        ([("early", "mon-fri", "06:00", "14:00"), ("late", "mon-fri", "14:00", "22:00")], []),
        ([("early", "mon-fri", "06:00", "14:00"), ("late", "fri", "13:00", "22:00")], ["fri 13:00"]),
        ([("night", "sun", "22:00", "06:00"), ("early", "mon", "05:00", "13:00")], ["mon 05:00"]),
        ([("night", "sun", "22:00", "06:00"), ("early", "mon", "06:00", "13:00")], []),
        ([("a", "mon", "06:00", "14:00"), ("b", "tue", "06:00", "14:00")], []),
        ([("a", "mon", "06:00", "14:00"), ("b", "mon", "06:00", "14:00")], ["mon 06:00"]),
        ([("a", "sometimes", "06:00", "14:00"), ("b", "mon", "6", "14:00")], []),
    ],
)
def test_two_shifts_at_the_same_time_are_told_once(
    shifts: list[tuple[str, str, str, str]], told: list[str]
) -> None:
    for order in itertools.permutations(shifts):
        assert [when for _, _, when in overlaps(order)] == told


def test_the_site_tells_which_shifts(tmp_path: Path) -> None:
    days = '{ days = "mon", from = "06:00", to = "14:00" }'
    text = HEAD + f"[site.shifts]\nearly = {days}\nlate = {days.replace('06', '13').replace('14', '21')}\n"
    (warning,) = write(tmp_path, text).warnings
    assert warning.startswith(
        "agent.toml: site.shifts.late: runs at the same time as early from mon 13:00 on"
    )


@pytest.mark.parametrize(("rate", "told"), [(2730, False), (2731, True)])
def test_a_register_that_wraps_within_a_day_is_told(tmp_path: Path, rate: int, told: bool) -> None:
    row = point(f"{UINT16}\nmodulus = 65536\nmax_rate = {rate}", asset_no="SB-1", signal="parts_total")
    loaded = write(tmp_path, BUS.join([HEAD, MACHINE + row]))
    assert loaded.errors == ()
    assert any("SB-1/parts_total can begin at 0 again after 23 h" in w for w in loaded.warnings) is told


def test_the_sides_of_a_transformer_exchanged_are_told(tmp_path: Path) -> None:
    (error,) = errors(tmp_path, BUS + meter('ct = "5/400"\nreads = "secondary"'))
    assert "the sides are exchanged; the primary side stands first: 400/5" in error


def test_parts_of_a_register_that_count_in_fractions_are_told(tmp_path: Path) -> None:
    cell = 'address = "1:holding:0*1 + 1:holding:1*1/60 + 1:holding:2*1/3600"\ntype = "{}"\nmax_rate = 50'
    (error,) = errors(tmp_path, BUS + SUM + point(cell.format("uint16")))
    assert "points[0].address" in error
    assert "a part counts 1/60 times: a register counts whole numbers" in error
    assert "3600 times as much for every part, and a scale of 1/3600" in error
    assert write(tmp_path, HEAD + BUS + SUM + point(cell.format("float32"))).errors == ()
