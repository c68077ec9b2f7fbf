"""The system that the board shows: its broker, and its stores for those who may read all and those who may not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from seamwatch.broker import Broker
from seamwatch.connections import with_ca
from seamwatch.errors import UsageError
from seamwatch.settings import Settings


@dataclass(frozen=True, slots=True)
class Shown:
    """Addresses; ``auditor`` and ``board`` are URLs of the store by role."""

    kafka: Broker
    prefix: str
    auditor: str = field(repr=False)
    board: str = field(repr=False)
    teams: Mapping[str, str] = field(repr=False, default_factory=dict)
    """By team the store as its role sees it, which holds the rows of the team's systems alone."""
    required: bool = False
    """Whether documents are followed only when they are signed by who must."""


def shown(settings: Settings) -> Shown:
    """What the environment names. Raises UsageError for what is missing."""
    broker = settings.broker()
    auditor = settings.auditor or settings.clickhouse
    if broker is None or auditor is None:
        missing = "KAFKA_BOOTSTRAP_SERVERS" if broker is None else "SEAMWATCH_AUDITOR_URL or CLICKHOUSE_URL"
        raise UsageError(f"the board needs a broker and a store: set {missing}")
    teams = {team: with_ca(url, settings.clickhouse_ca) or url for team, url in settings.board_team_stores.items()}
    return Shown(broker, settings.prefix, auditor, settings.board_store or auditor, teams, settings.follows_signed_only)
