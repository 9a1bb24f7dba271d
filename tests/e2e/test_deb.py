"""The Debian packages, unpacked: what is in them runs. Installing, upgrading and removing them is `make deb-test`."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import click
import pytest

from ganpo_agent.cli.main import main
from ganpo_cloud.cli.main import main as cloud
from ganpo_cloud.store import settings
from ganpo_service.release import RELEASED

ROOT = Path(__file__).parents[2]
PROGRAMS = {"ganpo": main, "ganpo-cloud": cloud}
Run = Callable[..., str]

pytestmark = pytest.mark.skipif(
    not Path("/usr/bin/python3.11").exists(), reason="/usr/bin/python3.11, Debian 12's, is not here"
)


@pytest.fixture(scope="module")
def unpacked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Both packages, each in a folder of its own."""
    folder = tmp_path_factory.mktemp("deb")
    words = [sys.executable, "-m", "deploy.deb.build", "--compress", "none", "--to", str(folder)]
    subprocess.run(words, cwd=ROOT, check=True, capture_output=True, timeout=110)
    found = {}
    for file in folder.glob("*.deb"):
        name = file.name.partition("_")[0]
        subprocess.run(["dpkg-deb", "-R", file, folder / name], check=True, timeout=60)
        found[name] = folder / name
    return found


@pytest.fixture
def run(unpacked: dict[str, Path]) -> Run:
    """Call the program of a package, by the interpreter beside it."""

    def run(name: str, *words: object) -> str:
        home = unpacked[name] / "usr/lib" / name / "bin"
        done = subprocess.run(
            [home / "python3", "-I", home / name, *map(str, words)],
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    return run


def test_its_programs_run_by_debians_own_python(unpacked: dict[str, Path], run: Run) -> None:
    assert run("ganpo", "--version").endswith(f"({RELEASED:%Y-%m-%d})\n")
    assert "gateway add" not in run("ganpo", "--help")
    assert run("ganpo-cloud", "--version").startswith("ganpo-cloud ")
    assert "modbus" in run("ganpo", "driver", "list")


def test_the_examples_it_brings_are_right(unpacked: dict[str, Path], run: Run, tmp_path: Path) -> None:
    example = unpacked["ganpo"] / "etc/ganpo/agent.toml.example"
    assert run("ganpo", "check", "--config", example).splitlines()[-1].startswith("ok: ")
    for secret in ("mqtt_password", "broker-ca.pem"):
        (tmp_path / secret).write_text("x")
    loaded = settings.load(
        unpacked["ganpo-cloud"] / "etc/ganpo/cloud.toml.example", {"CREDENTIALS_DIRECTORY": str(tmp_path)}
    )
    assert loaded.errors == ()


@pytest.mark.parametrize("name", PROGRAMS)
def test_one_program_is_on_the_path_and_its_unit_starts_it(unpacked: dict[str, Path], name: str) -> None:
    tree = unpacked[name]
    assert [path.name for path in (tree / "usr/bin").iterdir()] == [name]
    assert sorted(path.name for path in (tree / f"usr/lib/{name}/bin").iterdir()) == [name, "python3"]
    (unit,) = (tree / "usr/lib/systemd/system").iterdir()
    (start,) = (line for line in unit.read_text().splitlines() if line.startswith("ExecStart="))
    program = start.removeprefix("ExecStart=").split()[0]
    assert os.access(tree / program[1:], os.X_OK)
    assert str((tree / "usr/bin" / name).readlink()) == program


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_a_person_writes_is_kept_by_an_upgrade(unpacked: dict[str, Path], name: str) -> None:
    tree = unpacked[name]
    kept = (tree / "DEBIAN/conffiles").read_text().split()
    assert kept == [f"/{path.relative_to(tree)}" for path in (tree / "etc").rglob("*") if path.is_file()]
    assert (tree / "etc/ganpo/secrets").stat().st_mode & 0o777 == 0o700
    assert ".pyc" not in (tree / "DEBIAN/md5sums").read_text()


STRANGERS = """
import sys
from pathlib import Path
from deploy.deb.build import strangers
print(*strangers(Path(sys.argv[1]), sys.argv[2]))
"""


def strangers(folder: Path, architecture: str) -> set[str]:
    """What the building of a package refuses to pack."""
    words = [sys.executable, "-c", STRANGERS, str(folder), architecture]
    return set(subprocess.run(words, cwd=ROOT, capture_output=True, text=True, check=True).stdout.split())


def test_a_library_for_another_machine_is_noticed(unpacked: dict[str, Path]) -> None:
    libraries = {str(file) for file in unpacked["ganpo"].rglob("*.so")}
    assert libraries
    assert strangers(unpacked["ganpo"], "amd64") == set()
    assert strangers(unpacked["ganpo"], "arm64") >= libraries


@pytest.mark.slow
def test_packages_for_the_other_kind_of_box_hold_its_libraries_alone(tmp_path: Path) -> None:
    words = [sys.executable, "-m", "deploy.deb.build", "--architecture", "arm64", "--compress", "none"]
    subprocess.run([*words, "--to", tmp_path], cwd=ROOT, check=True, capture_output=True, timeout=110)
    for name in PROGRAMS:
        (file,) = tmp_path.glob(f"{name}_*_arm64.deb")
        said = subprocess.run(
            ["dpkg-deb", "-f", file, "Architecture"], capture_output=True, text=True, check=True
        )
        assert said.stdout == "arm64\n"
        subprocess.run(["dpkg-deb", "-x", file, tmp_path / name], check=True, timeout=60)
        assert list((tmp_path / name).rglob("*.so"))
        assert strangers(tmp_path / name, "arm64") == set()


def commands(command: click.Command, path: str) -> list[str]:
    if not isinstance(command, click.Group):
        return [path]
    return [one for name, below in command.commands.items() for one in commands(below, f"{path} {name}")]


@pytest.mark.parametrize("name", PROGRAMS)
def test_the_manual_has_every_command(unpacked: dict[str, Path], name: str) -> None:
    page = unpacked[name] / f"usr/share/man/man1/{name}.1.gz"
    text = subprocess.run(["zcat", page], capture_output=True, text=True, check=True).stdout
    for path in commands(PROGRAMS[name], name):
        assert f".SS {path}\n".replace("-", "\\-") in text
    assert "The gateway" in text or "The collector" in text


@pytest.mark.parametrize("name", PROGRAMS)
def test_zsh_completes_at_every_tab_and_not_at_every_second_one(unpacked: dict[str, Path], name: str) -> None:
    lines = (unpacked[name] / f"usr/share/zsh/vendor-completions/_{name}").read_text().splitlines()
    assert lines[0] == f"#compdef {name}"
    assert (
        lines[-1] == f'_{name.replace("-", "_")}_completion "$@"'
    )  # zsh makes the file a function: this is its end
    assert not [line for line in lines if "zsh_eval_context" in line]


@pytest.mark.parametrize(("typed", "offered"), [("che", "check"), ("service inst", "install")])
def test_bash_completes_commands(unpacked: dict[str, Path], tmp_path: Path, typed: str, offered: str) -> None:
    home = unpacked["ganpo"] / "usr/lib/ganpo/bin"
    (tmp_path / "ganpo").write_text(f'#!/bin/sh\nexec {home}/python3 -I {home}/ganpo "$@"\n')
    (tmp_path / "ganpo").chmod(0o755)
    words = ["ganpo", *typed.split()]
    script = f"""
        source {unpacked["ganpo"]}/usr/share/bash-completion/completions/ganpo
        COMP_WORDS=({" ".join(words)}) COMP_CWORD={len(words) - 1}
        _ganpo_completion ganpo
        echo "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "-c", script],
        env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout.split() == [offered], done.stderr
