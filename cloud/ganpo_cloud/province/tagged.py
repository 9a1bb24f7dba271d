"""Tags of enterprises and areas, dated and with a document: how many there are, and what they mark (T14, T15, T18 to
T21, T26, T30, T32, T33).

A tag filters and never partitions: what several tags mark is not added. An enterprise counts at its home, a branch as
its legal person; an area counts in itself and in what it lies in, of `area_industry` in that industry too.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

from sqlalchemy import Connection, Select, Subquery, case, distinct, exists, func, not_, or_, select

from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.lists import Filter, placed
from ganpo_cloud.province.measured import At, Measured, Standing
from ganpo_cloud.province.measures import held, on
from ganpo_cloud.province.places import Key, Sums, keys, roll_up
from ganpo_cloud.province.snapshots import stock
from ganpo_cloud.province.within import Only, within
from ganpo_cloud.store import registry_tables as registry
from ganpo_cloud.store import sql
from ganpo_cloud.store.counted_tables import ALL, ledger
from ganpo_model import reference

MOVES = ("move_data_centre", "move_business_systems")
"""What enterprises declare to have moved into a cloud; that devices are there is proven by us."""
RISEN, LEFT, FIRST_LISTED = "newly_above_scale", "newly_left", "first_listed"
ABOVE_SCALE = "enterprises_above_scale"
"""The count of enterprises of which those with a technical upgrading are a part."""
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
_ROSE = "enterprises that became above scale in 2018 to 2020 and were listed below it before"
MEASURED: tuple[Measured, ...] = (
    *map(_tag, reference.tags().values()),
    _firms(MOVES[0], "T21", "Data centre in a cloud", _DECLARED),
    _firms(MOVES[1], "T21", "Business systems in a cloud", _DECLARED),
    _firms(
        "move_devices",
        "T21",
        "Enterprises with devices in the cloud",
        "enterprises with a device in the cloud, proven here",
    ),
    _firms(RISEN, "T30", "Newly above scale", _ROSE),
)
_PAGE = "/tags"
NO_TAG = "nobody has entered this tag yet"
NO_MOVE = "nobody has declared a move into a cloud yet"
NO_SCALE = "no enterprise was ever listed below scale: nothing says who rose above it"
NO_INDUSTRY = "a tag of an area is of no single industry"
NOTES: tuple[str, ...] = (NO_TAG, NO_MOVE, NO_SCALE, NO_INDUSTRY)


def standings(at: At) -> Iterable[Standing]:
    """How many there are; None where nobody has entered anything of the kind."""
    here = at.counted or NOTHING

    def stood(measure: str) -> int:
        return stock(at.connection, at.province, at.day, (at.area, at.industry), measure)

    for tag in reference.tags().values():
        if tag.id in at.entered and tag.of == "area" and at.industry != ALL:
            yield Standing(tag.id, None, None, _page(tag.id), NO_INDUSTRY)
        else:
            among = stood(ABOVE_SCALE) if tag.id == UPGRADE else None
            yield _standing(at, tag.id, here[tag.id], NO_TAG, among)
    for move in MOVES:
        yield _standing(at, move, here[move], NO_MOVE)
    yield Standing("move_devices", stood("enterprises_cloud"), None, "/enterprises?measure=enterprises_cloud")
    yield _standing(at, RISEN, here[RISEN], NO_SCALE)


def _standing(at: At, id_: str, number: int, note: str, among: int | None = None) -> Standing:
    known = id_ in at.entered
    return Standing(id_, number if known else None, among, _page(id_), "" if known else note)


def _page(id_: str) -> str:
    """A tag has a list of its own."""
    return f"{_PAGE}/{id_}" if id_ in reference.tags() else _PAGE


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


def entered(connection: Connection) -> frozenset[str]:
    """The tags that anybody ever entered; `MOVES` where anybody declared one; `FIRST_LISTED` where an enterprise came
    above scale in the years of the plan, and `RISEN` where any was ever listed below it."""
    row = registry.enterprise.c
    found = set(connection.execute(select(registry.tag.c.tag).distinct()).scalars())
    if sql.any_of(connection, registry.cloud_move):
        found.update(MOVES)
    if sql.any_of(connection, registry.enterprise, row.above_scale, row.since.between(FIRST, LAST)):
        found.add(FIRST_LISTED)
    if sql.any_of(connection, registry.enterprise, not_(row.above_scale)):
        found.add(RISEN)
    return frozenset(found)


def counted(connection: Connection, province: Province, of: Filter) -> Sums:
    """Everything that is counted here, by name, at every place and in every industry of the filter."""
    found: dict[Key, dict[str, int]] = {}
    for part in (_marked, _newly, _moves):
        for key, row in part(connection, province, of).items():
            found.setdefault(key, dict(NOTHING)).update(row)
    return found


def _marked(connection: Connection, province: Province, of: Filter) -> dict[Key, dict[str, int]]:
    """How many enterprises or areas have each tag; a technical upgrading those above scale alone (T15)."""
    t, nothing = registry.tag.c, dict.fromkeys(reference.tags(), 0)
    valid = held(of.day, t) & t.tag.in_(nothing)
    person = _persons(of.day)
    counted = valid & or_(t.tag != UPGRADE, person.c.above_scale)
    lowest = _by_place(connection, province, of, registry.tag, person, t.tag, counted)
    found = roll_up(province, lowest, nothing)
    places = select(t.area, t.industry, t.tag).where(valid, t.enterprise == "").distinct()
    for area, industry, tag in connection.execute(places):
        mine = (
            keys(province, area, industry) if industry else [(above, ALL) for above in province.above(area)]
        )
        for key in mine:
            found.setdefault(key, dict(nothing))[tag] += 1
    return found


def _newly(connection: Connection, province: Province, of: Filter) -> dict[Key, dict[str, int]]:
    """Enterprises that became above scale within the three years of the plan, up to the day (T30); of them those that
    are not on the day; and beside, as `first_listed`, those that the registry names first within these years and above
    scale at once: nothing says what they were before."""
    firm, row, earlier = ledger.c, registry.enterprise.c, registry.enterprise.alias("earlier").c
    last = select(earlier.above_scale).where(earlier.code == row.code, earlier.since < row.since)
    before = last.order_by(earlier.since.desc()).limit(1).scalar_subquery().label("before")
    up_to = row.since.between(FIRST, min(LAST, of.day))
    rows_above = select(row.code, before).where(row.above_scale, up_to).subquery().c
    became = func.max(case((rows_above.before.is_(None), 0), else_=1)).label("became")
    rises = or_(rows_above.before.is_(None), not_(rows_above.before))
    query = select(rows_above.code, became).where(rises).group_by(rows_above.code)
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
    names = (RISEN, LEFT, FIRST_LISTED)
    return roll_up(province, _named(names, rows), dict.fromkeys(names, 0))


def _moves(connection: Connection, province: Province, of: Filter) -> dict[Key, dict[str, int]]:
    """Enterprises that declare a move into a cloud, by its kind: the newest row up to the day says so (T21)."""
    m, later = registry.cloud_move.c, registry.cloud_move.alias("later").c
    same = (later.enterprise == m.enterprise) & (later.kind == m.kind)
    newer = exists().where(same, later.since > m.since, later.since <= of.day)
    valid = m.value & (m.since <= of.day) & ~newer
    move, table = "move_" + m.kind, registry.cloud_move
    lowest = _by_place(connection, province, of, table, _persons(of.day), move, valid)
    return roll_up(province, lowest, dict.fromkeys(MOVES, 0))


OF_MONTHS = False
NOTHING: Mapping[str, int] = dict.fromkeys((*reference.tags(), *MOVES, RISEN, LEFT, FIRST_LISTED), 0)


def marks(province: Province, tag: str, of: Filter) -> Select[Any]:
    """What has a tag on the day, as it was entered, by enterprise and area. `name`: of the enterprise, whose home and
    industry stand as `area` and `industry`; else those of the tag."""
    t, firms = registry.tag.c, ledger.alias("firm")
    firm = firms.c
    about = (
        func.coalesce(firm.name, "").label("name"),
        func.coalesce(firm.area, t.area).label("area"),
        func.coalesce(firm.industry, t.industry).label("industry"),
    )
    entered = (t.tag, t.enterprise, t.first, t.last, t.document, t.by, t.recorded_at)
    is_it = (firm.enterprise == t.enterprise) & (firm.asset_no == "") & on(of.day, firm)
    found = select(*entered, *about).select_from(registry.tag.outerjoin(firms, is_it))
    mark = found.where(t.tag == tag, held(of.day, t)).subquery("mark")
    query = select(mark).where(*placed(province, of, mark.c))
    if of.text:
        text = (mark.c.enterprise, mark.c.name, mark.c.document, mark.c.by)
        query = query.where(or_(*(c.icontains(of.text, autoescape=True) for c in text)))
    return query.order_by(mark.c.enterprise, mark.c.area, mark.c.industry, mark.c.first)


def _persons(day: date) -> Subquery:
    """Every enterprise of the registry, `named`, with home and industry of its legal person, of a branch another, and
    whether that is above scale."""
    own, firm = ledger.alias("own"), ledger.alias("firm")
    person = firm.c.enterprise == func.coalesce(own.c.parent, own.c.enterprise)
    is_it = person & (firm.c.asset_no == "") & on(day, firm.c) & firm.c.in_service
    about = (firm.c.enterprise, firm.c.area, firm.c.industry, firm.c.above_scale)
    query = select(own.c.enterprise.label("named"), *about).select_from(own.join(firm, is_it))
    return query.where(own.c.asset_no == "", on(day, own.c)).subquery("person")


def of_enterprise(connection: Connection, day: date, code: str) -> Mapping[str, list[Any]]:
    """The tags of an enterprise in force on a day, and of each kind of move what it declared last, as they were
    entered."""
    m = registry.cloud_move.c
    told = connection.execute(
        select(registry.cloud_move).where(m.enterprise == code, m.since <= day).order_by(m.since)
    )
    return {
        "tags": tags(connection, day, enterprise=code),
        "moves": list({row.kind: row for row in told}.values()),
    }


def _by_place(
    connection: Connection, province: Province, of: Filter, rows: Any, person: Subquery, word: Any, valid: Any
) -> Iterator[tuple[Key, dict[str, int]]]:
    """How many legal persons (`_persons`) the rows of a table name, by their place and a word of the row."""
    query = select(person.c.area, person.c.industry, word, func.count(distinct(person.c.enterprise)))
    query = query.select_from(rows.join(person, rows.c.enterprise == person.c.named))
    query = query.where(valid, *within(province, of.area, of.industry, person.c))
    for area, industry, name, number in connection.execute(
        query.group_by(person.c.area, person.c.industry, word)
    ):
        yield (area, industry), {name: number}


def _named(names: Sequence[str], rows: Iterable[Any]) -> Iterator[tuple[Key, dict[str, int]]]:
    """Numbers of places, each under its name."""
    for area, industry, *numbers in rows:
        yield (area, industry), dict(zip(names, numbers, strict=True))
