"""The lists of the examples, to be put beside a configuration of a test, whole or with something wrong in them."""

from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "config" / "examples" / "lists"
LISTS = """
[lists]
equipment = "equipment.csv"
meters = "meters.csv"
points = "points.csv"
"""
EQUIPMENT = (EXAMPLES / "equipment.csv").read_text(encoding="utf-8")
METERS = (EXAMPLES / "meters.csv").read_text(encoding="utf-8")
POINTS = (EXAMPLES / "points.csv").read_text(encoding="utf-8")


def put(folder: Path, **lists: str | bytes) -> None:
    """Write all three, and what is given instead of one."""
    for name, text in {"equipment": EQUIPMENT, "meters": METERS, "points": POINTS, **lists}.items():
        (folder / f"{name}.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
