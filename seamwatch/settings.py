"""Settings: what the environment says about addresses (`connections`), names and times.

Read once by whoever starts (a command, a stage, a test) and handed on; no module reads the environment for
itself. Names carry the prefix ``SEAMWATCH_``; the customary ``KAFKA_BOOTSTRAP_SERVERS`` and ``CLICKHOUSE_URL``
serve as well. Nothing here connects to anything.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Annotated, Any, Final, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, AliasChoices, BeforeValidator, Field, ValidationError
from pydantic_settings import NoDecode, SettingsConfigDict

from seamwatch.clock import Clock, clock_of
from seamwatch.connections import with_ca
from seamwatch.durations import DAY, MINUTE, SECOND, Duration, DurationOrNever, parse_duration
from seamwatch.errors import UsageError
from seamwatch.record_types import INPUT_TYPES
from seamwatch.replies_settings import RepliesSettings


def _state_home() -> Path:
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "seamwatch"


RETENTION_FLOOR: Final = 183 * DAY
"""The shortest time for which a record may be agreed to be kept, in microseconds."""


def _retention(value: object) -> object:
    """The mapping that is written as JSON, its names and lengths checked."""
    try:
        mapping = json.loads(value) if isinstance(value, str) else value
    except json.JSONDecodeError:
        mapping = None
    if not isinstance(mapping, dict):
        wanted = 'write a JSON object of tables and durations, such as {"inference": "400d", "*": "730d"}'
        raise ValueError(wanted)  # noqa: TRY004 - pydantic takes no other error
    known = (*INPUT_TYPES, "violation", "verdict", "notice", "page", "outage", "dead_letter")
    found = {}
    for table, kept in mapping.items():
        if table not in (*known, "*"):
            kept_always = _KEPT_ALWAYS.get(table, "")
            raise ValueError(
                f"no retention can be set for {table!r}{kept_always}; write one of {', '.join(known)} or *"
            )
        found[table] = kept if isinstance(kept, int) else parse_duration(str(kept))
        if found[table] < RETENTION_FLOOR:
            raise ValueError(f"{table} is to be kept for {kept}: the shortest is {RETENTION_FLOOR // DAY}d")
    return found


_KEPT_ALWAYS: Final = {
    "document": " (documents are kept as long as the decisions that they judged)",
    "suspended": " (it is kept: what is suspended stays so for as long as nobody resumes it)",
    "erasure": " (erasures are kept: they say why what was sealed cannot be read)",
}

_SECRET: Final = frozenset(
    {"board_store", "board_team_stores", "deadman_url", "clickhouse", "CLICKHOUSE_URL", "kafka_properties"}
)
"""Settings whose values carry secrets, and are never shown."""


def _warned(value: object) -> object:
    """``told`` is what ``warn`` was called before."""
    return "warn" if value == "told" else value


def _whole(path: Path) -> Path:
    return path.expanduser().resolve()


def _web_address(url: str | None) -> str | None:
    if url is not None and (urlsplit(url).scheme not in ("http", "https") or not urlsplit(url).hostname):
        raise ValueError("write an address that starts with https:// or http://")
    return url


Port = Annotated[int, Field(ge=1, le=65535)]


class Settings(RepliesSettings):
    """What can be set. Times are microseconds; a duration is written ``5s`` in the environment."""

    model_config = SettingsConfigDict(
        # Compose files and CI systems pass variables that nobody set as empty strings: those are not set.
        env_prefix="SEAMWATCH_",
        extra="ignore",
        frozen=True,
        env_ignore_empty=True,
        populate_by_name=True,
        validate_default=False,  # a default is held in microseconds already
    )

    schemas: Path | None = None
    """A folder of further writers' ``.avsc`` files, older and newer; ``<schema id>.avsc`` for a Confluent id."""

    prefix: str = Field(default="seamwatch", pattern=r"^[A-Za-z0-9._-]{1,100}$")
    """What every topic's name starts with."""

    partitions: int = Field(default=4, ge=1, le=1024)
    """Partitions of the topics that ``topics create`` makes."""

    environment: str = "production"
    """The ``environment`` that a producer's events carry unless it says otherwise."""

    data: Annotated[Path, AfterValidator(_whole)] = Field(default_factory=_state_home)
    """The folder in which the local stack keeps its data."""

    cache: Path | None = None
    """The folder for what is fetched once (Kafka's jars); None for the user's own cache folder."""

    java: Path | None = None
    """The java to run Kafka on; None for the one of the ``local`` extra, else the system's (17 or newer)."""

    kafka_port: Port | None = None
    """Port of the local broker; None for a free one."""

    kafka_controller_port: Port | None = None
    """Port of the local broker's controller; None for a free one."""

    clickhouse_port: Port | None = None
    """Port of the local ClickHouse server; None for a free one."""

    lateness: Duration = 5 * SECOND
    """How long a window stays open for late events after the watermark has passed its end."""

    settle: Duration = 2 * SECOND
    """How long a judge waits for its partitions to catch up before it acts on a silence."""

    max_age: Duration = DAY
    """How old an event may be when it arrives and still be judged live; older ones are recorded only."""

    join_within: Duration = 15 * MINUTE
    """How long after its arrival an outcome waits for a decision that the store does not have."""

    linger: Duration = SECOND // 5
    """How long measure gathers events after the first of a batch before it measures them."""

    heartbeat: Duration = SECOND
    """How often measure tells the judges how far it is when no event comes."""

    instance: str | None = Field(default=None, pattern=r"^[A-Za-z0-9._-]{1,100}$")
    """This process among those of its stage: unique, and the same when it starts again; None for the host's name."""

    metrics_port: Port | None = None
    """Port on which a stage shows its Prometheus metrics; None for none."""

    metrics_host: str = "127.0.0.1"
    """The address on which the metrics are shown: loopback unless told otherwise."""

    ledger_key: Path | None = None
    """The file of the key that signs the ledger's checkpoints; None in production leaves them unsigned."""

    cluster: str | None = Field(default=None, pattern=r"^[A-Za-z0-9_.-]{1,100}$")
    """The ClickHouse cluster that the store's tables are made on, by its configured name; None for one server."""

    retention: Annotated[dict[str, int], NoDecode, BeforeValidator(_retention)] = Field(default_factory=dict)
    """How long each table's rows are kept, ``{"inference": "400d", "*": "730d"}``; for ever where none is named."""

    subject_keys: Path | None = None
    """The file of the keys by which personal attributes are sealed; None where none is sealed or opened."""

    default_owner: str | None = None
    """The person paged for a system that nobody registered, and when Seamwatch itself does not do its work."""

    signed: Annotated[Literal["warn", "required"], BeforeValidator(_warned)] = "warn"
    """What becomes of documents that not all have signed who must: a warning, or they are refused and not followed."""

    page_again_every: DurationOrNever = 30 * MINUTE
    """How often the last person of an escalation list is told again until somebody acts; ``0s``: once is enough."""

    pagerduty_api: Annotated[str | None, AfterValidator(_web_address)] = None
    """The address of PagerDuty's Events API; None for PagerDuty's own."""

    slack_api: Annotated[str | None, AfterValidator(_web_address)] = None
    """The address of Slack's Web API; None for ``https://slack.com/api``."""

    unwatched_after: Annotated[Duration, Field(ge=SECOND)] = 2 * MINUTE
    """How long no measurement may come, or a stage stand still with records waiting, before the pager tells of it."""

    behind_after: Annotated[Duration, Field(ge=SECOND)] = 15 * MINUTE
    """How long a record may wait to be recorded before the pager tells of it."""

    summary_within: Annotated[Duration, Field(ge=SECOND)] = 10 * SECOND
    """How long a scheduled summary waits for what the store says of it, before it goes out without the rest."""

    deadman_url: Annotated[str | None, AfterValidator(_web_address)] = Field(default=None, repr=False)
    """An address of an outside service that is asked while the pager works, and misses it when it does not."""

    deadman_every: Annotated[Duration, Field(ge=SECOND)] = MINUTE
    """How often the outside service hears of the pager."""

    console_read: bool = False
    """Whether somebody reads what the pager prints: then a page there has reached who has no channels. `up` says so."""

    clock_setting: str | None = Field(default=None, validation_alias=AliasChoices("SEAMWATCH_CLOCK", "clock_setting"))
    """``<origin>,<wall origin>,<rate>[,<until>]`` in microseconds for scaled time, or ``@`` and a file that has it."""

    log_level: Literal["debug", "info", "warning", "error"] = "info"
    """The least severe event that is logged."""

    log_format: Literal["auto", "console", "json"] = "auto"
    """``console`` for key=value, ``json`` for one object a line, ``auto`` for what stderr is."""

    @property
    def follows_signed_only(self) -> bool:
        """Whether only what all have signed who must is published, and followed."""
        return self.signed == "required"

    def clock(self) -> Clock:
        """The clock the stages run on. Raises UsageError when ``SEAMWATCH_CLOCK`` cannot be read."""
        return clock_of(self.clock_setting)


def load_settings(**given: Any) -> Settings:
    """The settings of the environment, with those ``given`` by name on top (None leaves the environment's).

    Raises UsageError that names the variable and what is wrong with it.
    """
    try:
        settings = Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "settings"
        variable = name if name.isupper() else f"SEAMWATCH_{name.upper()}"
        given_as = "" if name in _SECRET else f"={first['input']!r}"
        # Not from the error where it holds what must not be shown.
        cause = None if name in _SECRET else error
        raise UsageError(f"{variable}{given_as}: {first['msg'].removeprefix('Value error, ')}") from cause
    if settings.clickhouse_ca is None:
        return settings
    stores = {
        name: with_ca(getattr(settings, name), settings.clickhouse_ca)
        for name in ("clickhouse", "auditor", "board_store")
    }
    return settings.model_copy(update=stores)
