"""Equipment protocols: the contract, the drivers and the kit that tests them."""

from ganpo_drivers.api import (
    Address,
    Browses,
    ConnectionSettings,
    Driver,
    FaultKind,
    Identifies,
    Identity,
    Point,
    PointFault,
    Query,
    Report,
    Reports,
    Scan,
    Subscribes,
    Traces,
    Value,
)

__all__ = [
    "Address",
    "Browses",
    "ConnectionSettings",
    "Driver",
    "FaultKind",
    "Identifies",
    "Identity",
    "Point",
    "PointFault",
    "Query",
    "Report",
    "Reports",
    "Scan",
    "Subscribes",
    "Traces",
    "Value",
]
