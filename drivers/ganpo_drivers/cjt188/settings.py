"""How to reach meters of CJ/T 188: `[connections.NAME]` with `driver = "cjt188"`."""

from typing import Any, Literal

from pydantic import Field

from ganpo_drivers.readout.settings import ReadoutSettings


class Cjt188Settings(ReadoutSettings):
    """One line with meters of CJ/T 188. What makers do differently holds for all unless a point says otherwise."""

    identifier_order: Literal["low_first", "high_first"] = Field(
        default="low_first", description="901F is sent as 1F 90, or high_first as 90 1F"
    )
    unit_place: Literal["last", "first"] = Field(
        default="last", description="of the byte that says the unit: last, or first, before the number"
    )

    def columns(self) -> dict[str, Any]:
        """What the meters of the line do."""
        return {"identifier_order": self.identifier_order, "unit_place": self.unit_place}
