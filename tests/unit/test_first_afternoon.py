"""What a person meets in the first afternoon, as they type it."""

from pathlib import Path

import pytest

from ganpo_agent.local.commissioning import point_of
from ganpo_agent.local.place import gateway_of
from ganpo_config import first, load
from ganpo_config.profiles import Profiles
from ganpo_model.errors import ConfigError
from ganpo_service.words import tell

ANSWERS = {
    "id": "gw-nc-0007",
    "state_dir": "/var/lib/ganpo",
    "broker": "mqtt://127.0.0.1",
    "site": "plant-1",
    "site_name": "plant-1",
    "timezone": "Asia/Shanghai",
    "url": "tcp://127.0.0.1:502",
    "meter": "DB-0101",
    "parameters": "unit=1",
    "ct": "400/5 secondary",
}


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "agent.toml"
    path.write_text(first.text(ANSWERS, Profiles(tmp_path)["acrel_dtsd1352"]), encoding="utf-8")
    return path


def test_a_meter_that_counts_in_both_directions_is_compared_by_its_import(config: Path) -> None:
    plant = load(config, {}).plant
    assert plant is not None
    assert point_of(plant, "DB-0101", None)[1].name == "DB-0101/energy_import"


def test_the_gateway_is_found_beside_a_file_that_is_being_mended(config: Path) -> None:
    whole = gateway_of(config, {})
    text = config.read_text(encoding="utf-8")
    config.write_text(text + "\n[connections.b\n", encoding="utf-8")
    assert gateway_of(config, {}) == whole
    config.write_text(text.replace("[gateway]", "[gateway"), encoding="utf-8")
    with pytest.raises(ConfigError, match="not TOML"):
        gateway_of(config, {})


@pytest.mark.parametrize("file", ["meters.csv", "meters.xlsx"])
@pytest.mark.parametrize(
    ("place", "told"),
    [
        (" row 3 (DB-0202), role", "第3行（DB-0202），role"),
        (" row 4 (DB-0101), role = 总表", "第4行（DB-0101），role = 总表"),
        (" row 3 (DB-0202)", "第3行（DB-0202）"),
    ],
)
def test_the_place_of_a_row_is_said_in_chinese(file: str, place: str, told: str) -> None:
    assert tell(file + place, "zh") == file + told


def test_what_an_import_did_is_counted_in_chinese() -> None:
    assert tell("meters: 1 added, 0 changed, 2 as before; written to meters.csv", "zh") == (
        "meters：新增1行，更改0行，不变2行；已写入meters.csv"
    )
    assert tell("points: 1 to be added, 0 to be changed, 2 as before", "zh") == (
        "points：将新增1行，将更改0行，不变2行"
    )
