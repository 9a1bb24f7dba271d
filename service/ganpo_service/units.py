"""Our services at systemd: what an installation, its removal and its state consist of.

The unit files lie in `units/`. A Debian package brings its own copy and its user; everywhere else `install` does.
"""

import json
import os
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from ganpo_model.errors import ConfigError
from ganpo_service.words import tell, width

_UNITS = Path(__file__).parent / "units"
_BIN = "/opt/ganpo/bin"
"""Where the unit files have the programs; `install` writes where they are."""
_OWN = "etc/systemd/system"
_PACKAGED = ("usr/lib/systemd/system", "lib/systemd/system")
_UNSEEN = ("home", "root", "run/user", "tmp", "var/tmp")
"""Folders that the walls of the units hide."""
_SERIAL = """\
# Serial ports: on USB, on the board, on a converter that shows as a modem.
[Service]
PrivateDevices=no
DeviceAllow=char-ttyUSB rw
DeviceAllow=char-ttyS rw
DeviceAllow=char-ttyACM rw
DeviceAllow=char-ttyAMA rw
"""


@dataclass(frozen=True, slots=True)
class Write:
    """A file with this text."""

    path: Path
    text: str

    def __str__(self) -> str:
        return f"write {self.path}\n" + "".join(f"    {line}\n" for line in self.text.splitlines())


@dataclass(frozen=True, slots=True)
class Remove:
    """A file of ours is taken away, and its folder where nothing else lies in it."""

    path: Path

    def __str__(self) -> str:
        return f"remove {self.path}\n"


@dataclass(frozen=True, slots=True)
class Run:
    """A command of systemd."""

    words: tuple[str, ...]

    def __str__(self) -> str:
        return f"run {' '.join(self.words)}\n"


Step = Write | Remove | Run


@dataclass(frozen=True, slots=True)
class Service:
    """One of ours. `root`: the file system it is installed into, / but for the image of a box."""

    unit: str
    user: str
    about: str
    groups: tuple[str, ...] = ()
    root: Path = Path("/")

    @property
    def state_dir(self) -> Path:
        """The only folder it can write to."""
        return Path("/var/lib") / self.user

    def install(self, *, serial: bool, environment: Mapping[str, str] | None = None) -> Iterator[Step]:
        """What makes it start with the machine, and now. `serial`: it opens serial ports, or else no device;
        `environment`: what it is given beside the unit's own.

        Raises ConfigError where systemd would not find the programs.
        """
        yield from (Run(("systemd-sysusers", *self._in_root, "--inline", line)) for line in self.accounts())
        if not self.packaged:
            yield Write(self._file, self._text())
        if serial:
            yield Write(self._ports, _SERIAL)
        elif self._ports.exists():
            yield Remove(self._ports)
        if environment:
            yield Write(self._given, _drop_in(environment))
        elif self._given.exists():
            yield Remove(self._given)
        yield from self._manager("daemon-reload")
        yield Run(("systemctl", *self._in_root, "enable", self.unit))
        yield from self._manager("restart", self.unit)

    def uninstall(self) -> Iterator[Step]:
        """What ends it and takes away what `install` wrote. Its data, its configuration and its user stay."""
        if self.packaged or self._file.exists():
            yield from self._manager("stop", self.unit)
            yield Run(("systemctl", *self._in_root, "disable", self.unit))
        yield from (Remove(path) for path in (self._ports, self._given, self._file) if path.exists())
        yield from self._manager("daemon-reload")

    def status(self) -> dict[str, str | bool | None]:
        """How it stands: `enabled` and `active` in systemd's words, `unit` the file in use, `current` whether that is
        this version's, `serial` whether ports are open to it."""
        packaged = self._packaged()
        own = self._file if self._file.exists() else None
        return {
            "service": self.unit,
            "active": self._asked("is-active") if self._running else "systemd does not run here",
            "enabled": self._asked("is-enabled"),
            "unit": str(own or packaged) if own or packaged else None,
            "current": own is None or own.read_text() == self._text(),
            "serial": self._ports.exists(),
            "state_dir": str(self.state_dir),
        }

    @property
    def packaged(self) -> bool:
        """Whether a Debian package has brought the unit."""
        return self._packaged() is not None

    def _packaged(self) -> Path | None:
        found = (self.root / folder / self.unit for folder in _PACKAGED)
        return next((path for path in found if path.exists()), None)

    @property
    def _file(self) -> Path:
        return self.root / _OWN / self.unit

    @property
    def _ports(self) -> Path:
        return self.root / _OWN / f"{self.unit}.d" / "serial.conf"

    @property
    def _given(self) -> Path:
        return self._ports.with_name("environment.conf")

    @property
    def _in_root(self) -> tuple[str, ...]:
        return () if self.root == Path("/") else (f"--root={self.root}",)

    @property
    def _running(self) -> bool:
        return self.root == Path("/") and Path("/run/systemd/system").is_dir()

    def _manager(self, *words: str) -> Iterator[Run]:
        """What only a running systemd can do: in an image, the next start of the box does it."""
        if self._running:
            yield Run(("systemctl", *words))

    def accounts(self) -> Iterator[str]:
        """Its user and what that belongs to, as lines of sysusers.d(5)."""
        yield f'u {self.user} - "{self.about}" {self.state_dir}'
        yield from (f"m {self.user} {group}" for group in self.groups)

    def _text(self) -> str:
        return self.text(self._programs())

    def text(self, programs: str) -> str:
        """The unit, for programs in this folder."""
        return (_UNITS / self.unit).read_text().replace(_BIN, programs)

    def _programs(self) -> str:
        folder = Path(sys.executable).parent
        inside = str(folder).removeprefix(str(self.root).rstrip("/")).lstrip("/")
        if folder_hidden := hidden(Path(f"/{inside}")):
            raise ConfigError(
                f"/{folder_hidden} is hidden from the service, and so are the programs there",
                where=f"/{inside}",
                hint="install into /opt/ganpo",
            )
        return f"/{inside}"

    def _asked(self, what: str) -> str:
        words = ["systemctl", *self._in_root, what, self.unit]
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - systemd's own
        return done.stdout.strip() or "not found"


GATEWAY = Service("ganpo-agent.service", "ganpo", "Ganpo gateway", ("dialout",))
COLLECTOR = Service("ganpo-cloud.service", "ganpo-cloud", "Ganpo collector")


def hidden(path: Path) -> str | None:
    """The folder above it that the walls of the units hide."""
    return next((one for one in _UNSEEN if path.is_relative_to(f"/{one}")), None)


def _drop_in(environment: Mapping[str, str]) -> str:
    lines = (f'Environment="{name}={value.replace("%", "%%")}"\n' for name, value in environment.items())
    return f"[Service]\n{''.join(lines)}"


def carry_out(steps: Iterable[Step]) -> None:
    """Do them, one after the other. Raises ConfigError at the first that cannot be done: those before it stand, and
    the same command may be given again."""
    for step in steps:
        match step:
            case Write(path, text):
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(text)
                path.chmod(0o644)
            case Remove(path):
                path.unlink(missing_ok=True)
                if path.parent.suffix == ".d" and not any(path.parent.iterdir()):
                    path.parent.rmdir()
            case Run(words):
                _run(words)


def as_root() -> None:
    """Raises ConfigError for anybody else."""
    if os.geteuid() != 0:
        raise ConfigError(
            "only root sets up services", hint="the same with sudo, or --dry-run to see what it does"
        )


def as_text(status: dict[str, str | bool | None], *, as_json: bool) -> str:
    """For a person, or for programs."""
    if as_json:
        return json.dumps(status, indent=1)
    unit = status["unit"] or "none: not installed"
    if not status["current"]:
        unit = f"{unit}, of another version: install it again"
    rows = [
        (str(status["service"]), f"{tell(str(status['active']))}, {tell(str(status['enabled']))}"),
        (tell("unit"), tell(str(unit))),
        (tell("serial ports"), tell("open" if status["serial"] else "closed")),
        (tell("data"), str(status["state_dir"])),
    ]
    return "\n".join(f"{name}{' ' * (23 - width(name))}{told}" for name, told in rows)


def _run(words: tuple[str, ...]) -> None:
    try:
        done = subprocess.run(words, capture_output=True, text=True, check=False)  # noqa: S603 - systemd's own
    except FileNotFoundError as error:
        raise ConfigError(
            f"{words[0]} is not installed: this machine has no systemd", where=" ".join(words)
        ) from error
    if done.returncode:
        what = (done.stderr.strip() or done.stdout.strip() or f"ended with {done.returncode}").splitlines()[
            -1
        ]
        raise ConfigError(what, where=" ".join(words))
