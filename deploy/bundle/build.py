"""Build the bundle for machines without internet: `python -m deploy.bundle.build`.

A tar with every wheel of gateway, collector and demo, for x86_64 and aarch64, each by its hash, and `install.sh`.
What is taken is resolved for the machines it is for, whatever builds it.
"""

import argparse
import hashlib
import shutil
import tarfile
import tempfile
from pathlib import Path

from deploy.packing import ROOT, project, run, wheel

PYTHONS = ("3.11", "3.12", "3.13")
"""Debian 12 and 13, Ubuntu 24.04, and what stands between them."""
ARCHITECTURES = ("x86_64", "aarch64")
GLIBC = 28
"""2.28: what RHEL 8 has, and everything since."""


def resolved(python: str, architecture: str, to: Path) -> Path:
    """The requirements of gateway, collector and demo on such a machine, each with the hashes of its files."""
    file = to / f"requirements-{python}-{architecture}.txt"
    words = ["-m", "uv", "pip", "compile", "--quiet", "--no-header", "--no-annotate", "--generate-hashes"]
    words += ["--only-binary", ":all:", "--python-version", python]
    words += ["--python-platform", f"{architecture}-manylinux_2_{GLIBC}"]
    run(*words, "--extra", "demo", "-o", str(file), str(ROOT / "pyproject.toml"))
    return file


def fetched(requirements: Path, python: str, architecture: str, to: Path) -> None:
    """Its wheels; pip refuses what has another hash."""
    words = ["-m", "pip", "download", "--quiet", "--no-deps", "--only-binary=:all:", "--require-hashes"]
    words += ["--disable-pip-version-check", "--dest", str(to), "--python-version", python]
    platforms = [f"manylinux_2_{minor}_{architecture}" for minor in range(GLIBC, 4, -1)]
    platforms += [f"manylinux{year}_{architecture}" for year in ("2014", "2010", "1")]
    words += [word for platform in platforms for word in ("--platform", platform)]
    run(*words, "-r", str(requirements))


def bundled(to: Path, pythons: list[str], architectures: list[str]) -> Path:
    """The tar, in the folder `to`."""
    name = f"ganpo-{project()['version']}"
    with tempfile.TemporaryDirectory(prefix="ganpo-bundle-") as folder:
        tree = Path(folder, name)
        wheels = tree / "wheels"
        wheels.mkdir(parents=True)
        ours = wheel(wheels)
        pin = f"ganpo[demo]=={project()['version']} --hash=sha256:{hashlib.sha256(ours.read_bytes()).hexdigest()}\n"
        for python in pythons:
            for architecture in architectures:
                file = resolved(python, architecture, tree)
                fetched(file, python, architecture, wheels)
                file.write_text(file.read_text() + pin)
        run(
            "-m",
            "pip",
            "download",
            "--quiet",
            "--no-deps",
            "--disable-pip-version-check",
            "--dest",
            str(tree),
            "pip",
        )
        next(tree.glob("pip-*.whl")).rename(tree / "pip.whl")
        shutil.copy(Path(__file__).with_name("install.sh"), tree)
        (tree / "install.sh").chmod(0o755)
        shutil.copy(ROOT / "LICENSE", tree)
        to.mkdir(parents=True, exist_ok=True)
        file = to / f"{name}-bundle.tar"
        with tarfile.open(file, "w") as tar:
            tar.add(tree, name)
    return file


def main() -> None:
    """Print the file."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=ROOT / "build" / "bundle")
    parser.add_argument("--python", action="append", choices=PYTHONS, help="may come again; all, without it")
    parser.add_argument("--architecture", action="append", choices=ARCHITECTURES)
    asked = parser.parse_args()
    print(bundled(asked.to, asked.python or list(PYTHONS), asked.architecture or list(ARCHITECTURES)))


if __name__ == "__main__":
    main()
