"""Try the packages where they belong: `python -m deploy.deb.trial`, as root, in a small Debian 12 of its own.

Two versions are built; `inside.py` installs, runs, upgrades and removes them there. The root comes from mirrors that
apt has here, once (`build/deb/root.tar`); in it there is no network but loopback.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.packing import ROOT, project

CODENAME = "bookworm"
INCLUDE = "python3,systemd,mosquitto"


def mirrors() -> list[str]:
    """The lines of sources.list for Debian 12 that apt works with here. Raises SystemExit."""
    words = ["apt-get", "indextargets", "--format", "$(REPO_URI) $(RELEASE) $(COMPONENT)"]
    words += ["Identifier: Packages", "Origin: Debian"]
    said = subprocess.run(words, capture_output=True, text=True, check=True).stdout
    lines = sorted({f"deb {line}" for line in said.splitlines() if line.split()[1].startswith(CODENAME)})
    if not lines:
        sys.exit(f"deb-test: apt has no mirror of Debian {CODENAME} here (apt-get update?)")
    return lines


def root_tar() -> Path:
    """The small Debian, made once."""
    file = ROOT / "build" / "deb" / "root.tar"
    if not file.exists():
        file.parent.mkdir(parents=True, exist_ok=True)
        making = file.with_suffix(".part.tar")
        words = ["mmdebstrap", "--variant=minbase", f"--include={INCLUDE}", CODENAME, str(making), *mirrors()]
        subprocess.run(words, check=True)
        making.rename(file)
    return file


def main() -> None:
    """Ends with what `inside.py` ends with."""
    if os.geteuid() != 0:
        sys.exit("deb-test: only root can make a root")
    debian = root_tar()
    with tempfile.TemporaryDirectory(prefix="ganpo-root-") as name:
        root, there = Path(name, "root"), Path(name, "root/trial")
        root.mkdir()
        subprocess.run(["tar", "-xf", str(debian), "-C", str(root)], check=True)
        for step, version in (("before", project()["version"]), ("after", f"{project()['version']}+1")):
            words = ["-m", "deploy.deb.build", "--version", version, "--compress", "none"]
            subprocess.run([sys.executable, *words, "--to", str(there / step)], cwd=ROOT, check=True)
        shutil.copy(Path(__file__).with_name("inside.py"), there)
        alone = ["unshare", "--net", "--mount", "--pid", "--fork", "--kill-child", "sh", "-euc"]
        inside = (
            f"ip link set lo up; mount -t proc proc {root}/proc; mount -t tmpfs tmpfs {root}/run; "
            f"mount -t tmpfs tmpfs {root}/dev/shm || true; exec chroot {root} /usr/bin/python3 -u /trial/inside.py"
        )
        clean = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8", "HOME": "/root"}
        sys.exit(subprocess.run([*alone, inside], env=clean, check=False).returncode)


if __name__ == "__main__":
    main()
