"""Logs for people (text) or for programs (JSON, a line each), through structlog, on standard error."""

from __future__ import annotations

import logging
import re
import sys
from typing import Any

import structlog

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]")


def _on_one_line(_logger: Any, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
    """Spell control characters out: what others say must neither look like a line of ours nor move the cursor."""
    event["event"] = CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), str(event["event"]))
    return event


def _without_codes(record: logging.LogRecord) -> bool:
    """Keep the first part of a path: what follows may be somebody's invitation. The request id finds the rest."""
    if isinstance(record.args, tuple):
        record.args = tuple(
            re.sub(r"^(/[^/]*/).+", r"\1…", arg) if isinstance(arg, str) else arg for arg in record.args
        )
    return True


def configure(settings: dict[str, str]) -> None:
    """Set up logging as `log.level` and `log.format` say. Django calls this with LOGGING, which holds just those."""
    shared: list[Any] = [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    renderer: list[Any] = (
        [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
        if settings["format"] == "json"
        else [
            _on_one_line,
            # The renderer's own choice shows the variables of every frame: passwords, and secrets of the environment.
            structlog.dev.ConsoleRenderer(
                colors=sys.stderr.isatty(), exception_formatter=structlog.dev.plain_traceback
            ),
        ]
    )
    handler = logging.StreamHandler()
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=shared,
            processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, *renderer],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(settings["level"].upper())
    logging.getLogger("django.db.backends").setLevel(logging.WARNING)  # SQL carries personal text
    logging.getLogger("urllib3").setLevel(logging.WARNING)
    # What Django refuses is no fault of ours: anybody could fill the log with tracebacks, and the paths hold codes.
    logging.getLogger("django.request").setLevel(logging.ERROR)
    logging.getLogger("django.request").addFilter(_without_codes)
    logging.getLogger("django.security").setLevel(logging.CRITICAL)
    structlog.configure(
        processors=[*shared, structlog.stdlib.ProcessorFormatter.wrap_for_formatter],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=True,
    )
