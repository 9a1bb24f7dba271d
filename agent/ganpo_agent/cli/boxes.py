"""What `ganpo export` and `ganpo import` do: another box in the same place.

The file is a tar of: about.json; config/, a copy of the configuration; state/, what drivers learned (trusted.json); and
outbox/, where it was asked for. No password is in it, and no private key unless that was asked for.
"""

import json
import os
import tarfile
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path, PurePosixPath
from typing import Any

from ganpo_agent.device import packed
from ganpo_agent.keeping.left import NAME, Left, look
from ganpo_agent.owner import alone
from ganpo_config import Loaded
from ganpo_config.files import MAIN, placed
from ganpo_config.plant import Plant
from ganpo_drivers.opcua import kept
from ganpo_model.clock import iso
from ganpo_model.errors import ConfigError, StorageError, not_read

_FORMAT = 1
_MOST_BYTES = 1 << 30
_KEY = b"PRIVATE KEY"
_PARTS = (NAME, f"{NAME}-wal", f"{NAME}.issued")


def export(loaded: Loaded, to: Path, *, with_key: bool, with_outbox: bool) -> list[str]:
    """Write everything that makes this gateway into a file that is not there yet; what a person should know of it.

    Raises ConfigError, StorageError.
    """
    plant = loaded.plant
    assert plant is not None
    state_dir, told = plant.gateway.state_dir, []
    if moved := [name for name, place in placed(loaded.files).items() if name != place]:
        what = "lies outside the folder of agent.toml: it would have no place on another box"
        raise ConfigError(what, where=f"lists: {moved[0]}", hint="move it beside agent.toml")
    members = {f"config/{name}": text for name, text in loaded.files.items()}
    for name, content in _learned(plant):
        if _KEY in content and not with_key:
            what = "has the private key and is left out: servers have to trust the new box anew (--with-key)"
            told.append(f"{name}: {what}")
        else:
            members[f"state/{name}"] = content
    left = look(state_dir) or Left({}, 0)
    if with_outbox:
        with alone(state_dir):
            left = look(state_dir) or left
            members |= {f"outbox/{name}": content for name, content in _outbox_of(state_dir)}
    elif left.waiting:
        what = "frames wait here and are left out: stop this box and use --outbox, or let them be sent"
        told.append(f"{left.waiting} {what}")
    about = {
        "format": _FORMAT,
        "gateway": plant.gateway.id,
        "version": version("ganpo"),
        "at": iso(datetime.now(UTC)),
        "issued": dict(left.issued),
        "waiting": left.waiting,
    }
    packed.write(to, {"about.json": json.dumps(about, indent=1).encode(), **members})
    return told


def take(file: Path, to: Path, state_dir: Path | None, outbox: Path | None) -> list[str]:
    """Put what `export` wrote in its place: the configuration to `to`, the rest below its `state_dir`. `outbox`: the
    state folder of the old box. Nothing that is there is touched. What a person should know.

    Raises ConfigError, StorageError.
    """
    members = _read(file)
    about = _about(members, file)
    config = {
        name.removeprefix("config/"): text for name, text in members.items() if name.startswith("config/")
    }
    targets = {(to if name == MAIN else to.parent / name): text for name, text in config.items()}
    state_dir = state_dir or _state_dir(config, file)
    targets |= {
        state_dir / name.removeprefix("state/"): text
        for name, text in members.items()
        if name.startswith("state/")
    }
    carried = {n.removeprefix("outbox/"): text for n, text in members.items() if n.startswith("outbox/")}
    if outbox is not None:
        carried = dict(_outbox_of(outbox))
        if NAME not in carried:
            raise ConfigError("has no outbox.db", where=str(outbox), hint="the state folder of the old box")
    targets |= {state_dir / name: text for name, text in carried.items()}
    if there := [path for path in targets if os.path.lexists(path)]:
        raise ConfigError(
            "is there already, and nothing is touched", where=str(there[0]), hint="an empty box takes it"
        )
    if not carried and os.path.lexists(state_dir / NAME):
        raise ConfigError("has an outbox already", where=str(state_dir), hint="an empty box takes it")
    for path, text in targets.items():
        kept.replace(path, text) if path.is_relative_to(state_dir) else _placed(path, text)
    told = [f"{path} is written" for path in targets]
    if carried:
        left = look(state_dir) or Left({}, 0)
        return [*told, f"the outbox is carried over: {left.waiting} frames wait and are sent"]
    return told + list(_not_carried(about))


def _learned(plant: Plant) -> Iterator[tuple[str, bytes]]:
    """What drivers keep below the state folder, by its path there. Raises StorageError."""
    for driver_id in sorted({link.driver_id for link in plant.connections}):
        folder = plant.gateway.state_dir / driver_id
        for path in sorted(folder.glob("*")) if folder.is_dir() else []:
            if (
                path.suffix in (".json", ".pem")
                and (content := kept.read(path, "what the driver learned")) is not None
            ):
                yield f"{driver_id}/{path.name}", content


def _outbox_of(folder: Path) -> Iterator[tuple[str, bytes]]:
    for name in _PARTS:
        if (content := kept.read(folder / name, "the outbox")) is not None:
            yield name, content


def _read(file: Path) -> dict[str, bytes]:
    """Its members. Raises ConfigError for what is no such file: nothing of it is unpacked then."""
    found: dict[str, bytes] = {}
    room = _MOST_BYTES
    try:
        with tarfile.open(file, mode="r:gz") as tar:
            for entry in tar:
                path = PurePosixPath(entry.name)
                room -= entry.size
                if not entry.isreg() or path.is_absolute() or ".." in path.parts or room < 0:
                    raise ConfigError("no file of `ganpo export`", where=f"{file}: {entry.name[:100]}")
                member = tar.extractfile(entry)
                found[entry.name] = member.read() if member is not None else b""
    except (tarfile.TarError, EOFError, OSError) as error:
        if isinstance(error, OSError) and error.strerror:  # gzip says by one without that it is no gzip
            raise not_read(file, error) from error
        raise ConfigError(
            "no file of `ganpo export`, or not whole", where=str(file), hint="copy it once more"
        ) from error
    return found


def _about(members: Mapping[str, bytes], file: Path) -> dict[str, Any]:
    try:
        about = dict(json.loads(members["about.json"]))
        form = int(about["format"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError("no file of `ganpo export`", where=str(file)) from error
    if form > _FORMAT or f"config/{MAIN}" not in members:
        hint = f"install ganpo {about.get('version', '')} or newer here first".replace("  ", " ")
        raise ConfigError(
            f"written by a newer version (format {form}; this one knows {_FORMAT})",
            where=str(file),
            hint=hint,
        )
    return about


def _state_dir(config: Mapping[str, bytes], file: Path) -> Path:
    import tomllib

    try:
        return Path(tomllib.loads(config[MAIN].decode("utf-8-sig"))["gateway"]["state_dir"])
    except (ValueError, KeyError, TypeError) as error:
        raise ConfigError(
            "its configuration names no state_dir",
            where=str(file),
            hint="GANPO_GATEWAY__STATE_DIR=FOLDER in the environment",
        ) from error


def _placed(path: Path, text: bytes) -> None:
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("xb") as made:
            made.write(text)
    except OSError as error:
        raise StorageError(f"cannot be written: {error.strerror}", where=str(path), hint="as root") from error


def _not_carried(about: Mapping[str, Any]) -> Iterator[str]:
    """Which numbers may be missing at the collector."""
    given = about.get("issued") or {}
    if not given:
        return
    waiting = about.get("waiting")
    amount = "frames that waited" if waiting is None else f"{waiting} frames that waited"
    yield (
        f"the outbox of the old box is not carried over: {amount} on {about.get('at')} are missing unless they were "
        "sent since; the gateway's page at the collector shows how many are missing"
    )
    for stream, last in sorted(given.items()):
        yield f"  stream {stream}: numbers up to {last} were given"
    yield "where its disk can still be read: `ganpo import FILE --outbox FOLDER`, FOLDER its state folder"
