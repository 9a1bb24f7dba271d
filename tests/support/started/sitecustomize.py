"""Python loads this by its name at the start of every process that has the folder on its path (`writes.environment`):
the simulated devices of `ganpo-demo` note writes too, which know nothing of tests."""

import sys

if "ganpo_demo.devices" in sys.orig_argv:
    from support import watched

    watched.opcua()
    watched.modbus()
    watched.lines()
