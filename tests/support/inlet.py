"""`/health` and `/metrics` of the process that collects, as its own application."""

from functools import partial

from starlette.types import ASGIApp

from ganpo_cloud import health, metrics
from ganpo_cloud.inlet.collector import Collector
from ganpo_cloud.store.database import Reader
from ganpo_model.clock import Clock
from ganpo_service.supervisor import Supervisor


def answered(database: Reader, clock: Clock, collector: Collector, supervisor: Supervisor) -> ASGIApp:
    """Of a collector that may not run."""
    told = partial(metrics.of, database, clock, collector, supervisor)
    return health.create_app(database, collector, supervisor, dict, told)
