"""Try the packages where they belong: `python -m deploy.deb.trial`, as root, on a small Debian 12 with systemd running.

`machine.py` boots it, `inside.py` does the rest in there: the afternoon of docs/afternoon.md from the packages of the
present version, a power cut, and an upgrade from the commit named in `earlier`. The root comes from mirrors that apt
has here, once (`build/deb/root.tar`); in it there is no network but loopback.
"""

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from deploy.deb.machine import booted
from deploy.packing import ROOT, project

CODENAME = "bookworm"
INCLUDE = "python3,systemd,mosquitto,curl,zsh,bash-completion"
SOURCES = ("model", "service", "drivers", "config", "agent", "cloud", "demo")
VENDOR = "cloud/ganpo_cloud/web/static/vendor"
TAKEN = (
    *(f"deploy/deb/{script}.py" for script in ("inside", "shells", "afternoon")),
    *("tests/support/*.py", "tests/support/started/*.py", "tests/drivers/*.csv", "docs/afternoon.md"),
)
BROKER = "listener 1883\nallow_anonymous true\n"
MACHINE = ("cabinet", ("192.168.1.5", "192.168.1.9"))
"""Its name and the addresses of meter and broker, as docs/afternoon.md has them."""


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
    """The small Debian, made once for what it includes."""
    file = ROOT / "build" / "deb" / "root.tar"
    includes = file.with_suffix(".txt")
    if not file.exists() or not includes.exists() or includes.read_text() != INCLUDE:
        file.parent.mkdir(parents=True, exist_ok=True)
        making = file.with_suffix(".part.tar")
        words = ["mmdebstrap", "--variant=minbase", f"--include={INCLUDE}", CODENAME, str(making), *mirrors()]
        subprocess.run(words, check=True)
        making.rename(file)
        includes.write_text(INCLUDE)
    return file


def earlier(to: Path) -> None:
    """The packages of the commit in `earlier`, built by that commit's own programs. Raises SystemExit."""
    commit = Path(__file__).with_name("earlier").read_text().strip()
    with tempfile.TemporaryDirectory(prefix="ganpo-earlier-") as name:
        sources = Path(name, "sources")
        archive = [
            "git",
            "-C",
            str(ROOT),
            "archive",
            "--prefix=sources/",
            "-o",
            f"{name}/sources.tar",
            commit,
        ]
        if subprocess.run(archive, check=False).returncode:
            sys.exit(f"deb-test: {commit} is not in this clone (git fetch --unshallow)")
        subprocess.run(["tar", "-xf", f"{name}/sources.tar", "-C", name], check=True)
        if (ROOT / VENDOR).exists():
            shutil.copytree(ROOT / VENDOR, sources / VENDOR, dirs_exist_ok=True)
        own = os.pathsep.join([str(sources), *(str(sources / source) for source in SOURCES)])
        _build(sources, to, f"{project()['version']}~{commit[:7]}", {**os.environ, "PYTHONPATH": own})


def _build(sources: Path, to: Path, version: str, environ: dict[str, str]) -> None:
    words = ["-m", "deploy.deb.build", "--version", version, "--compress", "none", "--to", str(to)]
    subprocess.run([sys.executable, *words], cwd=sources, env=environ, check=True)


def main() -> None:
    """Ends with what `inside.py` ends with."""
    if os.geteuid() != 0:
        sys.exit("deb-test: only root can make a root")
    debian = root_tar()
    with tempfile.TemporaryDirectory(prefix="ganpo-root-") as name:
        root, there = Path(name, "root"), Path(name, "root/trial")
        root.mkdir()
        subprocess.run(["tar", "-xf", str(debian), "-C", str(root)], check=True)
        (root / "etc/mosquitto/conf.d/trial.conf").write_text(BROKER)
        _build(ROOT, there / "now", project()["version"], dict(os.environ))
        earlier(there / "earlier")
        for part in TAKEN:
            for file in ROOT.glob(part):
                place = there / file.relative_to(ROOT)
                place.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(file, place)
        for parts in (("afternoon",), ("again", "upgrade")):
            with booted(root, *MACHINE) as machine:
                for part in parts:
                    if machine.run("env", "-C", "/trial", "python3", "-u", "-m", "deploy.deb.inside", part):
                        sys.exit(f"deb-test: {part} failed")


if __name__ == "__main__":
    main()
