"""The normative tables: what they must hold, and what is said where one is damaged."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganpo_model import reference
from ganpo_model.errors import ConfigError
from ganpo_model.facts import ASSET_NO


@pytest.fixture
def damaged(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of tables in place of ours."""
    monkeypatch.setattr(reference, "files", lambda package: tmp_path)
    reference.signals.cache_clear()
    reference.carriers.cache_clear()
    yield tmp_path
    reference.signals.cache_clear()
    reference.carriers.cache_clear()


def test_every_register_that_is_metered_has_a_unit_and_a_subject() -> None:
    registers = [signal for signal in reference.signals().values() if signal.type == "register"]
    assert {"energy_import", "energy_export", "parts_total", "volume_total"} <= {s.id for s in registers}
    assert all(signal.unit and signal.subjects for signal in registers)
    assert {word for signal in reference.signals().values() for word in signal.subjects} == {
        "equipment",
        "meter",
    }


def test_what_a_meter_shows_besides_what_it_counts_is_a_number_in_a_unit() -> None:
    numbers = {s.id: s for s in reference.signals().values() if s.type == "number"}
    assert {
        "voltage_l1",
        "current_l1",
        "power_factor",
        "frequency",
        "reactive_energy",
        "flow",
    } <= numbers.keys()
    assert all(signal.unit and signal.name_zh and signal.name_en for signal in numbers.values())


def test_every_id_of_the_tables_can_stand_in_a_register_and_in_a_configuration() -> None:
    names = [*reference.signals(), *reference.carriers(), *reference.flags()]
    assert all(re.fullmatch(r"[a-z0-9_]{1,64}", name) and re.fullmatch(ASSET_NO, name) for name in names)
    assert len(set(reference.flags())) == len(reference.flags())


def test_every_carrier_has_both_names_and_a_unit() -> None:
    assert all(c.name_zh and c.name_en and c.unit for c in reference.carriers().values())


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("a,enum,,equipment,甲", "signals.csv row 2: a row with too few or too many cells"),
        ("a,enum,,equipment,甲,A\nb,enum,,equipment,乙,B,x", "signals.csv row 3: a row with too few"),
        ("a,enam,,equipment,甲,A", "signals.csv row 2, type = 'enam': none of bool, enum"),
        ("a,enum,,equipment,甲,A\na,bool,,equipment,乙,B", "signals.csv row 3, id = a: twice"),
    ],
)
def test_a_damaged_table_is_told_with_its_place(damaged: Path, rows: str, told: str) -> None:
    (damaged / "signals.csv").write_text(f"id,type,unit,for,name_zh,name_en\n{rows}\n", encoding="utf-8")
    with pytest.raises(ConfigError, match=re.escape(told)):
        reference.signals()
