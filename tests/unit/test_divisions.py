"""Areas and industries of a province: dated, from files that anybody may replace."""

import itertools
from datetime import date
from pathlib import Path

import pytest

from ganpo_cloud.province.divisions import load
from ganpo_model.errors import ConfigError

OURS = load()
TODAY = date(2026, 11, 28)


def test_ours_has_eleven_cities_a_hundred_counties_and_eight_industries_beside_the_others() -> None:
    now = [area for rows in OURS.areas.values() for area in rows if area.holds(TODAY)]
    assert [sum(area.kind == kind for area in now) for kind in ("province", "city", "county")] == [1, 11, 100]
    assert len(OURS.industries) == 9
    assert all(OURS.area(str(area.parent), TODAY) for area in now if area.kind != "province")
    for rows in OURS.areas.values():
        assert all(a.until == b.since for a, b in itertools.pairwise(rows)), rows


def test_an_area_keeps_its_id_through_another_name_and_code() -> None:
    before, after = OURS.area("360703", date(2013, 11, 30)), OURS.area("360703", date(2013, 12, 1))
    assert before is not None
    assert after is not None
    assert (before.code, before.name_zh, after.code, after.name_zh) == (
        "360782",
        "南康市",
        "360703",
        "南康区",
    )


@pytest.mark.parametrize(
    ("number", "told"),
    [
        ("360105", "湾里区 was abolished on 2020-06-01"),
        ("360782", "360782 was 南康市 until 2013-12-01: now 360703 南康区"),
        ("440100", "no such area"),
        ("", "no such area"),
    ],
)
def test_an_area_that_is_none_is_explained(number: str, told: str) -> None:
    assert OURS.area(number, TODAY) is None
    assert told in OURS.why_not(number, TODAY)


def test_a_county_is_added_to_its_city_and_the_province() -> None:
    assert OURS.above("360121") == ["360121", "360100", "360000"]


@pytest.mark.parametrize(
    ("gbt4754", "industry"),
    [
        ("3211", "NONFERROUS"),
        ("2511", "PETROCHEM"),
        ("2530", "OTHER"),
        ("2671", "OTHER"),
        ("28", "TEXTILE"),
        ("3731", "SHIP"),
        ("3721", "OTHER"),
        ("4011", "OTHER"),
    ],
)
def test_a_class_belongs_to_exactly_one_industry(gbt4754: str, industry: str) -> None:
    assert OURS.industry_of(gbt4754) == industry


@pytest.mark.parametrize(
    ("areas", "told"),
    [
        (
            "id,parent,kind,code,name_zh,name_en,from,to\n1,,land,1,A,A,,\n",
            "areas.csv row 2, kind = land: none of",
        ),
        (
            "id,parent,kind,code,name_zh,name_en,from,to\n1,,city,1,A,A,soon,\n",
            "areas.csv row 2, from = soon",
        ),
        ("id,kind\n", "areas.csv row 1: column parent is missing"),
    ],
)
def test_a_damaged_file_of_another_province_is_told_with_its_place(
    tmp_path: Path, areas: str, told: str
) -> None:
    (tmp_path / "areas.csv").write_text(areas)
    (tmp_path / "industries.csv").write_text("id,name_zh,name_en,classes\nX,x,x,1\n")
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        (
            "coefficients.csv",
            "carrier,since,kgce,source\nelectricity,,1/0,x\n",
            "row 2, kgce = 1/0: no number",
        ),
        (
            "coefficients.csv",
            "carrier,since,kgce,source\nmoonlight,,1,x\n",
            "row 2, carrier = moonlight: no such carrier",
        ),
        ("holidays.csv", "dates,plan,why,source\n2027-02-05,like,x,x\n", "row 2, plan = like: off, or like"),
        ("tiles.csv", "area,column,row\n360100,3,13\n", "row 2, row = 13: column and row are numbers"),
    ],
)
def test_a_damaged_file_that_a_province_may_have_is_told_with_its_place(
    tmp_path: Path, name: str, text: str, told: str
) -> None:
    (tmp_path / "areas.csv").write_text("id,parent,kind,code,name_zh,name_en,from,to\n1,,province,1,A,A,,\n")
    (tmp_path / "industries.csv").write_text("id,name_zh,name_en,classes\nX,x,x,1\n")
    (tmp_path / name).write_text(text)
    with pytest.raises(ConfigError) as caught:
        load(tmp_path)
    assert f"{name} {told}" in str(caught.value)


def test_a_folder_without_files_is_told(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"areas\.csv: no such file"):
        load(tmp_path)
