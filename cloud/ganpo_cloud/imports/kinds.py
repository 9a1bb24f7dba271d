"""What can be imported: each list as data, and the rules of a whole row (formats.md, Lists). Those that the plan alone
asks for stand in `plan_kinds.py`."""

from collections.abc import Mapping

from ganpo_cloud.imports import cells as c
from ganpo_cloud.imports import touched
from ganpo_cloud.imports.beside import apart, cumulative, days
from ganpo_cloud.imports.cells import Cells
from ganpo_cloud.imports.kind import Kind, Values
from ganpo_cloud.imports.known import Known
from ganpo_cloud.imports.plan_kinds import PLAN
from ganpo_cloud.store import registry_tables as registry
from ganpo_model import shifts
from ganpo_model.clock import to_ms
from ganpo_model.facts import SITE


def _industry(row: Cells, cell: str) -> str | None:
    belongs = row.known.province.industry_of(row["gbt4754"])
    what = f"class {row['gbt4754']} belongs to {belongs}: an enterprise counts in one industry"
    return what if cell != belongs else None


def _value_added(row: Cells, values: Values) -> None:
    """Within a year all amounts are in the same prices."""
    if values["through"] and not values["through"].startswith(f"{values['year']}-"):
        row.wrong("through", f"is no month of {row['year']}")
    year, basis = values["year"], values["price_basis"]
    if year and basis and basis != (first := row.known.bases.setdefault(year, basis)):
        what = f"{year} is in prices of {first}: amounts of two bases do not add up"
        row.wrong("price_basis", what, "a file that names every enterprise of the year may change it")


def _target(row: Cells, values: Values) -> None:
    if values["comparator"] == "increase_vs_baseline":
        if values["value"] is not None:
            row.wrong("value", "increase_vs_baseline has no number: leave it empty")
        if (values["baseline_value"] is None) != (values["baseline_date"] is None):
            row.wrong("baseline_date", "a baseline is a value and its date")
    elif values["value"] is None:
        row.wrong("value", "is missing: only increase_vs_baseline has no number")


def _calendar(row: Cells, values: Values) -> None:
    breaks = values["breaks"].replace(";", " ").split()
    values["breaks"] = " ".join(breaks)
    try:
        shifts.weekdays(values["days"])
    except ValueError as error:
        row.wrong("days", str(error))
    for column, _, what in shifts.wrong(values["start"], values["end"], breaks):
        row.wrong(column or "to", what)
    if values["valid_to"] is not None and values["valid_to"] < values["valid_from"]:
        row.wrong("valid_to", "lies before valid_from")


def _exception(row: Cells, values: Values) -> None:
    found, plan = shifts.dates(row["dates"]), values["plan"]
    if found is None:
        row.wrong("dates", "no date, nor first..last in order (2027-02-05..2027-02-11)")
    if plan != "off" and (plan[:5] != "like " or plan[5:] not in shifts.WEEKDAYS):
        row.wrong("plan", "off, or like and a weekday (like mon)")
    values["first"], values["last"] = found or (row.known.today, row.known.today)


def _downtime(row: Cells, values: Values) -> None:
    if values["end"] <= values["start"]:
        row.wrong("to", "does not lie after from")


def _begun(values: Values, _before: Values | None, known: Known) -> str:
    begun = values["start"] <= to_ms(known.now)
    return "has begun: planned downtime is recorded before it begins" if begun else ""


_PARENT = c.or_nothing(
    c.every(
        c.credit_code, c.same(lambda row, cell: "is the enterprise itself" if cell == row["code"] else None)
    )
)
_PROOF = c.every(
    c.same(lambda row, cell: "is missing" if row["evidence"] == "document" and not cell else None),
    c.or_nothing(c.text(), ""),
)
_PERIOD = {"from": "start", "to": "end"}
KINDS: Mapping[str, Kind] = {
    "enterprises": Kind(
        registry.enterprise,
        "code name parent area industry gbt4754 above_scale since",
        touched.ledgers,
        own={"area": c.county, "industry": c.same(_industry), "parent": _PARENT},
        named=True,
    ),
    "sites": Kind(
        registry.site,
        "enterprise site name area timezone",
        touched.sites,
        own={"site": c.matching(SITE, "1 to 40 of a-z, 0-9 and -"), "area": c.county},
        named=True,
    ),
    "equipment": Kind(
        registry.equipment,
        "enterprise site asset_no name status since",
        touched.ledgers,
        own={"asset_no": c.asset_no},
        named=True,
    ),
    "flags": Kind(
        registry.flag,
        "enterprise asset_no flag value evidence document by since",
        touched.ledgers,
        own={"value": c.yes, "document": _PROOF},
    ),
    "population": Kind(registry.population, "area industry year count source"),
    "value_added": Kind(
        registry.value_added,
        "enterprise year amount_cny price_basis source through",
        touched.sums,
        _value_added,
        own={"through": c.or_nothing(c.month, "")},
        stored={"amount_cny": "fen"},
        optional=("through",),
        beside=cumulative,
    ),
    "statements": Kind(
        registry.statement,
        "enterprise month carrier quantity unit document by part",
        touched.sums,
        stored={"quantity": "millionths"},
        optional=("part",),
    ),
    "carriers": Kind(registry.declared_carrier, "enterprise year carrier", touched.sums),
    "targets": Kind(
        registry.target,
        "id area industry comparator value deadline baseline_value baseline_date document by",
        touched.targets,
        rule=_target,
        own={
            "industry": c.or_nothing(c.industry, ""),
            "value": c.or_nothing(c.decimal),
            "by": c.or_nothing(c.text(), ""),
        },
        optional=("by",),
        once="id area industry deadline",
    ),
    "calendars": Kind(
        registry.calendar,
        "enterprise site valid_from valid_to shift days from to breaks",
        touched.calendars,
        _calendar,
        stored=_PERIOD,
    ),
    "exceptions": Kind(
        registry.calendar_exception,
        "enterprise site dates plan why",
        touched.calendars,
        _exception,
        beside=apart(
            "enterprise site", lambda row: f"{days(row)} of this site say something of the same day", "dates"
        ),
    ),
    "downtime": Kind(
        registry.downtime,
        "enterprise asset_no from to why",
        touched.machines,
        _downtime,
        own={"from": c.instant, "to": c.instant},
        stored=_PERIOD,
        late=_begun,
    ),
    **PLAN,
}
