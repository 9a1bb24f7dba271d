"""The library's meters: each is one word in a list, and `check` asks for what cannot be known."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from ganpo_agent.observing.meaning import understanding
from ganpo_config.profile import Profile
from ganpo_config.profiles import Profiles
from ganpo_model import reference
from support.configs import BUS, HEAD, errors, meaning, plant, register, write

PROFILES = Profiles(Path("nowhere"))
SAID = {
    "order": "CDAB",
    "energy_unit": "MWh",
    "voltage_scale": "0.1",
    "current_scale": "0.001",
    "frequency_scale": "0.01",
    "power_scale": "1000",
    "export": "2174",
    "frequency": "55",
    "energy": "2752",
    "volume_unit": "m3",
    "heat_unit": "GJ",
}
"""What a plant would say where a profile has no answer of its own."""
CARRIERS = {"energy_import": "electricity", "volume_total": "water_fresh", "heat_total": "heat"}


def _is_meter(profile: Profile) -> bool:
    return profile.driver == "modbus" and bool(profile.device) and not profile.states


METERS = [name for name in PROFILES if _is_meter(PROFILES[name])]


def _row(name: str, said: Mapping[str, str], columns: str = "") -> str:
    profile = PROFILES[name]
    if not columns:
        columns = "max_rate = 100"
        if profile.reads == "secondary" or {"ct_ratio", "ct_primary"} & profile.signals.keys():
            columns += f'\nct = "400/5"\nreads = "{profile.reads or "primary"}"'
    carrier = [CARRIERS[signal] for signal in profile.signals if signal in CARRIERS][-1:] or ["electricity"]
    words = " ".join(f"{key}={value}" for key, value in said.items())
    return f"""
[[meters]]
asset_no = "M-1"
name = "Meter"
carrier = "{carrier[0]}"
role = "boundary_in"
profile = "{name}"
connection = "bus"
parameters = "{words}"
{columns}
"""


def _said(name: str) -> dict[str, str]:
    """Every parameter that has no default."""
    return {
        key: "3" if key == "unit" else SAID[key]
        for key, about in PROFILES[name].parameters.items()
        if about.default is None
    } | ({"pipe": "DN50"} if "volume_total" in PROFILES[name].signals else {})


def test_there_are_sixty_meters_of_many_makers() -> None:
    assert len(METERS) >= 60
    assert len({PROFILES[name].vendor for name in METERS}) >= 30


@pytest.mark.parametrize("name", METERS)
def test_a_meter_is_one_word_in_a_list(name: str, tmp_path: Path) -> None:
    profile = PROFILES[name]
    found = plant(tmp_path, BUS + _row(name, _said(name)))
    points = {point.signal: point for point in found.connections[0].points}
    assert set(points) == set(profile.signals)
    registers = [signal for signal in points if reference.signals()[signal].type == "register"]
    assert registers or name == "delixi_dtsu6606", "a meter counts"
    assert profile.confidence
    assert profile.title.zh
    assert profile.title.en.startswith(profile.vendor.split()[0])


@pytest.mark.parametrize("name", METERS)
def test_what_cannot_be_known_is_asked_for(name: str, tmp_path: Path) -> None:
    said = _said(name)
    for key in said.keys() - {"pipe"}:
        (found,) = errors(tmp_path, BUS + _row(name, {k: v for k, v in said.items() if k != key}))
        assert f"{key} missing" in found


def test_what_follows_from_a_question_without_an_answer_is_not_told_beside_it(tmp_path: Path) -> None:
    loaded = write(tmp_path, HEAD + BUS + _row("tuf2000m", {"unit": "5", "pipe": "DN50"}))
    assert [str(error) for error in loaded.errors] == [
        "agent.toml: meters[0].parameters = unit=5 pipe=DN50: volume_unit missing; volume_unit=..."
    ]
    assert loaded.warnings == ()


@pytest.mark.parametrize(
    ("name", "counts", "den"),
    [
        ("chint_dtsu666", 4, 5),  # a float has hundredths, x 400/5
        ("acrel_dtsd1352", 4, 5),
        ("acrel_adl400", 1, 10),
        ("iammeter_wem3080t", 1, 800),
        ("schneider_iem3000", 1, 1000),
        ("siemens_pac1600", 1, 1000),
        ("wirenboard_map3e", 1, 100_000),
        ("socomec_countis_e44", 1, 1),
        ("carlo_gavazzi_em24", 1, 10),
        ("janitza_umg96rm", 1, 100_000),
    ],
)
def test_a_count_is_what_the_table_says(name: str, counts: int, den: int, tmp_path: Path) -> None:
    item = register(plant(tmp_path, BUS + _row(name, _said(name))), "M-1/energy_import").item
    assert (item.num, item.den) == (counts, den)


def test_the_meters_that_are_set_differently_say_so_in_their_count(tmp_path: Path) -> None:
    megawatt = _said("eastron_sdm630mct")
    found = plant(tmp_path, BUS + _row("eastron_sdm630mct", megawatt))
    item = register(found, "M-1/energy_import").item
    assert (item.num, item.den) == (1, 100), "hundredths of a kWh, though it shows MWh"
    assert understanding(register(found, "M-1/energy_import"))(123.456) == 12_345_600
    kilowatt = plant(tmp_path, BUS + _row("eastron_sdm630mct", megawatt | {"energy_unit": "kWh"}))
    assert understanding(register(kilowatt, "M-1/energy_import"))(123.456) == 12_346


def test_a_secondary_meter_counts_what_its_transformers_make_of_it(tmp_path: Path) -> None:
    columns = 'ct = "50/5"\npt = "10000/100"\nreads = "secondary"'
    found = plant(tmp_path, BUS + _row("acrel_dtsd1352", {"unit": "1"}, columns))
    item = register(found, "M-1/energy_import").item
    assert (item.num, item.den, item.modulus) == (10, 1, 2**32)
    scales = {
        signal: meaning(found, f"M-1/{signal}").scale for signal in ("power", "current_l1", "voltage_l1")
    }
    assert scales == pytest.approx({"power": 1.0, "current_l1": 0.1, "voltage_l1": 10.0})


@pytest.mark.parametrize(
    ("name", "wrong", "what"),
    [
        ("acrel_adl400", "order=DCAB", "order 'DCAB' is none of ABCD, CDAB, BADC, DCBA"),
        ("eastron_sdm630mct", "energy_unit=GJ", "cannot become kWh; write one of Wh, MWh, GWh"),
        ("chint_dtsu666_h", "voltage_scale=0", "must not be 0"),
        (
            "chint_dtsu666_h",
            "export=abc",
            "'11:holding:abc' is not unit:area:address[.bit], like 1:holding:0",
        ),
        ("siemens_pac2200", "frequency=70000", "70000 with 0-based addressing: the last is 65535"),
        ("chint_dtsu666", "unit=300", "300 is not a Modbus unit id (1-247)"),
    ],
)
def test_an_answer_that_is_none_is_told_once_and_where_it_stands(
    name: str, wrong: str, what: str, tmp_path: Path
) -> None:
    key, _, value = wrong.partition("=")
    (told,) = errors(tmp_path, BUS + _row(name, _said(name) | {key: value}))
    assert told.startswith(f"agent.toml: meters[0].parameters = {wrong}: {what}")
