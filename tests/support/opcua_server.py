"""A real OPC UA server (asyncua) in a child process, its nodes set and broken over a pipe.

    with OpcUaServer(machines=["VMC850-1"], values={"Execution": "READY"}) as server:
        server.set("VMC850-1.ChannelState", 0)
        server.set("Temp", 21.5, status="BadSensorFailure", source_time=datetime(2026, 1, 1, tzinfo=UTC))

Every variable has the node id `nsu=urn:ganpo:simulation;s=NAME` (`server.node(NAME)`); those of `values` lie
below Objects. A machine has the browse paths of OPC 40501-1 below Objects/Machines and the variables
`MACHINE.ChannelState`, `.ChannelMode`, `.OperationMode`, `.Alarm` and `.PartsTotal`.
"""

import json
import os
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from ganpo_demo.loopback import free_port
from support import writes

CHILD = Path(__file__).with_name("opcua_server_child.py")
SIMULATION = "urn:ganpo:simulation"
MACHINERY = "http://opcfoundation.org/UA/Machinery/"
MACHINE_TOOL = "http://opcfoundation.org/UA/MachineTool/"
NAMESPACES = {"m": MACHINERY, "mt": MACHINE_TOOL, "sim": SIMULATION}


class OpcUaServer:
    """Started by the constructor (about a second, mostly import), stopped by `stop` or `with`.

    `machines`: browse names below Objects/Machines. `values`: name to first value of plain variables.
    `users`: name to password; with any, nobody else may in. `leading_namespaces`: URIs registered first, so
    that all indexes shift. `limits`: OperationLimits by name (`MaxNodesPerRead`...), stated and enforced.
    `security_none=False`: no endpoint without security. `grants_s`: the most it grants a session.
    `secured`: further endpoints as settings spell them (`Basic256Sha256,Sign`), with the certificate and key of the
    PEM file `identity`. `trusts`: certificates (DER files) of the clients it takes; None takes all.
    `user_certificates`: PEM files of the users who may in. `ticking`: variables that count up every 5 ms.
    `clock_off_s`: how far the clock is off by which it dates its channels.
    """

    def __init__(
        self,
        *,
        machines: Sequence[str] = (),
        values: Mapping[str, Any] | None = None,
        users: Mapping[str, str] | None = None,
        leading_namespaces: Sequence[str] = (),
        limits: Mapping[str, int] | None = None,
        security_none: bool = True,
        grants_s: float = 600,
        secured: Sequence[str] = (),
        identity: Path | None = None,
        trusts: Sequence[Path] | None = None,
        user_certificates: Sequence[Path] = (),
        ticking: Sequence[str] = (),
        clock_off_s: float = 0,
        port: int | None = None,
    ) -> None:
        self.port = port or free_port()
        self.url = f"opc.tcp://127.0.0.1:{self.port}"
        self.options: dict[str, Any] = {
            "url": self.url,
            "machines": list(machines),
            "values": dict(values or {}),
            "users": dict(users or {}),
            "leading_namespaces": list(leading_namespaces),
            "limits": dict(limits or {}),
            "security_none": security_none,
            "grants_s": grants_s,
            "secured": list(secured),
            "identity": str(identity or ""),
            "trusts": None if trusts is None else list(map(str, trusts)),
            "user_certificates": list(map(str, user_certificates)),
            "ticking": list(ticking),
            "clock_off_s": clock_off_s,
        }
        self._process: subprocess.Popen[str] | None = None
        self.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stop()

    @staticmethod
    def node(name: str) -> str:
        """The node id of a variable as a point list writes it."""
        return f"nsu={SIMULATION};s={name}"

    @property
    def pid(self) -> int:
        """The process that serves."""
        assert self._process is not None, "stopped"
        return self._process.pid

    def start(self) -> None:
        """Start (again) on the same port with the first values; returns when clients may come."""
        assert self._process is None, "already started"
        self._process = subprocess.Popen(
            [sys.executable, str(CHILD), json.dumps(self.options)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            # without byte code asyncua compiles its address space at every start, for seconds
            env=writes.environment(),
        )
        self._answer()

    def set(
        self,
        name: str,
        value: Any,
        *,
        kind: str | None = None,
        status: str = "Good",
        source_time: datetime | None = None,
    ) -> None:
        """Give a variable a value, made below Objects if there is none of the name.

        `kind`: a built-in OPC UA type by name; default the type it has, for a new one by the Python type (bool
        Boolean, int Int32, float Double, str String, list an array, None Null); `Structure` makes a structure, `Hollow`
        one that has a type and nothing else.
        `status`: by name. `source_time`: default now.
        """
        self._ask(
            do="set",
            name=name,
            value=value,
            kind=kind,
            status=status,
            time=(source_time or datetime.now(UTC)).isoformat(),
        )

    def delete(self, name: str) -> None:
        """Remove a variable."""
        self._ask(do="delete", name=name)

    def enforce(self, limit: str, most: int | None, *, drop: bool = False) -> None:
        """Answer BadTooManyOperations above a limit that is not stated, or `drop` the line; None ends it."""
        self._ask(do="enforce", name=limit, most=most, drop=drop)

    def sessions(self) -> list[float]:
        """The timeout in seconds of each session that is open."""
        return list(self._ask(do="sessions"))

    def sessions_ever(self) -> int:
        """How many sessions clients have made since the start."""
        return int(self._ask(do="sessions_ever"))

    def freeze(self) -> None:
        """Stop the process without closing anything (SIGSTOP): a PLC that hangs."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Let a frozen process go on."""
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End without a word (SIGKILL), also frozen; `start` brings it back."""
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

    def _ask(self, **command: Any) -> Any:
        assert self._process is not None, "stopped"
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps(command) + "\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> Any:
        assert self._process is not None
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise RuntimeError("the OPC UA server ended; see its stderr above")
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer["ok"]
