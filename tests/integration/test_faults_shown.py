"""Point faults, silent units and holes of a gateway stand on pages and at the API."""

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.inlet.lives import of_points
from ganpo_cloud.web.application import create_app
from support import seeding
from support.seeding import NOW, ONLINE, SILENT
from support.serving import Served


@pytest.fixture
def plant(tmp_path: Path, each_database: str) -> Iterator[seeding.Plant]:
    plant = seeding.plant(tmp_path)
    yield plant
    plant.database.close()


SAID = {
    "points": {"bound": 212, "at_fault": 14},
    "units": {"asked": 9, "silent": 1, "holes": 3},
    "faults": ["DB-0107/energy_import: 40007: exception 02 (12)", "CJ-04/alarm: BadNodeIdUnknown (2)"],
    "silent": ["line-2/7"],
}
WORDS = {
    "en": ("14 of 212 points", "silent units: 1 of 9", "not there, and asked for rarely: 3"),
    "zh": ("212个点位中14个", "无应答单元：9个中1个", "设备上不存在、很少再询问：3处"),
}


def test_what_a_gateway_says_of_its_points_is_shown_until_all_of_them_answer(plant: seeding.Plant) -> None:
    plant.say(ONLINE, NOW - timedelta(seconds=8), **SAID)
    with Served(create_app(plant.database, seeding.TestClock())) as served, httpx.Client(timeout=20) as http:
        found = {one["id"]: one for one in http.get(f"{served.url}/api/v1/gateways").json()}
        told = {
            name: found[ONLINE][name]
            for name in ("points", "points_at_fault", "units", "units_silent", "holes")
        }
        assert told == {"points": 212, "points_at_fault": 14, "units": 9, "units_silent": 1, "holes": 3}
        assert found[ONLINE]["silent"] == ["line-2/7"]
        assert found[SILENT]["points"] is None, "it says nothing of them"
        for lang, words in WORDS.items():
            for page in ("/", "/gateways"):
                text = http.get(served.url + page, params={"lang": lang}).text
                assert all(
                    word in text for word in (*words, "DB-0107/energy_import: 40007: exception 02 (12)")
                )
        assert "14 of its 212 points have no usable answer: DB-0107/energy_import" in (
            http.get(served.url, params={"lang": "en"}).text
        )
        plant.say(
            ONLINE, NOW, points={"bound": 212, "at_fault": 0}, units={"asked": 9, "silent": 0, "holes": 0}
        )
        text = http.get(served.url, params={"lang": "en"}).text
        assert "none of 212 points" in text
        assert "exception 02" not in text
        assert "no usable answer" not in text


@pytest.mark.parametrize(
    "said",
    [
        {},
        {"points": None, "units": [], "faults": {}, "silent": "x"},
        {"points": {"bound": "9", "at_fault": -1}, "units": {"asked": True, "silent": 2**40}, "faults": 7},
    ],
)
def test_what_is_no_count_is_unknown(said: dict[str, Any]) -> None:
    assert of_points(said) == (None, None, None, None, [], [], None)


def test_what_a_gateway_names_is_bounded() -> None:
    found = of_points({"faults": ["x" * 999] * 99, "silent": [None, {"a": 1}]})
    assert [len(one) for one in found.faults] == [200] * 5
    assert found.silent == ["None", "{'a': 1}"]
