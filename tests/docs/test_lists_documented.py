"""The lists that can be imported, as `docs/collector.md` names them."""

import re
from pathlib import Path

from ganpo_cloud.imports.kinds import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "collector.md"


def test_every_list_stands_on_the_page_with_its_columns_in_order() -> None:
    section = PAGE.read_text(encoding="utf-8").partition("| list | columns |")[2].partition("\n\n")[0]
    rows = dict(re.findall(r"^\| (\w+) \| (.+) \|$", section, re.MULTILINE))
    assert rows == {kind: ", ".join(about.columns) for kind, about in KINDS.items()}


def test_what_a_list_reads_fills_every_column_of_its_table() -> None:
    for kind, about in KINDS.items():
        read = {about.stored.get(column, column) for column in about.columns}
        ruled = {"recorded_at"} | ({"first", "last"} if "dates" in read else set())
        assert {column.name for column in about.table.columns} <= read | ruled, kind
