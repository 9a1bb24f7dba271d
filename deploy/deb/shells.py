"""Completion as a person has it: bash and zsh on a terminal, Tab, and what they say."""

import os
import pty
import re
import select
import signal
import time
from collections.abc import Iterator

SHELLS = {
    "bash": (["bash", "--norc", "-i"], "source /usr/share/bash-completion/bash_completion"),
    "zsh": (["zsh", "-f", "-i"], "autoload -U compinit && compinit -u"),
}
TYPED = (
    ("ganpo che", "ganpo check "),
    ("ganpo check --onl", "ganpo check --online "),
    ("ganpo check --config /etc/gan", "ganpo check --config /etc/ganpo/"),
    ("ganpo-cloud gate", "ganpo-cloud gateway "),
)
_COLOUR = re.compile(r"\x1b\[[0-9;?]*[a-zA-Z]")


def completed() -> Iterator[tuple[str, str, str]]:
    """Shell, what was typed before Tab, what stood there then. Raises SystemExit."""
    for shell, (words, begin) in SHELLS.items():
        process, end = pty.fork()
        if process == 0:
            os.execvpe(words[0], words, {**os.environ, "PS1": "$ ", "TERM": "xterm", "COLUMNS": "80"})
        try:
            os.write(end, f"{begin}; PS1='rea''dy> '\n".encode())
            _until(shell, end, "ready> ")
            for typed, offered in TYPED:
                os.write(end, f"\x15{typed}\t".encode())
                _until(shell, end, offered.removeprefix(typed))
                yield shell, typed, offered
        finally:
            os.kill(process, signal.SIGKILL)
            os.waitpid(process, 0)
            os.close(end)


def _until(shell: str, end: int, wanted: str) -> None:
    raw, deadline = b"", time.monotonic() + 20
    while wanted not in _COLOUR.sub("", raw.decode(errors="ignore")).replace("\r", ""):
        if not select.select([end], [], [], max(0, deadline - time.monotonic()))[0]:
            raise SystemExit(f"{shell} does not complete to {wanted!r}: {raw!r}")
        raw += os.read(end, 4096)
