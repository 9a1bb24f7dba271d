"""At which rung enterprises and devices stop (ui.md, Ladder): current and ever stand side by side, never added."""

from collections.abc import Mapping
from typing import Any

from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.frame import Frame, Item


def ladders(
    frame: Frame, row: Mapping[str, int], before: Mapping[str, Any] | None, population: int | None
) -> list[Item]:
    """Both ladders of a place. `row`: its sums; `before`: 30 days earlier, None where they are not kept."""
    t = frame.t
    enterprises = [
        (t("registered"), "enterprises", None),
        (t("on the network"), "enterprises_networked", "enterprises_ever_networked"),
        (t("in the cloud"), "enterprises_cloud", "enterprises_ever_cloud"),
        (t("active"), "enterprises_active", None),
    ]
    devices = [
        (t("registered"), "now_registered", "ever_registered"),
        (t("on the network"), "now_networked", "ever_networked"),
        (t("in the cloud"), "now_cloud", "ever_cloud"),
        (t("active"), "now_active", None),
    ]
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
            "rungs": [first, *_rungs(frame, enterprises, row, before, population or row["enterprises"])],
            "below": [],
            "href": frame.href("/enterprises"),
            "xlsx": frame.api("enterprises", format="xlsx", limit="100000"),
        },
        {
            "title": _biggest(frame, row),
            "word": t("Devices"),
            "rungs": _rungs(frame, devices, row, before, row["ever_registered"]),
            "below": [
                (
                    t("silent, still counted"),
                    numbers.count(row["silent"]),
                    frame.href("/equipment", measure="silent"),
                ),
                (t("long offline"), numbers.count(row["gone"]), frame.href("/equipment", measure="gone")),
                (t("retired"), numbers.count(row["retired"]), frame.href("/equipment", measure="retired")),
            ],
            "href": frame.href("/equipment"),
            "xlsx": frame.api("equipment", format="xlsx", limit="100000"),
        },
    ]


def _rungs(
    frame: Frame,
    names: list[tuple[str, str, str | None]],
    row: Mapping[str, int],
    before: Mapping[str, Any] | None,
    scale: int,
) -> list[Item]:
    found = []
    for n, (word, now, ever) in enumerate(names):
        following = names[n + 1][1] if n + 1 < len(names) else None
        stuck = row[now] - row[following] if following else 0
        change = row[now] - before[now] if before is not None else None
        found.append(
            {
                "word": word,
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
