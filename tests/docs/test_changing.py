"""docs/changing.md says in which places a change is made; it is held to where its examples stand in the sources."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "changing.md"
PROMISED = {
    "A new measure of devices": 4,
    "A new column of a list": 5,
    "A new list in all forms": 4,
    "A new indicator": 3,
    "A new page": 5,
    "A new list to import": 3,
    "A new kind of fact": 6,
}
"""More places are a worse shape, whatever the page says."""
SOURCES = [
    file.relative_to(ROOT)
    for area in ("cloud/ganpo_cloud", "model/ganpo_model")
    for file in sorted((ROOT / area).rglob("*"))
    if file.suffix in (".py", ".html", ".js", ".po") and "vendor" not in file.parts
]


@dataclass(frozen=True, slots=True)
class Change:
    """A part of the page: how many places it allows, and in which what is to be seen."""

    most: int
    places: dict[Path, tuple[str, ...]]


def changes(page: str) -> dict[str, Change]:
    """The parts of the page by their titles."""
    found = {}
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        title, most = re.fullmatch(r"(.+): at most (\d+) places", part.splitlines()[0]).groups()  # type: ignore[union-attr]
        rows = re.findall(r"^\| `([^`]+)` \| [^|]+ \| (.+) \|$", part, re.MULTILINE)
        found[title] = Change(
            int(most), {Path(path): tuple(re.findall(r"`([^`]+)`", seen)) for path, seen in rows}
        )
    return found


CHANGES = changes(PAGE.read_text())


def standing(text: str) -> set[Path]:
    """The sources in which a text stands."""
    return {file for file in SOURCES if text in (ROOT / file).read_text()}


def test_every_kind_of_change_is_on_the_page_with_as_many_places_as_promised() -> None:
    assert {title: change.most for title, change in CHANGES.items()} == PROMISED
    for title, change in CHANGES.items():
        assert 0 < len(change.places) <= change.most, title
        assert all(change.places.values()), title


@pytest.mark.parametrize("title", CHANGES)
def test_an_example_stands_where_the_page_says_and_nowhere_else(title: str) -> None:
    places = CHANGES[title].places
    for place, texts in places.items():
        for text in texts:
            found = standing(text)
            assert place in found, f"{text} is not in {place}"
            assert found <= places.keys(), f"{text} stands in other places too"


_ASK = """
from pathlib import Path
import sys
from fastapi.testclient import TestClient
from sqlalchemy import text
from ganpo_cloud.web.application import create_app
from support import databases
from support.plants import TestClock
from support.province import CODES, NOW, Plant, enterprise

database = databases.database(Path(sys.argv[1]))
plant = Plant(database)
plant.take("enterprises", enterprise(CODES[0]))
plant.take("sites", f"{CODES[0]},plant-1,Plant,360681,Asia/Shanghai")
plant.take("equipment", f"{CODES[0]},plant-1,SB-0001,Lathe,in_use,2018-01-01")
plant.settle()
with database.read() as connection:
    print(connection.execute(text("SELECT max(tried) FROM area_day")).scalar_one())
client = TestClient(create_app(database, TestClock(wall=NOW)))
listed = client.get("/api/v1/equipment?measure=tried&format=csv")
print(listed.status_code, listed.text.count("SB-0001"), "retired" in listed.text.splitlines()[0])
print(client.get("/api/v1/equipment").json()[0]["retired"])
for form in ("json", "csv", "xlsx"):
    print(client.get(f"/api/v1/tried?format={form}").status_code, end=" ")
print("/api/v1/tried" in client.get("/api/v1/openapi.json").json()["paths"])
for page in ("/equipment?measure=tried&lang=zh", "/overview?lang=zh", "/tried?lang=zh"):
    shown = client.get(page).text
    print(*(word in shown for word in ("试行设备", "试行列", "试行清单")))
database.close()
"""


def test_what_is_written_in_the_places_named_is_enough(tmp_path: Path) -> None:
    """A measure, a column and a list are added to a copy of the sources, and are there in every form."""
    for area in ("cloud", "model"):
        shutil.copytree(ROOT / area, tmp_path / area, ignore=shutil.ignore_patterns("__pycache__", "vendor"))
    coverage, words = CHANGES["A new measure of devices"].places
    _, _, answer, shown, _ = CHANGES["A new column of a list"].places
    _, routes, template, _ = CHANGES["A new list in all forms"].places
    measure = '    "tried": Measure("on trial", (), "on trial", "beside"),\n'
    _write(tmp_path / coverage, r'(    "units": Measure)', rf"{measure}\1")
    _write(tmp_path / words, r"\Z", '\nmsgid "on trial"\nmsgstr "试行设备"\n')
    _write(tmp_path / answer, r"(\n    cloud(: .*))", r"\1\n    retired\2")
    _write(tmp_path / shown, r"</tr></thead>", '<th scope="col">{{ _("Tried column") }}</th></tr></thead>')
    _write(
        tmp_path / shown, r"</tr>{% endfor %}</tbody>", "<td>{{ d.retired }}</td></tr>{% endfor %}</tbody>"
    )
    _write(tmp_path / words, r"\Z", '\nmsgid "Tried column"\nmsgstr "试行列"\n')
    copied = {
        answer.with_name("tried.py"): (tmp_path / answer).read_text().replace("def equipment(", "def tried("),
        template.with_name("tried.html"): (tmp_path / template)
        .read_text()
        .replace("{% block main %}", '{% block main %}<p>{{ _("Tried list") }}</p>'),
    }
    for file, text in copied.items():
        (tmp_path / file).write_text(text)
    _write(tmp_path / routes, r"(    equipment,\n)", r"\1    tried,\n")
    _write(
        tmp_path / routes, r"(RESOURCES = \(\n)", r'\1    Resource("/tried", tried.tried, "tried.html"),\n'
    )
    _write(tmp_path / words, r"\Z", '\nmsgid "Tried list"\nmsgstr "试行清单"\n')
    done = subprocess.run(
        [sys.executable, "-c", _ASK, str(tmp_path)],
        env={**os.environ, "PYTHONPATH": f"{tmp_path}/cloud:{tmp_path}/model:{ROOT}/tests"},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "1",
        "200 1 True",
        "False",
        "200 200 200 True",
        "True True False",
        "True False False",
        "True True True",
    ]


def _write(file: Path, place: str, text: str) -> None:
    """Write into a file where a pattern is found, which has to be once."""
    found, times = re.subn(place, text, file.read_text())
    assert times == 1, f"{place} is {times} times in {file}"
    file.write_text(found)
