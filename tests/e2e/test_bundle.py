"""The bundle for machines without internet: what it is made of, and installed where there is no network (campaign)."""

import re
import shutil
import subprocess
import sys
import tarfile
import tomllib
from pathlib import Path

import pytest

from support.campaign import LONG

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
EXTRAS = {"fastapi", "amqtt", "psycopg-binary"}


def pins(text: str) -> dict[str, str]:
    """Name and version of every requirement; each has hashes."""
    found = {}
    for block in re.split(r"\n(?=\S)", text.replace("\\\n", " ").strip()):
        pin = re.match(r"([\w.\[\]-]+)==(\S+)(?: ;.*?)? +--hash=sha256:[0-9a-f]{64}", block)
        assert pin is not None, block
        found[pin[1].partition("[")[0]] = pin[2]
    return found


def test_both_kinds_of_machine_get_every_library_in_the_same_version_by_hash(tmp_path: Path) -> None:
    found = {}
    for architecture in ("x86_64", "aarch64"):
        code = (
            "import sys; from pathlib import Path; from deploy.bundle.build import resolved; "
            "print(resolved(sys.argv[1], sys.argv[2], Path(sys.argv[3])))"
        )
        words = [sys.executable, "-c", code, "3.11", architecture, str(tmp_path)]
        done = subprocess.run(words, cwd=ROOT, capture_output=True, text=True, timeout=110)
        assert done.returncode == 0, done.stderr
        found[architecture] = pins(Path(done.stdout.strip()).read_text())
    assert found["x86_64"] == found["aarch64"]
    assert found["x86_64"].keys() >= EXTRAS
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    named = {re.split(r"[\[~<>= ]", need)[0] for need in project["dependencies"]}
    assert found["x86_64"].keys() >= named


def test_where_it_has_nothing_for_this_python_it_says_what_it_is_for(tmp_path: Path) -> None:
    script = shutil.copy(ROOT / "deploy/bundle/install.sh", tmp_path)
    (tmp_path / "requirements-3.10-aarch64.txt").touch()
    done = subprocess.run(["sh", script, tmp_path / "there"], capture_output=True, text=True, timeout=30)
    assert done.returncode == 1
    assert "Python 3.10 on aarch64" in done.stderr
    assert not (tmp_path / "there").exists()


if LONG:  # it fetches every wheel

    @pytest.mark.campaign
    @pytest.mark.timeout(900)
    def test_it_installs_and_runs_a_plant_where_there_is_no_network(tmp_path: Path) -> None:
        here = f"{sys.version_info.major}.{sys.version_info.minor}"
        words = [
            "-m",
            "deploy.bundle.build",
            "--python",
            here,
            "--architecture",
            "x86_64",
            "--to",
            str(tmp_path),
        ]
        subprocess.run([sys.executable, *words], cwd=ROOT, check=True, timeout=400)
        (bundle,) = tmp_path.glob("*.tar")
        with tarfile.open(bundle) as tar:
            tar.extractall(tmp_path, filter="data")
        (folder,) = tmp_path.glob("ganpo-*/")
        script = (
            f"ip link set lo up && {folder}/install.sh {tmp_path}/there && "
            f"exec {tmp_path}/there/bin/ganpo-demo --for 20 --no-fleet --port 8791"
        )
        alone = ["unshare", "--net", "--map-root-user", "sh", "-c", script]
        done = subprocess.run(alone, capture_output=True, text=True, timeout=400)
        assert done.returncode == 0, done.stdout + done.stderr
        assert "first value in" in done.stdout
