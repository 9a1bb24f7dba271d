"""The Unix socket of the running agent: who may open it may ask what only the plant's engineer should."""

import grp
import logging
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ganpo_agent.local.place import NAME, Gateway, path_of
from ganpo_model.errors import AccessRefused, ConfigError

log = logging.getLogger(__name__)

GROUP = "ganpo"
"""Its members may open it, where there is such a group."""
_LONGEST = 107
"""Bytes of a path that the kernel takes."""
_SETTING = "gateway.socket"


@contextmanager
def listening(gateway: Gateway) -> Iterator[socket.socket | None]:
    """The socket, of mode 660, which goes when this ends. One that a dead agent left is replaced. None where it cannot
    be at a place that nobody chose: devices are read without it, and the log says so.

    Raises ConfigError where another agent listens there; where it cannot be at the place that `gateway.socket` names.
    """
    path = path_of(gateway)
    try:
        sock = _bound(path)
    except ConfigError as error:
        if gateway.socket is not None or isinstance(error, _Taken):
            raise
        log.warning("commands cannot ask this agent: %s", error)
        yield None
        return
    mine = path.stat().st_ino
    try:
        yield sock
    finally:
        sock.close()
        with suppress(OSError):
            if path.stat().st_ino == mine:
                path.unlink()


class _Taken(ConfigError):
    """By another agent."""


def _bound(path: Path) -> socket.socket:
    where = f"{_SETTING} = {path}"
    if len(os.fsencode(path)) > _LONGEST:
        hint = f"{_SETTING} names a shorter one: /run/ganpo/{NAME}"
        raise ConfigError(f"a path of a socket has {_LONGEST} bytes at most", where=where, hint=hint)
    _make_room(path, where)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        # between bind and chmod nobody else may open it
        before = os.umask(0o177)
        try:
            sock.bind(str(path))
        finally:
            os.umask(before)
        with suppress(KeyError, OSError):
            os.chown(path, -1, grp.getgrnam(GROUP).gr_gid)
        path.chmod(0o660)
    except OSError as error:
        sock.close()
        hint = "a folder that this user may write; gateway.socket names another"
        raise ConfigError(f"cannot listen: {error.strerror}", where=where, hint=hint) from error
    return sock


def opened(path: Path) -> socket.socket | None:
    """A connection to the agent that listens there; None where none does. Raises AccessRefused."""
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(5.0)
    try:
        sock.connect(str(path))
    except PermissionError as error:
        sock.close()
        hint = f"`sudo`, or become a member of the group {GROUP} (sudo usermod -aG {GROUP} NAME) and log in again"
        raise AccessRefused("this user may not ask the running agent", where=str(path), hint=hint) from error
    except OSError:
        sock.close()
        return None
    return sock


def _make_room(path: Path, where: str) -> None:
    try:
        mode = path.lstat().st_mode
    except OSError:
        return  # nothing lies there, or `bind` says why it cannot be
    if not stat.S_ISSOCK(mode):
        raise ConfigError("something lies there that is no socket", where=where, hint="move it away")
    try:
        other = opened(path)
    except AccessRefused as error:
        raise ConfigError(
            "the socket of another user lies there", where=where, hint="stop what uses it"
        ) from error
    if other is not None:
        other.close()
        hint = "stop that one, or give this gateway a socket of its own"
        raise _Taken("another agent listens there", where=where, hint=hint)
    with suppress(OSError):
        path.unlink()
