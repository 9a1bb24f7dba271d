"""In which line of a TOML file things stand, for people: the standard library's reader does not say it.

Each table, each row of a list of tables, and each key that begins a line. What is inside a value has the line in which
that begins.
"""

import re

_HEAD = re.compile(r"\s*(\[\[?)\s*([^\[\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(
    r"""\s*((?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+)(?:\s*\.\s*(?:"[^"]*"|'[^']*'|[A-Za-z0-9_-]+))*)\s*="""
)
_PART = re.compile(r"""\s*(?:"([^"]*)"|'([^']*)'|([^.\s"']+))\s*\.?""")
_TEXT = re.compile(r'"(?:[^"\\]|\\.)*"' + r"|'[^']*'|#.*")
_LAST = re.compile(r"(\.[^.\[\]]*|\[\d+\])$")
_LONG = ('"' * 3, "'" * 3)


def lines_of(text: str) -> dict[str, int]:
    """By key path (`meters[0].ct`, `connections.bus.url`), from 1."""
    found: dict[str, int] = {}
    rows: dict[str, int] = {}
    table, depth, ends_with = "", 0, ""
    for number, line in enumerate(text.splitlines(), 1):
        if ends_with:
            ends_with = "" if ends_with in line else ends_with
            continue
        if not depth:
            if (head := _HEAD.match(line)) is not None:
                table = _path(head[2])
                if head[1] == "[[":
                    rows[table] = rows.get(table, -1) + 1
                    table = f"{table}[{rows[table]}]"
                found.setdefault(table, number)
                continue
            if (key := _KEY.match(line)) is None:
                continue
            path = _path(key[1])
            found.setdefault(f"{table}.{path}" if table else path, number)
            line = line[key.end() :]
        if long := next((sign for sign in _LONG if line.count(sign) % 2), ""):
            ends_with = long
        elif "[" in line or "{" in line or depth:
            bare = _TEXT.sub("", line)
            depth = max(depth + sum(map(bare.count, "[{")) - sum(map(bare.count, "]}")), 0)
    return found


def line_of(path: str, lines: dict[str, int]) -> int | None:
    """The line of a path, or of what it lies in."""
    while path not in lines:
        shorter = _LAST.sub("", path)
        if shorter == path:
            return None
        path = shorter
    return lines[path]


def _path(text: str) -> str:
    return ".".join(part[1] or part[2] or part[3] or "" for part in _PART.finditer(text))
