"""LibreOffice, which opens what we write."""

import subprocess
from pathlib import Path


def opened(folder: Path, *files: Path) -> list[Path]:
    """Workbooks as LibreOffice saves them once it has opened them, with a profile of its own."""
    out = folder / "saved"
    profile = f"-env:UserInstallation=file://{folder}/profile"
    how = ["--headless", "--norestore", "--convert-to", "xlsx", "--outdir", str(out)]
    command = ["soffice", profile, *how, *map(str, files)]
    subprocess.run(command, check=True, capture_output=True, timeout=100)
    return [out / file.name for file in files]
