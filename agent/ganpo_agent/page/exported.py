"""The points as a table for a spreadsheet: those that the page shows, on all its pages, in its order and language."""

import csv
import io
from collections.abc import Iterable, Mapping
from typing import Any

from ganpo_agent.local.running import Running
from ganpo_agent.page import shown
from ganpo_service import words
from ganpo_service.csv_cells import BOM, harmless


def name(agent: Running) -> str:
    """Of the file: whose it is, and of when."""
    return f"ganpo-{agent.plant.gateway.id}-points-{agent.time.now():%Y%m%d-%H%M%S}.csv"


def text(told: Mapping[str, Any], asked: shown.Asked) -> str:
    """The file."""
    from ganpo_agent.page.templating import environment

    said: Any = environment(asked.lang).get_template("words.html").module
    written = io.StringIO()
    writer = csv.writer(written)
    writer.writerow(said.COLUMNS)
    writer.writerows(_rows(told, asked, {quality: word for quality, (_, word) in said.QUALITIES.items()}))
    return BOM + written.getvalue()


def _rows(told: Mapping[str, Any], asked: shown.Asked, qualities: Mapping[str, str]) -> Iterable[list[Any]]:
    for group in shown.points(told["points"], told["connections"], asked, whole=True).groups:
        why = words.tell(group.why, asked.lang) if group.why else ""
        for point in group.rows:
            title = (point["title"] or {}).get(asked.lang)
            value = (point["value"], shown.unit(point["unit"]), qualities[point["quality"]], why)
            read = (point["age_s"], point["raw"], point["connection"], point["address"])
            times = (point["read"], point["source_time"])
            yield [harmless(cell) for cell in (point["name"], title, *value, *read, *times)]
