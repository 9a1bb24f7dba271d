"""Where the running agent of a configuration listens, for commands.

`[gateway]` of the file is enough, read without what judges the rest: a command answers in a moment on a small box too,
and beside a file that is being mended.
"""

import os
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple, Protocol

from ganpo_model.errors import ConfigError, unread
from ganpo_model.facts import GATEWAY

NAME = "agent.sock"
_USUAL_FILE = "/etc/ganpo/agent.toml"
_SYSTEMD = Path("/run/ganpo")
_SECTION = re.compile(r"^\s*\[gateway\](.*?)(?=^\s*\[|\Z)", re.MULTILINE | re.DOTALL)
_TEXT = re.compile(r"""^\s*(id|state_dir|socket)\s*=\s*["']([^"'\n]+)["']""", re.MULTILINE)


class Gateway(Protocol):
    """What of `[gateway]` says where its agent listens."""

    @property
    def id(self) -> str:
        """Its id, by which it is asked."""

    @property
    def state_dir(self) -> Path:
        """Its folder."""

    @property
    def socket(self) -> Path | None:
        """Where a person wants the socket."""


class Place(NamedTuple):
    """A gateway as far as a command has to know it."""

    id: str
    state_dir: Path
    socket: Path | None


def gateway_of(config: Path | None, environ: Mapping[str, str] = os.environ) -> Place:
    """The gateway of a file, or of that of $GANPO_CONFIG, or of the usual one. Of a file that is no TOML what its
    `[gateway]` says all the same: its agent runs on, with the configuration of before. Raises ConfigError."""
    file = config or Path(environ.get("GANPO_CONFIG") or _USUAL_FILE)
    table: object
    try:
        content = file.read_bytes()
        table = tomllib.loads(content.decode("utf-8-sig")).get("gateway")
    except OSError as error:
        hint = "give one with --config or $GANPO_CONFIG"
        raise ConfigError(unread(error), where=str(file), hint=hint) from error
    except ValueError as error:
        section = _SECTION.search(content.decode("utf-8-sig", "replace"))
        table = dict(_TEXT.findall(section[1])) if section else {}
        if not {"id", "state_dir"} <= table.keys():
            raise ConfigError(f"not TOML: {error}", where=file.name) from error
    written = table if isinstance(table, dict) else {}
    found = {
        key: environ.get(f"GANPO_GATEWAY__{key.upper()}") or written.get(key)
        for key in ("id", "state_dir", "socket")
    }
    for key, value in found.items():
        if not isinstance(value, str) and (key != "socket" or value is not None):
            raise ConfigError(
                "is missing, or no text", where=f"{file.name}: gateway.{key}", hint="`ganpo check`"
            )
        if key == "id" and not re.fullmatch(GATEWAY, str(value)):
            raise ConfigError(
                f"is not like {GATEWAY}", where=f"{file.name}: gateway.{key}", hint="`ganpo check`"
            )
    socket = found["socket"]
    return Place(str(found["id"]), Path(str(found["state_dir"])), None if socket is None else Path(socket))


def path_of(gateway: Gateway, environ: Mapping[str, str] = os.environ) -> Path:
    """Where the agent listens."""
    if gateway.socket is not None:
        return gateway.socket
    # systemd gives several folders with colons between them
    folder = environ.get("RUNTIME_DIRECTORY", "").split(":")[0]
    return Path(folder or gateway.state_dir) / NAME


def paths_of(gateway: Gateway, environ: Mapping[str, str] = os.environ) -> list[Path]:
    """Where a command looks for it: the agent may have been started by systemd, or by hand."""
    found = [path_of(gateway, environ)]
    if gateway.socket is None:
        found += [path for path in (gateway.state_dir / NAME, _SYSTEMD / NAME) if path not in found]
    return found
