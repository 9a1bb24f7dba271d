"""`ganpo profile`: which there are, and what one of them says, in lines of 80 columns."""

from pathlib import Path
from unicodedata import east_asian_width

import pytest
from click.testing import CliRunner

from ganpo_agent.cli.main import main
from ganpo_config.profiles import Profiles
from support import configs

OURS = Profiles(Path("nowhere"))


def _said(*words: str) -> str:
    found = CliRunner().invoke(main, ["profile", *words])
    assert found.exit_code == 0, found.output
    return found.output


def test_profiles_are_found_by_a_word_of_their_titles_in_either_language() -> None:
    for word in ("按功率", "KNOWN by its power", "machine_by_pow"):
        lines = [line for line in _said("list", word).splitlines() if line[:1] != " "]
        assert [line.split()[0] for line in lines] == ["machine_by_power"]
    assert len(_said("list").splitlines()) >= len(OURS)


def test_what_cannot_be_read_is_found_too_with_what_helps() -> None:
    told = _said("list", "fanuc")
    assert "(not readable)" in told
    assert "FOCAS2" in told
    assert "or by power or PLC bits" in " ".join(told.split())


def test_a_plc_is_found_with_the_way_to_write_its_addresses() -> None:
    told = " ".join(_said("list", "汇川").split())
    assert (
        '(in a point list) Inovance 汇川 H3U, H5U, Easy: addressing = "inovance-h", address = "D100"' in told
    )
    assert "inovance_md" in told


def test_a_profile_is_shown_with_addresses_states_parameters_and_what_it_cannot_say() -> None:
    said = " ".join(_said("show", "machine_tool_opcua_40501").split())
    for part in (
        "机床(OPC UA 40501-1) Machine tool (OPC UA for Machine Tools)",
        "driver opcua",
        "channel browse name of the channel (default Channel1)",
        "channel_state /m:Machines/*:{machine}/mt:Monitoring/*:{channel}/ mt:ChannelState: 0 Active, 1 Interrupted",
        "alarm bind it in [[points]]; without it: false",
        "PRODUCING channel_state is Active and channel_mode is Automatic or Remote",
        "cannot show OFF",
        "does not say parts_total, program, power",
    ):
        assert part in said
    said = " ".join(_said("show", "machine_by_power").split())
    assert "power of meter {meter} kW" in said
    assert "PRODUCING power >= {run_kw}" in said
    said = " ".join(_said("show", "machinery_opcua_40001_numbers").split())
    assert "builds on machinery_opcua_40001 driver opcua" in said


def test_one_that_is_not_there_is_told_with_the_nearest() -> None:
    found = CliRunner().invoke(main, ["profile", "show", "machine_by_pwer"])
    assert found.exit_code == 1
    assert found.stderr == "no profile machine_by_pwer; did you mean machine_by_power?\n"


def test_a_site_s_own_is_shown_and_one_that_is_wrong_is_told(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    text = 'format = 1\nid = "press"\nbase = "machine_by_power"\ntitle = { zh = "冲床", en = "Press" }\n'
    (tmp_path / "profiles" / "press.toml").write_text(text, encoding="utf-8")
    (tmp_path / "profiles" / "broken.toml").write_text("[", encoding="utf-8")
    config = ["--config", str(tmp_path / "agent.toml")]
    found = CliRunner().invoke(main, ["profile", "show", "press", *config])
    assert found.exit_code == 0
    assert found.stdout.splitlines()[0].split() == ["press", "冲床"]
    assert found.stderr.startswith("error    profiles/broken.toml: not TOML")


@pytest.mark.parametrize("name", list(OURS))
def test_every_profile_of_ours_is_told_in_80_columns(name: str) -> None:
    for line in _said("show", name).splitlines():
        width = sum(2 if east_asian_width(sign) in "WF" else 1 for sign in line)
        assert width <= 80, line
        assert line == line.rstrip()


@pytest.mark.parametrize(
    ("word", "meant"),
    [
        ("iEM3155", "schneider_iem3000"),
        ("dtsd1352", "acrel_dtsd1352"),
        ("dtsu666", "chint_dtsu666 or chint_dtsu666_dlt645 or chint_dtsu666_h"),
    ],
)
def test_who_writes_the_name_on_the_nameplate_is_told_what_it_is_called_here(
    tmp_path: Path, word: str, meant: str
) -> None:
    wrong = configs.errors(tmp_path, configs.BUS + configs.meter().replace("power_meter_3p_modbus", word))
    assert [text for text in wrong if f"no such profile; did you mean {meant}?" in text]
    found = CliRunner().invoke(main, ["profile", "show", word])
    assert found.stderr == f"no profile {word}; did you mean {meant}?\n"


def test_one_of_the_site_s_own_that_is_wrong_keeps_none_from_being_listed(tmp_path: Path) -> None:
    (tmp_path / "profiles").mkdir()
    (tmp_path / "profiles" / "own.toml").write_text('format = 1\nid = "own"\n')
    found = CliRunner().invoke(
        main, ["profile", "list", "by_power", "--config", str(tmp_path / "agent.toml")]
    )
    assert found.exit_code == 0
    assert "machine_by_power" in found.stdout
    assert "profiles/own.toml" in found.stderr
