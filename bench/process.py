"""CPU of `ganpo run` with a collector, values at 1 s, beside Telegraf in the same run: the whole process.

Half of the values are energy registers, half the power by which as many machines are known: it is another one at every
poll, and over Modbus each second one machine of 500 begins or ends to produce. Both processes read one server and
publish to one Mosquitto at QoS 1; the collector acknowledges. Telegraf sends every value of every second.
"""

import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import opcua
import peers
from measure import Figure, ratio
from modbus_server import serving
from support.broker import Mosquitto
from support.collecting import PlayedCollector

_REGISTERS = """
def power(n, now):
    return (n + int(now / 20)) % 50 / 10 + (n + int(now * 7)) % 10 / 1000
def registers(_first):
    now = time.time()
    values = [v for n in range(500) for v in (100000 + int(now / 9) % 10000 + n, power(n, now))]
    return struct.pack(">" + "If" * 500, *values)
"""


def run(*, short: bool) -> Iterator[str]:
    """Lines to print."""
    settle_s, window_s, windows = (4.0, 3.0, 1) if short else (40.0, 20.0, 6)
    sides = ((_modbus, 1000, "<= 0.8"), (_modbus, 50, "<= 2.0"), (_opcua, 1000, "<= 0.7"))
    for device_of, values, goal in sides:
        with device_of(values) as device:
            ours, theirs = _compare(device, values, settle_s, window_s, windows)
        yield str(Figure(f"ganpo run, {values:,} {device.kind} values at 1 s", ours, "ms CPU/s"))
        if theirs:
            yield str(Figure(f"Telegraf, {values:,} {device.kind} values at 1 s", theirs, "ms CPU/s"))
            yield ratio("ganpo / Telegraf", ours, theirs, goal)
        else:
            yield peers.MISSING


@dataclass(frozen=True, slots=True)
class Device:
    """What both read: the lines of our connection, the columns of its n-th value, the lines of Telegraf's input."""

    kind: str
    connection: list[str]
    point: Callable[[int], list[str]]
    inputs: list[str]


def _compare(
    device: Device, values: int, settle_s: float, window_s: float, windows: int
) -> tuple[list[float], list[float]]:
    """Of each side, ms of CPU per second, window by window."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        broker = stack.enter_context(Mosquitto(folder))
        collector = PlayedCollector(broker.port)
        stack.callback(collector.stop)
        sides = {"ours": stack.enter_context(_ganpo(folder, broker.url, device, values))}
        if peers.TELEGRAF.exists():
            sides["theirs"] = stack.enter_context(
                peers.telegraf(folder, device.inputs, broker.url.replace("mqtt", "tcp"))
            )
        found: dict[str, list[float]] = {"ours": [], "theirs": []}
        time.sleep(settle_s)
        for _ in range(windows):
            before, began = {name: peers.cpu_s(pid) for name, pid in sides.items()}, time.monotonic()
            time.sleep(window_s)
            for name, pid in sides.items():
                spent = peers.cpu_s(pid) - before[name]
                found[name].append(spent / (time.monotonic() - began) * 1000)
        read = {fact["register"] for fact in collector.facts("reading")}
        assert len(read) == values // 2, f"readings of {len(read)} registers came, not of {values // 2}"
    return found["ours"], found["theirs"]


@contextmanager
def _modbus(values: int) -> Iterator[Device]:
    with serving(_REGISTERS) as port:
        url = f"tcp://127.0.0.1:{port}"
        yield Device(
            "Modbus",
            ['driver = "modbus"', f'url = "{url}"', 'addressing = "0-based"'],
            lambda n: [f'address = "1:holding:{2 * n}"', f'type = "{("uint32", "float32")[n % 2]}"'],
            _modbus_inputs(url, values),
        )


@contextmanager
def _opcua(values: int) -> Iterator[Device]:
    with opcua.serving() as server:
        yield Device(
            "OPC UA",
            ['driver = "opcua"', f'url = "{server.url}"', 'security = "None"', "allow_insecure = true"],
            lambda n: [f'address = "nsu={opcua.URI};s=r{n}"'],
            _opcua_inputs(server.url, values),
        )


@contextmanager
def _ganpo(folder: Path, broker: str, device: Device, values: int) -> Iterator[int]:
    lines = [
        "format = 1",
        "[gateway]",
        'id = "gw-bench-0001"',
        f'state_dir = "{folder / "state"}"',
        'http = "127.0.0.1:0"',
        "[uplink]",
        f'broker = "{broker}"',
        "[site]",
        'id = "plant-1"',
        'name = "Bench"',
        'timezone = "Asia/Shanghai"',
        "[connections.bus]",
        *device.connection,
    ]
    for n in range(values // 2):
        lines += [
            "[[meters]]",
            f'asset_no = "M-{n}"',
            f'name = "Meter {n}"',
            'carrier = "electricity"',
            'role = "sub"',
            "[[equipment]]",
            f'asset_no = "E-{n}"',
            f'name = "Machine {n}"',
            'profile = "machine_by_power"',
            f'parameters = "meter=M-{n} idle_kw=0.4 run_kw=3.0"',
            'flags = "main"',
        ]
        more: list[str]
        for signal, value, more in (
            ("energy_import", 2 * n, ['scale = "0.01"', 'max_rate = "800"']),
            ("power", 2 * n + 1, []),
        ):
            lines += [
                "[[points]]",
                f'asset_no = "M-{n}"',
                f'signal = "{signal}"',
                'connection = "bus"',
                'interval_s = "1"',
                *device.point(value),
                *more,
            ]
    config = folder / "agent.toml"
    config.write_text("\n".join(lines), encoding="utf-8")
    command = [str(Path(sys.executable).parent / "ganpo"), "run", "--config", str(config)]
    with (folder / "ganpo.log").open("wb") as log, subprocess.Popen(command, stderr=log) as process:
        try:
            yield process.pid
        finally:
            process.terminate()


def _modbus_inputs(url: str, values: int) -> list[str]:
    fields = ", ".join(
        f'{{ address = {2 * n}, name = "f{n}", type = "{("UINT32", "FLOAT32")[n % 2]}" }}'
        for n in range(values)
    )
    return [
        "[[inputs.modbus]]",
        'name = "bench"',
        'timeout = "1s"',
        f'controller = "{url}"',
        'configuration_type = "request"',
        "[[inputs.modbus.request]]",
        "slave_id = 1",
        'byte_order = "ABCD"',
        'register = "holding"',
        f"fields = [{fields}]",
    ]


def _opcua_inputs(url: str, values: int) -> list[str]:
    nodes = ", ".join(
        f'{{ name = "f{n}", namespace = "2", identifier_type = "s", identifier = "r{n}" }}'
        for n in range(values)
    )
    return [
        "[[inputs.opcua]]",
        'name = "bench"',
        f'endpoint = "{url}"',
        'security_policy = "None"',
        'security_mode = "None"',
        'auth_method = "Anonymous"',
        f"nodes = [{nodes}]",
    ]
