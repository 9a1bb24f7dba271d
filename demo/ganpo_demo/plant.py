"""What the plant engineer of the demo would have written: one `agent.toml` per gateway."""

import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from string import Template

from ganpo_config import load
from ganpo_config.plant import Plant
from ganpo_demo.addresses import (
    DRIVE_UNIT,
    HEAT_ADDRESS,
    MAIN_ADDRESS,
    METER_UNIT,
    OLD_ADDRESS,
    WATER_ADDRESS,
)
from ganpo_model.errors import ConfigError

ENTERPRISE = "91360000DEM0DEM05K"
"""A unified social credit code with right check digits that belongs to nobody."""
SITE = "demo-plant"
MAIN_METER = "DB-0101"
METER_GATEWAY, CELL_GATEWAY, MIXED_GATEWAY = "gw-demo-0001", "gw-demo-0002", "gw-demo-0003"
SLOT_MS = 10_000

_HEAD = Template("""\
format = 1

[gateway]
id        = "$gateway"
state_dir = "$folder"
http      = "127.0.0.1:0"

[uplink]
broker         = "$broker"
live_s         = 2
back_off_max_s = 2

[site]
id       = "$site"
name     = "演示车间 DEMO"
timezone = "Asia/Shanghai"
slot     = "10s"
""")

_METERS = Template("""
[connections.meter-bus]
driver     = "modbus"
url        = "tcp://127.0.0.1:$port"
addressing = "0-based"

[[meters]]
asset_no   = "DB-0101"
name       = "总电表"
carrier    = "electricity"
role       = "boundary_in"
profile    = "power_meter_3p_modbus"
connection = "meter-bus"
parameters = "unit=1"
ct         = "400/5"
reads      = "primary"

[[meters]]
asset_no   = "DB-0103"
name       = "冲床分表"
carrier    = "electricity"
role       = "sub"
parent     = "DB-0101"
profile    = "power_meter_3p_modbus"
connection = "meter-bus"
parameters = "unit=2"
ct         = "50/5"
reads      = "primary"

[[equipment]]
asset_no   = "SB-0007"
name       = "老式冲床"
profile    = "machine_by_power"
connection = "none"
parameters = "meter=DB-0103 idle_kw=0.4 run_kw=3.0 debounce_s=2"
flags      = "main"
since      = "2012-01-01"
status     = "in_use"
""")

_CELL = Template("""
[connections.cnc-cell]
driver         = "opcua"
url            = "opc.tcp://127.0.0.1:$port"
security       = "None"
allow_insecure = true
""")

_MACHINE = Template("""
[[equipment]]
asset_no   = "$asset_no"
name       = "$name"
profile    = "machine_tool_opcua_40501"
connection = "$cell"
parameters = "machine=$machine"
flags      = "main numerical_control digital"
since      = "2025-03-01"
status     = "in_use"

[[points]]
asset_no   = "$asset_no"
signal     = "alarm"
connection = "$cell"
address    = "nsu=urn:ganpo:demo;s=$machine.Alarm"
interval_s = "1"
stale_s    = "3"

[[points]]
asset_no   = "$asset_no"
signal     = "parts_total"
connection = "$cell"
address    = "nsu=urn:ganpo:demo;s=$machine.PartsTotal"
scale      = "1"
interval_s = "1"
stale_s    = "3"
max_rate   = "1200"
resets     = "no"
""")


_MIXED = Template("""
[connections.electric-line]
driver = "dlt645"
url    = "serial://$electric"

[connections.water-line]
driver = "cjt188"
url    = "serial://$water"

[connections.bus-line]
driver     = "modbus"
url        = "rtu://$bus"
addressing = "0-based"

[connections.secured-cell]
driver   = "opcua"
url      = "opc.tcp://127.0.0.1:$port"
security = "Basic256Sha256,SignAndEncrypt"

[[meters]]
asset_no   = "DB-0201"
name       = "二号厂房总表(DL/T 645)"
carrier    = "electricity"
role       = "boundary_in"
profile    = "electricity_meter_dlt645"
connection = "electric-line"
parameters = "meter=$main"
ct         = "200/5"
reads      = "secondary"

[[meters]]
asset_no   = "DB-0202"
name       = "空压机电表(DL/T 645-1997)"
carrier    = "electricity"
role       = "sub"
parent     = "DB-0201"
profile    = "electricity_meter_dlt645_1997"
connection = "electric-line"
parameters = "meter=$old"
max_rate   = "60"

[[meters]]
asset_no   = "DB-0203"
name       = "风机电表(Modbus RTU)"
carrier    = "electricity"
role       = "sub"
parent     = "DB-0201"
profile    = "eastron_sdm630"
connection = "bus-line"
parameters = "unit=$meter_unit"
max_rate   = "60"

[[meters]]
asset_no   = "SB-W-0201"
name       = "新水表(CJ/T 188，每分钟更新)"
carrier    = "water_fresh"
role       = "boundary_in"
profile    = "water_meter_cjt188"
connection = "water-line"
parameters = "meter=$water_meter pipe=DN50"
update     = "1min"

[[meters]]
asset_no   = "RB-0201"
name       = "热量表(CJ/T 188)"
carrier    = "heat"
role       = "boundary_in"
profile    = "heat_meter_cjt188"
connection = "water-line"
parameters = "meter=$heat_meter unit=kWh order='high_first unit_first' pipe=DN50"
max_rate   = "4000"

[[equipment]]
asset_no   = "SB-0203"
name       = "除尘风机(变频器)"
profile    = "inovance_md"
connection = "bus-line"
parameters = "unit=$drive_unit"
flags      = "main digital"
since      = "2024-06-01"
status     = "in_use"
""")


def meter_plant(folder: Path, broker: str, port: int) -> Plant:
    """The gateway at the meters: its file written below `folder`, and read as any other.

    Raises ConfigError where the file is not right, which would be our mistake.
    """
    return _load(folder, METER_GATEWAY, broker, _METERS.substitute(port=port))


def cell_plant(folder: Path, broker: str, port: int) -> Plant:
    """The gateway at the machines, likewise."""
    machines = (
        ("SB-0141", "立式加工中心 VMC850", "VMC850-1"),
        ("SB-0142", "数控车床 CK6150", "CK6150-2"),
    )
    return _load(folder, CELL_GATEWAY, broker, _CELL.substitute(port=port) + _machines("cnc-cell", machines))


def mixed_plant(folder: Path, broker: str, port: int, lines: Mapping[str, str]) -> Plant:
    """The gateway of the mixed site, likewise. `lines`: device files by name; `port`: of the secured cell."""
    told = _MIXED.substitute(
        lines,
        port=port,
        main=MAIN_ADDRESS,
        old=OLD_ADDRESS,
        water_meter=WATER_ADDRESS,
        heat_meter=HEAT_ADDRESS,
        meter_unit=METER_UNIT,
        drive_unit=DRIVE_UNIT,
    )
    machines = (
        ("SB-0201", "五轴加工中心(签名加密)", "VMC850-1"),
        ("SB-0202", "车铣复合(签名加密)", "CK6150-2"),
    )
    return _load(folder, MIXED_GATEWAY, broker, told + _machines("secured-cell", machines))


async def trust(plant: Plant) -> None:
    """Trust the secured servers of a plant, as a person does with `ganpo trust`. Raises GanpoError."""
    from ganpo_drivers.opcua.discovery import discover
    from ganpo_drivers.opcua.settings import OpcUaSettings
    from ganpo_drivers.opcua.trust import Pin, pin

    for connection in plant.connections:
        settings = connection.settings
        if isinstance(settings, OpcUaSettings) and settings.home is not None:
            shown = await discover(settings)
            pin(settings.home, Pin(shown.certificate(settings), datetime.now(UTC)))


def _machines(cell: str, machines: Iterable[tuple[str, str, str]]) -> str:
    return "".join(
        _MACHINE.substitute(cell=cell, asset_no=number, name=name, machine=machine)
        for number, name, machine in machines
    )


def _load(folder: Path, gateway: str, broker: str, rest: str) -> Plant:
    file = folder / gateway / "agent.toml"
    (file.parent / "profiles").mkdir(parents=True)
    named = set(re.findall(r'(?m)^profile +=\s*"(\w+)"', rest))
    while named:
        name = f"{named.pop()}.toml"
        own = _quick(files("ganpo_config").joinpath("profiles", name).read_text(encoding="utf-8"))
        (file.parent / "profiles" / name).write_text(own, encoding="utf-8")
        named |= set(re.findall(r'(?m)^base +=\s*"(\w+)"', own))
    head = _HEAD.substitute(gateway=gateway, folder=file.parent, broker=broker, site=SITE)
    file.write_text(head + rest, encoding="utf-8")
    loaded = load(file, {})
    if loaded.plant is None:
        raise ConfigError("; ".join(str(error) for error in loaded.errors))
    return loaded.plant


def _quick(profile: str) -> str:
    """The site's own copy of a profile: polled every second, doubted after three."""
    without = re.sub(r"(?m)^(interval_s|stale_s)\b.*\n", "", profile)
    return re.sub(r"(?m)^(\[signals\.\w+\]).*$", r"\1\ninterval_s = 1\nstale_s = 3", without)
