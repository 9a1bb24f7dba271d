"""Every mistake comes with the line of its file, and with whose it is."""

import re
import time
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ganpo_config import load
from ganpo_config.lines import line_of, lines_of
from support.configs import BUS, CELL, HEAD, machine, meter

FILES = sorted(Path(__file__).parents[2].glob("config/ganpo_config/profiles/*.toml"))
STRANGE = '''# a remark with [brackets]
format = 1
"quoted.key" = 2

[a]   # of a
text = """
[not.a.table]
x = 1
"""
short = "it [is] # none"
rows = [
  "x",   # ]
  ["[b]"],
  { y = 1 },
]
deep . key = 3
one = {two = {three = 4}}

[ "b c" . 'd' ]
e = \'\'\'
[[f]]\'\'\'
[[f]]
g = 1
[[f]]
g = 2
[f.h]
i = 5
[[f]]
g = 3
'''
LINES = {
    "format": 2,
    "quoted.key": 3,
    "a": 5,
    "a.text": 6,
    "a.short": 10,
    "a.rows": 11,
    "a.rows[2].y": 11,
    "a.deep.key": 16,
    "a.one": 17,
    "a.one.two.three": 17,
    "b c.d": 19,
    "b c.d.e": 20,
    "f[0]": 22,
    "f[0].g": 23,
    "f[1].g": 25,
    "f[1].nothing": 24,
    "f.h.i": 27,
    "f[2].g": 29,
}


def test_the_line_of_every_kind_of_key_is_found() -> None:
    tomllib.loads(STRANGE)
    found = lines_of(STRANGE)
    assert {path: line_of(path, found) for path in LINES} == LINES
    assert line_of("nowhere.at.all", found) is None


def paths(value: Any, path: str = "") -> Iterator[str]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from paths(inner, f"{path}.{key}" if path else key)
    elif isinstance(value, list) and value and isinstance(value[0], dict):
        for number, inner in enumerate(value):
            yield from paths(inner, f"{path}[{number}]")
    else:
        yield path


def test_in_every_profile_of_ours_a_key_stands_in_its_line() -> None:
    assert len(FILES) > 90
    for file in FILES:
        text = file.read_text(encoding="utf-8")
        lines, found = text.splitlines(), lines_of(text)
        for path in paths(tomllib.loads(text)):
            number = line_of(path, found)
            assert number is not None
            key = re.split(r"[.\[]", path)
            assert any(part in lines[number - 1] for part in key), (file.name, path, number)


def told(folder: Path, text: str) -> list[str]:
    (folder / "agent.toml").write_text(HEAD + text, encoding="utf-8")
    loaded = load(folder / "agent.toml", {})
    return [*map(str, loaded.errors), *loaded.warnings]


def test_a_row_in_the_file_has_its_line_and_its_number(tmp_path: Path) -> None:
    text = BUS + meter('ct = "400"', asset_no="DB-0101")
    number = (HEAD + text).splitlines().index('ct = "400"') + 1
    assert told(tmp_path, text)[0].startswith(
        f"agent.toml line {number} (DB-0101): meters[0].ct = 400: no ratio"
    )
    text = BUS + meter('cat = "x"\nct = "400/5"', asset_no="DB-0101")
    begins = (HEAD + text).splitlines().index("[[meters]]") + 1
    assert f"agent.toml line {begins} (DB-0101): meters[0].reads: is missing" in "\n".join(
        told(tmp_path, text)
    )
    assert f"agent.toml line {begins + 8} (DB-0101): meters[0].cat: no such key" in "\n".join(
        told(tmp_path, text)
    )


def test_connections_and_tables_have_theirs(tmp_path: Path) -> None:
    text = BUS.replace("tcp://", "udp://") + CELL.replace(
        "[connections.cell]", "[connections.'cell 1']\nport = 1"
    )
    lines = (HEAD + text).splitlines()
    for key, path in (
        ('url = "udp://127.0.0.1:502"', "connections.bus.url"),
        ("port = 1", "connections.cell 1.port"),
    ):
        assert f"agent.toml line {lines.index(key) + 1}: {path}" in "\n".join(told(tmp_path, text))
    wrong = told(tmp_path, "[conections]\n")
    assert wrong[0].startswith(f"agent.toml line {len(HEAD.splitlines()) + 1}: conections: no such key")


def test_the_row_of_a_list_has_the_number_too(tmp_path: Path) -> None:
    rows = "DB-1,M,electricity,sub,\nDB-2,M,electricity,sub,400\n"
    (tmp_path / "meters.csv").write_text("asset_no,name,carrier,role,ct\n" + rows)
    found = told(tmp_path, '[lists]\nmeters = "meters.csv"\n')
    assert any(error.startswith("meters.csv row 3 (DB-2), ct = 400: no ratio") for error in found), found
    assert any(warning.startswith("meters.csv row 2 (DB-1): DB-1 has no register") for warning in found), (
        found
    )


def test_what_stands_twice_is_told_with_both_lines(tmp_path: Path) -> None:
    text = machine("", "", asset_no="SB-1") + machine("", "", asset_no="SB-1")
    first, second = [n for n, line in enumerate((HEAD + text).splitlines(), 1) if line.startswith("asset_no")]
    (error,) = told(tmp_path, text)
    assert error.startswith(
        f"agent.toml line {second}: equipment[1].asset_no = SB-1: "
        f"stands in agent.toml line {first}: equipment[0].asset_no too"
    )


def test_fifty_thousand_lines_are_looked_through_in_a_second() -> None:
    text = "".join(f'[[points]]\nasset_no = "DB-{n}"\naddress = "1:holding:{n}[x]"\n' for n in range(20_000))
    began = time.process_time()
    assert line_of("points[19999].address", lines_of(text)) == 60_000
    assert time.process_time() - began < 5
