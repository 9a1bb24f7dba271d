"""Equipment, meters and points as a workbook: to be filled in, or with what a gateway has."""

import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

from ganpo_config.lists import ROWS
from ganpo_config.profiles import Profiles
from ganpo_model import heads, reference
from ganpo_service.workbook_writing import Page, workbook

SHEETS = {"equipment": "equipment 设备", "meters": "meters 仪表", "points": "points 点位"}
HELP = "help 说明"
_ORDERS = ("ABCD", "CDAB", "BADC", "DCBA", "ABCDEFGH", "GHEFCDAB", "BADCFEHG", "HGFEDCBA")
_TYPES = (
    *(
        "bit",
        "int8",
        "uint8",
        "int16",
        "uint16",
        "int32",
        "uint32",
        "int64",
        "uint64",
        "float16",
        "float32",
        "float64",
    ),
    *("sm16", "sm32", "bcd16", "bcd32", "bcd64", "number"),
)
_REMARKS = (
    (
        "一行一台设备、一块表或一个点位;第一行为表头,中英文均可,顺序不限。",
        "A row is one machine, meter or point; heads may be Chinese or English, in any order.",
    ),
    (
        "所有单元格均为文本格式,避免 10/5 变成日期、007 变成 7。",
        "All cells are text, so that 10/5 becomes no date and 007 no 7.",
    ),
    (
        "设备类型(profile)见 ganpo profile list;连接名(connection)见 agent.toml。",
        "Profiles: ganpo profile list; connections: those of agent.toml.",
    ),
    (
        "CT 变比按铭牌填写(400/5),读数侧必须注明一次或二次。",
        "CT as the nameplate has it (400/5); reads says whether the meter counts primary or secondary.",
    ),
    (
        "先预览,再导入:ganpo lists import 文件 --preview",
        "First look, then take: ganpo lists import FILE --preview",
    ),
)
EXAMPLES: Mapping[str, Sequence[Mapping[str, str]]] = {
    "equipment": (
        {
            "asset_no": "SB-0141", "name": "立式加工中心 VMC850", "profile": "machine_tool_opcua_40501",
            "connection": "cnc-cell", "parameters": "machine=VMC850-1", "flags": "main numerical_control digital",
            "since": "2025-03-01", "status": "in_use", "planned_run_time_s": "95",
        },
        {"asset_no": "SB-0003", "name": "普通车床 CA6140", "flags": "main", "since": "2009-06-01"},
    ),
    "meters": (
        {
            "asset_no": "DB-0101", "name": "总电表", "carrier": "electricity", "role": "boundary_in",
            "profile": "acrel_dtsd1352", "connection": "meter-bus", "parameters": "unit=1", "ct": "400/5",
            "reads": "secondary", "since": "2025-03-01",
        },
    ),
    "points": (
        {
            "asset_no": "SB-0003", "signal": "parts_total", "connection": "meter-bus", "address": "4:input:11",
            "type": "uint16", "modulus": "65536", "max_rate": "1200", "note": "proximity counter",
        },
    ),
}  # fmt: skip


def book(rows: Mapping[str, Sequence[Mapping[str, str]]], known: Mapping[str, Sequence[str]]) -> bytes:
    """A workbook of these lists, with a page of help. `known`: what a column may hold, beside the words of ours."""
    pages = []
    for name, cells in rows.items():
        fields = ROWS[name].model_fields
        choices = {}
        for at, (column, about) in enumerate(fields.items()):
            if found := [*known.get(column, ()), *_words(column, about.annotation)]:
                choices[at] = found
        head = [f"{column}\n{heads.titles()[column]}" for column in fields]
        body = [[row.get(column, "") for column in fields] for row in cells]
        pages.append(Page(SHEETS[name], head, body, choices))
    return workbook([*pages, _help(list(rows))])


def known(file: Path) -> dict[str, list[str]]:
    """What a row may name here: the profiles and connections of a configuration, as far as it can be read."""
    profiles = Profiles(file.parent / "profiles")
    try:
        connections = tomllib.loads(file.read_bytes().decode("utf-8-sig")).get("connections", {})
    except (OSError, ValueError):
        connections = {}
    named = [str(name) for name in connections] if isinstance(connections, dict) else []
    return {"profile": sorted(profiles), "connection": ["none", *named]}


def _words(column: str, annotation: Any) -> list[str]:
    if get_origin(annotation) is Literal:
        return [word for word in get_args(annotation) if word]
    found: dict[str, Sequence[str]] = {
        "carrier": list(reference.carriers()),
        "signal": list(reference.signals()),
        "type": _TYPES,
        "order": _ORDERS,
    }
    return list(found.get(column, ()))


def _help(names: Sequence[str]) -> Page:
    rows = [[zh, en] for zh, en in _REMARKS]
    for name in names:
        rows += [[], [SHEETS[name]]]
        for column, about in ROWS[name].model_fields.items():
            needed = "必填 required" if about.is_required() else ""
            rows.append([f"{column} {heads.titles()[column]}", about.description or "", needed])
        for example in EXAMPLES[name]:
            told = "; ".join(f"{column} = {cell}" for column, cell in example.items())
            rows.append(["例 example", told])
    return Page(HELP, ("说明", "help", ""), rows, wide=True)
