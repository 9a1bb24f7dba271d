"""`ganpo-demo --site mixed`: serial lines of three protocols and a secured cell, through the whole way to the pages."""

import re
import time
from pathlib import Path
from typing import Any

import pytest

from support.demo import Demo

REGISTERS = {
    "DB-0201": {"energy_import", "energy_export"},
    "DB-0202": {"energy_import"},
    "DB-0203": {"energy_import", "energy_export"},
    "SB-W-0201": {"volume_total"},
    "RB-0201": {"heat_total", "volume_total"},
}
MACHINES = {"SB-0201", "SB-0202", "SB-0203"}


@pytest.mark.slow
def test_every_meter_and_machine_of_the_mixed_site_is_on_the_page(tmp_path: Path) -> None:
    with Demo(tmp_path / "demo", "--site", "mixed") as demo:
        demo.wait_for(r"first value in \d+\.\d s", 60)
        deadline = time.monotonic() + 40
        while missing := _missing(_subjects(demo)):
            assert time.monotonic() < deadline, f"not yet: {missing}\n{demo.told}"
            time.sleep(0.3)
        subjects = _subjects(demo)
        assert {"SB-0007", "SB-0141", "SB-0142", "DB-0101", "DB-0103"} < set(subjects), (
            "the plain site is there too"
        )
        gateways = {gateway["id"]: gateway for gateway in demo.get("/api/v1/gateways")}
        assert gateways["gw-demo-0003"]["online"]
        before = _raw(subjects["DB-0201"], "energy_import")
        deadline = time.monotonic() + 60
        while _raw(_subjects(demo)["DB-0201"], "energy_import") == before:
            assert time.monotonic() < deadline, "the meter of DL/T 645 stands still"
            time.sleep(0.3)
        for language in ("zh", "en"):
            page = demo.get(f"/?lang={language}")
            for number in (*REGISTERS, *MACHINES):
                assert re.search(rf"\b{number}\b", page), f"{number} is not on the page"
        assert demo.end() == 0
        assert "Traceback" not in demo.told
    assert demo.left() == []


def _subjects(demo: Demo) -> dict[str, dict[str, Any]]:
    return {subject["asset_no"]: subject for subject in demo.get("/api/v1/subjects")}


def _missing(subjects: dict[str, dict[str, Any]]) -> list[str]:
    found = [
        f"{number}/{signal}"
        for number, signals in REGISTERS.items()
        for signal in signals
        if number not in subjects or _raw(subjects[number], signal) is None
    ]
    return found + [
        number for number in sorted(MACHINES) if subjects.get(number, {}).get("state") in (None, "UNKNOWN")
    ]


def _raw(subject: dict[str, Any], signal: str) -> int | None:
    return next((r["raw"] for r in subject["registers"] if r["signal"] == signal), None)
