"""Exports as an official uses them: sums that are the page's, heads and names in words, a checksum that holds, and a
spreadsheet that opens them."""

import io
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from python_calamine import CalamineWorkbook
from sqlalchemy import update

from ganpo_cloud.cli.main import main
from ganpo_cloud.cli.verifying import verify
from ganpo_cloud.province import lists
from ganpo_cloud.store.counted_tables import ledger
from ganpo_cloud.store.database import Database
from ganpo_cloud.web.answers import equipment
from ganpo_cloud.web.exports.workbook import MARK
from ganpo_model.errors import ConfigError
from support import offices
from support.answering import answering
from support.books import book
from support.province import CODES, NOW, Plant, enterprise

both = pytest.mark.usefixtures("each_database")
COUNTY = "360681"
ODD = ("=1+1", "+86", "-2+3厂", "@SUM(A1)", "a & <b> 'c'", "_x0041_ x", "001", "9" * 18)
"""Names that a spreadsheet would like to make something of."""
DEVICES = [
    *(
        (CODES[0], f"SB-{n}", ODD[n % len(ODD)], n % 3 > 0, ("", "claimed", "document")[n % 3])
        for n in range(9)
    ),
    *((CODES[1], f"CJ-{n}", "车床", True, ("document", "")[n % 2]) for n in range(4)),
]
"""Enterprise, number, name, whether it is main, and how numerical control is known."""


def fill(database: Database) -> None:
    plant = Plant(database)
    plant.take("enterprises", *(enterprise(code) for code in CODES[:2]))
    plant.take("sites", *(f"{code},plant-1,P,{COUNTY},Asia/Shanghai" for code in CODES[:2]))
    named = (f'{c},plant-1,{n},"{name.lstrip("=")}",in_use,2020-01-01' for c, n, name, _, _ in DEVICES)
    plant.take("equipment", *named)
    flags = [f"{c},{n},main,yes,claimed,D,Li,2020-01-01" for c, n, _, is_main, _ in DEVICES if is_main]
    flags += [f"{c},{n},numerical_control,yes,{how},D,Li,2020-01-01" for c, n, _, _, how in DEVICES if how]
    plant.take("flags", *flags)
    plant.settle()
    with database.write() as connection:  # no list of ours may say that; a gateway may
        connection.execute(update(ledger).where(ledger.c.name == "1+1").values(name="=1+1"))


@pytest.fixture
def http(tmp_path: Path) -> Iterator[httpx.Client]:
    with answering(tmp_path, fill, demo=True) as client:
        yield client


def recount() -> dict[str, int]:
    """The devices once more, from the lists."""
    mains = [device for device in DEVICES if device[3]]
    return {
        "units": len(DEVICES),
        "main": len(mains),
        "nc_declared": sum(how != "" for *_, how in mains),
        "nc_checked": sum(how == "document" for *_, how in mains),
        "nc_proven": 0,
    }


def sheets(raw: bytes) -> list[list[list[Any]]]:
    with CalamineWorkbook.from_filelike(io.BytesIO(raw)) as book:
        return [book.get_sheet_by_index(at).to_python(skip_empty_area=False) for at in range(2)]


@both
def test_a_countys_equipment_adds_up_to_what_its_page_says(http: httpx.Client, tmp_path: Path) -> None:
    page = http.get("/equipment", params={"lang": "zh", "area": COUNTY}).text
    (link,) = re.findall(r'href="(/api/v1/equipment[^"]*xlsx[^"]*)" download', page)
    rows, about = sheets(http.get(link.replace("&amp;", "&")).content)
    assert rows[0][0] == "DEMO DATA / 演示数据"
    heads, data, sums = rows[1], rows[2:-1], rows[-1]
    assert (sums[0], len(data)) == ("合计", len(DEVICES))
    columns = {line[1]: heads.index(line[0]) for line in about if line[1] in _columns()}
    place = {name: columns[f"counted.{name}"] for name in equipment.COUNTED}
    for name, wanted in recount().items():
        assert sums[place[name]] == sum(row[place[name]] for row in data) == wanted, name
    (nc,) = http.get("/api/v1/indicators/nc_rate_main", params={"area": COUNTY}).json()
    assert nc["declared"] == {"numerator": sums[place["nc_declared"]], "denominator": sums[place["main"]]}
    assert nc["checked"]["numerator"] == sums[place["nc_checked"]]
    overview = http.get("/overview", params={"lang": "zh", "area": COUNTY}).text
    shown = dict(re.findall(rf'value="(\d+)" data-number="(\w+) {COUNTY} \* {NOW.date()}"', overview))
    assert {name: number for number, name in shown.items()}["main"] == str(int(sums[place["main"]]))
    assert [row[columns["name"]] for row in data] == [name for _, _, name, *_ in DEVICES]
    assert {row[heads.index("企业名称")] for row in data} == {"Name"}
    assert {row[heads.index("地区")] for row in data} == {"贵溪市"}
    told = {str(line[0]): line[1] for line in reversed(about)}
    assert told["地区"] == f"贵溪市 {COUNTY}"
    assert told["数据行数"] == len(DEVICES)
    part = "清单总行数（本文件只含其中一部分）"
    assert part not in told
    asked = {"format": "xlsx", "lang": "zh", "area": COUNTY, "limit": "1"}
    _, about = sheets(http.get("/api/v1/equipment", params=asked).content)
    assert {str(line[0]): line[1] for line in about}[part] == str(len(DEVICES))
    _, about = sheets(http.get("/api/v1/tags/zone", params=asked).content)
    assert {str(line[0]): line[1] for line in about}["编号"] == "zone"


def test_what_we_say_is_said_in_the_language_of_the_sheet(http: httpx.Client) -> None:
    for lang, what, serves in (
        ("en", "it stands in the ledger only: no gateway names it", "Networked equipment"),
        ("zh", "仅列入台账，未接入网关", "设备联网率"),
    ):
        raw = http.get(f"/api/v1/why/{CODES[0]}/SB-1", params={"format": "xlsx", "lang": lang}).content
        told = {row[0]: row for row in sheets(raw)[0][2:]}
        assert what in told["ledger"]
        assert serves in str(told["ledger"]), "numbers by name"


def taken(*_asked: Any) -> Iterator[Any]:
    """What nobody is to take."""
    pytest.fail("the rows are read")
    yield


def _columns() -> set[str]:
    return {"name", *(f"counted.{name}" for name in equipment.COUNTED)}


def test_enterprises_have_percentages_and_their_sum_is_the_places(http: httpx.Client) -> None:
    raw = http.get("/api/v1/enterprises", params={"format": "xlsx", "lang": "en"}).content
    rows, _ = sheets(raw)
    at = rows[1].index("numerical control, checked (%)")
    shown = recount()
    assert rows[-1][at] == pytest.approx(shown["nc_checked"] / shown["main"], abs=1e-12)
    assert {row[at] for row in rows[2:-1]} == {0.5}
    xml = zipfile.ZipFile(io.BytesIO(raw)).read("xl/worksheets/sheet1.xml").decode()
    assert re.search(r"<f>SUBTOTAL\(9,\w+3:\w+4\)</f>", xml)
    assert 'state="frozen"' in xml
    assert "<autoFilter ref=" in xml


def test_a_spreadsheet_opens_it_adds_up_the_same_and_leaves_its_rows(
    http: httpx.Client, tmp_path: Path
) -> None:
    raw = http.get("/api/v1/equipment", params={"format": "xlsx", "lang": "zh"}).content
    whole, bare = tmp_path / "whole.xlsx", tmp_path / "bare.xlsx"
    whole.write_bytes(raw)
    with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(bare, "w") as new:
        for name in old.namelist():
            formulas = re.sub(rb"(</f>)<v>[^<]*</v>", rb"\1", old.read(name))
            new.writestr(name, formulas)
    saved = offices.opened(tmp_path, whole, bare)
    before, after, added = (sheets(path.read_bytes())[0] for path in (whole, *saved))
    assert after == before
    assert added[-1] == before[-1], "it comes to the same sums by itself"
    assert [verify(path).unchanged for path in (whole, *saved)] == [True] * 3


def test_whoever_changes_a_row_is_found_out_and_a_foreign_file_is_told_as_such(
    http: httpx.Client, tmp_path: Path
) -> None:
    asked = {"format": "xlsx", "lang": "en"}
    raw = http.get("/api/v1/equipment", params=asked).content
    of = http.get("/api/v1/equipment", params={**asked, "industry": "NONFERROUS"})
    assert of.headers["content-disposition"].endswith('equipment-NONFERROUS.xlsx"'), (
        "its name says of what it is"
    )
    file = tmp_path / "equipment.xlsx"
    (total,) = re.findall(rb"<f>SUBTOTAL[^<]*</f><v>(\d+)</v>", member(raw, "1"))[:1]
    for change, to, ends, told in (
        (rb"$^", b"", 0, "13 rows, unchanged since"),
        (rb"SB-8", b"SB-9", 1, "its rows were changed, moved or taken out"),
        (rb'<row r="5".*?</row>', b"", 1, "its rows were changed, moved or taken out"),
        (rb"<sheetData>.*</sheetData>", b"<sheetData/>", 1, "its rows were changed, moved or taken out"),
        (rb"<f>(SUBTOTAL[^<]*)</f><v>" + total, rb"<f>\1</f><v>9" + total, 1, "its heads or sums are not"),
        (rb"<f>SUBTOTAL[^<]*</f>", b"", 0, "unchanged since"),
        (rb"<f>SUBTOTAL[^<]*</f><v>[^<]*</v>", b"", 1, "its heads or sums are not"),
        (rb"<t>name</t>", b"<t>what it is called</t>", 1, "its heads or sums are not"),
    ):
        with zipfile.ZipFile(io.BytesIO(raw)) as old, zipfile.ZipFile(file, "w") as new:
            for name in old.namelist():
                rows = re.sub(change, to, old.read(name), flags=re.DOTALL)
                new.writestr(name, rows if name.endswith(("sheet1.xml", "Strings.xml")) else old.read(name))
        found = CliRunner().invoke(main, ["verify-export", str(file)])
        assert (found.exit_code, told in found.output) == (ends, True), (change, found.output)
    foreign = tmp_path / "foreign.xlsx"
    for content, told in (
        (b"", "no workbook, or a damaged one"),
        (b"PK nothing", "no workbook, or a damaged one"),
        (raw[: len(raw) // 2], "no workbook, or a damaged one"),
        (book({"a": [("x",), ("1",)]}), "no second sheet"),
        (book({"a": [("x",), ("1",)], "b": [("y",), ("2",)]}), "has no SHA-256"),
        (
            book({"a": [("x",)], "b": [(MARK, "0" * 64), ("rows", "-1"), ("", "0"), ("", "9")]}),
            "has no SHA-256",
        ),
        (None, "no such file"),
    ):
        foreign.unlink(missing_ok=True)
        if content is not None:
            foreign.write_bytes(content)
        with pytest.raises(ConfigError, match=told):
            verify(foreign)


def member(raw: bytes, sheet: str) -> bytes:
    with zipfile.ZipFile(io.BytesIO(raw)) as book:
        return book.read(f"xl/worksheets/sheet{sheet}.xml")


@both
def test_a_long_list_is_sent_while_it_is_read(
    http: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(lists, "AT_ONCE", 4)
    for form in ("json", "csv", "xlsx"):
        with http.stream("GET", "/api/v1/equipment", params={"format": form, "limit": "100"}) as answer:
            raw = answer.read()
        assert answer.headers["x-total-count"] == str(len(DEVICES))
        assert "content-length" not in answer.headers
        with monkeypatch.context() as watched:
            watched.setattr(lists, "_taken", taken)
            head = http.head("/api/v1/equipment", params={"format": form, "limit": "100"})
        assert (head.headers["content-type"], head.content) == (answer.headers["content-type"], b"")
        assert head.headers["x-total-count"] == str(len(DEVICES))
        head = http.head("/api/v1/equipment", params={"format": form, "limit": "4"})
        assert ("content-length" in head.headers) == (form == "json"), "no file is made for its length"
        short = http.get("/api/v1/equipment", params={"format": form, "limit": "4"})
        assert "content-length" in short.headers
        if form == "json":
            assert [row["asset_no"] for row in answer.json()] == [number for _, number, *_ in DEVICES]
        else:
            assert raw.count(b"\r\n") == len(DEVICES) + 1 or raw.startswith(b"PK")
