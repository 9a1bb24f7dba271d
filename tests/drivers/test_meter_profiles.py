"""The profiles of Chinese meters: every signal, read from a simulated meter, is what the meter shows."""

from pathlib import Path

import pytest

from ganpo_agent.observing.nameplate import nameplates
from ganpo_config.plant import BoundConnection, BoundPoint
from ganpo_demo.lines import Answering
from ganpo_demo.register_meters import Cjt188Meter, Dlt645Meter, FramedLine, volume
from ganpo_drivers import Point, PointFault
from support import configs
from support.meter_line import MeterPort, noted

LINE = """
[connections.line]
driver = "{driver}"
url = "tcp://127.0.0.1:{port}"
timeout_s = 2
[[meters]]
asset_no = "M-1"
name = "meter"
carrier = "{carrier}"
role = "boundary_in"
profile = "{profile}"
connection = "line"
parameters = "{parameters}"
{more}
"""
SHOWN_2007 = {
    "00010000": ("04820312", "energy_import", 48203.12),
    "00020000": ("00000026", "energy_export", 0.26),
    "02030000": ("812345", "power", -1.2345),
    "02010100": ("2301", "voltage_l1", 230.1),
    "02010200": ("2298", "voltage_l2", 229.8),
    "02010300": ("2310", "voltage_l3", 231.0),
    "02020100": ("001500", "current_l1", 1.5),
    "02020200": ("801600", "current_l2", -1.6),
    "02020300": ("012345", "current_l3", 12.345),
    "02060000": ("8950", "power_factor", -0.95),
    "02800002": ("4999", "frequency", 49.99),
}
SHOWN_1997 = {
    "9010": ("00142679", "energy_import", 1426.79),
    "B630": ("012345", "power", 1.2345),
    "B611": ("0223", "voltage_l1", 223),
    "B621": ("1234", "current_l1", 12.34),
}
HEAT = "0802000000 0802000000 1712345600 3505060700 2c34100000 352500 662500 000000 53001210071520 0000"
FLOWS = {
    "water_meter_cjt188": (0x10, "", volume(1000.1) + volume(900) + "00" * 9, {"volume_total": 1000.1}),
    "gas_meter_cjt188": (0x30, "", volume(2000.2) + volume(900) + "00" * 9, {"volume_total": 2000.2}),
    "heat_meter_cjt188": (
        0x20,
        " pipe=DN50 unit=MWh order='high_first unit_first'",
        HEAT,
        {
            "heat_total": 0.02,
            "volume_total": 10.34,
            "heat_power": 5634.12,
            "flow": 7.0605,
            "temperature_supply": 25.35,
            "temperature_return": 25.66,
        },
    ),
}
CARRIERS = {0x10: "water_fresh", 0x20: "heat", 0x30: "natural_gas"}


async def shown(folder: Path, answering: Answering, **line: str) -> dict[str, object]:
    """What a driver reads of each signal."""
    with MeterPort(noted(answering), noted(answering)) as port:
        plant = configs.plant(folder, LINE.format(port=port.port, **line))
        (connection,) = plant.connections
        found: dict[str, object] = {}
        driver = connection.driver(connection.settings)
        await driver.open()
        query = driver.prepare([Point(point.name, point.address) for point in points(connection)])
        for point, value in zip(points(connection), (await driver.read(query)).values, strict=True):
            found[point.signal] = value
        await driver.close()
    return found


def points(connection: BoundConnection) -> list[BoundPoint]:
    """In one order."""
    return sorted(connection.points, key=lambda point: point.signal)


@pytest.mark.parametrize(
    ("profile", "table", "signals"),
    [
        ("electricity_meter_dlt645", SHOWN_2007, 11),
        ("chint_dtsu666_dlt645", SHOWN_2007, 11),
        ("electricity_meter_1p_dlt645", SHOWN_2007, 6),
        ("electricity_meter_dlt645_1997", SHOWN_1997, 4),
    ],
)
async def test_every_signal_of_an_electricity_meter_is_what_it_shows(
    tmp_path: Path, profile: str, table: dict[str, tuple[str, str, float]], signals: int
) -> None:
    digits = {identifier: row[0] for identifier, row in table.items()}
    line = FramedLine(10, [Dlt645Meter("000000000161", digits.get)])
    found = await shown(
        tmp_path,
        line.answer,
        driver="dlt645",
        carrier="electricity",
        profile=profile,
        parameters="meter=000000000161",
        more='ct = "400/5"\nreads = "secondary"',
    )
    expected = {signal: value for _, signal, value in table.values()}
    assert found == {signal: expected[signal] for signal in found}
    assert len(found) == signals


@pytest.mark.parametrize("profile", sorted(FLOWS))
async def test_every_signal_of_a_flow_meter_is_what_it_shows(tmp_path: Path, profile: str) -> None:
    kind, parameters, answer, expected = FLOWS[profile]
    line = FramedLine(11, [Cjt188Meter(kind, "00112018061510", lambda: answer)])
    found = await shown(
        tmp_path,
        line.answer,
        driver="cjt188",
        carrier=CARRIERS[kind],
        profile=profile,
        parameters=f"meter=00112018061510{parameters}",
        more='max_rate = "100"',
    )
    assert found == expected


RATIO = """
[[points]]
asset_no = "M-1"
signal = "ct_ratio"
connection = "line"
address = "000000000161:ct_ratio"
"""


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("000080", None),
        (
            "000001",
            "the ratio of its ct is 1 in the meter and 80 in the list (ct 400/5)",
        ),
        (None, None),
    ],
    ids=["as the list", "another", "refused"],
)
async def test_a_meter_that_says_its_transformer_is_compared_with_the_list(
    tmp_path: Path, said: str | None, told: str | None
) -> None:
    meter = Dlt645Meter("000000000161", lambda di: said if di == "04000306" else SHOWN_2007[di][0])
    with MeterPort(noted(FramedLine(10, [meter]).answer), noted(bytes)) as port:
        line = LINE.format(
            port=port.port,
            driver="dlt645",
            carrier="electricity",
            profile="electricity_meter_dlt645",
            parameters="meter=000000000161",
            more='ct = "400/5"\nreads = "secondary"',
        )
        plant = configs.plant(tmp_path, line + RATIO)
        (connection,) = plant.connections
        nameplate = nameplates(plant)["M-1/energy_import"]
        driver = connection.driver(connection.settings)
        await driver.open()
        query = driver.prepare([Point(point.name, point.address) for point in connection.points])
        values = (await driver.read(query)).values
        await driver.close()
    faults = {}
    for point, value in zip(connection.points, values, strict=True):
        if isinstance(value, PointFault):
            faults[point.signal] = value.text
        else:
            nameplate.look(point.name, value)
    assert (nameplate.fault and nameplate.fault.text.split(":")[0]) == told
    assert sorted(faults) == ([] if said else ["ct_ratio"]), faults
