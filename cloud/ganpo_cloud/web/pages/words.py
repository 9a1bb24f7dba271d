"""Words of tables, translated where they are shown."""

from collections.abc import Mapping

from ganpo_cloud.web.reasons import REASONS as REASONS
from ganpo_cloud.web.reasons import STATUS as STATUS
from ganpo_model import coverage, reference
from ganpo_model.coverage import Evidence
from ganpo_model.states import State

STATES: Mapping[State, str] = {
    State.PRODUCING: "Producing",
    State.SETUP: "Setup",
    State.HELD: "Held",
    State.IDLE: "Idle",
    State.FAULT: "Fault",
    State.MAINTENANCE: "Maintenance",
    State.OFF: "Off",
    State.UNKNOWN: "Unknown",
}
FLAGS: Mapping[str, str] = {
    "main": "main equipment",
    "numerical_control": "numerical control",
    "digital": "digital",
    "intelligent": "intelligent",
}
LEVELS: Mapping[Evidence, str] = {
    Evidence.CLAIMED: "claimed",
    Evidence.DOCUMENT: "checked by a person",
    Evidence.CONTROLLER: "proven by the machine",
}
AGES: Mapping[str, str] = {"active": "active", "seen": "seen", "silent": "silent", "gone": "long offline"}
BADGES: Mapping[str, str] = {
    "reached": "reached",
    "in_time": "keeps up",
    "late": "too slow",
    "still": "hardly moves",
    "falling": "falling",
    "too_early": "too early to tell",
    "no_number": "no number in the plan",
    "no_target": "no target",
    "no_data": "nothing registered",
}
UNITS: Mapping[str, str] = {
    "%": "%",
    "sets": "sets",
    "enterprises": "enterprises",
    "devices": "devices",
    "tce": "tce",
    "m3": "m³",
    "tce / 10,000 CNY": "tce / 10,000 CNY",
    "m3 / 10,000 CNY": "m³ / 10,000 CNY",
}
COUNTS: Mapping[str, str] = {
    "nc_checked": "CNC coverage",
    "intelligent_checked": "Intelligent equipment",
    "cloud": "Equipment in the cloud",
    "active": "Active, of equipment in the cloud",
}
KPIS: Mapping[str, str] = {
    "utilization_efficiency": "Utilization efficiency",
    "availability": "Availability",
    "allocation_efficiency": "Allocation efficiency",
    "technical_efficiency": "Technical efficiency",
    "setup_rate": "Setup rate",
    "effectiveness": "Effectiveness",
    "quality_ratio": "Quality ratio",
    "oee": "OEE index",
    "nee": "NEE index",
    "completeness": "Completeness",
}
MEASURES: Mapping[str, str] = {name: of.word for name, of in coverage.MEASURES.items()}
REFUSED: Mapping[str, str] = {
    "http": "No such page",
    "area": "No such area on this day",
    "industry": "No such industry",
    "date": "No date, or a date in the future",
    "measure": "No such measure",
    "indicator": "No such number",
    "report": "This month is not published",
    "damaged": "This report is damaged",
    "invalid": "This address asks for something that there is not",
    "database": "The database does not answer",
}
"""Why there is no page, by the code of the problem."""


def carrier(number: str, lang: str) -> str:
    """The name of a carrier."""
    names = reference.carriers()[number]
    return names.name_zh if lang == "zh" else names.name_en
