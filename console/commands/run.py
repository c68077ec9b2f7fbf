"""`seamwatch run`: one stage in this process, against the broker and the store that the environment names."""

from __future__ import annotations

import os
from collections.abc import Callable
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from seamwatch.settings import Settings


class StageName(StrEnum):
    """The stages, in the order in which an event meets them, the board, and the replies from elsewhere."""

    MEASURE = "measure"
    JUDGE = "judge"
    RECORD = "record"
    PAGE = "page"
    BOARD = "board"
    REPLIES = "replies"


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(run)


def run(stage: Annotated[StageName, typer.Argument(help="the stage to run", metavar="STAGE")]) -> None:
    """Run one stage (measure, judge, record or page), the board or the replies until SIGTERM, for production.

    It reads KAFKA_BOOTSTRAP_SERVERS and CLICKHOUSE_URL, and the settings with the prefix SEAMWATCH_. Run several of a
    stage to share its partitions. It ends with an error rather than go on in doubt: let a supervisor start it again.

    Example: KAFKA_BOOTSTRAP_SERVERS=kafka:9092 seamwatch run measure
    """
    import structlog

    from seamwatch.log import configure
    from seamwatch.options import unknown_options
    from seamwatch.settings import load_settings

    settings = load_settings()
    configure(settings, stage.value)
    if (said := unknown_options(os.environ)) is not None:
        structlog.get_logger("console.run").warning(said)
    _entry(stage)(settings)


def _entry(stage: StageName) -> Callable[[Settings], None]:
    match stage:
        case StageName.MEASURE:
            from streams.measure import stage as measure

            return measure.run
        case StageName.JUDGE:
            from streams.judge import stage as judge

            return judge.run
        case StageName.RECORD:
            from sinks.record import stage as record

            return record.run
        case StageName.PAGE:
            import structlog

            from seamwatch.channel_urls import BOUND_SUFFIX, free
            from seamwatch.durations import SECOND
            from sinks.channels.channels import Channels
            from sinks.channels.deadman import DeadMan
            from sinks.summing import Summing
            from streams.page import stage as page

            def paging(settings: Settings) -> None:
                if unbound := free(os.environ):
                    structlog.get_logger("console.run").warning(
                        "any Person document can have these sent anywhere: say where they may go",
                        variables=[f"{name}{BOUND_SUFFIX}" for name in unbound],
                    )
                apis = {"pagerduty": settings.pagerduty_api, "slack": settings.slack_api}
                channels = Channels(
                    clock=settings.clock(),
                    console_read=settings.console_read,
                    apis={scheme: url for scheme, url in apis.items() if url is not None},
                )
                beat = None if settings.deadman_url is None else DeadMan(settings.deadman_url)
                # Never the writer's address: who tells people needs to read no more than the board shows them.
                url, seconds = settings.board_store or settings.auditor, settings.summary_within / SECOND
                summing = Summing(url, settings.clock(), seconds)
                page.run(settings, channels, channels.unreachable, beat, channels.manner, summing)

            return paging
        case StageName.BOARD:
            from board import serving

            return serving.run
        case StageName.REPLIES:
            from console.keys import read_private_key
            from replies import serving as replies

            def relaying(settings: Settings) -> None:
                _, key = replies.demanded(settings)
                replies.run(settings, read_private_key(key))

            return relaying
