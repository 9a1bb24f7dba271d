"""Logging: `key=value` lines for journald, or JSON lines."""

import json
import logging


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(log_format: str, level: str) -> None:
    """Send our log to stderr. Libraries speak from WARNING on: what they say twice we say better."""
    handler = logging.StreamHandler()
    handler.setFormatter(
        _Json() if log_format == "json" else logging.Formatter("%(levelname)s %(name)s %(message)s")
    )
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    for name in ("ganpo_agent", "ganpo_drivers", "ganpo_config"):
        logging.getLogger(name).setLevel(level.upper())
    for name in ("asyncua", "pymodbus", "uvicorn"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
