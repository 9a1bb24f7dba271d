"""Mistakes that people make in a configuration, and what they are told: the files of `tests/mistakes`.

`python -m support.mistakes` (from `tests`) writes docs/mistakes.md and docs/zh/mistakes.md from them.
"""

import csv
import io
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.books import book

HERE = Path(__file__).parents[1] / "mistakes"
DOCS = Path(__file__).parents[2] / "docs"
LANGUAGES = ("en", "zh")
GOOD = "agent.toml", "equipment.csv", "meters.csv", "points.csv"
HEADS = {
    "en": ("What was written", "Where it is told", "What is said", "What to do"),
    "zh": ("写成了什么", "报在哪里", "说什么", "怎么办"),
}
TITLES = {"en": "Mistakes, and what is said of them", "zh": "常见错误及其提示"}
LEADS = {
    "en": "Written from `tests/mistakes`, where each of them is made on purpose and what is said is held to, in both\n"
    "languages. `ganpo check` and `ganpo lists import` say it; nothing is written, and a running gateway goes on with\n"
    "the configuration that it has.",
    "zh": "本页由`tests/mistakes`生成：那里逐一故意犯下这些错误，并核对两种语言的提示。提示由`ganpo check`和\n"
    "`ganpo lists import`给出；什么都不会写入，正在运行的网关继续用原有的配置。",
}


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake. `change`: file, what stands there when all is right, and what was written instead; `\\n` of the old
    text being empty puts the new one at the end. `told`: place, cause and remedy by language."""

    family: str
    number: int
    change: tuple[tuple[str, Any, Any], ...]
    written: dict[str, str]
    told: dict[str, tuple[str, str, str]]
    exit_code: int
    imported: str
    """The file that is imported; empty: the configuration is checked."""

    def __str__(self) -> str:
        return f"{self.family}-{self.number}"


def families() -> dict[str, dict[str, str]]:
    """The titles of the files, in the order of the page."""
    found = {file.stem: tomllib.loads(file.read_text("utf-8")) for file in HERE.glob("*.toml")}
    found.pop("agent")
    return {
        name: content["title"] for name, content in sorted(found.items(), key=lambda one: one[1]["place"])
    }


def mistakes() -> Iterator[Mistake]:
    """All of them."""
    for name in families():
        content = tomllib.loads((HERE / f"{name}.toml").read_text("utf-8"))
        for number, case in enumerate(content["case"], 1):
            yield Mistake(
                name,
                number,
                tuple((file, old, new) for file, old, new in case["change"]),
                dict(zip(LANGUAGES, case["written"], strict=True)),
                {lang: tuple(case[lang]) for lang in LANGUAGES if lang in case},
                1 if case.get("stops", True) else 0,
                case.get("import", ""),
            )


def lay_down(folder: Path, change: tuple[tuple[str, Any, Any], ...] = ()) -> None:
    """Write the good configuration, and what is changed in it."""
    for name in ("state", "secrets"):
        (folder / name).mkdir()
    (folder / "secrets" / "mqtt_password").write_text("not a real one")
    (folder / "secrets" / "mqtt_password").chmod(0o600)
    for name in GOOD:
        text = (HERE / name).read_text("utf-8")
        (folder / name).write_text(text.replace("FOLDER", str(folder)), "utf-8")
    for name, old, new in change:
        _change(folder / name, old, new)


def _change(file: Path, old: Any, new: Any) -> None:
    if old == "folder":
        file.unlink()
        file.mkdir()
    elif old == "missing":
        file.unlink()
    elif old == "bytes":
        file.write_bytes(new.encode("latin-1"))
    elif old in ("gb18030", "utf-16"):
        file.write_bytes(file.read_text("utf-8").replace(*new).encode(old))
    elif old == "cells":
        file.write_bytes(_workbook(file.with_name("meters.csv"), new))
    elif old == "sheets":
        file.write_bytes(book(new))
    elif old == "text":
        file.write_text(new, "utf-8")
    elif old == "add":
        file.write_text(file.read_text("utf-8") + new, "utf-8")
    else:
        text = file.read_text("utf-8")
        assert old in text, f"{file.name} has no {old!r}"
        file.write_text(text.replace(old, new, 1), "utf-8")


def _workbook(meters: Path, change: dict[str, Any]) -> bytes:
    """The meters as a workbook, some cells (`F2`) of which are others; `A2:A3` are merged."""
    rows: list[list[Any]] = list(csv.reader(io.StringIO(meters.read_text("utf-8"))))

    def fill(sheet: Any, _made: Any) -> None:
        for number, row in enumerate(rows):
            for at, cell in enumerate(row):
                if cell:
                    sheet.write_string(number, at, cell)
        for place, cell in change.items():
            if ":" in place:
                sheet.merge_range(place, cell)
            elif isinstance(cell, str) and cell.startswith("="):
                sheet.write_formula(place, cell, None, "")
            elif isinstance(cell, str):
                sheet.write_string(place, cell)
            else:
                sheet.write(place, cell)

    return book({"meters": fill})


def page(lang: str) -> str:
    """The page in a language."""
    found = list(mistakes())
    lines = [f"# {TITLES[lang]}", "", LEADS[lang]]
    for name, title in families().items():
        lines += ["", f"## {title[lang]}", "", _row(HEADS[lang]), _row(["---"] * 4)]
        for one in found:
            if one.family == name:
                place, cause, remedy = one.told[lang]
                lines.append(_row([one.written[lang], place, cause, remedy]))
    return "\n".join(lines) + "\n"


def _row(cells: Any) -> str:
    return f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in cells)} |"


if __name__ == "__main__":
    for language, where in (("en", DOCS / "mistakes.md"), ("zh", DOCS / "zh" / "mistakes.md")):
        where.write_text(page(language), "utf-8")
