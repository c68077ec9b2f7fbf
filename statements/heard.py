"""What is heard of one episode while it goes on: its states, whom it was told to, and the answers, from the topics.

Opened before what begins it is published, so that nothing is missed (`statements.from_now`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from seamwatch.errors import RecordError
from statements.from_now import FromNow

if TYPE_CHECKING:
    from seamwatch.judging.model.facts import Violation
    from statements.running import RunningSystem


@dataclass(frozen=True, slots=True)
class Told:
    """One attempt to tell a person by a channel that they must act; ``sent_at`` in micros."""

    person: str
    channel: str
    step: int
    sent_at: int
    result: str


@dataclass(slots=True)
class Episode:
    """An episode as it stands, each attempt to tell somebody of it, and by what program each person answered."""

    violation: Violation | None = None
    told: list[Told] = field(default_factory=list)
    answered_by: dict[tuple[str, int], str] = field(default_factory=dict)
    _other: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def take(self, record_type: str, record: dict[str, Any], mine: Callable[[Violation], bool]) -> bool:
        """Take in a record of any episode; whether it is news of this one."""
        if record_type == "violation":
            from seamwatch.judging.records import violation_of

            violation = violation_of(record)
            if violation == self.violation or not mine(violation):
                return False
            self.violation = violation
            waiting, self._other = self._other, []
            for kind, other in waiting:
                self._take_about(kind, other)
            return True
        return self._take_about(record_type, record)

    def _take_about(self, record_type: str, record: dict[str, Any]) -> bool:
        about = record["violation_id"] if record_type == "page" else record["reference"]
        if self.violation is None:
            # Topics are read side by side: an answer may be read before what it answers.
            self._other.append((record_type, record))
            return False
        if about != self.violation.violation_id:
            return False
        if record_type == "page":
            told = Told(record["person"], record["channel"], record["step"], record["sent_at"], record["result"])
            if record["news"] != "trigger" or told in self.told:
                return False
            self.told.append(told)
            return True
        self.answered_by[record["person"], int(record["event_time"])] = record["producer"]
        return False


class Heard(FromNow):
    """The records about episodes of one clause kind from now on. Raises UnreachableError when no broker answers."""

    def __init__(self, system: RunningSystem, kind: str) -> None:
        from seamwatch.settings import load_settings
        from seamwatch.wire.codec import codec_of
        from seamwatch.wire.topics import Topics

        topics = Topics(system.prefix)
        self._codec = codec_of(load_settings())
        self._types = {
            topics.violations(kind): "violation",
            topics.page: "page",
            topics.input("acknowledgement"): "acknowledgement",
        }
        super().__init__(system.kafka, tuple(self._types), f"{topics.prefix}.heard", "following a drill")

    def read(self, seconds: float) -> Iterator[tuple[str, dict[str, Any]]]:
        """What comes within so many seconds, each with its record type; what cannot be read is passed over."""
        for message in self.within(seconds):
            record_type, value = self._types[message.topic() or ""], message.value()
            try:
                if isinstance(value, bytes):
                    yield record_type, dict(self._codec.decode(record_type, value))
            except RecordError:
                # The recorder keeps it as a dead letter, and `doctor` tells of it.
                continue
