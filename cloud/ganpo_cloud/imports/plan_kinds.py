"""The lists that the plan asks for: trees and what they are recognised as, limits on energy, products, moves to the
cloud, tags, and equipment that may not run."""

from collections.abc import Callable, Mapping

from ganpo_cloud.imports import cells as c
from ganpo_cloud.imports import touched
from ganpo_cloud.imports.beside import TREE, apart, both, days, measured_once, missing, share, tree
from ganpo_cloud.imports.cells import Cells, Reader
from ganpo_cloud.imports.kind import Kind, Values
from ganpo_cloud.imports.known import Known
from ganpo_cloud.store import registry_tables as registry
from ganpo_model import reference

GRADES = ("national", "provincial", "city", "county")
"""Of an accreditation, the highest first."""
_OF = {"enterprise": ("enterprise",), "area": ("area",), "area_industry": ("area", "industry")}
"""What a tag of each sort names."""


def _rules(*rules: Callable[[Cells, Values], None]) -> Callable[[Cells, Values], None]:
    def look(row: Cells, values: Values) -> None:
        for rule in rules:
            rule(row, values)

    return look


def _span(row: Cells, values: Values) -> None:
    if values["last"] is not None and values["last"] < values["first"]:
        row.wrong("to", "lies before from")


def _in_tree(row: Cells, values: Values) -> None:
    """The node is there on all of the days."""
    spans = [(one.first, one.last) for one in row.known.nodes.get((values["enterprise"], values["node"]), ())]
    if spans and (gap := missing(values["first"], values["last"], spans)):
        row.wrong("node", f"does not exist on {gap}", "a row that ends with it, or another of the node")


def _recognised(row: Cells, values: Values) -> None:
    """A node is recognised as what it is then. What recognises it may hold for longer than it is there."""
    rows = row.known.nodes.get((values["enterprise"], values["node"]), ())
    then = [one for one in rows if share(values["first"], values["last"], one.first, one.last)]
    if rows and not then:
        row.wrong("node", "does not exist on any of these days")
    for one in then:
        if one.kind != values["kind"]:
            row.wrong("kind", f"the node is a {one.kind} then")


def _limit(row: Cells, values: Values) -> None:
    if bool(values["area"]) == bool(values["enterprise"]):
        row.wrong("area", "a limit is of an area or of an enterprise: exactly one of both")
    if values["enterprise"] and values["industry"]:
        row.wrong("industry", "an enterprise has one already: leave it empty")
    basis, year = values["price_basis"], values["year"]
    if values["kind"] == "total_tce":
        if basis:
            row.wrong("price_basis", "a total has no prices: leave it empty")
    elif not basis:
        row.wrong("price_basis", "is missing: the prices of the value added, as its list says them")
    elif (told := row.known.prices.get(year, basis)) != basis:
        row.wrong("price_basis", f"value added of {year} is in prices of {told}: the two do not compare")


def _output(row: Cells, values: Values) -> None:
    """Told in the product's unit; its meters are process meters, where an inventory says what there is."""
    wanted = row.known.products.get(values["product"], values["unit"])
    if values["unit"] != wanted:
        row.wrong("unit", f"output of {values['product']} is told in {wanted}")
    meters = values["meters"].replace(";", " ").split()
    values["meters"] = " ".join(sorted(set(meters)))
    there = row.known.meters.get(values["enterprise"])
    if there is None:
        return
    for meter in meters:
        role = there.get(meter)
        if role is None:
            row.wrong("meters", f"{meter}: no meter of this enterprise by its newest inventory")
        elif role != "process":
            row.wrong(
                "meters",
                f"{meter} is no process meter, its role is {role}",
                "role process in the list of its meters",
            )


def _other_unit(values: Values, before: Values | None, known: Known) -> str:
    """Output is stored in the product's unit."""
    if before is None or before["unit"] == values["unit"] or values["product"] not in known.made:
        return ""
    return f"output or capacity of it is told in {before['unit']}: in another unit it is another product"


def _tag(row: Cells, values: Values) -> None:
    about = reference.tags().get(values["tag"])
    if about is None:
        return
    named = _OF[about.of]
    for column in ("enterprise", "area", "industry"):
        if column in named and not values[column]:
            row.wrong(column, f"is missing: {values['tag']} is of {', '.join(named)}")
        elif column not in named and values[column]:
            row.wrong(column, f"{values['tag']} is of {', '.join(named)}: leave it empty")


def _banned(row: Cells, values: Values) -> None:
    """Its meter is one, where an inventory says what there is."""
    there, meter = row.known.meters.get(values["enterprise"]), values["meter"]
    if meter and there is not None and meter not in there:
        row.wrong("meter", "no meter of this enterprise by its newest inventory")
    if values["standby_kw"] and not meter:
        row.wrong("standby_kw", "is of the meter: name it, or leave this empty")


def _not_negative(row: Cells, column: str) -> str:
    c.number(10**9)(row, column)
    return row[column]


_DAYS = {"from": "first", "to": "last"}
_SPAN: dict[str, Reader] = {"from": c.begun, "to": c.or_nothing(c.day)}
_NODE = c.matching(c.NODE, c.NODE_MEANT)
_WORD = c.matching(r"[a-z][a-z0-9_]{0,39}", "1 to 40 of a-z, 0-9 and _")
_OF_SOMETHING: dict[str, Reader] = {
    "area": c.or_nothing(c.area, ""),
    "industry": c.or_nothing(c.industry, ""),
    "enterprise": c.or_nothing(c.enterprise, ""),
}
PLAN: Mapping[str, Kind] = {
    "nodes": Kind(
        registry.node,
        "enterprise site node parent kind name from to",
        touched.plan,
        rule=_span,
        own=_SPAN | {"node": _NODE, "parent": c.or_nothing(_NODE, ""), "kind": c.one_of(*TREE)},
        stored=_DAYS,
        beside=both(
            tree,
            apart("enterprise node", lambda row: f"another row of the node holds then ({days(row)})", "from"),
        ),
        named=True,
    ),
    "node_equipment": Kind(
        registry.node_equipment,
        "enterprise node asset_no from to",
        rule=_rules(_span, _in_tree),
        own=_SPAN | {"node": c.node},
        stored=_DAYS,
        beside=apart(
            "enterprise asset_no", lambda row: f"is in {row['node']} then ({days(row)})", "asset_no"
        ),
    ),
    "accreditations": Kind(
        registry.accreditation,
        "enterprise node kind grade document by from to",
        touched.plan,
        rule=_rules(_span, _recognised),
        own=_SPAN | {"node": c.node, "kind": c.one_of(*TREE), "grade": c.one_of(*GRADES)},
        stored=_DAYS,
        beside=apart(
            "enterprise node kind grade",
            lambda row: f"has this grade already ({days(row)}, {row['document']})",
            "from",
        ),
    ),
    "limits": Kind(
        registry.limit,
        "area industry enterprise year kind value price_basis document by",
        rule=_limit,
        own=_OF_SOMETHING
        | {
            "year": c.year_planned,
            "kind": c.one_of("total_tce", "intensity"),
            "value": c.above_0(c.decimal),
            "price_basis": c.or_nothing(c.text(40), ""),
        },
        once="area industry enterprise year kind",
    ),
    "products": Kind(
        registry.product,
        "product zh en unit industry",
        own={"product": _WORD, "unit": c.text(20), "zh": c.text(40), "en": c.text(80)},
        late=_other_unit,
        named=True,
    ),
    "outputs": Kind(
        registry.output,
        "enterprise month product quantity unit meters document by",
        touched.plan,
        rule=_output,
        own={"product": c.product, "unit": c.text(20), "meters": c.or_nothing(c.text(), "")},
        stored={"quantity": "millionths"},
        optional=("meters",),
        beside=measured_once,
    ),
    "capacities": Kind(
        registry.capacity,
        "enterprise product year quantity document by",
        touched.plan,
        own={"product": c.product, "quantity": c.above_0(c.number(10**6))},
        stored={"quantity": "millionths"},
    ),
    "cloud_moves": Kind(
        registry.cloud_move,
        "enterprise kind value document by since",
        touched.plan,
        own={"kind": c.one_of("data_centre", "business_systems"), "value": c.yes, "since": c.begun},
    ),
    "tags": Kind(
        registry.tag,
        "tag enterprise area industry from to document by",
        touched.plan,
        rule=_rules(_span, _tag),
        own=_SPAN | _OF_SOMETHING | {"tag": c.one_of(*reference.tags())},
        stored=_DAYS,
        beside=apart(
            "tag enterprise area industry",
            lambda row: f"has this tag already ({days(row)}, {row['document']})",
            "from",
        ),
    ),
    "banned": Kind(
        registry.banned,
        "enterprise asset_no kind since document meter standby_kw by",
        touched.banned,
        _banned,
        own={
            "kind": c.one_of("outdated", "forbidden"),
            "meter": c.or_nothing(c.asset_no, ""),
            "standby_kw": c.or_nothing(_not_negative, ""),
        },
        optional=("meter", "standby_kw"),
        once="enterprise asset_no",
    ),
}
