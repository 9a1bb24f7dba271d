"""A small machine out of a folder: systemd as process 1 in namespaces of its own, no network but loopback.

What the kernel of this machine shares out (settings, devices, other groups of processes) is out of its reach
or read-only. As root.
"""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

CLEAN = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}
UNWANTED = ("getty.target", "console-getty.service", "apt-daily.timer", "apt-daily-upgrade.timer")
_BOOT = """\
root=$1; shift
mount --make-rprivate /
mount --bind $root $root
ip link set lo up
for address; do ip address add $address dev lo; done
cd $root
mount -t proc proc proc
mount --bind proc/sys proc/sys
mount -o remount,bind,ro proc/sys
mount -t sysfs -o ro sysfs sys
mount -t cgroup2 cgroup2 sys/fs/cgroup
mount -t tmpfs tmpfs run
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=1777 tmpfs dev/shm
mount -t devpts -o newinstance,ptmxmode=0666 devpts dev/pts
mount --bind dev/pts/ptmx dev/ptmx
mkdir -p .old
pivot_root . .old
exec chroot . /bin/sh -euc "$0" /lib/systemd/systemd --system --log-target=console
"""
_SETTLE = """\
umount -l /.old
mount --make-rshared /
exec "$0" "$@"
"""
"""What systemd mounts for a unit, its credentials above all, has to be seen by what it starts next."""
_JOIN = """\
echo $$ >$0
exec unshare --net --mount --pid --uts --ipc --cgroup --fork --kill-child sh -euc "$@"
"""


@dataclass(frozen=True, slots=True)
class Machine:
    """One that runs. `init`: its process 1, as this machine counts."""

    init: int

    def run(self, *words: str) -> int:
        """A command in there, by root; what it ended with."""
        return subprocess.run(self._inside(words), env=CLEAN, check=False).returncode

    def said(self, *words: str) -> str:
        """What a command in there printed."""
        inside = self._inside(words)
        return subprocess.run(inside, env=CLEAN, capture_output=True, text=True, check=False).stdout.strip()

    def _inside(self, words: tuple[str, ...]) -> list[str]:
        return ["nsenter", "--target", str(self.init), "--all", "--", *words]


@contextmanager
def booted(root: Path, name: str, addresses: tuple[str, ...] = ()) -> Iterator[Machine]:
    """It runs until the end, which is a power cut. `addresses`: what its loopback answers to beside 127.0.0.1.

    Raises SystemExit where systemd cannot be run.
    """
    (root / "etc/hostname").write_text(f"{name}\n")
    for unit in UNWANTED:
        mask = root / "etc/systemd/system" / unit
        if not mask.is_symlink():
            mask.symlink_to("/dev/null")
    group, log = _group(), root.with_suffix(".boot.log")
    with log.open("w") as told:
        process = subprocess.Popen(
            ["sh", "-euc", _JOIN, f"{group}/cgroup.procs", _BOOT, _SETTLE, str(root), *addresses],
            env={**CLEAN, "container": "ganpo-trial"},
            stdin=subprocess.DEVNULL,
            stdout=told,
            stderr=subprocess.STDOUT,
        )
    try:
        yield _ready(process, log)
    finally:
        process.kill()
        process.wait()
        _removed(group)


def _ready(process: subprocess.Popen[bytes], log: Path) -> Machine:
    began = time.monotonic()
    while process.poll() is None and time.monotonic() < began + 60:
        time.sleep(0.2)
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()
        if not children or Path(f"/proc/{children[0]}/comm").read_text() != "systemd\n":
            continue
        machine = Machine(int(children[0]))
        if (state := machine.said("systemctl", "is-system-running", "--wait")) == "running":
            print(f"systemd is process 1: up in {time.monotonic() - began:.1f} s", flush=True)
            return machine
        if state == "degraded":
            sys.exit(f"deb-test: {machine.said('systemctl', '--failed', '--no-legend')}")
    sys.exit(f"deb-test: systemd cannot be run here\n{log.read_text()}")


def _group() -> Path:
    """Of its own among the groups of processes. Raises SystemExit."""
    mounted = [line.split() for line in Path("/proc/mounts").read_text().splitlines()]
    found = next((Path(words[1]) for words in mounted if words[2] == "cgroup2"), None)
    if found is None:
        sys.exit("deb-test: systemd cannot be run here: no cgroup2 is mounted")
    group = found / f"ganpo-trial-{os.getpid()}"
    try:
        group.mkdir()
    except OSError as error:
        sys.exit(f"deb-test: systemd cannot be run here: {error}")
    return group


def _removed(group: Path) -> None:
    """Its processes are gone with process 1, or go at any moment."""
    deadline = time.monotonic() + 30
    while "populated 1" in (group / "cgroup.events").read_text():
        if time.monotonic() > deadline:
            sys.exit(f"deb-test: processes stay in {group}")
        time.sleep(0.1)
    for folder in sorted((path for path in group.rglob("*") if path.is_dir()), reverse=True):
        folder.rmdir()
    group.rmdir()
