"""Logs: structlog, one line an event, to stderr: key=value on a terminal, JSON otherwise.

Call ``configure`` once at the start of a process and ``structlog.get_logger`` anywhere. Needs the ``platform``
extra, so the language itself never imports this module.
"""

from __future__ import annotations

import logging
import sys

import structlog

from seamwatch.settings import Settings


def configure(settings: Settings, stage: str | None = None) -> None:
    """Send every log event of this process to stderr, with the stage's name on each when one is given.

    Libraries that log through the standard module are sent the same way, from warnings up.
    """
    console = settings.log_format == "console" or (settings.log_format == "auto" and sys.stderr.isatty())
    shared: list[structlog.typing.Processor] = [
        structlog.contextvars.merge_contextvars,
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.StackInfoRenderer(),
    ]
    if stage is not None:
        # A processor and not a context variable, which threads would not see.
        shared.append(_named(stage))
    if console:
        shared.append(structlog.dev.ConsoleRenderer(colors=sys.stderr.isatty()))
    else:
        shared += [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    level = logging.getLevelNamesMapping()[settings.log_level.upper()]
    structlog.configure(
        processors=shared,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(logging.WARNING)


def _named(stage: str) -> structlog.typing.Processor:
    def add(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"stage": stage, **event}

    return add


class _Forward(logging.Handler):
    """Passes the standard module's records to structlog."""

    def emit(self, record: logging.LogRecord) -> None:
        logger = structlog.get_logger()
        error = record.exc_info if record.exc_info and record.exc_info[0] else None
        logger.log(max(record.levelno, logging.DEBUG), record.getMessage(), logger=record.name, exc_info=error)
