"""The whole API under generated requests: no server error, and every answer as its document says."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from ganpo_cloud import computing
from ganpo_cloud.province import publishing
from ganpo_cloud.web.application import create_app
from ganpo_cloud.web.routes import RESOURCES
from support import seeding
from support.campaign import LONG, rounds
from support.processes import BIN
from support.province import PROVINCE, Plant, enterprise
from support.serving import Served

SEED = 20180615
EXAMPLES = rounds(3, 2000)
"""Of the fuzzing, for each operation."""
PHASES = "examples,coverage,fuzzing" if LONG else "fuzzing"
"""Every boundary of every parameter is two minutes by itself, whatever the number of examples."""
CHECKS = (
    *("not_a_server_error", "status_code_conformance", "content_type_conformance"),
    *("response_headers_conformance", "response_schema_conformance", "unsupported_method"),
)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[Served]:
    plant = seeding.plant(tmp_path)
    province = Plant(plant.database)
    province.take("enterprises", enterprise(seeding.ENTERPRISE))
    province.take("sites", f"{seeding.ENTERPRISE},plant-1,Plant,360681,Asia/Shanghai")
    computing.settle(plant.database, PROVINCE, plant.now)
    publishing.publish(plant.database, PROVINCE, "2026-10", plant.now)
    with Served(create_app(plant.database, seeding.TestClock())) as running:
        yield running
    plant.database.close()


@pytest.mark.slow
@pytest.mark.campaign
@pytest.mark.timeout(rounds(180, 3600))
def test_no_generated_request_is_a_server_error_and_every_answer_is_as_it_is_described(
    served: Served, tmp_path: Path
) -> None:
    done = subprocess.run(
        [
            str(BIN / "schemathesis"),
            "run",
            f"{served.url}/api/v1/openapi.json",
            *("--seed", str(SEED), "--max-examples", str(EXAMPLES), "--checks", ",".join(CHECKS)),
            *("--phases", PHASES, "--continue-on-failure", "--no-color"),
        ],
        cwd=tmp_path,
        env={**os.environ, "HOME": str(tmp_path)},
        capture_output=True,
        text=True,
        check=False,
    )
    print(done.stdout[-4000:])
    assert done.returncode == 0, done.stdout[-6000:] + done.stderr[-2000:]
    assert f"Tested: {len(RESOURCES)}" in done.stdout
