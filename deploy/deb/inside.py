"""What `trial.py` does inside the small Debian: Debian's own Python, and nothing of ours but the packages.

`python3 -m deploy.deb.inside PART`, in the trial's folder, runs a function of `PARTS`. Every step says what it found;
the first that is wrong ends it.
"""

import json
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from deploy.deb import shells

TRIAL = Path("/trial")
OUTBOX = Path("/var/lib/ganpo/outbox.db")
ETC = Path("/etc/ganpo")
AGENT_UNIT, CLOUD_UNIT = "ganpo-agent.service", "ganpo-cloud.service"
WATCHDOG_S = 6
DROP_IN = f"""\
[Service]
WatchdogSec={WATCHDOG_S}
Environment=GANPO_SITE__SLOT=2s GANPO_UPLINK__LIVE_S=1
"""
"""Nobody waits a minute, nor a quarter of an hour."""
AGENT = """\
format = 1
[gateway]
id = "gw-deb-0001"
state_dir = "/var/lib/ganpo"
[uplink]
broker = "mqtt://127.0.0.1:1883"
password_file = "mqtt_password"
[site]
id = "plant-1"
name = "Plant"
timezone = "Asia/Shanghai"
slot = "1s"
[connections.bus]
driver = "modbus"
url = "tcp://127.0.0.1:5020"
addressing = "0-based"
[[meters]]
asset_no = "DB-0101"
name = "Meter"
carrier = "electricity"
role = "boundary_in"
profile = "power_meter_3p_modbus"
connection = "bus"
parameters = "unit=1"
ct = "400/5"
reads = "secondary"
since = "2025-03-01"
"""
CLOUD = """\
format = 1
[broker]
url = "mqtt://127.0.0.1:1883"
user = "ganpo-collector"
password_file = "mqtt_password"
[database]
url = "sqlite:////var/lib/ganpo-cloud/cloud.db"
[http]
listen = "127.0.0.1:8700"
"""


def told(what: str) -> None:
    print(f"{time.monotonic() - BEGAN:6.1f} s  {what}", flush=True)


def sh(*words: str) -> str:
    """A command that has to succeed; what it said."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(words)}: {done.returncode}\n{said}")
    return said


def until(what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds:g} s: {what}")
        time.sleep(0.2)
    told(what)


def install(step: str) -> None:
    files = [str(file) for file in sorted((TRIAL / step).glob("*.deb"))]
    began = time.monotonic()
    sh("dpkg", "--install", *files)
    version = sh("dpkg-query", "-W", "-f", "${Version}", "ganpo")
    told(
        f"dpkg --install: {version}, in {time.monotonic() - began:.1f} s; {sh('ganpo', '--version').strip()}"
    )


def of(unit: str, what: str) -> str:
    """What systemd has of a unit."""
    return sh("systemctl", "show", "--property", what, "--value", unit).strip()


def restarted(unit: str, what: str, by: Callable[[], object]) -> None:
    """Do it, and wait for another process that is ready."""
    before, began = of(unit, "MainPID"), time.monotonic()
    by()
    until(
        f"{what}: another process",
        lambda: of(unit, "ActiveState") == "active" and of(unit, "MainPID") not in ("0", before),
    )
    told(f"    after {time.monotonic() - began:.1f} s; restarted by systemd: {of(unit, 'NRestarts')}")


def name_of_the_meter() -> str:
    asked = "curl --silent --unix-socket /run/ganpo/agent.sock http://localhost/api/v1/meters"
    found: str = json.loads(sh(*asked.split()))[0]["name"]
    return found


def afternoon() -> None:
    """The packages on a fresh machine, what they lay down, the engineer's afternoon, what systemd does for them."""
    install("now")
    _looked_at()
    for shell, typed, offered in shells.completed():
        told(f"{shell}: {typed}<Tab> {offered}")
    for unit in (AGENT_UNIT, CLOUD_UNIT):
        drop_in = Path("/etc/systemd/system", f"{unit}.d", "trial.conf")
        drop_in.parent.mkdir()
        drop_in.write_text(DROP_IN if unit == AGENT_UNIT else DROP_IN.partition("Environment")[0])
    python = ["/usr/lib/ganpo/bin/python3", "-u", "-m", "deploy.deb.afternoon"]
    subprocess.run(python, env={**ENVIRON, "PYTHONPATH": f"{TRIAL}:{TRIAL}/tests"}, check=True)
    told("the afternoon is over")

    config = ETC / "agent.toml"
    running = of(AGENT_UNIT, "MainPID")
    config.write_text(
        re.sub(r'^name = ".*"$', 'name = "of another name"', config.read_text(), flags=re.MULTILINE)
    )
    sh("systemctl", "reload", AGENT_UNIT)
    until("systemctl reload: the meter has its new name", lambda: name_of_the_meter() == "of another name")
    if of(AGENT_UNIT, "MainPID") != running:
        raise SystemExit("a reload ended it")
    for unit in (AGENT_UNIT, CLOUD_UNIT):
        kill = ("systemctl", "kill", "--kill-who=main", unit)
        restarted(unit, f"{unit}: kill -9", lambda kill=kill: sh(*kill, "--signal=KILL"))  # type: ignore[misc]
        restarted(unit, f"{unit}: stopped, the watchdog", lambda kill=kill: sh(*kill, "--signal=STOP"))  # type: ignore[misc]
        said = sh("systemd-analyze", "security", "--no-pager", unit).splitlines()[-1]
        told(re.sub(r"[^ -~]", "", said).strip())


def again() -> None:
    """After a power cut both run, by themselves. Purged, nothing is left."""
    for unit in (AGENT_UNIT, CLOUD_UNIT):
        if of(unit, "ActiveState") != "active":
            raise SystemExit(sh("systemctl", "status", "--no-pager", unit))
        told(f"{unit}: {of(unit, 'ActiveState')} after a power cut")
    sh("dpkg", "--purge", "ganpo", "ganpo-cloud")
    _nothing_left("ganpo", "ganpo-cloud")


def upgrade() -> None:
    """From an earlier commit, while both run and frames wait; then removal and purge."""
    listening = socket.create_server(("127.0.0.1", 5020))
    threading.Thread(target=_meter, args=(listening,), daemon=True).start()
    install("earlier")
    (ETC / "agent.toml").write_text(AGENT)
    (ETC / "cloud.toml").write_text(CLOUD)
    (ETC / "secrets/mqtt_password").write_text("hush\n")
    (ETC / "secrets/mqtt_password").chmod(0o600)
    told(f"ganpo check: {sh('ganpo', 'check').splitlines()[-1]}")
    sh("systemctl", "start", CLOUD_UNIT)
    sh("ganpo", "service", "install")
    enterprise = ("--enterprise", "91360000625912173B", "--site", "plant-1")
    sh("ganpo-cloud", "gateway", "add", "gw-deb-0001", *enterprise)
    until("the collector has frames", lambda: len(_frames("acked_at IS NOT NULL")) >= 1)
    sh("systemctl", "stop", "mosquitto")
    until("frames wait in the outbox, no broker is there", lambda: len(_frames("acked_at IS NULL")) >= 3)
    held = set(_frames("acked_at IS NULL"))
    processes = {unit: of(unit, "MainPID") for unit in (AGENT_UNIT, CLOUD_UNIT)}

    install("now")
    for unit, process in processes.items():
        if of(unit, "ActiveState") != "active" or of(unit, "MainPID") == process:
            raise SystemExit(f"{unit} does not run in the new version")
    if (ETC / "agent.toml").read_text() != AGENT or not held <= set(_frames()):
        raise SystemExit("the upgrade touched configuration or data")
    told(f"both run in the new version; configuration and a backlog of {len(held)} frames kept")
    sh("systemctl", "start", "mosquitto")
    until(
        "the collector has the whole backlog, over the upgrade",
        lambda: held.isdisjoint(_frames("acked_at IS NULL")),
    )

    sh("dpkg", "--remove", "ganpo")
    if Path("/usr/lib/ganpo").exists() or Path("/usr/bin/ganpo").exists():
        raise SystemExit("programs stayed behind")
    if of(AGENT_UNIT, "MainPID") != "0":
        raise SystemExit("the removed gateway runs on")
    if not OUTBOX.exists() or (ETC / "agent.toml").read_text() != AGENT:
        raise SystemExit("data or configuration went")
    told("dpkg --remove: ended, programs gone, data and configuration kept")
    sh("dpkg", "--purge", "ganpo")
    if OUTBOX.exists() or not (ETC / "cloud.toml").exists():
        raise SystemExit("purge: data stayed, or the collector's configuration went")
    sh("dpkg", "--purge", "ganpo-cloud")
    _nothing_left("ganpo", "ganpo-cloud")


def _looked_at() -> None:
    """Path, users, byte code, units."""
    on_path = []
    for name in ("ganpo", "ganpo-cloud"):
        on_path += [line for line in sh("dpkg", "-L", name).split() if line.startswith("/usr/bin/")]
        if not list(Path("/usr/lib", name).rglob("*.pyc")):
            raise SystemExit("nothing was compiled")
    told(f"on the path: {' '.join(on_path)}")
    if on_path != ["/usr/bin/ganpo", "/usr/bin/ganpo-cloud"]:
        raise SystemExit("other programs are on the path")
    told(sh("id", "ganpo").strip())
    if "dialout" not in sh("id", "ganpo"):
        raise SystemExit("ganpo may not open serial ports")
    for unit in (AGENT_UNIT, CLOUD_UNIT):
        said = sh("systemd-analyze", "verify", "--man=no", f"/usr/lib/systemd/system/{unit}")
        if said or of(unit, "ActiveState") != "inactive":
            raise SystemExit(f"{unit}: {said or 'it runs, and nobody asked for that'}")
        told(f"systemd-analyze verify {unit}: nothing to say; it does not run yet")


def _nothing_left(*names: str) -> None:
    places = [ETC, *(Path(above, name) for above in ("/var/lib", "/usr/lib", "/run") for name in names)]
    units = Path("/etc/systemd/system")
    left = [path for path in (*places, *units.glob("ganpo*"), *units.glob("*/ganpo*")) if path.exists()]
    left += [path for path in units.rglob("ganpo*") if path.is_symlink()]
    if left:
        raise SystemExit(f"purge left {left}")
    told("dpkg --purge: nothing is left")


def _frames(where: str = "1") -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{OUTBOX}?mode=ro", uri=True) as db:
        return db.execute(f"SELECT stream, seq FROM frame WHERE {where} ORDER BY 1, 2").fetchall()


def _meter(listening: socket.socket) -> None:
    """A meter on Modbus TCP, one session after the other: each of its registers says 1."""
    while True:
        session, _ = listening.accept()
        with session, session.makefile("rb") as asked:
            while len(head := asked.read(12)) == 12:
                count = int.from_bytes(head[10:12], "big")
                body = bytes([head[6], head[7], 2 * count]) + b"\0\1" * count
                session.sendall(head[:4] + len(body).to_bytes(2, "big") + body)


ENVIRON = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}
PARTS = {part.__name__: part for part in (afternoon, again, upgrade)}

if __name__ == "__main__":
    BEGAN = time.monotonic()
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    try:
        PARTS[sys.argv[1]]()
    except BaseException:
        subprocess.run(
            ["journalctl", "--no-pager", "-n", "60", "-u", "ganpo-*", "-u", "mosquitto"], check=False
        )
        raise
