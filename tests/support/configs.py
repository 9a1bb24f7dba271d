"""Configurations written for a test: what stands in every file, and what `load` says of the rest."""

import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from ganpo_config import Loaded, load
from ganpo_config.plant import BoundPoint, Machine, Meaning, Plant, Register
from ganpo_model.errors import ConfigError

_LINE = re.compile(r"agent\.toml line \d+(?: \([^()\s]+\))?")
_WHOSE = re.compile(r"( row \d+| cell [A-Z]+\d+) \([^()\s]+\)")
HEAD = """
format = 1
[gateway]
id = "gw-test-0001"
state_dir = "/var/lib/ganpo"
[uplink]
broker = "mqtt://127.0.0.1:1883"
[site]
id = "plant-1"
name = "Test plant"
timezone = "Asia/Shanghai"
"""
BUS = """
[connections.bus]
driver = "modbus"
url = "tcp://127.0.0.1:502"
addressing = "0-based"
"""
CELL = """
[connections.cell]
driver = "opcua"
url = "opc.tcp://127.0.0.1:4840"
security = "None"
allow_insecure = true
"""


def write(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Loaded:
    """What `load` makes of a file with this text, its places without line and number (`test_config_places.py`)."""
    file = folder / "agent.toml"
    file.write_text(text, encoding="utf-8")
    loaded = load(file, environ or {})
    errors = tuple(ConfigError(plainly(e.what), where=plainly(e.where), hint=e.hint) for e in loaded.errors)
    return replace(loaded, errors=errors, warnings=tuple(map(plainly, loaded.warnings)))


def plainly(text: str) -> str:
    """A place without the line in its file, and without whose it is."""
    return _WHOSE.sub(r"\1", _LINE.sub("agent.toml", text))


def plant(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> Plant:
    """The plant of HEAD and a text that is right."""
    loaded = write(folder, HEAD + text, environ)
    assert loaded.errors == ()
    assert loaded.plant is not None
    return loaded.plant


def notes(folder: Path, text: str) -> tuple[str, ...]:
    """What `check` tells of HEAD and a text that is right."""
    loaded = write(folder, HEAD + text)
    assert loaded.errors == ()
    return loaded.notes


def errors(folder: Path, text: str, environ: Mapping[str, str] | None = None) -> list[str]:
    """What is wrong with HEAD and a text."""
    return [str(error) for error in write(folder, HEAD + text, environ).errors]


def meter(columns: str = "", *, asset_no: str = "DB-1", parameters: str = "unit=1") -> str:
    """An electricity meter with the profile of ours."""
    return f"""
[[meters]]
asset_no = "{asset_no}"
name = "Meter"
carrier = "electricity"
role = "boundary_in"
profile = "power_meter_3p_modbus"
connection = "bus"
parameters = "{parameters}"
{columns}
"""


def machine(profile: str, parameters: str, *, connection: str = "none", asset_no: str = "SB-1") -> str:
    """A machine."""
    return f"""
[[equipment]]
asset_no = "{asset_no}"
name = "Machine"
profile = "{profile}"
connection = "{connection}"
parameters = "{parameters}"
"""


def point(columns: str, *, asset_no: str = "DB-1", signal: str = "energy_import") -> str:
    """A point bound by hand on the bus."""
    return f"""
[[points]]
asset_no = "{asset_no}"
signal = "{signal}"
connection = "bus"
{columns}
"""


def bound(found: Plant, name: str) -> BoundPoint:
    """The point of a name."""
    return next(point for link in found.connections for point in link.points if point.name == name)


def register(found: Plant, name: str) -> Register:
    """The register of a name."""
    meaning = bound(found, name).meaning
    assert isinstance(meaning, Register)
    return meaning


def meaning(found: Plant, name: str) -> Meaning:
    """The meaning of a point that is no register."""
    told = bound(found, name).meaning
    assert isinstance(told, Meaning)
    return told


def only_machine(found: Plant) -> Machine:
    """The one machine."""
    (one,) = found.machines
    return one
