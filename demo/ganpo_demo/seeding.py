"""The process that fills the demo's database with the invented province, and then goes on live.

`python -m ganpo_demo.seeding DATABASE KEPT SEED MONTHS GATEWAY...` says on stdout how far it is, a JSON object a line.
"""

import itertools
import json
import os
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from sqlalchemy import delete, insert, select

from ganpo_cloud import computing
from ganpo_cloud.days import days
from ganpo_cloud.imports import importing, registry
from ganpo_cloud.inlet import lives
from ganpo_cloud.inlet.ingest import ingest
from ganpo_cloud.province import divisions, publishing
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.store.database import Database
from ganpo_cloud.store.marks import Kind, key, mark
from ganpo_cloud.store.settings import DatabaseSettings
from ganpo_cloud.store.tables import counter
from ganpo_cloud.web.pages.rendering import SEEDING
from ganpo_demo import fleet as invented
from ganpo_demo import fleet_facts
from ganpo_demo.fleet_lists import lists
from ganpo_model.errors import ConfigError
from ganpo_model.facts import Fact
from ganpo_model.frame import pack

WHOLE = 100
FIRST_DAYS = 60
LIVE, LIVE_S, ALL_EVERY = 8, 30, 20
"""So many enterprises send so often, and all that still send each so many times."""
_CHUNK = 15
"""Days of one frame."""
_FIRMS = 20
_STREAM = "01HFDEMQ{:018d}"


class Seeding:
    """One run of it over the demo's database."""

    def __init__(self, database: Database, province: Province, of: invented.Fleet) -> None:
        self._database, self._province, self.fleet = database, province, of

    def registry(self, now: datetime) -> None:
        """The registry, through the importer; and whose the gateways are."""
        for kind, raw in lists(self.fleet, self._province):
            with self._database.write() as connection:
                found = importing.preview(connection, kind, raw, f"{kind}.csv", self._province, now)
                if found.errors:
                    raise found.errors[0]
                importing.apply(connection, found, now.date())
        for firm in self.fleet.firms:
            if firm.since is not None:
                registry.add(self._database, firm.gateway, firm.code, "plant-1")

    def days(self, now: datetime) -> Iterator[tuple[int, bool]]:
        """Facts of every day, the last 60 first. Gives percent, and whether those 60 are whole now."""
        of = self.fleet
        recent = of.last - timedelta(days=FIRST_DAYS - 1)
        spans = [(recent, of.last)]
        end = recent - timedelta(days=1)
        while end >= of.first:
            begin = max(of.first, end - timedelta(days=110))
            spans.append((begin, end))
            end = begin - timedelta(days=1)
        groups = [of.firms[n : n + _FIRMS] for n in range(0, len(of.firms), _FIRMS)]
        for s, (begin, end) in enumerate(spans):
            for g, group in enumerate(groups):
                for firm in group:
                    self._firm(firm, begin, end)
                while days.recompute(self._database, now, self._province.holidays):
                    pass
                yield min(100 * (s * len(groups) + g + 1) // (len(spans) * len(groups)), 99), False
            with self._database.write() as connection:
                mark(connection, Kind.DAY, self._silent(begin, end))
            computing.settle(self._database, self._province, now)
            yield min(100 * (s + 1) // len(spans), 99), s == 0

    def _silent(self, first: date, last: date) -> Iterator[tuple[str, date]]:
        """The days after enterprises that were seen last within these: the collector marks such at every midnight."""
        for firm in self.fleet.firms:
            if first <= firm.until <= last:
                for day in invented.days_between(firm.until + timedelta(days=1), self.fleet.last):
                    yield from ((key(firm.code, tool.asset_no), day) for tool in firm.watched())

    def _firm(self, firm: invented.Firm, first: date, last: date) -> None:
        if firm.since is None or last < firm.since or first > firm.until:
            return
        begin = max(first, firm.since)
        while begin <= last:
            # The first frame is the first day alone, so that the date of coming into the cloud is that day's.
            end = begin if begin == firm.since else min(begin + timedelta(days=_CHUNK - 1), last)
            facts = list(fleet_facts.facts(self.fleet, firm, begin, end))
            if begin in (first, firm.since):
                facts.insert(0, fleet_facts.inventory(firm, invented.midnight(firm.since)))
            # A stream of its own for each frame: numbers rise in time, and frames come newest first.
            stream = _STREAM.format(firm.number * 10**6 + begin.toordinal())
            committed = invented.midnight(end + timedelta(days=1)) + timedelta(minutes=5)
            by_type: dict[str, list[Fact]] = {}
            for fact in facts:
                by_type.setdefault(fact.type, []).append(fact)
            frames = [
                (firm.gateway, pack(stream, seq, same)) for seq, same in enumerate(by_type.values(), start=1)
            ]
            if frames:
                ingest(self._database, frames, committed)
            begin = end + timedelta(days=1)


def tell(database: Database, percent: int) -> None:
    """Note how far it is, for the page."""
    with database.write() as connection:
        connection.execute(delete(counter).where(counter.c.name == SEEDING))
        connection.execute(insert(counter).values(name=SEEDING, value=percent))


def keep(database: Path, kept: Path, live: tuple[str, ...]) -> None:
    """Keep a copy of the province without the live plant (its gateways), for the next start."""
    kept.parent.mkdir(parents=True, exist_ok=True)
    new = kept.with_suffix(f".{os.getpid()}")
    new.unlink(missing_ok=True)
    with sqlite3.connect(f"file:{database}?mode=ro", uri=True) as source:
        source.execute("VACUUM INTO ?", (str(new),))
    source.close()
    with sqlite3.connect(new) as copy:
        marks = ", ".join("?" * len(live))
        codes = [
            row[0] for row in copy.execute(f"SELECT enterprise FROM gateway WHERE id IN ({marks})", live)
        ]
        for (table,) in copy.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall():
            columns = {row[1] for row in copy.execute(f"PRAGMA table_info({table})")}
            if "enterprise" in columns:
                copy.executemany(f"DELETE FROM {table} WHERE enterprise = ?", [(code,) for code in codes])
            if "gateway" in columns:
                copy.execute(f"DELETE FROM {table} WHERE gateway IN ({marks})", live)
        copy.execute(f"DELETE FROM gateway WHERE id IN ({marks})", live)
    copy.close()
    for old in kept.parent.glob("province-*.db"):
        old.unlink()
    new.replace(kept)


def live(seeding: Seeding, database: Database, province: Province) -> None:
    """Go on for ever with those whose gateways never fell silent: all are online, a few send more often. The month
    before is published once it is worked out."""
    of = seeding.fleet
    there = [firm for firm in of.firms if firm.since is not None and firm.until == of.last]
    begun = {firm.gateway: invented.midnight(of.last + timedelta(days=1)) for firm in there}
    sent: Counter[str] = Counter()
    for turn in itertools.count():
        now = datetime.now(UTC)
        frames = []
        for firm in there[:LIVE] if turn % ALL_EVERY else there:
            begin, begun[firm.gateway] = begun[firm.gateway], now
            facts = [
                part
                for tool in firm.watched()
                for part in fleet_facts.between(of.seed, firm, tool, begin, now)
            ]
            if facts:
                sent[firm.gateway] += 1
                frames.append((firm.gateway, pack(_STREAM.format(firm.number), sent[firm.gateway], facts)))
        ingest(database, frames, now)
        said = {
            "v": 1,
            "session": "DEMO",
            "interval_s": LIVE_S,
            "trusted": True,
            "connections": {},
            "subjects": {},
        }
        lives.hear(database, [(firm.gateway, json.dumps(said).encode()) for firm in there], now)
        with suppress(ConfigError):  # the collector may have done it meanwhile
            publishing.when_due(database, province, now)
        time.sleep(LIVE_S)


def main(path: Path, kept: Path, seed: int, months: int, others: tuple[str, ...]) -> None:
    """Fill the database, unless that was done before; keep it; go on live. `others`: gateways that are not ours."""
    began = time.monotonic()
    database = Database(DatabaseSettings(url=f"sqlite:///{path}"), 30.0)
    now = datetime.now(UTC)
    province = divisions.load()
    yesterday = now.astimezone(invented.ZONE).date() - timedelta(days=1)
    seeding = Seeding(database, province, invented.fleet(seed, yesterday, province, months))
    with database.read() as connection:
        there = connection.execute(select(counter.c.value).where(counter.c.name == SEEDING)).scalar()
    if there != WHOLE:
        tell(database, 0)
        seeding.registry(now)
        for percent, recent in seeding.days(now):
            tell(database, percent)
            _say(percent, began, recent=recent)
        tell(database, WHOLE)
        keep(path, kept, others)
    _say(WHOLE, began, recent=False)
    live(seeding, database, province)


def _say(percent: int, began: float, *, recent: bool) -> None:
    told = {"percent": percent, "seconds": round(time.monotonic() - began, 1), "recent": recent}
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4]), tuple(sys.argv[5:]))
