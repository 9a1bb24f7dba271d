"""A value on a display, typed at the gateway: read at that moment by the running agent, and stored beside it."""

import random
from collections.abc import AsyncIterator
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from ganpo_agent.app import Agent
from ganpo_agent.local.client import Client
from ganpo_cloud.inlet.decode import decode
from ganpo_config.plant import Meaning
from ganpo_drivers import FaultKind, PointFault
from ganpo_model.errors import ConfigError, ConnectionLost, GanpoError, UnitError, UnitSilent
from ganpo_model.facts import Event, EventKind
from ganpo_model.frame import pack
from integration.test_local_api import running, until
from support.plants import REGISTER, START, PlantBuilder, PlayedDriver

VALUES: dict[str, Any] = {
    "register": 4820312,
    "power": 41.25,
    "state": "AUTO",
    "alarm": 0,
    "bad": PointFault(FaultKind.BAD, "exception 02: the device has no such register"),
    "night": 7,
}


class Device(PlayedDriver):
    """A meter with a register, a machine, and an inverter that is silent when asked by hand."""

    values = VALUES


def plant(folder: Path) -> PlantBuilder:
    builder = PlantBuilder(folder / "state")
    builder.connection("line", Device)
    builder.meter("line", "DB-1", "register", interval_s=0.2)
    builder.point("line", "DB-1", "power", "power", Meaning("number"), 0.2)
    builder.point("line", "SB-1", "channel_mode", "state", Meaning("enum", {"AUTO": "AUTO"}), 0.2)
    builder.point("line", "SB-1", "alarm", "alarm", Meaning("bool"), 0.2)
    builder.point("line", "SB-2", "power", "bad", Meaning("number"), 0.2)
    builder.connection("sun", Device)
    builder.point("sun", "NB-1", "power", "night:ac", Meaning("number"), 0.2)
    return builder


@pytest.fixture
async def told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[tuple[Client, list[Event]]]:
    """A running agent, and the events that it keeps."""
    monkeypatch.setattr(Device, "values", VALUES | {"night:ac": UnitSilent("no answer in 3 s")})
    agent = Agent(plant(tmp_path).build(), rng=random.Random(1))
    kept: list[Event] = []
    put = agent.keeper.put

    def keep(facts: Any) -> None:
        kept.extend(fact for fact in facts if isinstance(fact, Event) and fact.kind is EventKind.COMMISSIONED)
        put(facts)

    monkeypatch.setattr(agent.keeper, "put", keep)
    async with running(agent) as client:
        await until(client, "status", lambda told: told["points"]["good"] >= 4)
        yield client, kept


def asked(displayed: str, **other: Any) -> dict[str, Any]:
    return {"asset_no": "DB-1", "displayed": displayed, "by": "王工"} | other


async def test_a_register_is_read_at_that_moment_and_goes_to_the_collector(
    told: tuple[Client, list[Event]],
) -> None:
    client, kept = told
    found = await client.post("commission", asked("48203.1"))
    (event,) = kept
    assert event.data == {
        "point": "DB-1/energy_import",
        "register": REGISTER,
        "displayed": "48203.1",
        "read": "48203.12",
        "raw": 4820312,
        "unit": "kWh",
        "by": "王工",
    }
    assert event.subject == "DB-1"
    about = {"asset_no": "DB-1", "at": found["at"], "agrees": True, "step": "0.1", "off": "0.02"}
    assert found == about | event.data
    status = await until(client, "status", lambda told: told["outbox"]["waiting"] > 0)
    assert status["outbox"]["issued"] > 0


@pytest.mark.parametrize(
    ("typed", "displayed", "read", "unit", "agrees"),
    [
        ({"displayed": "４８２０３．１　ｋＷｈ"}, "48203.1", "48203.12", "kWh", True),
        ({"displayed": "48203,1"}, "48203.1", "48203.12", "kWh", True),
        ({"displayed": "48203"}, "48203", "48203.12", "kWh", True),
        ({"displayed": "48.20 MWh"}, "48.20", "48.20312", "MWh", True),
        ({"displayed": "48.20", "unit": "mwh"}, "48.20", "48.20312", "MWh", True),
        ({"displayed": "48203.1度"}, "48203.1", "48203.12", "kWh", True),
        ({"displayed": "48203120 Wh"}, "48203120", "48203120", "Wh", True),
        ({"displayed": "482.03"}, "482.03", "48203.12", "kWh", False),
        ({"displayed": "48203.1", "unit": "MWh"}, "48203.1", "48.20312", "MWh", False),
        ({"displayed": "41.2 kW", "signal": "power"}, "41.2", "41.25", "kW", True),
        ({"displayed": "41200 W", "signal": "power"}, "41200", "41250", "W", False),
        ({"displayed": "auto", "asset_no": "SB-1", "signal": "channel_mode"}, "auto", "AUTO", None, True),
        ({"displayed": "MDI", "asset_no": "SB-1", "signal": "channel_mode"}, "MDI", "AUTO", None, False),
        ({"displayed": "关", "asset_no": "SB-1", "signal": "alarm"}, "false", "false", None, True),
    ],
)
async def test_a_display_is_compared_in_its_own_unit(
    told: tuple[Client, list[Event]],
    typed: dict[str, str],
    displayed: str,
    read: str,
    unit: str | None,
    agrees: bool,
) -> None:
    client, kept = told
    found = await client.post("commission", asked("") | typed)
    assert (found["displayed"], found["read"], found["unit"], found["agrees"]) == (
        displayed,
        read,
        unit,
        agrees,
    )
    assert len(kept) == 1, "it is sent, whether or not they agree"


async def test_what_cannot_be_compared_is_told_and_nothing_is_sent(told: tuple[Client, list[Event]]) -> None:
    client, kept = told
    refused: list[tuple[dict[str, Any], type[GanpoError], str]] = [
        (asked("1,234"), ConfigError, "may be 1234 or 1.234"),
        (asked("kWh"), ConfigError, "is no number; type the digits"),
        (asked("48203.1 m³"), ConfigError, "is no unit of energy_import; there are: kWh, Wh, MWh"),
        (asked("1", asset_no="DB-9"), ConfigError, "DB-9: no such machine or meter"),
        (asked("1", signal="voltage_l1"), ConfigError, "there are: energy_import, power"),
        (asked("1", asset_no="SB-1"), ConfigError, "several of its values are read"),
        (asked("2", asset_no="SB-1", signal="alarm"), ConfigError, "neither on nor off"),
        (asked("1", by=""), ConfigError, "body, by"),
        (asked("1", by=" \n"), ConfigError, "by: nothing was typed"),
        (asked("1", by="Wang\u0007"), ConfigError, "by: .* is no line"),
        (asked("\u0007", asset_no="SB-1", signal="channel_mode"), ConfigError, "displayed: .* is no line"),
        (
            asked("\ufdfa" * 10, asset_no="SB-1", signal="channel_mode"),
            ConfigError,
            "is no line of at most 100",
        ),
        (asked("1" * 101), ConfigError, "body, displayed"),
        (asked("1") | {"write": 1}, ConfigError, "body, write"),
        (asked("1", asset_no="SB-2"), UnitError, "SB-2/power: bad: exception 02"),
        (asked("1", asset_no="NB-1"), GanpoError, "no answer in 3 s"),
    ]
    for body, kind, text in refused:
        with pytest.raises(kind, match=text):
            await client.post("commission", body)
    assert kept == []


@pytest.mark.parametrize(
    ("signal", "value", "typed", "read"),
    [
        ("power", 1.5e300, "41.2", "1.5e+300"),
        ("power", 2.5e-41, "41.2", "2.5e-41"),
        ("power", 1e21, "41.2", "1000000000000000000000"),
        ("power", -0.0, "0.0", "0"),
    ],
)
async def test_what_a_wrong_order_of_bytes_reads_is_a_record_that_the_collector_takes(
    told: tuple[Client, list[Event]],
    monkeypatch: pytest.MonkeyPatch,
    signal: str,
    value: float,
    typed: str,
    read: str,
) -> None:
    client, kept = told
    monkeypatch.setitem(Device.values, signal, value)
    found = await client.post("commission", asked(typed, signal=signal))
    assert (found["read"], found["agrees"]) == (read, value == 0)
    event = replace(kept[-1], at=START)
    assert decode(pack("01HF7YAT00V3RS3DTR98H6BCFN", 1, [event]), START).facts == (event,)


async def test_a_register_is_told_in_its_own_resolution(
    told: tuple[Client, list[Event]], monkeypatch: Any
) -> None:
    client, _ = told
    monkeypatch.setitem(Device.values, "register", 4820300)
    assert (await client.post("commission", asked("48203.0")))["read"] == "48203.00"
    assert Fraction("48203.00") == Fraction(4820300, 100)


async def test_without_the_time_there_is_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Device, "values", VALUES | {"night:ac": 7})
    agent = Agent(plant(tmp_path).build(), rng=random.Random(1))
    monkeypatch.setattr(type(agent.time), "trusted", lambda _self: False)
    async with running(agent) as client:
        with pytest.raises((GanpoError, ConnectionLost), match="waits for the time"):
            await client.post("commission", asked("48203.1"))
