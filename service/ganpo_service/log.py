"""Logging: `key=value` lines for journald, or JSON lines."""

import json
import logging

_TOLD_BETTER = ("asyncua", "pymodbus", "uvicorn")
"""Libraries that log what we say with its place and what to do."""


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(log_format: str, level: str) -> None:
    """Send our log to stderr. Other libraries speak from WARNING on."""
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(levelname)s %(name)s %(message)s")
    handler.setFormatter(_Json() if log_format == "json" else plain)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("agent", "cloud", "config", "drivers", "service"):
        logging.getLogger(f"ganpo_{name}").setLevel(level.upper())
    for name in _TOLD_BETTER:
        logging.getLogger(name).setLevel(logging.CRITICAL)
