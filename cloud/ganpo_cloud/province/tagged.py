"""Tags of enterprises and areas, dated and with a document: how many there are, and what they mark (T14, T15, T18 to
T21, T26, T30, T32, T33).

A tag filters and never partitions: what several tags mark is not added. An enterprise counts at its home, a branch as
its legal person; an area counts in itself and in what it lies in, of `area_industry` in that industry too.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Subquery, Table, case, distinct, func, not_, or_, select

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.lists import Filter
from ganpo_cloud.province.measured import Measured, Standing
from ganpo_cloud.province.measures import held, on
from ganpo_cloud.province.places import Key, keys, roll_up
from ganpo_cloud.province.snapshots import stock
from ganpo_cloud.province.within import Only, within
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store.counted_tables import ALL, ledger
from ganpo_model import reference

MOVES = ("data_centre", "business_systems")
"""Kinds of move into a cloud that people declare; that of devices is proven by us."""
UPGRADE = "technical_upgrade"
BASE = "intelligent_base"
FIRST, LAST = date(2018, 1, 1), date(2020, 12, 31)
"""The three years of the plan in which enterprises became above scale."""
PLAN = "the province's plan of 2018; who enters a tag names its document"
_OF = {"enterprise": "enterprises", "area": "areas", "area_industry": "areas"}


def _firms(id_: str, plan: str, word: str, text: str) -> Measured:
    return Measured(id_, plan, word, f"N({text})", "enterprises", PLAN)


def _tag(tag: reference.Tag) -> Measured:
    if tag.id == UPGRADE:
        text = "N(enterprises above scale with the tag in force) / N(enterprises above scale)"
        return Measured(tag.id, tag.plan, tag.name_en, text, "%", PLAN, "rate")
    text = "areas, each in its industry," if tag.of == "area_industry" else _OF[tag.of]
    return Measured(tag.id, tag.plan, tag.name_en, f"N({text} with the tag in force)", _OF[tag.of], PLAN)


_DECLARED = "enterprises that declare it, with a document"
_RISEN = "enterprises that became above scale in 2018 to 2020 and were listed below it before"
MEASURED: tuple[Measured, ...] = (
    *map(_tag, reference.tags().values()),
    _firms("move_data_centre", "T21", "Data centre in a cloud", _DECLARED),
    _firms("move_business_systems", "T21", "Business systems in a cloud", _DECLARED),
    _firms(
        "move_devices", "T21", "Devices in the cloud", "enterprises with a device in the cloud, proven here"
    ),
    _firms("newly_above_scale", "T30", "Newly above scale", _RISEN),
)
NO_TAG = "nobody has entered this tag yet"
NO_MOVE = "nobody has declared a move into a cloud yet"
NO_SCALE = "no enterprise was ever listed below scale: nothing says who rose above it"
NO_INDUSTRY = "a tag of an area is of no single industry"
NOTES: tuple[str, ...] = (NO_TAG, NO_MOVE, NO_SCALE, NO_INDUSTRY)


def standings(
    connection: Connection, province: Province, day: date, area: str, industry: str
) -> Iterable[Standing]:
    """How many there are; None where nobody has entered anything of the kind."""
    of, key = Filter(area, industry or None, day), (area, industry)
    known = ever(connection)
    marked = counted(connection, province, of).get(key, {})
    for tag in reference.tags().values():
        number, note, among = marked.get(tag.id, 0), NO_TAG, None
        if tag.id == UPGRADE:
            scale = upgraded(connection, province, of).get(key, {})
            number, among = scale.get(UPGRADE, 0), scale.get("above_scale", 0)
        if tag.id in known and tag.of == "area" and industry != ALL:
            yield Standing(tag.id, None, None, "/tags", NO_INDUSTRY)
        else:
            yield _standing(tag.id, number, note, among, known=tag.id in known)
    moved = moves(connection, province, of).get(key, {})
    for kind in MOVES:
        known_move = _any(connection, registry.cloud_move)
        yield _standing(f"move_{kind}", moved.get(kind, 0), NO_MOVE, known=known_move)
    yield _standing("move_devices", stock(connection, province, day, key, "enterprises_cloud"))
    risen = newly(connection, province, of).get(key, {}).get("newly_above_scale", 0)
    below = _any(connection, registry.enterprise, not_(registry.enterprise.c.above_scale))
    yield _standing("newly_above_scale", risen, NO_SCALE, known=below)


def _standing(
    id_: str, number: int, note: str = "", among: int | None = None, *, known: bool = True
) -> Standing:
    return Standing(id_, number if known else None, among, "/tags", "" if known else note)


def only(connection: Connection, province: Province, tag: str, day: date) -> Only:
    """What a tag marks on a day."""
    t = registry.tag.c
    rows = select(t.area, t.industry).where(t.tag == tag, t.enterprise == "", held(day, t)).distinct()
    places = connection.execute(rows).all()
    codes = select(t.enterprise).where(t.tag == tag, t.enterprise != "", held(day, t))
    return Only(province, tag, codes, tuple((row.area, row.industry) for row in places))


def tags(connection: Connection, day: date, **of: str) -> list[Any]:
    """The tags in force on a day with everything that was entered, of what is named (`tag`, `enterprise`), the one
    entered last first."""
    t = registry.tag.c
    query = select(registry.tag).where(held(day, t), *(t[name] == value for name, value in of.items()))
    return list(connection.execute(query.order_by(t.recorded_at.desc(), *registry.tag.primary_key)).all())


def counted(connection: Connection, province: Province, of: Filter) -> dict[Key, dict[str, int]]:
    """How many enterprises or areas have each tag, at every place and in every industry of the filter."""
    t, nothing = registry.tag.c, dict.fromkeys(reference.tags(), 0)
    lowest = _by_place(connection, province, of, registry.tag, t.tag, held(of.day, t))
    found = roll_up(province, lowest, nothing)
    places = select(t.area, t.industry, t.tag).where(held(of.day, t), t.enterprise == "").distinct()
    for area, industry, tag in connection.execute(places):
        mine = (
            keys(province, area, industry) if industry else [(above, ALL) for above in province.above(area)]
        )
        for key in mine:
            found.setdefault(key, dict(nothing))[tag] += 1
    return found


def ever(connection: Connection) -> set[str]:
    """The tags that anybody ever entered."""
    return set(connection.execute(select(registry.tag.c.tag).distinct()).scalars())


def upgraded(connection: Connection, province: Province, of: Filter) -> dict[Key, dict[str, int]]:
    """Enterprises above scale, and of them those with a technical upgrading (T15)."""
    t, firm, person = registry.tag.c, ledger.c, _persons(of.day)
    mine = select(person.c.enterprise).join(registry.tag, t.enterprise == person.c.named)
    has = firm.enterprise.in_(mine.where(t.tag == UPGRADE, held(of.day, t)))
    query = select(firm.area, firm.industry, func.count(), func.count().filter(has))
    query = query.where(firm.kind == "enterprise", on(of.day), firm.in_service, firm.above_scale)
    query = query.where(*within(province, of.area, of.industry, firm)).group_by(firm.area, firm.industry)
    return _named(province, ("above_scale", UPGRADE), connection.execute(query))


def newly(connection: Connection, province: Province, of: Filter) -> dict[Key, dict[str, int]]:
    """Enterprises that became above scale within the three years of the plan, up to the day (T30); of them those that
    are not on the day; and beside, as `first_listed`, those that the registry names first within these years and above
    scale at once: nothing says what they were before."""
    e, firm = registry.enterprise.c, ledger.c
    before = func.lag(e.above_scale).over(partition_by=e.code, order_by=e.since)
    dated = (
        select(e.code, e.since, e.above_scale, before.label("before")).where(e.since <= of.day).subquery().c
    )
    became = func.max(case((dated.before.is_(None), 0), else_=1)).label("became")
    rises = or_(dated.before.is_(None), not_(dated.before)) & dated.above_scale
    query = select(dated.code, became).where(rises, dated.since.between(FIRST, LAST)).group_by(dated.code)
    risen = query.subquery().c
    numbers = (
        func.count().filter(risen.became == 1),
        func.count().filter(risen.became == 1, not_(firm.above_scale)),
        func.count().filter(risen.became == 0),
    )
    mine = (risen.code == firm.enterprise) & (firm.asset_no == "") & on(of.day) & firm.in_service
    query = select(firm.area, firm.industry, *numbers).where(
        mine, *within(province, of.area, of.industry, firm)
    )
    rows = connection.execute(query.group_by(firm.area, firm.industry))
    return _named(province, ("newly_above_scale", "newly_left", "first_listed"), rows)


def moves(connection: Connection, province: Province, of: Filter) -> dict[Key, dict[str, int]]:
    """Enterprises that declare a move into a cloud, by its kind: the newest row up to the day says so (T21)."""
    m = registry.cloud_move.c
    place = func.row_number().over(partition_by=(m.enterprise, m.kind), order_by=m.since.desc())
    newest = select(m.enterprise, m.kind, m.value, place.label("place")).where(m.since <= of.day).subquery()
    valid = newest.c.value & (newest.c.place == 1)
    lowest = _by_place(connection, province, of, newest, newest.c.kind, valid)
    return roll_up(province, lowest, dict.fromkeys(MOVES, 0))


def _persons(day: date) -> Subquery:
    """Every enterprise of the registry, `named`, with home and industry of its legal person, of a branch another."""
    own, firm = ledger.alias("own"), ledger.alias("firm")
    person = firm.c.enterprise == func.coalesce(own.c.parent, own.c.enterprise)
    is_it = person & (firm.c.asset_no == "") & on(day, firm.c) & firm.c.in_service
    about = (firm.c.enterprise, firm.c.area, firm.c.industry)
    query = select(own.c.enterprise.label("named"), *about).select_from(own.join(firm, is_it))
    return query.where(own.c.asset_no == "", on(day, own.c)).subquery("person")


def _by_place(
    connection: Connection, province: Province, of: Filter, rows: Any, word: Any, valid: Any
) -> Iterator[tuple[Key, dict[str, int]]]:
    """How many legal persons the rows of a table name, by their place and a word of the row."""
    person = _persons(of.day)
    query = select(person.c.area, person.c.industry, word, func.count(distinct(person.c.enterprise)))
    query = query.select_from(rows.join(person, rows.c.enterprise == person.c.named))
    query = query.where(valid, *within(province, of.area, of.industry, person.c))
    for area, industry, name, number in connection.execute(
        query.group_by(person.c.area, person.c.industry, word)
    ):
        yield (area, industry), {name: number}


def _named(province: Province, names: Sequence[str], rows: Iterable[Any]) -> dict[Key, dict[str, int]]:
    """Numbers of places, each under its name, with everything that lies in them."""
    lowest = (((area, of), dict(zip(names, numbers, strict=True))) for area, of, *numbers in rows)
    return roll_up(province, lowest, dict.fromkeys(names, 0))


def _any(connection: Connection, table: Table, *where: Any) -> bool:
    return connection.execute(select(table.c[0]).where(*where).limit(1)).first() is not None
