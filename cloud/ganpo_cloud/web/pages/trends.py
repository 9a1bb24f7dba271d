"""Charts over months and days: what the browser draws, and the same as a table for who cannot draw."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.figures import Figure
from ganpo_cloud.web.pages.rendering import Item, Rendering

SHOWN_MONTHS = 24
History = Mapping[str, Mapping[str, Any] | None]
Value = Figure | float | int | None


def coverage(rendering: Rendering, nc: Indicator, history: History) -> Item:
    """CNC coverage at the ends of months, in its three levels, against the target. `history`: the sums by month or day,
    oldest first, the last as of now."""
    t = rendering.t

    def rates(level: str) -> list[Figure]:
        here, name = (f"nc_{level}/main", nc.area, nc.industry), f"nc_{level}"
        return [
            Figure(*here, time, row[name], "rate", row["main"], nc.goal) if row else Figure(*here, time, None)
            for time, row in history.items()
        ]

    checked, declared, proven = rates("checked"), rates("declared"), rates("proven")
    known = [one for one in checked if one.drawn is not None]
    title = t("CNC coverage over time")
    if len(known) > 1:
        first, last = (Fraction(100 * int(one.number or 0), one.among or 1) for one in (known[0], known[-1]))
        text = t("CNC coverage moved by {points} points in {n} months")
        title = text.format(points=numbers.points(last - first), n=len(known) - 1)
    low = min((one.drawn for one in proven if one.drawn is not None), default=0)
    floor = max(int(low // 10 * 10) - 10, 0)
    goal = "" if nc.target is None or nc.target.value is None else nc.target.value
    return chart(
        rendering,
        "line",
        title,
        t("% at the end of each month; this month until now; the axis begins at {n}%").format(n=floor),
        [numbers.month(time, rendering.lang) for time in history],
        [(t("checked"), checked, True), (t("declared"), declared, False), (t("proven"), proven, False)],
        floor=floor,
        target=(float(goal), t("target {n}%").format(n=goal)) if goal else None,
        xlsx=rendering.api("indicators/nc_rate_main", by="month", format="xlsx"),
        rate=True,
    )


def onboarding(rendering: Rendering, history: History) -> Item:
    """Enterprises in the cloud: ever and current, apart."""
    t, scope = rendering.t, rendering.scope

    def counts(measure: str) -> list[Figure]:
        here = (measure, scope.area, scope.industry or "")
        return [Figure(*here, time, row[measure] if row else None) for time, row in history.items()]

    now = counts("enterprises_cloud")
    known = [one.number for one in now if one.number is not None]
    title = t("Enterprises in the cloud over time")
    if len(known) > 1:
        text = t("Enterprises in the cloud: {change} in {n} months")
        title = text.format(change=numbers.signed(known[-1] - known[0]), n=len(known) - 1)
    return chart(
        rendering,
        "line",
        title,
        t("enterprises at the end of each month; what is gone left the current count"),
        [numbers.month(time, rendering.lang) for time in history],
        [(t("current"), now, True), (t("ever"), counts("enterprises_ever_cloud"), False)],
        xlsx=rendering.api("indicators/enterprise_onboarded", by="month", format="xlsx"),
    )


def chart(
    rendering: Rendering,
    kind: str,
    title: str,
    sub: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[Value], bool]],
    *,
    floor: float = 0,
    target: tuple[float, str] | None = None,
    xlsx: str = "",
    rate: bool = False,
    spread: Sequence[bool] = (),
    pending: Sequence[bool] = (),
    unknown: Sequence[bool] = (),
) -> Item:
    """One chart. `series`: name, values and whether it is the main one; `spread`, `pending`: which bars are hatched;
    `unknown`: where a hatched bar of full height stands for what nobody knows."""
    return {
        "title": title,
        "sub": sub,
        "names": [name for name, _, _ in series],
        "rows": [(label, [values[n] for _, values, _ in series]) for n, label in enumerate(labels)],
        "xlsx": xlsx,
        "drawn": {
            "kind": kind,
            "title": title,
            "lang": rendering.lang,
            "labels": list(labels),
            "series": [
                {"name": name, "data": [_drawn(value) for value in values], "main": main}
                for name, values, main in series
            ],
            "floor": floor,
            "target": {"value": target[0], "name": target[1]} if target else None,
            "percent": rate,
            "spread": list(spread),
            "pending": list(pending),
            "unknown": {"name": rendering.t("not believed"), "bars": list(unknown)},
        },
    }


def _drawn(value: Value) -> float | int | None:
    return value.drawn if isinstance(value, Figure) else value
