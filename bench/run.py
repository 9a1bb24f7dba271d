"""`make bench`: every figure of the README, both sides in one run. `--short` runs each once, small.

python bench/run.py [--short] [NAME ...]
"""

import argparse
import importlib
import sys
from pathlib import Path

NAMES = (
    "poll",
    "units",
    "opcua",
    "process",
    "uplink",
    "site_bytes",
    "ingest",
    "days",
    "judge",
    "memory",
    "outage",
    "province",
    "moves",
    "flood",
    "readers",
    "exports",
    "states",
    "lists",
    "workbook",
    "commands",
    "machine_days",
    "simulation",
    "lines",
)


def main() -> None:
    """Run the benchmarks that are named, or all."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"of {', '.join(NAMES)}")
    parser.add_argument("--short", action="store_true", help="once and small: to see that it works")
    arguments = parser.parse_args()
    here = Path(__file__).parent
    sys.path[:0] = [str(here), str(here.parent / "tests")]
    for name in arguments.names or NAMES:
        if name not in NAMES:
            parser.error(f"{name}: no such benchmark ({', '.join(NAMES)})")
        module = importlib.import_module(name)
        print(f"{name}: {(module.__doc__ or '').splitlines()[0]}", flush=True)
        for line in module.run(short=arguments.short):
            print(line, flush=True)


if __name__ == "__main__":
    main()
