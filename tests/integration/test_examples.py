"""The worked examples of the definitions, through the whole way: from facts and lists to the API."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.imports import registry
from ganpo_cloud.store.database import Database
from ganpo_cloud.web.application import create_app
from ganpo_model.coverage import percent
from ganpo_model.facts import CalendarItem, Fact, MeterItem, Reading, RegisterItem, ShiftItem, States
from ganpo_model.states import State
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise, inventory, link_up
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
CODE = CODES[0]
GATEWAY = "gw-test-0001"
MINUTE = 60_000


def fill(database: Database) -> None:
    plant = Plant(database)
    plant.take("enterprises", enterprise(CODE))
    plant.take("sites", f"{CODE},plant-1,P,360681,Asia/Shanghai")
    registry.add(plant.database, GATEWAY, CODE, "plant-1")


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.filled(tmp_path, fill))
    yield plant
    plant.database.close()


def get(plant: Plant, path: str, now: datetime = NOW, **params: str) -> Any:
    plant.settle(now)
    app = create_app(plant.database, TestClock(wall=now), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=f"{served.url}/api/v1", timeout=60) as http:
        answer = http.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


def numbers(plant: Plant, now: datetime = NOW, **params: str) -> dict[str, Any]:
    """Every indicator of a place, by its id."""
    return {item["id"]: item for item in get(plant, "/overview", now, **params)}


def number(plant: Plant, metric: str, now: datetime = NOW, **params: str) -> Any:
    return numbers(plant, now, **params)[metric]


def test_the_kpis_of_a_shift(plant: Plant) -> None:
    """PBT 480 min: APT 300, AUST 30, HELD 20, FAULT 30, ADOT 100; 0.5 min a part; 540 made, 513 good."""
    begin = datetime.fromisoformat("2026-11-24T08:00:00+08:00")
    told = inventory("SB-1", at=begin - timedelta(days=1))
    (machine,) = told.equipment
    counters = [f"SB-1/{signal}#0123abcd" for signal in ("parts_total", "parts_good_total")]
    told = replace(
        told,
        calendar=CalendarItem((ShiftItem("day", "mon-fri", "08:00", "16:00", ()),), ()),
        equipment=(replace(machine, planned_run_time_s=30),),
        registers=tuple(
            RegisterItem(
                number, "SB-1", number.split("/")[1].split("#")[0], None, "1", 1, 1, None, 5000, resets=True
            )
            for number in counters
        ),
    )
    plant.send(GATEWAY, [told])
    lengths = [
        (State.PRODUCING, 150),
        (State.SETUP, 30),
        (State.HELD, 20),
        (State.PRODUCING, 150),
        (State.FAULT, 30),
        (State.IDLE, 60),
        (State.OFF, 40),
    ]
    runs, at = [], 0
    for state, minutes in lengths:
        runs.append((at, state))
        at += minutes * MINUTE
    assert at == 480 * MINUTE
    plant.send(GATEWAY, [States("states", "SB-1", begin, begin + timedelta(hours=8), tuple(runs))])
    readings: list[Fact] = []
    for number_, made in zip(counters, (540, 513), strict=True):
        for hours in range(9):
            readings.append(
                Reading("reading", number_, begin + timedelta(hours=hours), 1000 + made * hours // 8)
            )
    plant.send(GATEWAY, readings)
    kpis = get(plant, f"/subjects/{CODE}/SB-1/day", date="2026-11-24")["kpis"]
    found = {name: Fraction(100 * ratio["numerator"], ratio["denominator"]) for name, ratio in kpis.items()}
    assert {name: f"{float(value):.5f}".rstrip("0").rstrip(".") for name, value in found.items()} == {
        "utilization_efficiency": "78.94737",
        "availability": "62.5",
        "allocation_efficiency": "79.16667",
        "technical_efficiency": "85.71429",
        "setup_rate": "9.09091",
        "effectiveness": "90",
        "quality_ratio": "95",
        "oee": "53.4375",
        "nee": "58.78125",
        "completeness": "100",
    }
    area = number(plant, "availability", area="360681")["checked"]
    assert Fraction(area["numerator"], area["denominator"]) == Fraction(5, 8)


def test_energy_in_tce_and_per_value_added(plant: Plant) -> None:
    """1,000,000 kWh = 122.9 tce; 100,000 m3 gas = 133.0; 500 GJ heat = 17.06; 20,000,000 CNY: 0.13648."""
    begin = datetime.fromisoformat("2026-01-01T00:00:00+08:00")
    now = datetime.fromisoformat("2027-01-01T08:00:00+08:00")
    used = {
        "DB-0101": ("energy_import", "electricity", "kWh", 1_000_000),
        "RQ-0101": ("volume_total", "natural_gas", "m3", 100_000),
        "RL-0101": ("heat_total", "heat", "MJ", 500_000),
        "SB-W-01": ("volume_total", "water_fresh", "m3", 40_000),
    }
    registers = {no: f"{no}/{signal}#0123abcd" for no, (signal, *_) in used.items()}
    told = replace(
        inventory(at=begin),
        meters=tuple(MeterItem(no, no, used[no][1], "boundary_in", None, None) for no in used),
        registers=tuple(
            RegisterItem(registers[no], no, signal, carrier, unit, 1, 1, None, 10**7, resets=False)
            for no, (signal, carrier, unit, _) in used.items()
        ),
    )
    plant.send(GATEWAY, [told], now)
    facts: list[Fact] = []
    for no, (_, _, _, amount) in used.items():
        for day in range(366):
            facts.append(
                Reading("reading", registers[no], begin + timedelta(days=day), 777 + amount * day // 365)
            )
    for first in range(0, len(facts), 300):
        plant.send(GATEWAY, facts[first : first + 300], now)
    plant.take("carriers", *(f"{CODE},2026,{carrier}" for _, carrier, _, _ in used.values()), now=now)
    year_over = "2026-12-31"
    found = numbers(plant, now, as_of=year_over)
    assert found["comprehensive_energy"]["checked"]["numerator"] == 272_960_000
    assert found["water"]["checked"]["numerator"] == 40_000_000_000
    intensity = found["energy_intensity"]
    assert intensity["checked"]["numerator"] is None, "nobody said what value was added"
    assert intensity["enterprises"] == {"with_data": 0, "of": 1}
    plant.take("value_added", f"{CODE},2026,20000000,2020,statistics", now=now)
    intensity = number(plant, "energy_intensity", now, as_of=year_over)
    ratio = intensity["checked"]
    assert ratio == {"numerator": 272_960_000, "denominator": 2_000_000_000}
    assert Fraction(ratio["numerator"] * 1_000_000, 10**6 * ratio["denominator"]) == Fraction("0.13648")
    assert intensity["enterprises"] == {"with_data": 1, "of": 1}
    assert intensity["period"] == "2026"
    # Declared, and neither metered nor stated: the rate is gone, the metered part stands and says what is missing.
    plant.take("carriers", f"{CODE},2026,raw_coal", now=now)
    found = numbers(plant, now, as_of=year_over)
    assert found["comprehensive_energy"]["checked"]["numerator"] == 272_960_000
    assert found["comprehensive_energy"]["missing"] == ["raw_coal"]
    assert found["energy_intensity"]["checked"]["numerator"] is None
    rows = [f"{CODE},2026-{month:02d},raw_coal,1000,kg,W-{month},Li" for month in range(1, 13)]
    plant.take("statements", *rows, now=now)
    found = numbers(plant, now, as_of=year_over)
    assert found["comprehensive_energy"]["checked"]["numerator"] == 272_960_000 + 12 * 714_300
    assert found["comprehensive_energy"]["missing"] == []
    assert found["energy_intensity"]["checked"]["numerator"] == 272_960_000 + 12 * 714_300


def electricity(
    plant: Plant, roles: dict[str, tuple[str, str | None]], signals: list[tuple[str, str, int]]
) -> Any:
    """Millionths of a month whose meters (role, parent) counted so many kWh in 20 days."""
    begin = datetime.fromisoformat("2026-11-01T00:00:00+08:00")
    told = replace(
        inventory(at=begin),
        meters=tuple(
            MeterItem(no, no, "electricity", role, parent, None) for no, (role, parent) in roles.items()
        ),
        registers=tuple(
            RegisterItem(
                f"{no}/{signal}#0123abcd", no, signal, "electricity", "kWh", 1, 1, None, 10**6, resets=False
            )
            for no, signal, _ in signals
        ),
    )
    plant.send(GATEWAY, [told])
    for no, signal, amount in signals:
        register = f"{no}/{signal}#0123abcd"
        plant.send(
            GATEWAY,
            [Reading("reading", register, begin + timedelta(days=n), amount * n // 20) for n in range(21)],
        )
    plant.settle()
    rows = get(plant, "/energy", NOW, **{"from": "2026-11", "to": "2026-11"})
    (row,) = [row for row in rows if row["carrier"] == "electricity"]
    return row["millionths"]


def test_what_goes_out_is_subtracted_and_a_sub_meter_is_never_added(plant: Plant) -> None:
    roles: dict[str, tuple[str, str | None]] = {
        "IN": ("boundary_in", None),
        "OUT": ("boundary_out", "IN"),
        "SUN": ("generation", None),
        "SUB": ("sub", None),
        "PRO": ("process", None),
    }
    signals = [("IN", "energy_import", 1000), ("IN", "energy_export", 30), ("OUT", "energy_import", 100)]
    signals += [("SUN", "energy_import", 50), ("SUB", "energy_import", 400), ("PRO", "energy_import", 7)]
    assert electricity(plant, roles, signals) == (1000 - 30 - 100 + 50) * 10**6


def test_a_boundary_below_a_boundary_and_a_string_below_the_roof_are_inside_it(plant: Plant) -> None:
    """G12."""
    roles: dict[str, tuple[str, str | None]] = {
        "IN": ("boundary_in", None),
        "IN-2": ("boundary_in", "HALL"),
        "HALL": ("sub", "IN"),
        "PV": ("generation", "IN"),
        "PV-1": ("generation", "PV"),
        "PV-2": ("generation", "PV"),
        "SUB-1": ("sub", "IN"),
        "SUB-2": ("sub", "IN"),
    }
    kwh = {
        "IN": 2000,
        "IN-2": 1200,
        "HALL": 1300,
        "PV": 800,
        "PV-1": 400,
        "PV-2": 400,
        "SUB-1": 1800,
        "SUB-2": 1800,
    }
    signals = [(no, "energy_import", amount) for no, amount in kwh.items()]
    assert electricity(plant, roles, signals) == (2000 + 800) * 10**6


def test_what_goes_out_through_the_meter_of_what_comes_in_is_subtracted_once(plant: Plant) -> None:
    """G13."""
    signals = [("IN", "energy_import", 1600), ("IN", "energy_export", 600)]
    assert electricity(plant, {"IN": ("boundary_in", None)}, signals) == 1000 * 10**6
    span: dict[str, Any] = {
        "subject": f"{CODE}/IN",
        "from": "2026-11-01T00:00:00+08:00",
        "to": "2026-11-21T00:00:00+08:00",
    }
    assert get(plant, "/quantities", **span)["millionths"] == 1600 * 10**6


def test_rates_are_rolled_up_from_sums_and_one_that_is_nearly_there_is_not(plant: Plant) -> None:
    other = CODES[1]
    plant.take("enterprises", enterprise(other, "360121", "1310", "FOOD"))
    plant.take("sites", f"{other},plant-1,P,360121,Asia/Shanghai")
    for code, nc, among in ((CODE, 30, 40), (other, 5, 100)):
        plant.take("equipment", *(f"{code},plant-1,SB-{n},X,in_use,2020-01-01" for n in range(among)))
        flags = [(n, "main") for n in range(among)] + [(n, "numerical_control") for n in range(nc)]
        plant.take("flags", *(f"{code},SB-{n},{flag},yes,document,D,Li,2020-01-01" for n, flag in flags))
    found = number(plant, "nc_rate_main")["checked"]
    assert found == {"numerator": 35, "denominator": 140}
    assert percent(35, 140) == "25.0"
    assert number(plant, "nc_rate_main", area="360121")["checked"] == {"numerator": 5, "denominator": 100}


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
def test_fifty_nine_point_nine_five_is_below_sixty_and_reads_so(plant: Plant) -> None:
    plant.take("targets", "T01,360000,,>=,60,2027-12-31,,,plan")
    plant.take("equipment", *(f"{CODE},plant-1,SB-{n},X,in_use,2020-01-01" for n in range(402)))
    flags = [(n, "main") for n in range(402)] + [(n, "numerical_control") for n in range(241)]
    plant.take("flags", *(f"{CODE},SB-{n},{flag},yes,document,D,Li,2020-01-01" for n, flag in flags))
    found = number(plant, "nc_rate_main")
    assert found["checked"] == {"numerator": 241, "denominator": 402}
    assert found["status"] == "below"
    assert percent(241, 402, Fraction(60)) == "59.9"
    plant.take("flags", f"{CODE},SB-241,numerical_control,yes,document,D,Li,2020-01-01")
    assert number(plant, "nc_rate_main")["status"] == "reached"


def test_the_relatives_of_coverage_over_a_hundred_machines(plant: Plant) -> None:
    """60 main, 39 NC; 50 digital; 30 networked, all digital; 24 in the cloud; 18 active."""
    plant.take("equipment", *(f"{CODE},plant-1,SB-{n},X,in_use,2020-01-01" for n in range(100)))
    flags = [(n, "main") for n in range(60)] + [(n, "numerical_control") for n in range(39)]
    flags += [(n, "digital") for n in range(50)]
    plant.take("flags", *(f"{CODE},SB-{n},{flag},yes,document,D,Li,2020-01-01" for n, flag in flags))
    machines = [f"SB-{n}" for n in range(30)]
    begin = NOW - timedelta(days=20)
    plant.send(GATEWAY, [inventory(*machines, at=begin)], begin)
    facts: list[Fact] = [
        link_up(asset_no, begin + timedelta(minutes=n)) for n, asset_no in enumerate(machines)
    ]
    plant.send(GATEWAY, facts[:24], begin + timedelta(hours=1))
    plant.send(GATEWAY, facts[24:], NOW + timedelta(hours=1))
    runs = ((0, State.IDLE),)
    midnight = datetime.fromisoformat("2026-11-09T00:00:00+08:00")

    def ran(start: datetime, of: list[str]) -> list[Fact]:
        return [States("states", asset_no, start, start + timedelta(days=1), runs) for asset_no in of]

    for day in range(19):
        start = midnight + timedelta(days=day)
        plant.send(GATEWAY, ran(start, machines[: 18 if day else 24]), start + timedelta(days=1))
    plant.send(GATEWAY, ran(midnight, machines[24:]), NOW + timedelta(hours=1))
    shown = numbers(plant, as_of="2026-11-27")
    wanted = {
        "nc_rate_main": "65.0",
        "equip_digital_rate": "50.0",
        "equip_network_rate": "30.0",
        "digital_equip_network_rate": "60.0",
        "equip_cloud_rate": "24.0",
        "equip_active_rate": "75.0",
    }
    ratios = {metric: shown[metric]["checked"] for metric in wanted}
    told = {metric: percent(ratio["numerator"], ratio["denominator"]) for metric, ratio in ratios.items()}
    assert told == wanted
