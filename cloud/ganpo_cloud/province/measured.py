"""What is measured of a row of the plan, in one form for the plan's page, the definitions, the API and exports.

Each module of the plan declares its `MEASURED` and answers `standings`; `plan.py` puts them into the plan's order.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Literal

from sqlalchemy import Connection

from ganpo_cloud.province.definitions import Definition
from ganpo_cloud.province.divisions import Province
from ganpo_cloud.province.targets import Target
from ganpo_cloud.store.described import answer, said, unsaid

Kind = Literal["count", "rate", "quantity", "intensity"]


@answer
class Measured:
    """A number and what it means, as `definitions.Definition` says it of those that are counted by place."""

    id: str = said("stable word for programs", "nodes_workshop")
    plan: str = said("of the plan's table", "T17")
    word: str = said("for people, in English", "Intelligent workshops")
    text: str = said("what is counted, and among what", "N(workshops with an accreditation in force)")
    unit: str = said("of what it comes to", "workshops")
    source: str = said("who says so", "our definition")
    kind: Kind = unsaid(default="count")

    @property
    def definition(self) -> Definition:
        """The same as it is said of every number: it is observed, evidence has no meaning."""
        among = f"{self.id}_of" if self.kind == "rate" else None
        told = (self.word, self.text, self.kind, self.unit, self.source, self.plan)
        return Definition(self.id, *told, (self.id, self.id, self.id), among)


@dataclass(frozen=True, slots=True)
class At:
    """A place in an industry at the end of a day. `counted`: what the lists of a module come to there (`plan_sums.py`),
    by name; None: nothing counts. `entered`: of what its lists have any row."""

    connection: Connection
    province: Province
    day: date
    area: str
    industry: str
    counted: Mapping[str, int] | None
    entered: frozenset[str]


@answer
class Standing:
    """Where it stands. `number`: None where nobody knows, of a quantity in millionths of its unit; `among`: of a rate
    its denominator, of an intensity fen; `page`: the path of the page that shows it in full,
    below which its list is."""

    id: str = said("of what is measured", "nodes_workshop")
    number: int | None = said("null: nobody knows", 3)
    among: int | None = said("its denominator; null: it has none", 166)
    page: str = unsaid(default="")
    note: str = unsaid(default="")
    """Why there is no number: an English text that is translated where it is shown."""
    target: Target | None = unsaid(default=None)
    """What its own list asks for; None: what was entered as its target."""
    uncovered: bool = unsaid(default=False)
    """So little is known of it that nobody can say that it keeps below a limit."""
