"""Build the Debian packages of gateway and collector: `python -m deploy.deb.build --to build/deb`.

Each has an environment of its own in /usr/lib, with every library in the version it was tried with, and puts one
program on the path. Nothing of the machine that builds gets in: wheels are taken for Debian 12 whatever runs here.
"""

import argparse
import gzip
import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

import click
from deploy.deb import man
from deploy.packing import PYTHON, ROOT, changed, project, run, wheel

from ganpo_service.release import RELEASED
from ganpo_service.units import COLLECTOR, GATEWAY, Service

HERE = Path(__file__).parent
PLATFORMS = {"amd64": "x86_64-manylinux_2_36", "arm64": "aarch64-manylinux_2_36"}
"""Debian 12 has glibc 2.36."""
MACHINES = {"amd64": 62, "arm64": 183}
"""`e_machine` in the head of an ELF file."""
LEVEL = {"zstd": ("-z9",)}
"""A twentieth larger than what xz makes in twenty times the time."""


@dataclass(frozen=True, slots=True)
class Package:
    """What one of them holds beside the libraries."""

    name: str
    module: str
    extra: str
    service: Service
    example: str
    about: str
    files: dict[str, str]
    suggests: str

    @property
    def home(self) -> str:
        """Its environment, absolute."""
        return f"/usr/lib/{self.name}"


PACKAGES = (
    Package(
        "ganpo",
        "ganpo_agent.cli.main",
        "",
        GATEWAY,
        "config/examples/agent.toml",
        "gateway of Ganpo: reads PLCs, CNC controllers and meters\n"
        " Reads over Modbus, OPC UA, DL/T 645 and CJ/T 188, keeps what it saw on disk,\n"
        " and sends it to a collector. It never writes to equipment.",
        {
            "/etc/ganpo/agent.toml": "what it reads, from where, and where it sends it",
            "/etc/ganpo/secrets": "passwords and keys, one file each, mode 600",
            "/var/lib/ganpo": "its outbox and certificates; kept when the package is removed",
        },
        "ganpo-cloud, mosquitto",
    ),
    Package(
        "ganpo-cloud",
        "ganpo_cloud.cli.main",
        "[cloud]",
        COLLECTOR,
        "docs/examples/cloud.toml",
        "collector of Ganpo: takes what gateways send, stores and shows it\n"
        " Stores what gateways observed in SQLite or PostgreSQL, computes days, and\n"
        " serves pages and an API.",
        {
            "/etc/ganpo/cloud.toml": "its broker, its database, its address",
            "/etc/ganpo/secrets": "passwords and keys, one file each, mode 600",
            "/var/lib/ganpo-cloud": "its database; kept when the package is removed",
        },
        "mosquitto, postgresql",
    ),
)


def build(package: Package, ours: Path, to: Path, version: str, architecture: str, compress: str) -> Path:
    """One `.deb` in the folder `to`."""
    with tempfile.TemporaryDirectory(prefix="ganpo-deb-") as name:
        tree = Path(name)
        tree.chmod(0o755)
        _environment(package, ours, tree, architecture)
        _face(package, tree)
        _control(package, tree, version, architecture)
        _dates(tree)
        file = to / f"{package.name}_{version}_{architecture}.deb"
        words = [
            "dpkg-deb",
            "--root-owner-group",
            f"-Z{compress}",
            *LEVEL.get(compress, ()),
            "--build",
            str(tree),
            str(file),
        ]
        epoch = {"SOURCE_DATE_EPOCH": str(changed())}
        subprocess.run(words, check=True, stdout=subprocess.DEVNULL, env={**os.environ, **epoch})
    return file


def _environment(package: Package, ours: Path, tree: Path, architecture: str) -> None:
    """As `python3 -m venv` lays it out; programs of others are left out."""
    home = tree / package.home[1:]
    libraries = home / f"lib/python{PYTHON}/site-packages"
    words = ["-m", "uv", "pip", "install", "--quiet", "--target", str(libraries), "--link-mode=copy"]
    words += [
        "--python-version",
        PYTHON,
        "--python-platform",
        PLATFORMS[architecture],
        "--only-binary",
        ":all:",
    ]
    run(*words, f"ganpo{package.extra} @ {ours.as_uri()}")
    shutil.rmtree(libraries / "bin", ignore_errors=True)
    for left in (".lock", "direct_url.json", "uv_cache.json"):
        for file in libraries.rglob(left):
            file.unlink()
    if foreign := list(strangers(libraries, architecture)):
        raise SystemExit(f"not for {architecture}: {', '.join(map(str, foreign))}")
    (home / "bin").mkdir()
    (home / "bin/python3").symlink_to(f"/usr/bin/python{PYTHON}")
    (home / "pyvenv.cfg").write_text("home = /usr/bin\ninclude-system-site-packages = false\n")
    program = home / "bin" / package.name
    program.write_text(f"#!{package.home}/bin/python3 -I\nfrom {package.module} import main\n\nmain()\n")
    program.chmod(0o755)


def strangers(folder: Path, architecture: str) -> Iterator[Path]:
    """Programs and libraries in a folder that are for another machine."""
    for file in folder.rglob("*"):
        if file.is_file() and not file.is_symlink():
            with file.open("rb") as opened:
                head = opened.read(20)
            if head.startswith(b"\x7fELF") and int.from_bytes(head[18:], "little") != MACHINES[architecture]:
                yield file


def _face(package: Package, tree: Path) -> None:
    """What the rest of the system sees: the program, its unit, its user, its pages, its example."""
    command: click.Command = import_module(package.module).main
    others = ", ".join(f"{other.name}(1)" for other in PACKAGES if other is not package)
    texts = {
        f"usr/lib/systemd/system/{package.service.unit}": package.service.text(f"{package.home}/bin"),
        f"usr/lib/sysusers.d/{package.name}.conf": "".join(
            f"{line}\n" for line in package.service.accounts()
        ),
        f"usr/share/bash-completion/completions/{package.name}": man.completion(
            package.name, "bash", command
        ),
        f"usr/share/zsh/vendor-completions/_{package.name}": man.completion(package.name, "zsh", command),
        f"usr/share/doc/{package.name}/copyright": f"Ganpo, Apache License 2.0.\n\n{(ROOT / 'LICENSE').read_text()}",
        f"etc/ganpo/{Path(package.example).name}.example": (ROOT / package.example).read_text(),
    }
    for path, text in texts.items():
        _write(tree / path, text.encode())
    page = man.page(package.name, command, RELEASED, package.files, others)
    zipped = {
        f"usr/share/man/man1/{package.name}.1.gz": page,
        f"usr/share/doc/{package.name}/changelog.gz": (ROOT / "CHANGELOG.md").read_text(),
    }
    for path, text in zipped.items():
        _write(tree / path, gzip.compress(text.encode(), 9, mtime=0))
    (tree / "usr/bin").mkdir()
    (tree / "usr/bin" / package.name).symlink_to(f"{package.home}/bin/{package.name}")
    (tree / "etc/ganpo/secrets").mkdir(mode=0o700)


def _control(package: Package, tree: Path, version: str, architecture: str) -> None:
    files = sorted(path for path in tree.rglob("*") if path.is_file() and not path.is_symlink())
    kib = sum(file.stat().st_size for file in files) // 1024
    after = PYTHON.partition(".")[0] + "." + str(int(PYTHON.partition(".")[2]) + 1)
    fields = {
        "Package": package.name,
        "Version": version,
        "Architecture": architecture,
        "Maintainer": "the Ganpo project",
        "Installed-Size": str(kib),
        "Depends": f"python3 (>= {PYTHON}), python3 (<< {after}), libc6 (>= 2.36), "
        "systemd | systemd-standalone-sysusers",
        "Recommends": "systemd-timesyncd | time-daemon",
        "Suggests": package.suggests,
        "Section": "misc",
        "Priority": "optional",
        "Description": package.about,
    }
    digests = (f"{hashlib.md5(file.read_bytes()).hexdigest()}  {file.relative_to(tree)}\n" for file in files)
    control = {
        "control": "".join(f"{key}: {value}\n" for key, value in fields.items()),
        "conffiles": "".join(
            f"/{file.relative_to(tree)}\n" for file in files if file.is_relative_to(tree / "etc")
        ),
        "md5sums": "".join(digests),
    }
    for script in ("postinst", "prerm", "postrm"):
        text = (HERE / script).read_text()
        for mark, value in (
            ("@PACKAGE@", package.name),
            ("@USER@", package.service.user),
            ("@UNIT@", package.service.unit),
            ("@HOME@", package.home),
        ):
            text = text.replace(mark, value)
        control[script] = text
    for name, text in control.items():
        _write(tree / "DEBIAN" / name, text.encode())
        if name in ("postinst", "prerm", "postrm"):
            (tree / "DEBIAN" / name).chmod(0o755)


def _write(file: Path, content: bytes) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(content)
    file.chmod(0o644)


def _dates(tree: Path) -> None:
    """Everything is as old as the last commit: the same sources give the same package."""
    when = changed()
    for path in (tree, *tree.rglob("*")):
        if path.is_dir() and path.name != "secrets":
            path.chmod(0o755)
        os.utime(path, (when, when), follow_symlinks=False)


def main() -> None:
    """Print the file of each package that was built."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "deb")
    parser.add_argument("--version", default=project()["version"])
    parser.add_argument("--architecture", choices=PLATFORMS, default="amd64")
    parser.add_argument("--compress", choices=("zstd", "xz", "none"), default="zstd")
    parser.add_argument("--only", choices=[package.name for package in PACKAGES])
    asked = parser.parse_args()
    asked.to.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="ganpo-wheel-") as name:
        ours = wheel(Path(name))
        for package in PACKAGES:
            if asked.only in (None, package.name):
                print(build(package, ours, asked.to, asked.version, asked.architecture, asked.compress))


if __name__ == "__main__":
    main()
