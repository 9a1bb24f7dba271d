"""Logging: `key=value` lines for journald, or JSON lines; the gateway has its own, for each has its own packages."""

import json
import logging


class _Json(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        line = {"level": record.levelname, "logger": record.name, "message": record.getMessage()}
        if record.exc_info:
            line["traceback"] = self.formatException(record.exc_info)
        return json.dumps(line, ensure_ascii=False)


def set_up(log_format: str, level: str) -> None:
    """Send our log to stderr; libraries speak from WARNING on."""
    handler = logging.StreamHandler()
    plain = logging.Formatter("%(levelname)s %(name)s %(message)s")
    handler.setFormatter(_Json() if log_format == "json" else plain)
    logging.basicConfig(level=logging.WARNING, handlers=[handler], force=True)
    logging.getLogger("ganpo_cloud").setLevel(level.upper())
