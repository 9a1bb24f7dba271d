"""Every error Ganpo raises, by what is done about it. One page: `docs/errors.md` has an entry per code."""

from typing import ClassVar


class GanpoError(Exception):
    """An error a person reads: what is wrong, where, and what to do.

    `what`: one sentence; `where`: file and key path, connection, topic or row; `hint`: the next step.
    `code` is stable and names the section of `docs/errors.md`.
    """

    code: ClassVar[str] = "ganpo"

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what, where, hint)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        text = f"{self.where}: {self.what}" if self.where else self.what
        return f"{text}; {self.hint}" if self.hint else text


class ConfigError(GanpoError):
    """What a person wrote is wrong: refuse this connection, or the start. `where` has file and key path."""

    code = "config"


class UnitError(GanpoError):
    """One failure domain (`Address.key`) of a connection: breaker and probes; the session goes on."""

    code = "unit"


class UnitSilent(UnitError):
    """The unit did not answer in time, or nothing whole came from it."""

    code = "unit-silent"


class UnitBusy(UnitError):
    """The unit, or the gateway before it, answered that it cannot answer now (Modbus 04, 05, 06, 0A, 0B)."""

    code = "unit-busy"


class TransientError(GanpoError):
    """The session is of no use any more: close, back off, reopen."""

    code = "transient"


class Unreachable(TransientError):
    """No session could be opened."""

    code = "unreachable"


class ConnectionLost(TransientError):
    """An open session broke, or what came over it cannot be trusted."""

    code = "connection-lost"


class PermanentError(GanpoError):
    """Trying again soon will not help: park, say why, retry slowly, after `again_s`."""

    code = "permanent"
    again_s: ClassVar[float] = 600.0


class AccessRefused(PermanentError):
    """The other side knows us and says no: user, password, rights."""

    code = "access-refused"


class CertificateNotTrusted(PermanentError):
    """The certificate of the other side is not the trusted one, or not valid now; or it does not trust ours.

    A person mends it with one command, and stands there waiting.
    """

    code = "certificate-not-trusted"
    again_s = 30.0


class UnsupportedProtocol(PermanentError):
    """The other side does not speak this protocol, or not this part of it."""

    code = "unsupported-protocol"


class FrameError(GanpoError):
    """Bytes that claim to be a frame and are none. `reason` is the word the quarantine files it under."""

    code = "frame"

    def __init__(self, what: str, *, reason: str = "schema", where: str = "", hint: str = "") -> None:
        super().__init__(what, where=where, hint=hint)
        self.reason = reason


class StorageError(GanpoError):
    """A file or database cannot be used as it is: full, read-only, damaged, of a newer version."""

    code = "storage"


def unread(error: OSError) -> str:
    """What is said of a file that cannot be read, by every command: `no such file`, or why."""
    return "no such file" if isinstance(error, FileNotFoundError) else f"cannot be read: {error.strerror}"


def not_read(file: object, error: OSError) -> ConfigError:
    """That of a file which a person named to a command."""
    hint = "a name without its folder is looked for where you are"
    return ConfigError(unread(error), where=str(file), hint=hint)
