"""Trees of enterprises: what is counted of them on any day, and what is seen of their equipment: by plain loops."""

import random
import re
from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest

from ganpo_cloud.imports import registry
from ganpo_cloud.store.database import Database
from ganpo_cloud.web.application import create_app
from support import databases, recounting
from support.answering import answering
from support.plants import TestClock
from support.province import CODES, NOW, PROVINCE, Plant, enterprise, inventory, link_up, listed
from support.serving import Served

BOTH = pytest.mark.usefixtures("each_database")
"""What SQL counts is asked of both databases."""
TODAY = NOW.date()
COUNTIES = {CODES[0]: "360681", CODES[1]: "360121", CODES[2]: "360702", CODES[3]: "360702"}
CLASSES = {"NONFERROUS": "3211", "FOOD": "1310"}
BELOW = {"factory": "workshop", "workshop": "line", "line": "cell"}
SEEN_BEFORE = {"SB-0": 1, "SB-1": 1, "SB-2": 100}
"""By machine how many days ago it was linked; nothing came of the others."""


def lists() -> dict[str, list[str]]:
    """Four trees by chance, with accreditations of every grade, some of them over, some not begun."""
    rng = random.Random(1722)
    rows: dict[str, list[str]] = {"enterprises": [], "sites": [], "equipment": [], "flags": []}
    rows |= {"nodes": [], "node_equipment": [], "accreditations": []}

    def span(first: date, within: date | None = None) -> tuple[date, date | None]:
        begin = min(first + timedelta(days=rng.randrange(500)), within or date.max)
        end = begin + timedelta(days=rng.randrange(200, 900)) if rng.random() < 0.3 else within
        return begin, min(end, within) if end and within else end

    def told(of: tuple[date, date | None]) -> str:
        return f"{of[0]},{of[1] or ''}"

    for n, code in enumerate(CODES):
        industry = list(CLASSES)[n % 2]
        rows["enterprises"].append(enterprise(code, COUNTIES[code], CLASSES[industry], industry))
        rows["sites"].append(f"{code},plant-1,Plant,{COUNTIES[code]},Asia/Shanghai")
        for m in range(7):
            status = "retired" if m == 6 else "in_use"
            rows["equipment"].append(f"{code},plant-1,SB-{m},Lathe,{status},2020-01-01")
            rows["flags"].append(f"{code},SB-{m},numerical_control,yes,document,D,Li,2024-0{m + 1}-01")
        nodes = [("F-0", "", "factory")]
        spans: dict[str, tuple[date, date | None]] = {"F-0": (date(2021, 1, 1), None)}
        for kind, below in BELOW.items():
            for above in [node for node in nodes if node[2] == kind]:
                for _ in range(rng.randrange(1, 3)):
                    nodes.append((f"{below[0].upper()}-{len(nodes)}", above[0], below))
                    spans[nodes[-1][0]] = span(*spans[above[0]])
        for node, parent, kind in nodes:
            rows["nodes"].append(f"{code},plant-1,{node},{parent},{kind},Name {node},{told(spans[node])}")
            for grade in rng.sample(recounting.GRADES, rng.randrange(3)):
                paper = f"Doc {grade},Li,{told(span(spans[node][0], spans[node][1]))}"
                rows["accreditations"].append(f"{code},{node},{kind},{grade},{paper}")
        for m in range(6):
            node = rng.choice([node for node, _, kind in nodes if kind != "factory"])
            rows["node_equipment"].append(f"{code},{node},SB-{m},{told(span(*spans[node]))}")
    return rows


LISTS = lists()
LISTED = {kind: listed(kind, rows) for kind, rows in LISTS.items()}


def fill(database: Database) -> None:
    """The lists, and what the gateways of two enterprises saw."""
    plant = Plant(database)
    for kind, rows in LISTS.items():
        plant.take(kind, *rows)
    for n, code in enumerate(CODES[:2]):
        gateway = f"gw-test-000{n}"
        registry.add(database, gateway, code, "plant-1")
        for asset_no, ago in sorted(SEEN_BEFORE.items(), key=lambda item: -item[1]):
            at = NOW - timedelta(days=ago)
            for fact in (inventory(*SEEN_BEFORE, at=at), link_up(asset_no, at)):
                plant.send(gateway, [fact], at + timedelta(minutes=5))
    plant.settle()


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with answering(tmp_path, fill) as client:
        yield client


def get(http: httpx.Client, path: str, **asked: Any) -> Any:
    answer = http.get(f"/api/v1{path}", params={name: value for name, value in asked.items() if value})
    assert answer.status_code == 200, answer.text
    return answer.json()


DAYS = [date(2022, 7, 15), date(2024, 2, 29), TODAY]
PLACES = (("360000", None), ("360700", "FOOD"))


@BOTH
def test_nodes_of_any_place_and_day_are_what_a_plain_loop_counts(http: httpx.Client) -> None:
    compared = 0
    for day in DAYS:
        as_of = None if day == TODAY else f"{day}"
        for area, industry in PLACES:
            for row in get(http, "/trees", area=area, industry=industry, as_of=as_of):
                place = row["area"] if row["area"] != "?" else "nowhere"
                counted = recounting.node_counts(LISTED, PROVINCE, place, industry, day)
                mine = {grade: number for (kind, grade), number in counted.items() if kind == row["kind"]}
                grades = (*recounting.GRADES, "named")
                assert {grade: row[grade] for grade in grades if row[grade]} == mine, (area, industry, day)
                assert row["accredited"] == sum(row[grade] for grade in recounting.GRADES)
                compared += bool(mine)
    assert compared > 20
    by = get(http, "/trees", by="industry")
    assert {row["industry"] for row in by} == {None, *PROVINCE.industries}
    whole = [row for row in by if row["industry"] is None]
    for row in whole:
        parts = [one for one in by if one["industry"] and one["kind"] == row["kind"]]
        assert sum(one["named"] for one in parts) == row["named"]


@BOTH
def test_beside_a_node_stands_what_is_seen_of_all_equipment_below_it(http: httpx.Client) -> None:
    questions = set()
    for day in (date(2024, 5, 20), TODAY):
        nodes = get(http, "/nodes", as_of=None if day == TODAY else f"{day}")
        standing = recounting.standing_nodes(LISTED, day)
        assert [(row["enterprise"], row["node"]) for row in nodes] == sorted(standing)
        for row in nodes:
            code, node = row["enterprise"], row["node"]
            mine = recounting.equipment_below(LISTED, code, node, day) - {"SB-6"}
            linked = {
                asset_no
                for asset_no, ago in SEEN_BEFORE.items()
                if code in CODES[:2] and TODAY - timedelta(days=ago) <= day and ago < 90
            }
            controlled = {
                f["asset_no"] for f in LISTED["flags"] if f["enterprise"] == code and f["since"] <= f"{day}"
            }
            found = [row[name] for name in ("equipment", "networked", "cloud", "controlled")]
            seen = len(mine & linked)
            assert found == [len(mine), seen, seen, len(mine & controlled)], (code, node, day)
            accredited = standing[code, node][1] != "named"
            why = None if seen or not accredited else "unseen" if mine else "no_equipment"
            assert (row["question"], row["grade"] is not None) == (why, accredited)
            questions |= {(code, node, why)} if why and day == TODAY else set()
    asked = get(http, "/nodes", question="true")
    assert {(row["enterprise"], row["node"], row["question"]) for row in asked} == questions
    assert {why for _, _, why in questions} == {"unseen", "no_equipment"}


def test_a_list_of_nodes_is_filtered_and_paged_and_its_numbers_are_those_of_the_counts(
    http: httpx.Client,
) -> None:
    for row in get(http, "/trees")[:4]:
        for grade in ("provincial", "named") if row["kind"] == "line" else ("city",):
            found = get(http, "/nodes", kind=row["kind"], grade=grade)
            assert len(found) == row[grade]
            assert {(one["kind"], one["grade"] or "named") for one in found} <= {(row["kind"], grade)}
    every = [(one["enterprise"], one["node"]) for one in get(http, "/nodes")]
    pages = [get(http, "/nodes", limit=30, page=n) for n in range(1, len(every) // 30 + 2)]
    assert [(one["enterprise"], one["node"]) for page in pages for one in page] == every
    total = http.get("/api/v1/nodes", params={"limit": 30}).headers["x-total-count"]
    assert total == f"{len(every)}", "of all pages, though one is asked for"
    assert {one["node"] for one in get(http, "/nodes", q="F-0")} == {"F-0"}
    for asked in ({"kind": "house"}, {"grade": "golden"}, {"question": "perhaps"}, {"tree": "1"}):
        assert http.get("/api/v1/nodes", params=asked).status_code == 422


def test_the_pages_show_documents_and_who_entered_them(http: httpx.Client) -> None:
    page = re.sub("<[^>]+>", "", http.get("/nodes", params={"lang": "en"}).text)
    assert f"{len(get(http, '/nodes'))} nodes" in page
    assert "Doc national · Li" in page
    for lang, said in (("zh", "类别：智能车间，等级："), ("en", "kind: Workshop, Grade: ")):
        sheet = http.get("/api/v1/nodes", params={"format": "csv", "lang": lang}).text
        assert said in sheet
        assert "[{" not in sheet, "people read no JSON"
    trees = http.get("/trees", params={"lang": "en"}).text
    assert "from memory: 1,000" in trees
    assert 'data-number="nodes_factory 360000 * 2026-11-28"' in trees
    firm = http.get(f"/enterprises/{CODES[0]}", params={"lang": "en"}).text
    assert firm.count("Name F-0") == 1
    assert firm.index("Name F-0") < firm.index("Name W-1") < firm.index('id="why"')


def test_a_circle_that_came_past_every_list_ends(tmp_path: Path) -> None:
    database = databases.filled(tmp_path, fill)
    with database.write() as connection:
        from ganpo_cloud.store.registry_tables import node, node_equipment

        code = CODES[3]
        for name, parent in (("X-1", "X-2"), ("X-2", "X-1")):
            values = {"enterprise": code, "node": name, "first": TODAY, "last": None, "site": "plant-1"}
            connection.execute(
                node.insert().values(values | {"name": name, "parent": parent, "kind": "line"})
            )
        stands = {"enterprise": code, "node": "X-2", "asset_no": "SB-5", "first": date(2026, 11, 1)}
        connection.execute(node_equipment.insert().values(stands | {"last": None}))
    with (
        Served(create_app(database, TestClock(wall=NOW))) as served,
        httpx.Client(base_url=served.url, timeout=60) as http,
    ):
        found = {row["node"]: row for row in get(http, "/nodes", q="X-")}
        assert [found[name]["equipment"] for name in ("X-1", "X-2")] == [1, 1]
        assert http.get(f"/enterprises/{code}?lang=en").text.count("X-1") >= 1
    database.close()
