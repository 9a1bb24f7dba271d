"""Charts over months and days: what the browser draws, and the same as a table for who cannot draw."""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any

from ganpo_cloud.province.indicators import Indicator
from ganpo_cloud.web.pages import numbers
from ganpo_cloud.web.pages.frame import Frame, Item
from ganpo_model.coverage import percent

SHOWN_MONTHS = 24


def coverage(
    frame: Frame, nc: Indicator, months: Sequence[str], history: Mapping[str, Mapping[str, Any]]
) -> Item:
    """CNC coverage at the ends of months, in its three levels, against the target."""
    t = frame.t

    def values(measure: str) -> list[float | None]:
        return [_percent(history.get(month), measure, "main", nc) for month in months]

    target = nc.target.value if nc.target is not None else None
    known = [value for value in values("nc_checked") if value is not None]
    change = known[-1] - known[0] if len(known) > 1 else None
    title = t("CNC coverage over time")
    if change is not None:
        title = t("CNC coverage moved by {points} points in {n} months").format(
            points=numbers.points(Fraction(change).limit_denominator(1000)), n=len(known) - 1
        )
    low = min([value for value in values("nc_proven") if value is not None], default=0.0)
    floor = max(int(low // 10 * 10) - 10, 0) if low else 0
    return chart(
        frame,
        "line",
        title,
        t("% at the end of each month; this month until now; the axis begins at {n}%").format(n=floor),
        [numbers.month(month, frame.lang) for month in months],
        [
            (t("checked"), values("nc_checked"), True),
            (t("declared"), values("nc_declared"), False),
            (t("proven"), values("nc_proven"), False),
        ],
        floor=floor,
        target=(float(target), t("target {n}%").format(n=target)) if target is not None else None,
        xlsx=frame.api("indicators/nc_rate_main", by="month", format="xlsx"),
        rate=True,
    )


def onboarding(frame: Frame, months: Sequence[str], history: Mapping[str, Mapping[str, Any]]) -> Item:
    """Enterprises in the cloud: ever and current, apart."""
    t = frame.t

    def values(measure: str) -> list[float | None]:
        return [history[month][measure] if month in history else None for month in months]

    ever, now = values("enterprises_ever_cloud"), values("enterprises_cloud")
    known = [value for value in now if value is not None]
    title = t("Enterprises in the cloud over time")
    if len(known) > 1:
        title = t("Enterprises in the cloud: {change} in {n} months").format(
            change=numbers.signed(int(known[-1] - known[0])), n=len(known) - 1
        )
    return chart(
        frame,
        "line",
        title,
        t("enterprises at the end of each month; what is gone left the current count"),
        [numbers.month(month, frame.lang) for month in months],
        [(t("current"), now, True), (t("ever"), ever, False)],
        xlsx=frame.api("indicators/enterprise_onboarded", by="month", format="xlsx"),
    )


def chart(
    frame: Frame,
    kind: str,
    title: str,
    sub: str,
    labels: Sequence[str],
    series: Sequence[tuple[str, Sequence[float | None], bool]],
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
    rows = [
        (label, [_cell(values[n], frame, rate=rate) for _, values, _ in series])
        for n, label in enumerate(labels)
    ]
    return {
        "title": title,
        "sub": sub,
        "names": [name for name, _, _ in series],
        "rows": rows,
        "xlsx": xlsx,
        "drawn": {
            "kind": kind,
            "title": title,
            "lang": frame.lang,
            "labels": list(labels),
            "series": [{"name": name, "data": list(values), "main": main} for name, values, main in series],
            "floor": floor,
            "target": {"value": target[0], "name": target[1]} if target else None,
            "percent": rate,
            "spread": list(spread),
            "pending": list(pending),
            "unknown": {"name": frame.t("not believed"), "bars": list(unknown)},
        },
    }


def _percent(row: Mapping[str, Any] | None, measure: str, among: str, nc: Indicator) -> float | None:
    if row is None or not row[among]:
        return None
    return float(percent(row[measure], row[among], nc.goal))


def _cell(value: float | None, frame: Frame, *, rate: bool) -> str:
    if value is None:
        return numbers.NONE
    if rate:
        return f"{value:.1f}%"
    exact = value if isinstance(value, int) else Fraction(value).limit_denominator(10**6)
    return numbers.quantity(exact, frame.lang)
