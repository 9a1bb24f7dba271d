"""Which days and months are added up: those of the last two years. Days of the last two months are added up again when
anything of them changes; older ones are let go then."""

from collections.abc import Iterator
from datetime import date, timedelta

from ganpo_cloud.store.localdays import days_from

DAYS = 62
MONTHS = 25


def month_of(day: date) -> str:
    """2026-11."""
    return f"{day:%Y-%m}"


def span(month: str) -> tuple[date, date]:
    """First and last day of a month."""
    first = date(int(month[:4]), int(month[5:]), 1)
    return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def months(last: date, number: int) -> list[str]:
    """So many months up to the one of a day, oldest first."""
    index = last.year * 12 + last.month - 1
    return [f"{n // 12:04d}-{n % 12 + 1:02d}" for n in range(index - number + 1, index + 1)]


def kept_since(today: date) -> date:
    """The first of the days that are added up again when anything of them changes."""
    return today - timedelta(days=DAYS)


def counted(since: date, today: date) -> Iterator[date]:
    """The days that are added up again when something is another since a day; of older months one stands for all."""
    recent = kept_since(today)
    for month in months(today, MONTHS):
        last = min(span(month)[1], today)
        if since <= last <= recent:
            yield last
    yield from days_from(max(since, recent), today)
