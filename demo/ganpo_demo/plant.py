"""What the plant engineer of the demo would have written: one `agent.toml` per gateway."""

import re
from importlib.resources import files
from pathlib import Path
from string import Template

from ganpo_config import load
from ganpo_config.plant import Plant
from ganpo_model.errors import ConfigError

ENTERPRISE = "91360000DEM0DEM05K"
"""A unified social credit code with right check digits that belongs to nobody."""
SITE = "demo-plant"
MAIN_METER = "DB-0101"
METER_GATEWAY, CELL_GATEWAY = "gw-demo-0001", "gw-demo-0002"
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
connection = "cnc-cell"
parameters = "machine=$machine"
flags      = "main numerical_control digital"
since      = "2025-03-01"
status     = "in_use"

[[points]]
asset_no   = "$asset_no"
signal     = "alarm"
connection = "cnc-cell"
address    = "nsu=urn:ganpo:demo;s=$machine.Alarm"
interval_s = "1"
stale_s    = "3"

[[points]]
asset_no   = "$asset_no"
signal     = "parts_total"
connection = "cnc-cell"
address    = "nsu=urn:ganpo:demo;s=$machine.PartsTotal"
scale      = "1"
interval_s = "1"
stale_s    = "3"
max_rate   = "1200"
resets     = "no"
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
    told = [_CELL.substitute(port=port)]
    told += [_MACHINE.substitute(asset_no=no, name=name, machine=machine) for no, name, machine in machines]
    return _load(folder, CELL_GATEWAY, broker, "".join(told))


def _load(folder: Path, gateway: str, broker: str, rest: str) -> Plant:
    file = folder / gateway / "agent.toml"
    (file.parent / "profiles").mkdir(parents=True)
    for ours in files("ganpo_config").joinpath("profiles").iterdir():
        if ours.name.endswith(".toml"):
            own = _quick(ours.read_text(encoding="utf-8"))
            (file.parent / "profiles" / ours.name).write_text(own, encoding="utf-8")
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
