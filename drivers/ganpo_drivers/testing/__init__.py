"""The kit that says when a driver is right. pytest is imported here and nowhere else in what is installed."""

import pytest

# The kit lies in an installed package: without this a failed assert would not say what it compared.
pytest.register_assert_rewrite(
    *(
        f"ganpo_drivers.testing.{part}"
        for part in ("conformance", "documents", "faults", "hooks", "reading", "scenario", "speaking")
    )
)

from ganpo_drivers.testing.conformance import DriverConformance  # noqa: E402
from ganpo_drivers.testing.proxy import Proxy  # noqa: E402
from ganpo_drivers.testing.serial_proxy import SerialProxy  # noqa: E402

__all__ = ["DriverConformance", "Proxy", "SerialProxy"]
