"""What is new in the cloud in a calendar month."""

from dataclasses import dataclass
from typing import Annotated, Literal

from sqlalchemy import Connection

from ganpo_cloud.days import periods
from ganpo_cloud.province import arrivals, lists
from ganpo_cloud.store.described import Code, Instant, Listing, answer, said, somewhere
from ganpo_cloud.web import marked
from ganpo_cloud.web.asking import MONTH, Listed, Question, asks
from ganpo_cloud.web.problems import Refused


@dataclass(frozen=True, slots=True, kw_only=True)
class New(Listed):
    """Enterprises or devices, of which month."""

    of: Annotated[Literal["enterprises", "devices"], asks("what came", "enterprises")] = "enterprises"
    month: Annotated[
        str | None, asks("a calendar month; absent: the one of the day", "2026-11", pattern=MONTH)
    ] = None


@answer
class Arrival:
    """An enterprise or a device that came into the cloud in the month."""

    cloud_at: Instant = said("when its first Good value was stored here", "2026-11-24T16:05:00.000Z")
    enterprise: Code
    name: str = said("name of the enterprise, or of the device", "立式加工中心 VMC850")
    asset_no: str | None = said("the plant's own number; null: an enterprise", "SB-0141")
    devices: int | None = said("of an enterprise how many of its devices came in the month", 3, adds=True)
    area: str | None = said("home of the enterprise, or county of the device's site", "360681")
    industry: str = said("industry of the enterprise", "NONFERROUS")


def onboarded(connection: Connection, question: Question, asked: New) -> Listing[Arrival]:
    """What is new in the cloud in a calendar month, the newest first."""
    month = asked.month or periods.month_of(question.day)
    if month > periods.month_of(question.day):
        raise Refused(422, "month", f"lies in the future (the day is {question.day})", "month")
    wanted = marked.wanted(connection, question, asked.text)
    find = arrivals.enterprises if asked.of == "enterprises" else arrivals.devices
    rows, total = lists.page(connection, find(question.province, wanted, month), asked.limit, asked.page)
    return Listing(
        [
            Arrival(
                row.cloud_at,
                row.enterprise,
                row.name,
                row.asset_no or None,
                row.devices,
                somewhere(row.area),
                row.industry,
            )
            for row in rows
        ],
        total,
    )
