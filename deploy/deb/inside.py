"""What `trial.py` does inside the small Debian: Debian's own Python, and nothing of ours but the packages.

Installs, runs ExecStart of each unit as its user with what systemd would lay down, upgrades with a backlog in the
outbox, lets a collector take it, removes, purges. Every step says what it found; the first that is wrong ends it.
"""

import json
import os
import pwd
import shutil
import signal
import socket
import sqlite3
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

TRIAL = Path("/trial")
OUTBOX = Path("/var/lib/ganpo/outbox.db")
SECRETS = Path("/etc/ganpo/secrets")
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


def sh(*words: str, fails: bool = False) -> str:
    """A command that has to succeed, or to fail; what it said."""
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    said = done.stdout + done.stderr
    if (done.returncode != 0) is not fails:
        raise SystemExit(f"{' '.join(words)}: {done.returncode}\n{said}")
    return said


def install(step: str) -> None:
    files = [str(file) for file in sorted((TRIAL / step).glob("*.deb"))]
    began = time.monotonic()
    sh("dpkg", "--install", *files)
    told(f"dpkg --install {step}: {time.monotonic() - began:.1f} s; {sh('ganpo', '--version').strip()}")


@contextmanager
def started(unit: str, user: str) -> Iterator[subprocess.Popen[bytes]]:
    """ExecStart of a unit by hand: its user, its folders, its credentials; ready once it says so."""
    text = Path("/usr/lib/systemd/system", unit).read_text()
    (line,) = (line for line in text.splitlines() if line.startswith("ExecStart="))
    who = pwd.getpwnam(user)
    credentials, runtime = Path("/run/credentials", unit), Path("/run", user)
    shutil.rmtree(credentials, ignore_errors=True)
    credentials.mkdir(parents=True)
    for file in SECRETS.iterdir():
        shutil.copy(file, credentials / f"secrets_{file.name}")
    runtime.mkdir(exist_ok=True, mode=0o750)
    for path in (credentials, *credentials.iterdir(), runtime):
        os.chown(path, who.pw_uid, who.pw_gid)
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        notify = Path("/run/notify")
        notify.unlink(missing_ok=True)
        heard.bind(str(notify))
        notify.chmod(0o777)
        heard.settimeout(60)
        env = {
            "PATH": os.environ["PATH"],
            "CREDENTIALS_DIRECTORY": str(credentials),
            "RUNTIME_DIRECTORY": str(runtime),
            "STATE_DIRECTORY": f"/var/lib/{user}",
            "NOTIFY_SOCKET": str(notify),
        }
        drop = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", "--no-new-privs"]
        process = subprocess.Popen([*drop, *line.removeprefix("ExecStart=").split()], env=env)
        try:
            while b"READY=1" not in heard.recv(4096):
                pass
            told(f"{unit}: ready, as {user}")
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            if process.wait(15) != 0:
                raise SystemExit(f"{unit} ended with {process.returncode}")


def frames(where: str = "1") -> list[tuple[object, ...]]:
    with sqlite3.connect(f"file:{OUTBOX}?mode=ro", uri=True) as db:
        return db.execute(f"SELECT stream, seq FROM frame WHERE {where} ORDER BY 1, 2").fetchall()


def until(what: str, holds: Callable[[], bool], seconds: float = 60) -> None:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            raise SystemExit(f"not within {seconds:g} s: {what}")
        time.sleep(0.2)
    told(what)


def configured() -> None:
    Path("/etc/ganpo/agent.toml").write_text(AGENT)
    Path("/etc/ganpo/cloud.toml").write_text(CLOUD)
    (SECRETS / "mqtt_password").write_text("hush\n")
    (SECRETS / "mqtt_password").chmod(0o600)
    last = sh("ganpo", "check").splitlines()[-1]
    told(f"ganpo check: {last}")


def meter(listening: socket.socket) -> None:
    """A meter on Modbus TCP, one session after the other: each of its registers says 1."""
    while True:
        session, _ = listening.accept()
        with session, session.makefile("rb") as asked:
            while len(head := asked.read(12)) == 12:
                count = int.from_bytes(head[10:12], "big")
                body = bytes([head[6], head[7], 2 * count]) + b"\0\1" * count
                session.sendall(head[:4] + len(body).to_bytes(2, "big") + body)


def looked_at() -> None:
    """Path, users, byte code, units."""
    programs = [
        line
        for name in ("ganpo", "ganpo-cloud")
        for line in sh("dpkg", "-L", name).split()
        if "/bin/" in line
    ]
    on_path = [line for line in programs if line.startswith("/usr/bin/")]
    told(f"on the path: {' '.join(on_path)}")
    if on_path != ["/usr/bin/ganpo", "/usr/bin/ganpo-cloud"]:
        raise SystemExit("other programs are on the path")
    told(sh("id", "ganpo").strip())
    if "dialout" not in sh("id", "ganpo"):
        raise SystemExit("ganpo may not open serial ports")
    if not list(Path("/usr/lib/ganpo").rglob("*.pyc")):
        raise SystemExit("nothing was compiled")
    for unit in ("ganpo-agent.service", "ganpo-cloud.service"):
        said = sh("systemd-analyze", "verify", "--man=no", f"/usr/lib/systemd/system/{unit}")
        if said:
            raise SystemExit(said)
        told(f"systemd-analyze verify {unit}: nothing to say")
    sh("ganpo", "service", "install")
    said = sh("ganpo", "service", "status", fails=True)
    if "enabled" not in said:
        raise SystemExit(said)
    told("ganpo service install: enabled, by the unit of the package")


def main() -> None:
    listening = socket.create_server(("127.0.0.1", 5020))
    threading.Thread(target=meter, args=(listening,), daemon=True).start()
    install("before")
    configured()
    looked_at()
    with started("ganpo-agent.service", "ganpo") as agent:
        until("frames wait in the outbox, no broker is there", lambda: OUTBOX.exists() and len(frames()) >= 3)
        asked = subprocess.run(["ganpo", "status", "--json"], capture_output=True, text=True, check=False)
        if json.loads(asked.stdout)["gateway"] != "gw-deb-0001":
            raise SystemExit(asked.stdout + asked.stderr)
        told(f"ganpo status by its socket: {sh('stat', '-c', '%A %U %G', '/run/ganpo/agent.sock').strip()}")
        agent.send_signal(signal.SIGHUP)  # ExecReload
        time.sleep(2)
        if agent.poll() is not None:
            raise SystemExit("a reload ended it")
        told("reloaded")
    backlog = frames()
    told(f"stopped with a backlog of {len(backlog)} frames")

    install("after")
    if Path("/etc/ganpo/agent.toml").read_text() != AGENT or frames() != backlog:
        raise SystemExit("the upgrade touched configuration or data")
    told("the upgrade kept configuration and backlog")
    (TRIAL / "mosquitto.conf").write_text("listener 1883 127.0.0.1\nallow_anonymous true\n")
    broker = subprocess.Popen(["mosquitto", "-c", str(TRIAL / "mosquitto.conf")], stderr=subprocess.DEVNULL)
    with started("ganpo-cloud.service", "ganpo-cloud"), started("ganpo-agent.service", "ganpo"):
        sh(
            "ganpo-cloud",
            "gateway",
            "add",
            "gw-deb-0001",
            "--enterprise",
            "91360000625912173B",
            "--site",
            "plant-1",
        )
        held = set(backlog)
        until(
            "the collector has the whole backlog, over the upgrade",
            lambda: held.isdisjoint(frames("acked_at IS NULL")),
        )
    broker.terminate()
    broker.wait(10)

    sh("dpkg", "--remove", "ganpo")
    if Path("/usr/lib/ganpo").exists() or Path("/usr/bin/ganpo").exists():
        raise SystemExit("programs stayed behind")
    if not OUTBOX.exists() or Path("/etc/ganpo/agent.toml").read_text() != AGENT:
        raise SystemExit("data or configuration went")
    told("dpkg --remove: programs gone, data and configuration kept")
    sh("dpkg", "--purge", "ganpo")
    if OUTBOX.exists() or not Path("/etc/ganpo/cloud.toml").exists():
        raise SystemExit("purge: data stayed, or the collector's configuration went")
    sh("dpkg", "--purge", "ganpo-cloud")
    left = [
        path for path in ("/etc/ganpo", "/var/lib/ganpo-cloud", "/usr/lib/ganpo-cloud") if Path(path).exists()
    ]
    if left:
        raise SystemExit(f"purge left {left}")
    told("dpkg --purge: nothing is left")


if __name__ == "__main__":
    BEGAN = time.monotonic()
    main()
