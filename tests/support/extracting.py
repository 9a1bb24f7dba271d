"""What our sources say to a person: every text and template, without anybody marking any.

`python -m support.extracting` (with PYTHONPATH=tests) lists what the catalogue lacks and what it has for nothing;
`--write` puts the first in, empty, and takes the second out.
"""

import ast
import re
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

from ganpo_service.catalogue import entries

ROOT = Path(__file__).parents[2]
CATALOGUE = ROOT / "service/ganpo_service/locale/zh_CN/LC_MESSAGES/ganpo.po"
PLACES = ("model", "drivers", "config", "service", "agent", "cloud", "demo")
ELSEWHERE = (
    "cloud/ganpo_cloud/web",
    "cloud/ganpo_cloud/days/reasons.py",
    "cloud/ganpo_cloud/province/definitions.py",
    "cloud/ganpo_cloud/province/tagged.py",
    "cloud/ganpo_cloud/province/trees.py",
    "cloud/ganpo_cloud/province/assessment.py",
    "cloud/ganpo_cloud/province/capacity_use.py",
    "cloud/ganpo_cloud/province/dual_control.py",
    "cloud/ganpo_cloud/province/front_runners.py",
    "cloud/ganpo_cloud/province/outlooks.py",
    "cloud/ganpo_cloud/province/plan.py",
    "cloud/ganpo_cloud/store/counted_tables.py",
    "cloud/ganpo_cloud/store/described.py",
    "cloud/ganpo_cloud/store/registry_tables.py",
    "cloud/ganpo_cloud/store/tables.py",
    "agent/ganpo_agent/local/metrics.py",
    "cloud/ganpo_cloud/metrics.py",
    "cloud/ganpo_cloud/projection/lines.py",
    "service/ganpo_service/english.py",
    "service/ganpo_service/exposition.py",
    "cloud/ganpo_cloud/province/balances.py",
    "cloud/ganpo_cloud/province/banned.py",
    "config/ganpo_config/devices.py",
    "agent/ganpo_agent/listing/books.py",
    "demo/ganpo_demo/fleet",
    "demo/ganpo_demo/cell.py",
    "demo/ganpo_demo/plant.py",
    "demo/ganpo_demo/mixed.py",
    "demo/ganpo_demo/seeding.py",
    "model/ganpo_model/coverage.py",
    "drivers/ganpo_drivers/testing",
    "agent/ganpo_agent/page/pages.py",
    "agent/ganpo_agent/page/shown.py",
)
"""They have the catalogue of the collector's pages, or nothing that a person of a plant reads."""
UNSAID = {
    *("execute", "executemany", "scalar", "text", "row", "rows", "read_sql"),  # SQL
    *("said", "Field", "Column", "Table", "Index", "counted"),  # of the schema
    *("compile", "sub", "match", "fullmatch", "split", "removeprefix", "replace", "startswith", "endswith"),
    *(
        "Histogram",
        "getLogger",
        "TypeVar",
        "NewType",
        "Meta",
        "cast",
        "namedtuple",
        "ForwardRef",
        "version_option",
    ),
    *("AssertionError", "RuntimeError", "NotImplementedError", "TypeError"),  # of a bug: for us
}
"""What is called with texts that nobody is told."""
FROM_PARTS = {
    "{} row {}, {}",
    "{} row {}, {} = {}",
    "{} row {} ({})",
    "{} row {} ({}), {}",
    "{} row {} ({}), {} = {}",
    "{}.csv row {} ({})",
    "{}.csv row {} ({}), {}",
    "{}.csv row {} ({}), {} = {}",
    "for {}",
    "score {}, {} of {} values can be true",
}
"""Put together from parts: where a mistake of a list stands, and how long something has been so."""
CLICK = {
    "Usage: ", "Options:", "Commands:", "Error: {}", "Aborted!", "Show this message and exit.",
    "Show the version and exit.", "No such option: {}", "No such command {}.", "Missing command.",
    "Missing argument {}.", "Missing option {}.", "Invalid value for {}: {}", "Invalid value: {}",
    "Got unexpected extra argument ({})", "Got unexpected extra arguments ({})", "Option {} requires an argument.",
    "{} is not one of {}.", "{} is not a valid {}.", "{} is not in the range {}.", "[default: {}]", "[default: {}; {}]",
    "[required]", "Option {} does not take a value.", "{} does not match the format {}.",
    "{} does not match the formats {}.", "No such option: {} Did you mean {}?",
    "No such command {}. Did you mean {}?", "No such option {}.", "No such option {}. Did you mean {}?",
    "No such option {}. (Did you mean one of: {}?)", "No such command {}. (Did you mean one of: {}?)", "integer range",
    "float range", "Directory {} does not exist.", "Directory {} is a file.", "Path {} does not exist.",
    "File {} is a directory.", "File {} does not exist.",
    "should be greater than or equal to {}", "should be less than or equal to {}", "should be greater than {}",
    "should be a valid number, unable to parse string as a number",
    "[Errno {}] Connection refused", "[Errno {}] No route to host", "[Errno {}] Network is unreachable",
    "[Errno {}] Name or service not known", "[Errno {}] Temporary failure in name resolution",
    "No such file or directory", "Permission denied", "Is a directory", "Not a directory", "File is not a zip file",
}  # fmt: skip
"""What click, pydantic, zipfile and the operating system say by themselves."""
WORDS = {
    *("time", "configuration", "outbox", "uplink"),
    *("added", "changed", "stated"),
    *(
        "ok",
        "alarm",
        "unknown",
        "configuration",
        "agent",
        "clock",
        "disk",
        "permissions",
        "broker",
        "certificate",
        "backlog",
    ),
    *(
        "name",
        "session",
        "handshake",
        "port",
        "held",
        "known",
        "connected",
        "done",
        "open",
        "answers",
        "silent",
    ),
    *("a number", "busy", "refused", "suspicious", "failed", "vendor", "model", "serial", "controller"),
    *(
        "error",
        "warning",
        "note",
        "scanning",
        "reading",
        "guessing",
        "near",
        "exact",
        "unit",
        "closed",
        "data",
    ),
    *("confidence", "device", "driver", "from", "notes", "parameters", "reads", "signals", "states"),
}
"""Words that stand alone, in columns and in place of one another."""
AGES = {"{} s", "{} h", "{} d"}
"""How long something takes or took."""
_INSIDE = {"added", "changed", "stated"}
"""Single words that are told also where they stand in a text: elsewhere one is the name of a file or a setting."""
_SQL = re.compile(
    r"^\s*(SELECT|INSERT|UPDATE|DELETE|CREATE|ALTER|DROP|PRAGMA|WITH|BEGIN|DO |VACUUM|SET |REPEATABLE)|"
    r"^# |  # | = \?| \?|\bFROM [a-z{]| JOIN |WHERE |ORDER BY|IS (NOT )?NULL| IN \(\{| DESC\b"
)
_SAID = re.compile(r"[A-Za-z]{2,}[,;:.?]? +[({`\"'<$\[]*[A-Za-z{]|\}[,;:.]? +[(\"']?[A-Za-z]{2,}|[A-Za-z] \d")
_LETTERS = re.compile(r"[A-Za-z]{2,}")
_STRUCTURE = re.compile(r"^[\W\d]*$")
_IN_TEMPLATES = re.compile(r"""\bt\((?:"([^"]+)"|'([^']+)')""")
"""The gateway page's templates: `t("...")`."""
Place = str


def messages() -> dict[str, Place]:
    """Every text and template, and the first file that has it."""
    found: dict[str, Place] = {}
    for file in files():
        place = str(file.relative_to(ROOT))
        for text in _Reader(place).of(ast.parse(file.read_text(encoding="utf-8"))):
            found.setdefault(text, place)
    for file in sorted((ROOT / "agent/ganpo_agent/page/templates").glob("*.html")):
        for match in _IN_TEMPLATES.finditer(file.read_text(encoding="utf-8")):
            found.setdefault(match[1] or match[2], str(file.relative_to(ROOT)))
    return found | dict.fromkeys(sorted(WORDS | AGES), "words that stand alone")


def catalogue() -> dict[str, str]:
    """What is translated."""
    return entries(CATALOGUE.read_text(encoding="utf-8"))


def files() -> Iterator[Path]:
    """The sources that are read."""
    for place in PLACES:
        for file in sorted((ROOT / place).glob(f"ganpo_{place}/**/*.py")):
            if not str(file.relative_to(ROOT)).startswith(ELSEWHERE):
                yield file


class _Reader:
    """Walks one module."""

    def __init__(self, place: Place) -> None:
        self._described = place.startswith(("config/", "drivers/", "cloud/ganpo_cloud/store/settings.py"))
        self._commands = place.endswith(("cli.py", "commands.py")) or "/cli/" in place

    def of(self, node: ast.AST) -> Iterator[str]:
        """What is said in a node and below it."""
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef() | ast.ClassDef() | ast.Module():
                if self._commands and _command(node) and (help_ := ast.get_docstring(node)):
                    yield from (_escaped(" ".join(part.split())) for part in help_.split("\n\n"))
                body = node.body[1:] if ast.get_docstring(node) is not None else node.body
                yield from self._all(getattr(node, "decorator_list", []))
                if not isinstance(node, ast.ClassDef | ast.Module):
                    yield from self._all([*node.args.defaults, *filter(None, node.args.kw_defaults)])
                yield from self._all(body)
            case ast.Expr(ast.Constant()):  # documentation
                return
            case ast.Compare() | ast.Subscript():
                children = ast.iter_child_nodes(node)
                yield from self._all(child for child in children if not isinstance(child, ast.Constant))
            case ast.AnnAssign():
                yield from self._all([node.value] if node.value else [])
            case ast.Call() if _name(node) == "Field" and self._described:
                values = [keyword.value for keyword in node.keywords if keyword.arg == "description"]
                yield from (_escaped(str(value.value)) for value in values if isinstance(value, ast.Constant))
            case ast.Call() if self._unsaid(node) or _logs(node):
                return
            case ast.keyword("help", ast.Constant(str(text))):
                yield from map(_escaped, text.split("  ") if "  [" in text else [text])
            case ast.Constant(str(text)):
                yield from _if_said(_escaped(text))
            case ast.JoinedStr():
                yield from _if_said(_template(node))
                for part in node.values:
                    if isinstance(part, ast.FormattedValue):
                        yield from self._inside(part.value)
            case _:
                yield from self._all(ast.iter_child_nodes(node))

    def _unsaid(self, node: ast.Call) -> bool:
        """Whether what it is called with is told to nobody; in a command `row` is a line of a table."""
        name = _name(node)
        return name in UNSAID and not (name == "row" and self._commands)

    def _all(self, nodes: Iterable[ast.AST]) -> Iterator[str]:
        for node in nodes:
            yield from self.of(node)

    def _inside(self, node: ast.AST) -> Iterator[str]:
        """In the braces of an f-string: also a single word, which stands for one of several."""
        match node:
            case ast.IfExp():
                yield from self._inside(node.body)
                yield from self._inside(node.orelse)
            case ast.BoolOp():
                for value in node.values:
                    yield from self._inside(value)
            case ast.Constant(str(text)) if _LETTERS.search(text):
                _INSIDE.add(_escaped(text))
                yield _escaped(text)
            case _:
                yield from self.of(node)


def _command(node: ast.AST) -> bool:
    names = [_name(one) if isinstance(one, ast.Call) else "" for one in getattr(node, "decorator_list", [])]
    return "command" in names or "group" in names


def _logs(node: ast.Call) -> bool:
    """Logs are searched, and stay English."""
    match node.func:
        case ast.Attribute(ast.Name("log" | "_log" | "logger" | "logging")):
            return True
    return False


def _name(node: ast.Call) -> str:
    match node.func:
        case ast.Name(name) | ast.Attribute(attr=name):
            return name
    return ""


def _template(node: ast.JoinedStr) -> str:
    return "".join(
        _escaped(str(part.value)) if isinstance(part, ast.Constant) else "{}" for part in node.values
    )


def _escaped(text: str) -> str:
    return text.replace("{", "{{").replace("}", "}}")


def _if_said(text: str) -> Iterator[str]:
    if _SAID.search(text) and not _SQL.search(text):
        yield text


def main(write: bool) -> int:
    """Print what is missing and what is dead."""
    wanted, there = {**messages(), **dict.fromkeys(sorted(CLICK | FROM_PARTS), "click")}, catalogue()
    missing = {text: place for text, place in wanted.items() if text not in there}
    for text, place in missing.items():
        print(f"missing  {place}: {text!r}")
    for text in there.keys() - wanted.keys():
        print(f"dead     {text!r}")
    print(f"{len(wanted)} texts, {len(missing)} missing, {len(there.keys() - wanted.keys())} dead")
    if write:
        CATALOGUE.write_text(written(wanted, there), encoding="utf-8")
    return 1 if missing else 0


def written(wanted: dict[str, Place], there: dict[str, str]) -> str:
    """The catalogue, in the order of the sources."""
    lines = [
        'msgid ""',
        'msgstr ""',
        '"Language: zh_CN\\n"',
        '"Content-Type: text/plain; charset=utf-8\\n"',
        "",
    ]
    last = ""
    for text, place in sorted(wanted.items(), key=lambda item: item[1]):
        if place != last:
            lines += [f"#: {place}"]
            last = place
        lines += ["#. inside"] if text in _INSIDE and " " not in text else []
        lines += [f"msgid {_quoted(text)}", f"msgstr {_quoted(there.get(text, ''))}", ""]
    return "\n".join(lines)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
    return f'"{escaped}"'


if __name__ == "__main__":
    sys.exit(main("--write" in sys.argv))
