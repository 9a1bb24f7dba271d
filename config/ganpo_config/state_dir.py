"""Whether `state_dir` can hold what a gateway keeps there: looked at, nothing is made."""

import os
from pathlib import Path

from ganpo_config.findings import shown


def look_at(folder: Path) -> str:
    """What is wrong with it for whoever runs this, and what to do; empty: nothing."""
    where = f"gateway.state_dir{shown('gateway.state_dir', str(folder))}"
    there = folder
    while not os.path.lexists(there) and there != there.parent:
        there = there.parent
    if not os.path.isdir(there):  # noqa: PTH112 - Path.is_dir raises where a folder above cannot be entered
        return f"{where}: {there} is no folder: give another, or move that away"
    if os.access(there, os.W_OK | os.X_OK, effective_ids=True):
        return ""
    what = "cannot be written" if there == folder else f"cannot be made: {there} cannot be written"
    whose = f"by the user of this command ({os.geteuid()})"
    todo = f"check as the user that runs the gateway, or: sudo install -d -o USER -m 750 {folder}"
    return f"{where}: {what} {whose}, and nothing would outlive the process; {todo}"
