"""`ganpo-cloud import`: previewed, applied as a whole or not at all, over both kinds of database."""

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import func, select

from ganpo_cloud.cli.main import main
from ganpo_cloud.imports.kinds import KINDS
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.settings import DatabaseSettings
from support import databases
from support.books import book

pytestmark = pytest.mark.usefixtures("each_database")
CODE, OTHER = "91360000625912173B", "913601000005543370"
ENTERPRISES = f"""code,name,parent,area,industry,gbt4754,above_scale,since
{CODE},江西铜业,,360681,NONFERROUS,3211,yes,2018-01-01
{OTHER},Foods,{CODE},360121,FOOD,1310,no,2020/3/1
"""
SITES = f"""enterprise,site,name,area,timezone
{CODE},plant-1,一车间,360681,Asia/Shanghai
"""
EQUIPMENT = f"""enterprise,site,asset_no,name,status,since
{CODE},plant-1,SB-0141,VMC850,in_use,2020-01-01
{CODE},plant-1,SB-0007,Press,in_use,2012-01-01
"""
Take = Callable[..., Result]


@pytest.fixture
def take(tmp_path: Path) -> Take:
    """Import a text as a list of a kind."""
    about = databases.settings(tmp_path)
    (tmp_path / "cloud.toml").write_text(f'format = 1\n[database]\nurl = "{about.url}"\n')

    def run(kind: str, text: str | bytes, *options: str) -> Result:
        file = tmp_path / f"{kind}.csv"
        file.write_bytes(text if isinstance(text, bytes) else text.encode())
        config = str(tmp_path / "cloud.toml")
        done = CliRunner().invoke(main, ["import", kind, str(file), "--config", config, *options])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    return run


@pytest.fixture
def known(take: Take) -> Take:
    """With two enterprises, a site and two machines."""
    for kind, text in (("enterprises", ENTERPRISES), ("sites", SITES), ("equipment", EQUIPMENT)):
        done = take(kind, text)
        assert done.exit_code == 0, done.output
    return take


def count(tmp_path: Path, table: object) -> int:
    url = (tmp_path / "cloud.toml").read_text().split('"')[1]
    database = Database(DatabaseSettings(url=url))
    with database.read() as connection:
        found: int = connection.execute(select(func.count()).select_from(table)).scalar_one()  # type: ignore[arg-type]
    database.close()
    return found


def test_a_preview_changes_nothing_and_a_second_import_says_what_it_corrects(
    tmp_path: Path, take: Take
) -> None:
    shown = take("enterprises", ENTERPRISES, "--preview")
    assert shown.output.splitlines()[-1] == (
        "enterprises.csv: 2 to be added, 0 to be changed, 0 as before, 0 rejected; nothing was changed"
    )
    assert count(tmp_path, registry.enterprise) == 0
    assert take("enterprises", ENTERPRISES).output.endswith(
        "2 added, 0 changed, 0 as before, 0 rejected; done\n"
    )
    again = take("enterprises", ENTERPRISES.replace("Foods", "Fine foods"))
    assert f"changed  row 3: {OTHER} 2020-03-01; name Foods -> Fine foods" in again.output
    assert again.output.endswith("0 added, 1 changed, 1 as before, 0 rejected; done\n")
    later = take("enterprises", ENTERPRISES.replace("2020/3/1", "2024-01-01").replace("360121", "360122"))
    assert later.exit_code == 1, "360122 is a code of before 2015"
    assert count(tmp_path, registry.enterprise) == 2


def test_a_workbook_is_a_list_too_and_its_mistakes_have_sheet_and_cell(tmp_path: Path, take: Take) -> None:
    head = ["统一社会信用代码", "企业名称", "上级企业", "区县", "所属行业", "行业代码", "规上", "since"]
    good = [CODE, "江西铜业", "", "360681", "NONFERROUS", 3211, "是", date(2018, 1, 1)]
    done = take("enterprises", book({"企业": [["企业名录"], head, good]}), "--preview")
    assert done.exit_code == 0, done.output
    assert f"to be added sheet 企业, row 3: {CODE} 2018-01-01" in done.output
    bad = [*good[:6], "maybe", 43101]
    done = take("enterprises", book({"企业": [head, good, bad, [913600006259121730, *good[1:]]]}))
    assert done.exit_code == 1
    for told in (
        "rejected enterprises.csv, sheet 企业, cell G3, above_scale = maybe: none of yes, no",
        "rejected enterprises.csv, sheet 企业, cell A4, code = 9.13600E+17: Excel made a number of it",
        "enterprises.csv: 2 rejected; nothing was changed",
    ):
        assert told in done.output


def test_one_bad_row_keeps_all_of_them_out_and_all_mistakes_are_told(tmp_path: Path, take: Take) -> None:
    text = ENTERPRISES + "91350100M000100Y4A,x,,360782,STEEL,3211,maybe,2021/13/1\n"
    done = take("enterprises", text)
    assert done.exit_code == 1
    for told in (
        "rejected enterprises.csv row 4, code = 91350100M000100Y4A: its check character is A",
        "rejected enterprises.csv row 4, area = 360782: 360782 was 南康市 until 2013-12-01: now 360703 南康区",
        "rejected enterprises.csv row 4, industry = STEEL: class 3211 belongs to NONFERROUS",
        "rejected enterprises.csv row 4, above_scale = maybe: none of yes, no",
        "rejected enterprises.csv row 4, since = 2021/13/1: no day of the calendar",
        "enterprises.csv: 1 rejected; nothing was changed",
    ):
        assert told in done.output
    assert "added" not in done.output, "nothing was"
    assert count(tmp_path, registry.enterprise) == 0


def test_a_list_that_is_refused_counts_the_rows_that_are_wrong_and_nothing_else(known: Take) -> None:
    """Rows as before, new ones, broken ones, two of the same, and two that cannot stand beside each other."""
    press = f"{CODE},plant-1,SB-0007,Press,in_use,2012-01-01\n"
    text = (
        EQUIPMENT
        + press
        + f"{CODE},plant-1,SB-8,X,in_use,2012-01-01\n"
        + f"{CODE},plant-1,SB-9,X,in_use,=A1\n"
    )
    done = known("equipment", text)
    assert done.output.splitlines()[-1] == "equipment.csv: 2 rejected; nothing was changed"
    assert "added" not in done.output
    assert "as before" not in done.output
    days = "enterprise,site,dates,plan,why\n"
    days += "".join(
        f"{CODE},plant-1,{of},off,x\n" for of in ("2026-12-01..2026-12-05", "2026-12-04", "2026-12-09")
    )
    done = known("exceptions", days)
    assert done.output.splitlines()[-1] == "exceptions.csv: 2 rejected; nothing was changed"
    assert (
        known("sites", "").output.splitlines()[-1] == "sites.csv: all of it is rejected; nothing was changed"
    )
    assert "added" not in done.output


def test_every_list_is_taken(tmp_path: Path, known: Take) -> None:
    lists = {
        "flags": (
            (
                "enterprise,asset_no,flag,value,evidence,document,by,since\n"
                f"{CODE},SB-0141,main,yes,claimed,,Li,2020-01-01\n"
                f"{CODE},SB-0141,numerical_control,yes,document,2026-17,Wang,2021-01-01\n"
            ),
            registry.flag,
        ),
        "population": (
            "area,industry,year,count,source\n360000,FOOD,2025,812,yearbook\n",
            registry.population,
        ),
        "value_added": (
            f"enterprise,year,amount_cny,price_basis,source\n{CODE},2025,20000000.5,current,report\n",
            registry.value_added,
        ),
        "statements": (
            (
                "enterprise,month,carrier,quantity,unit,document,by\n"
                f"{CODE},2025-03,raw_coal,120500.25,kg,ticket 4,Li\n"
            ),
            registry.statement,
        ),
        "carriers": (
            f"enterprise,year,carrier\n{CODE},2025,electricity\n{CODE},2025,raw_coal\n",
            registry.declared_carrier,
        ),
        "targets": (
            (
                "id,area,industry,comparator,value,deadline,baseline_value,baseline_date,document\n"
                "T01,360000,,>=,60,2020-12-31,,,plan\n"
                "T03,360000,,increase_vs_baseline,,2020-12-31,1200,2018-06-30,plan\n"
            ),
            registry.target,
        ),
    }
    for kind, (text, table) in lists.items():
        done = known(kind, text)
        assert done.exit_code == 0, done.output
        assert count(tmp_path, table) == text.count("\n") - 1
        assert known(kind, text).output.endswith("0 rejected; done\n")


BAD_CELLS = [
    (
        "sites",
        f"{OTHER[:-1]}1,plant-2,X,360681,Asia/Shanghai",
        "enterprise = 913601000005543371: its check",
    ),
    (
        "sites",
        "914403001922038216,p,X,360681,Asia/Shanghai",
        "is not in the registry; ganpo-cloud import",
    ),
    ("sites", f"{CODE},p,X,360600,Asia/Shanghai", "area = 360600: is a city: name the county"),
    ("sites", f"{CODE},p,X,360681,Asia/Shanghia", "timezone = Asia/Shanghia: no time zone"),
    (
        "equipment",
        f"{CODE},plant-9,SB-1,X,in_use,2020-01-01",
        "site = plant-9: no site of this enterprise",
    ),
    ("equipment", f"{CODE},plant-1,2.02503E+11,X,in_use,2020-01-01", "Excel made a number of it"),
    ("equipment", f"{CODE},plant-1,SB-1,X,broken,2020-01-01", "status = broken: none of in_use, idle"),
    ("equipment", f"{CODE},plant-1,SB-1,\u202eevil,in_use,2020-01-01", "turn the direction of writing"),
    ("equipment", f"{CODE},plant-1,SB-1,{'x' * 300},in_use,2020-01-01", "300 characters: at most 200"),
    ("flags", f"{CODE},SB-9,main,yes,claimed,,Li,2020-01-01", "asset_no = SB-9: no equipment of this"),
    ("flags", f"{CODE},SB-0141,main,yes,document,,Li,2020-01-01", "document: is missing"),
    (
        "flags",
        f"{CODE},SB-0141,main,yes,controller,,Li,2020-01-01",
        "evidence = controller: none of claimed",
    ),
    ("flags", f"{CODE},SB-0141,mian,yes,claimed,,Li,2020-01-01", "flag = mian: none of "),
    ("population", "360000,FOOD,2199,1,x", "year = 2199: no year like 2025"),
    ("population", "360000,FOOD,2099,1,x", "year = 2099: lies in the future"),
    ("population", "360000,FOOD,2025,1.5,x", "count = 1.5: is a part of one"),
    ("value_added", f"{CODE},2025,-5,current,x", "amount_cny = -5: is negative"),
    ("value_added", f"{CODE},2025,,current,x", "amount_cny: is missing"),
    ("value_added", f"{CODE},2025,1e9,current,x", "amount_cny = 1e9: no number like 1234.5"),
    ("statements", f"{CODE},2025-03,raw_coal,1,t,x,y", "unit = t: none of kg"),
    ("statements", f"{CODE},2999-03,raw_coal,1,kg,x,y", "month = 2999-03"),
    ("statements", f"{CODE},2025-03,coal,1,kg,x,y", "carrier = coal: none of"),
    ("targets", "T01,360000,,>=,,2020-12-31,,,plan", "value: is missing"),
    (
        "targets",
        "nc_rate_main,360000,,>=,60,2020-12-31,,,plan",
        "id = nc_rate_main: none of T01, T02, T03",
    ),
    ("targets", "T01,360000,,=>,60,2020-12-31,,,plan", "comparator = =>: none of >=, >, <=, <, =, "),
    (
        "targets",
        "T03,360000,,increase_vs_baseline,5,2020-12-31,,,plan",
        "value = 5: increase_vs_baseline has no",
    ),
]


@pytest.mark.parametrize("each_database", ["sqlite"], indirect=True)
def test_a_bad_cell_is_told_with_row_column_and_value(known: Take) -> None:
    for kind, row, told in BAD_CELLS:
        done = known(kind, ",".join(KINDS[kind].columns) + f"\n{row}\n")
        assert done.exit_code == 1, row
        assert f"rejected {kind}.csv row 2, " in done.output, row
        assert told in done.output, row
        assert "nothing was changed" in done.output, row


def test_two_rows_for_one_device_are_refused(known: Take) -> None:
    done = known("equipment", EQUIPMENT + EQUIPMENT.splitlines()[1].replace("in_use", "idle") + "\n")
    assert (
        f"rejected equipment.csv row 4: row 2 says something of the same: {CODE} SB-0141 2020-01-01"
        in done.output
    )
    assert done.exit_code == 1


def test_an_unknown_list_and_a_file_that_is_none_are_told(take: Take, tmp_path: Path) -> None:
    assert "machines: no such list (enterprises, sites, equipment, flags, " in take("machines", "").output
    config = str(tmp_path / "cloud.toml")
    missing = CliRunner().invoke(main, ["import", "sites", str(tmp_path / "none.csv"), "--config", config])
    assert missing.exit_code == 1
    assert "none.csv: no such file; a name without its folder is looked for" in missing.output
