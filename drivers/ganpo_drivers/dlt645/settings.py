"""How to reach meters of DL/T 645: `[connections.NAME]` with `driver = "dlt645"`."""

from ganpo_drivers.readout.settings import ReadoutSettings


class Dlt645Settings(ReadoutSettings):
    """One line with electricity meters of DL/T 645, of either edition."""
