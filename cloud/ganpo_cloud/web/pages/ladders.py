"""At which rung enterprises and devices stop (ui.md, Ladder): current and ever stand side by side, never added."""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any

from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.frame import Frame, Item
from ganpo_model.coverage import ENTERPRISES, MEASURES, Firms, Measure, ladder


def ladders(
    frame: Frame, row: Mapping[str, int], before: Mapping[str, Any] | None, population: int | None
) -> list[Item]:
    """Both ladders of a place. `row`: its sums; `before`: 30 days earlier, None where they are not kept."""
    t = frame.t
    first = {
        "word": t("enterprises there are"),
        "now": numbers.count(population),
        "ever": numbers.NONE,
        "change": numbers.NONE,
        "x": numbers.share(row["enterprises"], population) if population else "",
        "ever_x": "",
        "hatched": True,
        "stuck": t("not registered: {n}").format(n=f"{max(population - row['enterprises'], 0):,}")
        if population
        else "",
    }
    return [
        {
            "title": _title(frame, row),
            "word": t("Enterprises"),
            "rungs": [first, *_rungs(frame, ENTERPRISES, row, before, population or row["enterprises"])],
            "below": [],
            "href": frame.href("/enterprises"),
            "xlsx": frame.api("enterprises", format="xlsx", limit="100000"),
        },
        {
            "title": _biggest(frame, row),
            "word": t("Devices"),
            "rungs": _rungs(frame, MEASURES, row, before, row["ever_registered"]),
            "below": [
                (t(of.rung), numbers.count(row[measure]), frame.href("/equipment", measure=measure))
                for measure, of in MEASURES.items()
                if of.place == "beside"
            ],
            "href": frame.href("/equipment"),
            "xlsx": frame.api("equipment", format="xlsx", limit="100000"),
        },
    ]


def _rungs(
    frame: Frame,
    measures: Mapping[str, Measure | Firms],
    row: Mapping[str, int],
    before: Mapping[str, Any] | None,
    scale: int,
) -> list[Item]:
    found = []
    for (word, now, ever), (_, following, _) in pairwise([*ladder(measures), ("", "", None)]):
        stuck = row[now] - row[following] if following else 0
        change = row[now] - before[now] if before is not None else None
        found.append(
            {
                "word": frame.t(word),
                "now": numbers.count(row[now]),
                "ever": numbers.count(row[ever]) if ever else numbers.NONE,
                "change": numbers.signed(change),
                "x": numbers.share(row[now], scale),
                "ever_x": numbers.share(row[ever], scale) if ever else "",
                "hatched": False,
                "stuck": frame.t("stops here: {n}").format(n=f"{stuck:,}") if stuck > 0 else "",
            }
        )
    return found


def _title(frame: Frame, row: Mapping[str, int]) -> str:
    if not row["enterprises"]:
        return frame.t("No enterprise is registered here yet")
    tenths = 10 * row["enterprises_cloud"] // row["enterprises"]
    return frame.t("Of 10 registered enterprises {n} are in the cloud").format(n=tenths)


def _biggest(frame: Frame, row: Mapping[str, int]) -> str:
    """Where most devices stop."""
    t = frame.t
    steps = [
        (row["now_registered"] - row["now_networked"], t("the largest step is onto the network")),
        (row["now_networked"] - row["now_cloud"], t("the largest step is into the cloud")),
        (row["now_cloud"] - row["now_active"], t("the largest step is to stay active")),
    ]
    worst = max(steps, key=lambda step: step[0])
    return t("Devices: {step}").format(step=worst[1]) if worst[0] > 0 else t("Devices")
