"""A real OPC UA server that shares nothing with asyncua: node-opcua, from `tests/support/node`, in a child process.

Installed by `make node` (with npm, by the lock file, without scripts). As `OpcUaServer` in manner.
"""

import json
import os
import shutil
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from cryptography import x509
from cryptography.hazmat.primitives import serialization

from ganpo_demo.loopback import free_port

FOLDER = Path(__file__).with_name("node")


class NodeServer:
    """Started by the constructor (some seconds), ended by `stop` or `with`.

    `folder`: of its own, for certificates it trusts. `identity`: PEM file with its certificate and key. `secured`:
    endpoints as settings spell them; all combinations of the policies and modes among them are offered. `trusts`,
    `user_certificates`: DER files of clients and users it takes; None takes all. `channel_s`: the most it grants a
    channel. `clock_off_s`: how far its clock is off.
    """

    def __init__(
        self,
        folder: Path,
        identity: Path,
        *,
        values: Mapping[str, float] | None = None,
        secured: Sequence[str] = (),
        security_none: bool = True,
        anonymous: bool = True,
        users: Mapping[str, str] | None = None,
        trusts: Sequence[Path] | None = None,
        user_certificates: Sequence[Path] | None = None,
        max_sessions: int = 10,
        channel_s: float = 600,
        clock_off_s: float = 0,
        hostname: str = "127.0.0.1",
    ) -> None:
        self.port = free_port()
        self.url = f"opc.tcp://127.0.0.1:{self.port}"
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.options: dict[str, Any] = {
            "port": self.port,
            "folder": str(folder),
            "values": dict(values or {}),
            "secured": list(secured),
            "security_none": security_none,
            "anonymous": anonymous,
            "users": dict(users or {}),
            "trusts": None if trusts is None else list(map(str, trusts)),
            "user_certificates": None if user_certificates is None else list(map(str, user_certificates)),
            "max_sessions": max_sessions,
            "channel_s": channel_s,
            "clock_off_s": clock_off_s,
            "hostname": hostname,
        }
        self._process: subprocess.Popen[str] | None = None
        self.start(identity)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    def start(self, identity: Path) -> None:
        """Start (again) on the same port with this certificate; returns when clients may come."""
        assert self._process is None, "already started"
        node = shutil.which("node")
        assert node is not None, "node is not here: make test installs it on a Debian"
        assert (FOLDER / "node_modules").is_dir(), "node-opcua is not here: make node"
        pem = identity.read_bytes()
        certificate = x509.load_pem_x509_certificate(pem).public_bytes(serialization.Encoding.PEM)
        key = serialization.load_pem_private_key(pem, None).private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for name, content in (("certificate", certificate), ("key", key)):
            file = self.folder / f"{name}.pem"
            file.write_bytes(content)
            self.options[name] = str(file)
        with (self.folder / "stderr").open("a") as said:
            self._process = subprocess.Popen(
                [node, str(FOLDER / "opcua_server.js"), json.dumps(self.options)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=said,
                text=True,
                env=os.environ | {"HOME": str(self.folder)},
            )
        self._answer()

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process is not None, "stopped"
        return self._process.pid

    def ask(self, do: str, **command: Any) -> Any:
        """What the process answers: `sessions` now, `sessions_ever`, `set` name value."""
        assert self._process is not None, "stopped"
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do} | command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def freeze(self) -> None:
        """SIGSTOP: a PLC that hangs."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End without a word (SIGKILL)."""
        if self._process is not None:
            self._process.kill()
            self._end(self._process)

    def stop(self) -> None:
        """End orderly; safe twice and when frozen."""
        if self._process is None:
            return
        self.thaw()
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            self._process.wait(5)
        except subprocess.TimeoutExpired:
            self._process.kill()
        self._end(self._process)

    def _end(self, process: subprocess.Popen[str]) -> None:
        process.wait()
        assert process.stdin is not None
        assert process.stdout is not None
        process.stdin.close()
        process.stdout.close()
        self._process = None

    def _answer(self) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        for line in self._process.stdout:
            if line.startswith("{"):  # node-opcua prints words of its own
                answer = json.loads(line)
                if "error" in answer:
                    raise RuntimeError(answer["error"])
                return answer["ok"]
        raise RuntimeError(f"node-opcua ended; see {self.folder / 'stderr'}")
