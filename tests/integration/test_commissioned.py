"""What somebody compared at a device stands at the collector: at the meter, on its page, at the API, in exports."""

import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal

import httpx
import jsonschema
import pytest
from pydantic import ConfigDict, Field, TypeAdapter, with_config

from ganpo_cloud.inlet import decode
from ganpo_cloud.inlet.gateways import known_gateways
from ganpo_cloud.inlet.ingest import ingest, retry
from ganpo_cloud.web.application import create_app
from ganpo_model.facts import Event, EventKind, Inventory, Reading, States
from ganpo_model.frame import pack
from support import seeding
from support.seeding import ENTERPRISE, MAIN, MINUTE, NOW, ONLINE
from support.serving import Served

POINT = MAIN.partition("#")[0]


@pytest.fixture
def plant(tmp_path: Path, each_database: str) -> Iterator[seeding.Plant]:
    plant = seeding.plant(tmp_path)
    yield plant
    plant.database.close()


def commissioned(displayed: str, read: str) -> Event:
    """Somebody compared the main meter."""
    data = {"point": POINT, "register": MAIN, "displayed": displayed, "read": read, "raw": 4820312}
    return Event(
        "event", NOW - MINUTE, EventKind.COMMISSIONED, "DB-0101", data | {"unit": "kWh", "by": "王工"}
    )


def test_the_record_stands_at_the_meter_on_its_page_at_the_api_and_in_the_export(
    plant: seeding.Plant,
) -> None:
    plant.send(ONLINE, [commissioned("48203.1", "48203.12")])
    with Served(create_app(plant.database, seeding.TestClock())) as served, httpx.Client(timeout=20) as http:
        path = f"{served.url}/api/v1/commissioned/{ENTERPRISE}"
        (record,) = http.get(path).json()
        assert record | {"frame": 0} == {
            "enterprise": ENTERPRISE,
            "asset_no": "DB-0101",
            "at": "2026-11-25T06:41:00.000Z",
            "point": POINT,
            "register": MAIN,
            "displayed": "48203.1",
            "read": "48203.12",
            "raw": 4820312,
            "unit": "kWh",
            "step": "0.1",
            "off": "0.02",
            "agrees": True,
            "by": "王工",
            "gateway": ONLINE,
            "frame": 0,
        }
        assert http.get(f"{path}/DB-0101").json() == [record]
        document = http.get(f"{served.url}/api/v1/openapi.json").json()
        for name in ("/api/v1/commissioned/{enterprise}", "/api/v1/commissioned/{enterprise}/{asset_no}"):
            said = document["paths"][name]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
            jsonschema.validate([record], said | {"components": document["components"]})
        assert http.get(f"{path}/SB-W-01").json() == []
        assert http.get(f"{served.url}/api/v1/commissioned/91360000625912173X").json() == []
        (row,) = csv.DictReader(io.StringIO(http.get(path, params={"format": "csv"}).text.lstrip("\ufeff")))
        assert (row["displayed"], row["read"], row["agrees"]) == ("48203.1", "48203.12", "yes")
        assert http.get(path, params={"format": "xlsx"}).content.startswith(b"PK")
        words = {
            "zh": ("与表显一致", "与表显核对", "王工"),
            "en": ("as on its display", "Compared with its", "王工"),
        }
        for lang, (badge, head, who) in words.items():
            assert badge in http.get(f"{served.url}/?lang={lang}").text
            page = http.get(f"{served.url}/enterprises/{ENTERPRISE}/DB-0101?lang={lang}").text
            assert head in page
            assert who in page
            assert "48203.1 kWh" in page


def test_a_wrong_value_of_the_display_is_shown_as_that_until_it_was_compared_again(
    plant: seeding.Plant,
) -> None:
    plant.send(ONLINE, [commissioned("482.03", "48203.12")])
    with Served(create_app(plant.database, seeding.TestClock())) as served, httpx.Client(timeout=20) as http:
        said = {
            "en": "its display showed 482.03 kWh, 48203.12 kWh was read: check CT, scale, unit, decoding",
            "zh": "表显值482.03 kWh，读数48203.12 kWh：请检查CT变比、系数、单位、解码",
        }
        pages = [served.url, f"{served.url}/enterprises/{ENTERPRISE}/DB-0101"]
        for lang, text in said.items():
            for page in pages:
                told = http.get(page, params={"lang": lang}).text
                assert text in told
                assert "ganpo commission DB-0101 energy_import" in told
        (record,) = http.get(f"{served.url}/api/v1/commissioned/{ENTERPRISE}").json()
        assert (record["agrees"], record["step"], record["off"]) == (False, "0.01", "47721.09")
        again = commissioned("48203.1", "48203.12")
        plant.send(ONLINE, [Event("event", NOW, again.kind, again.subject, again.data)])
        assert not any(said["en"] in http.get(page, params={"lang": "en"}).text for page in pages)
        assert len(http.get(f"{served.url}/api/v1/commissioned/{ENTERPRISE}").json()) == 2


def test_flags_are_untouched_and_no_number_moves(plant: seeding.Plant) -> None:
    with Served(create_app(plant.database, seeding.TestClock())) as served, httpx.Client(timeout=20) as http:

        def numbers() -> list[Any]:
            return [
                http.get(f"{served.url}/api/v1/{of}").json() for of in ("equipment", "quantities", "subjects")
            ]

        before = numbers()
        plant.send(ONLINE, [commissioned("48203.1", "48203.12")])
        plant.settle()
        assert numbers() == before


def test_an_older_collector_keeps_the_frame_and_a_newer_one_applies_it(
    plant: seeding.Plant, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The table of kinds of an older one has no such event: it acknowledges what it cannot read yet."""
    frame = pack(seeding.STREAM, 900, [commissioned("48203.1", "48203.12")])
    with monkeypatch.context() as older:
        older.setattr(decode, "_adapter", TypeAdapter(FrameBefore))
        (answered,) = ingest(plant.database, [(ONLINE, frame)], NOW)
        assert (answered.stream, answered.reason) == (seeding.STREAM, "schema")
    with plant.database.read() as connection:
        (view,) = [one for one in known_gateways(connection, NOW) if one.id == ONLINE]
    assert view.quarantine_reasons == {"schema": 1}
    assert retry(plant.database, NOW + timedelta(days=1)) == 1
    with Served(create_app(plant.database, seeding.TestClock())) as served:
        assert len(httpx.get(f"{served.url}/api/v1/commissioned/{ENTERPRISE}", timeout=20).json()) == 1


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass
class EventBefore:
    """An event as it was before there was this kind."""

    type: Literal["event"]
    at: datetime
    kind: Literal["begun", "link_up", "link_down", "clock_step", "loss", "suspect"]
    subject: str | None
    data: dict[str, Any]


@with_config(ConfigDict(extra="forbid", strict=True))
@dataclass
class FrameBefore:
    """A frame of that time."""

    v: int
    stream: str
    seq: int
    facts: tuple[Annotated[Reading | States | Inventory | EventBefore, Field(discriminator="type")], ...]
