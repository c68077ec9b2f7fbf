"""Logs: structlog, one line an event, to stderr: key=value on a terminal, JSON otherwise.

Call ``configure`` once at the start of a process and ``structlog.get_logger`` anywhere. Needs the ``platform``
extra, so the language itself never imports this module.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from dataclasses import dataclass
from typing import Final, TextIO, cast

import structlog

from seamwatch.settings import Settings

_REPEATED_SECONDS: Final = 10.0
_KINDS_KEPT: Final = 1_000


@dataclass(slots=True)
class _Said:
    """Until when what a library said is not said again, and how often it would have been."""

    until: float
    more: int = 0


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
        logger_factory=structlog.PrintLoggerFactory(cast(TextIO, _Unfailing(sys.stderr, console=console))),
        cache_logger_on_first_use=False,
    )
    root = logging.getLogger()
    root.handlers[:] = [_Forward()]
    root.setLevel(logging.WARNING)


def _named(stage: str) -> structlog.typing.Processor:
    def add(_logger: object, _method: str, event: structlog.typing.EventDict) -> structlog.typing.EventDict:
        return {"stage": stage, **event}

    return add


class _Unfailing:
    """A stream whose writer goes on when it takes nothing: a log that lies on a full disk must not end a stage.

    How many lines were lost is said when it takes some again.
    """

    def __init__(self, stream: TextIO, *, console: bool) -> None:
        self._stream = stream
        self._console = console
        self._lost = 0
        self._part = ""

    def write(self, text: str) -> int:
        """Write what makes whole lines, or count them as lost."""
        self._part += text
        if not self._part.endswith("\n"):
            return len(text)
        lines, self._part = self._part, ""
        lost, self._lost = self._lost, 0
        if lost:
            said = f"up to {lost} lines of the log were lost before this one"
            lines = f"{said if self._console else json.dumps({'event': said, 'level': 'error'})}\n{lines}"
        try:
            self._stream.write(lines)
            self._stream.flush()
        except (OSError, ValueError):  # ValueError: somebody has closed it
            self._lost = lost + 1
        return len(text)

    def flush(self) -> None:
        """Each line was flushed when it was written."""


class _Forward(logging.Handler):
    """Passes the standard module's records to structlog; what a library says over and over, now and then only."""

    def __init__(self) -> None:
        super().__init__()
        self._said: dict[tuple[str, str], _Said] = {}

    def emit(self, record: logging.LogRecord) -> None:
        """Pass a record on, unless the same was passed on moments ago."""
        # A message with its first argument, which often says what it is about.
        now, key = time.monotonic(), (record.name, f"{str(record.msg)[:100]} {str(record.args)[:20]}")
        said = self._said.get(key)
        if said is not None and now < said.until:
            said.more += 1
            return
        if len(self._said) >= _KINDS_KEPT:
            self._said.clear()
        self._said[key] = _Said(now + _REPEATED_SECONDS)
        more = {"repeated": said.more} if said is not None and said.more else {}
        logger = structlog.get_logger()
        error = record.exc_info if record.exc_info and record.exc_info[0] else None
        logger.log(max(record.levelno, logging.DEBUG), record.getMessage(), logger=record.name, exc_info=error, **more)
