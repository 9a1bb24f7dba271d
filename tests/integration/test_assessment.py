"""The assessment of a city: points from lists to page, file and command; what was signed stays."""

import re
from collections.abc import Iterator
from datetime import UTC, timedelta
from fractions import Fraction
from functools import partial
from pathlib import Path
from types import SimpleNamespace

import httpx
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from ganpo_cloud.cli import opening
from ganpo_cloud.cli.main import main
from ganpo_cloud.province import assessment, divisions, schemes, signing
from ganpo_cloud.province.assessment import Sheet
from ganpo_cloud.store.database import Database
from ganpo_cloud.web.application import create_app
from ganpo_model.errors import ConfigError
from support import databases, recounting
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise
from support.serving import Served

pytestmark = pytest.mark.usefixtures("each_database")
CODE, CITY = CODES[0], "360700"
DEVICES = [f"SB-{n}" for n in range(4)]


def fill(database: Database) -> None:
    plant = Plant(database)
    plant.take("enterprises", enterprise(CODE, "360703"))
    plant.take("sites", f"{CODE},plant-1,Plant,360703,Asia/Shanghai")
    plant.take("equipment", *(f"{CODE},plant-1,{no},Lathe,in_use,2024-01-01" for no in DEVICES))
    plant.take(
        "flags",
        *(f"{CODE},{no},main,yes,claimed,,Li,2024-01-01" for no in DEVICES),
        *(f"{CODE},{no},numerical_control,yes,document,D,Li,2024-01-01" for no in DEVICES[:2]),
    )
    plant.take("carriers", f"{CODE},2025,electricity")
    plant.take("statements", *(f"{CODE},2025-{n:02d},electricity,1000000,kWh,bill,Li," for n in range(1, 13)))
    plant.take("value_added", f"{CODE},2025,120000000,2020,S,")
    plant.take("limits", f"{CITY},,,2025,total_tce,1400,,D,Li", f"{CITY},,,2025,intensity,0.1229,2020,D,Li")
    plant.settle()


@pytest.fixture
def plant(tmp_path: Path) -> Iterator[Plant]:
    plant = Plant(databases.filled(tmp_path, fill))
    yield plant
    plant.database.close()


def sheet(plant: Plant, area: str = CITY, year: int = 2025) -> Sheet:
    with plant.database.read() as connection:
        return assessment.sheets(connection, PROVINCE, [area], year, NOW)[area]


def test_a_city_by_hand(plant: Plant) -> None:
    """12,000,000 kWh are 1,474.8 tce; over 12,000 times 10,000 CNY 0.1229; two of four main machines are controlled."""
    found = sheet(plant)
    values = {score.id: score.number for score in found.scores}
    assert values == {
        "energy_total": 100 * Fraction(14748, 14000), "energy_intensity": 100, "nc_rate": 50, "completeness": None,
    }  # fmt: skip
    by_hand = {
        "energy_total": recounting.points(values["energy_total"], 40, 100, 110),
        "energy_intensity": recounting.points(Fraction(100), 40, 100, 110),
        "nc_rate": recounting.points(Fraction(50), 10, 60, 0),
        "completeness": 0,
    }
    assert by_hand == {"energy_total": 186, "energy_intensity": 400, "nc_rate": 83, "completeness": 0}
    assert {score.id: score.tenths for score in found.scores} == by_hand
    assert (found.tenths, found.vetoed, found.grade) == (669, True, "not_fulfilled"), (
        "40 x 4.66 / 10: below full"
    )
    assert [score.id for score in found.scores if not score.assessed] == ["completeness"]
    plant.take("limits", f"{CITY},,,2025,total_tce,1474.8,,E,Li", now=NOW + timedelta(minutes=1))
    found = sheet(plant)
    assert (found.tenths, found.vetoed, found.grade) == (883, False, "fulfilled")
    assert sheet(plant, "360100").tenths == 0
    plant.take("carriers", f"{CODE},2025,natural_gas")
    plant.settle()
    hidden = {score.id: score.number for score in sheet(plant).scores}
    assert (hidden["energy_total"], hidden["energy_intensity"]) == (None, None), (
        "half of what is declared is known"
    )
    plant.take("statements", *(f"{CODE},2025-{n:02d},natural_gas,0,m3,bill,Li," for n in range(1, 13)))
    plant.settle()
    assert sheet(plant).tenths == 883
    assert sheet(plant, year=2026).scores[1].number is None, "last year's intensity is none of this year's"


def test_what_was_signed_stays_and_today_stands_beside_it(
    plant: Plant, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = SimpleNamespace(UTC=UTC, datetime=SimpleNamespace(now=lambda _zone: NOW))
    monkeypatch.setattr(opening, "datetime", clock)
    config = tmp_path / "cloud.toml"
    where = plant.database.where
    config.write_text(f'[database]\nurl = "{where if "://" in where else f"sqlite:///{where}"}"\n')

    def command(*args: str) -> tuple[int, str]:
        told = CliRunner().invoke(main, ["publish", *args, "--config", str(config)])
        return told.exit_code, told.output + (str(told.exception) if told.exception else "")

    for args, what in (
        (("assessment", "360000", "2025", "--by", "Wang"), "is the province"),
        (("assessment", "369999", "2025", "--by", "Wang"), "no such area"),
        (("assessment", CITY, "2099", "--by", "Wang"), "is not over"),
        (("assessment", CITY, "2025"), "who signs the sheet"),
        (("assessment", CITY, "2025", "--by", "a\nb"), "one line of at most 500 letters"),
        (("assessment", CITY, "next"), "assessment AREA YEAR --by NAME"),
        (("assessment", CITY), "assessment AREA YEAR --by NAME"),
        (("2026-13",), "no month like 2026-11"),
        ((), "one month like 2026-11"),
        (("2026-10", "--by", "Wang"), "one month like 2026-11"),
    ):
        code, told = command(*args)
        assert code != 0, args
        assert what in told, (args, told)
    code, told = command("assessment", CITY, "2025", "--by", "王")
    assert (code, "66.9" in told) == (0, True), told
    assert "it is never changed" in command("assessment", CITY, "2025", "--by", "Li")[1]
    plant.take("limits", f"{CITY},,,2025,total_tce,1474.8,,E,Li", now=NOW + timedelta(minutes=1))
    app = create_app(plant.database, TestClock(wall=NOW), province=PROVINCE)
    with Served(app) as served, httpx.Client(base_url=served.url, timeout=60) as http:
        rows = {row["id"]: row for row in http.get(f"/api/v1/assessment?area={CITY}&year=2025").json()}
        assert (rows["energy_total"]["tenths"], rows["energy_total"]["published"]) == (400, 186)
        total = rows["total"]
        assert (total["tenths"], total["published"], total["published_grade"], total["by"]) == (
            883,
            669,
            "not_fulfilled",
            "王",
        )
        page = http.get(f"/assessment?area={CITY}&year=2025&lang=zh").text
        assert total["checksum"] in page
        assert "未考核" in page
        assert [row["area"] for row in http.get("/api/v1/assessment?year=2025").json()] == PROVINCE.parts(
            "360000", NOW.date()
        )
        for asked, status in (
            ("year=2027", 422),
            ("year=abc", 422),
            ("area=1", 404),
            ("", 200),
            ("area=360703", 200),
        ):
            assert http.get(f"/assessment?{asked}").status_code == status, asked
        plan = {row["measure"]: row for row in http.get(f"/api/v1/plan?area={CITY}").json()}
        assert plan["assessments_published"]["number"]["numerator"] == 1
        with plant.database.write() as connection:
            connection.execute(text("UPDATE assessed SET rows = replace(rows, '186', '400')"))
        assert http.get(f"/assessment?area={CITY}&year=2025").status_code == 409, (
            "and not what somebody changed"
        )


def test_the_scheme_of_a_province_counts_and_a_year_that_waits_is_not_signed(
    plant: Plant, tmp_path: Path
) -> None:
    folder = tmp_path / "province"
    folder.mkdir()
    ours = Path(divisions.__file__).parent
    for name in ("areas.csv", "industries.csv"):
        (folder / name).write_bytes((ours / name).read_bytes())
    item = '[[item]]\nid = "a"\nzh = "甲"\nen = "A"\nmax = 100\nmeasure = "energy_intensity"\n'
    item += 'rule = "all_or_nothing"\nfull = 0.1229\n'
    (folder / schemes.FILE).write_text(item, encoding="utf-8")
    province = divisions.load(folder)
    with plant.database.read() as connection:
        found = assessment.sheets(connection, province, [CITY], 2025, NOW)[CITY]
    assert (found.tenths, found.grade) == (1000, "exceeded"), "less is better, and exactly full is full"
    plant.take("value_added", f"{CODE},2025,110000000,2020,S,")
    with pytest.raises(ConfigError, match="is not worked out yet"):
        signing.publish(plant.database, province, CITY, 2025, "Li", NOW)
    plant.settle()
    sign = partial(signing.publish, plant.database, province, CITY, 2025, "Li", NOW)
    with pytest.raises(ConfigError, match="it is never changed"):
        signing.publish(databases.Meanwhile(plant.database, sign), province, CITY, 2025, "Wang", NOW)  # type: ignore[arg-type]
    with plant.database.read() as connection:
        signed = signing.read(connection, CITY, 2025)
    assert signed is not None
    assert signed.by == "Li"
    assert (signed.tenths, re.fullmatch("[0-9a-f]{64}", signed.checksum or "") is not None) == (0, True)
    with plant.database.read() as connection:
        (stored,) = connection.execute(text("SELECT scheme FROM assessed")).scalars()
    assert '"0.1229"' in stored
