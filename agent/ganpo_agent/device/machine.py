"""The machine under a gateway: its clock and who sets it, its disk, ports and files that it may open, its versions."""

import grp
import os
import platform
import pwd
import shutil
import sqlite3
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ganpo_config.plant import Plant
from ganpo_config.state_dir import look_at
from ganpo_service.release import RELEASED

OK, LOOK, ALARM, UNKNOWN = "ok", "look", "alarm", "unknown"
_TIMESYNC = Path("/run/systemd/timesync/synchronized")
_RTC = Path("/sys/class/rtc/rtc0")
_NOT_SYNCHRONISED = 5
"""TIME_ERROR of adjtimex(2)."""
_TIMEX_BYTES = 512
"""More than `struct timex` has anywhere; all zero it asks and sets nothing."""
_MIB = 1024 * 1024
_LEAST_MIB = 64
_LIBRARIES = (
    "pymodbus",
    "asyncua",
    "pyserial",
    "paho-mqtt",
    "pydantic",
    "starlette",
    "uvicorn",
    "cryptography",
)


class Check(NamedTuple):
    """`check`: what was looked at, a word; `level`: ok, look, alarm or unknown; `command`: what shows or mends it."""

    check: str
    level: str
    what: str
    command: str | None


def examine(plant: Plant, status: Mapping[str, Any] | None) -> list[Check]:
    """All of it. Reads files and asks the kernel: not in an event loop."""
    return [
        _clock(status),
        _ntp(),
        _rtc(time.time()),
        _disk(plant),
        *_ports(plant),
        _folder(plant),
        Check("versions", OK, ", ".join(f"{name} {number}" for name, number in versions().items()), None),
    ]


def versions() -> dict[str, str]:
    """What runs here, by name."""
    found = {"ganpo": f"{version('ganpo')} ({RELEASED:%Y-%m-%d})", "Python": platform.python_version()}
    found |= {
        platform.system(): f"{platform.release()} {platform.machine()}",
        "SQLite": sqlite3.sqlite_version,
    }
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _clock(status: Mapping[str, Any] | None) -> Check:
    now = datetime.now(UTC)
    told = f"{now:%Y-%m-%d %H:%M:%S} UTC"
    if status is not None:
        about = status["time"]
        if not about["trusted"]:
            return Check("clock", ALARM, f"{told}: {about['why'] or 'waiting for time'}", "timedatectl")
        if about["off_ms"] is not None and abs(about["off_ms"]) > 300_000:
            what = f"{told}: {about['off_ms'] / 1000:+.0f} s off the collector's"
            return Check("clock", LOOK, what, "timedatectl set-ntp true")
        return Check("clock", OK, f"{told}, trusted by {about['source']}", None)
    if now < RELEASED:
        what = f"{told}: before the day of this version ({RELEASED:%Y-%m-%d})"
        return Check("clock", ALARM, what, "timedatectl set-ntp true")
    return Check("clock", OK, told, None)


def _ntp() -> Check:
    if _TIMESYNC.exists():
        return Check("ntp", OK, "systemd-timesyncd sets the clock", None)
    state = _adjtimex()
    if state is None:
        return Check("ntp", UNKNOWN, "the kernel does not say whether the clock is set", "timedatectl")
    if state == _NOT_SYNCHRONISED:
        what = "nobody sets the clock: the collector's word is taken where it is far off"
        return Check("ntp", LOOK, what, "timedatectl set-ntp true")
    return Check("ntp", OK, "the kernel says that the clock is set", None)


def _adjtimex() -> int | None:
    """What the kernel says of its clock; None where it may not be asked (ProtectClock)."""
    import ctypes  # one question in the life of most agents

    try:
        state = int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(_TIMEX_BYTES)))
    except (OSError, AttributeError):
        return None
    return None if state < 0 else state


def _rtc(now: float) -> Check:
    try:
        there = int((_RTC / "since_epoch").read_text())
    except (OSError, ValueError):
        what = "no clock with a battery: after a power cut time is waited for (NTP, or the collector)"
        return Check("rtc", LOOK, what, None)
    off = there - now
    if abs(off) > 60:
        return Check("rtc", LOOK, f"the clock with the battery is {off:+.0f} s off", "hwclock --systohc")
    return Check("rtc", OK, "a clock with a battery", None)


def _disk(plant: Plant) -> Check:
    folder = plant.gateway.state_dir
    there = next((path for path in (folder, *folder.parents) if path.exists()), Path("/"))
    try:
        about = shutil.disk_usage(there)
        inodes = os.statvfs(there)
    except OSError as error:
        return Check("disk", ALARM, f"{there}: {error.strerror}", "df -h")
    free, wanted = about.free // _MIB, plant.gateway.outbox_mib
    what = f"{free} MiB free at {there}, the outbox may grow to {wanted} MiB"
    if free < _LEAST_MIB or (inodes.f_files and not inodes.f_favail):
        return Check("disk", ALARM, what, f"df -h {there}")
    if free < 2 * wanted:
        return Check(
            "disk", LOOK, f"{what}, and needs as much again to take a damaged one over", f"df -h {there}"
        )
    return Check("disk", OK, what, None)


def _ports(plant: Plant) -> Iterator[Check]:
    """Serial ports: whether they are there, and who may open them."""
    devices = {
        path: link.name
        for link in plant.connections
        if (path := urlsplit(str(getattr(link.settings, "url", ""))).path).startswith("/dev/")
    }
    if not devices:
        yield Check("permissions", OK, "no serial port is used", None)
    for path, name in devices.items():
        device = Path(path)
        if not device.exists():
            yield Check("permissions", ALARM, f"{name}: {path} is not there", "ls -l /dev/serial/by-id")
        elif os.access(device, os.R_OK | os.W_OK, effective_ids=True):
            yield Check("permissions", OK, f"{name}: {path} may be opened", None)
        else:
            group = _name_of(device.stat().st_gid)
            what = f"{name}: {path} belongs to the group {group}, and {user()} is not in it"
            yield Check("permissions", ALARM, what, f"sudo usermod -aG {group} {user()}")


def _folder(plant: Plant) -> Check:
    if wrong := look_at(plant.gateway.state_dir):
        return Check("permissions", ALARM, wrong, f"ls -ld {plant.gateway.state_dir}")
    return Check("permissions", OK, f"{plant.gateway.state_dir} can be written by {user()}", None)


def user() -> str:
    """Who runs this."""
    try:
        return pwd.getpwuid(os.geteuid()).pw_name
    except KeyError:
        return str(os.geteuid())


def _name_of(group: int) -> str:
    try:
        return grp.getgrgid(group).gr_name
    except KeyError:
        return str(group)
