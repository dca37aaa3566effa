"""Logs of the Rasa process: one JSON object a line, without the words of customers.

Rasa and its libraries write texts, slots and whole trackers into their messages at DEBUG and
INFO, so they are heard from WARNING on, and of structlog's events only the name is kept.
"""

import json
import logging
import sys
import traceback
from collections.abc import MutableMapping
from datetime import datetime, timezone
from typing import Any

import structlog

# What our own records may carry besides their message.
FIELDS = (
    "sender",
    "message_id",
    "intent",
    "repeated",
    "failed",
    "failures",
    "milliseconds",
    "error",
    "model",
)
MAX_MESSAGE = 500


class JsonFormatter(logging.Formatter):
    """Makes a line of a record."""

    def format(self, record: logging.LogRecord) -> str:
        """Make one line of JSON.

        Args:
            record: What was logged.

        Returns:
            The line: `time` in UTC, `level`, `logger`, `message`, known fields, and for an
            exception its type, its message and the places it came through.
        """
        line: dict[str, Any] = {
            "time": datetime.fromtimestamp(record.created, timezone.utc).isoformat(),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:MAX_MESSAGE],
        }
        line.update(
            {
                name: getattr(record, name)
                for name in FIELDS
                if getattr(record, name, None) is not None
            }
        )
        if record.exc_info and record.exc_info[1] is not None:
            error = record.exc_info[1]
            line["exception"] = f"{type(error).__name__}: {error}"[:MAX_MESSAGE]
            line["at"] = [
                f"{frame.filename}:{frame.lineno} {frame.name}"
                for frame in traceback.extract_tb(error.__traceback__)[-12:]
            ]
        return json.dumps(line, ensure_ascii=False, default=str)


def configure(level: int = logging.INFO) -> None:
    """Send every log of the process to stderr as JSON.

    Args:
        level: For our own loggers; everything else is heard from WARNING on.
    """
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(logging.WARNING)
    for name in ("rasa", "sanic.root", "sanic.error", "sanic.access", "apscheduler", "jieba"):
        logger = logging.getLogger(name)
        logger.handlers.clear()
        logger.propagate = True
        logger.setLevel(logging.WARNING)
    logging.getLogger("bot").setLevel(level)
    logging.captureWarnings(True)
    logging.getLogger("py.warnings").addFilter(_concerns_us)
    structlog.configure(
        processors=[_event_only],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING),
        cache_logger_on_first_use=True,
    )


def _concerns_us(record: logging.LogRecord) -> bool:
    """Leave out what old libraries have to say about each other."""
    return "DeprecationWarning" not in record.getMessage()


def _event_only(_: object, __: str, event: MutableMapping[str, Any]) -> str:
    return str(event.get("event_info") or event.get("event"))
