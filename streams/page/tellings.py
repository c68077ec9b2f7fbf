"""Tellings: what came of telling a person of a violation by one channel, as a value and as its `page` record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any

from seamwatch.incidents import TRIGGER
from seamwatch.paging import DELIVERED


@dataclass(frozen=True, slots=True)
class Telling:
    """One attempt; fields as in `schemas/avro/page.avsc`. ``at``: the topic, partition and offset of its record."""

    violation_id: str
    step: int
    person: str
    channel: str
    sent_at: int
    result: str
    news: str = TRIGGER
    reference: str | None = None
    at: tuple[str, int, int] | None = field(default=None, compare=False)

    @property
    def delivered(self) -> bool:
        """Whether the channel took it."""
        return self.result == DELIVERED

    @property
    def key(self) -> bytes:
        """What the topic is compacted by: the last of each is kept."""
        of = () if self.news == TRIGGER else (self.news, self.person)
        return "/".join((self.violation_id, str(self.step), *of, self.channel)).encode()

    def record(self) -> dict[str, Any]:
        """The `page` record."""
        record = asdict(self)
        del record["at"]
        return record


def telling_of(record: Mapping[str, Any], at: tuple[str, int, int] | None = None) -> Telling:
    """The telling that a `page` record is."""
    return Telling(**record, at=at)
