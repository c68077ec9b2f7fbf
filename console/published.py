"""What is published, asked of the broker: the estate by which people's words are judged, and sending such words.

For commands that say something on a person's behalf. They need no store, and see what the stages see.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from console.reach import Reach, reach

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from seamwatch.judging.seams import BoundClause


class Published:
    """The documents in force of a running system. Raises UnreachableError when its broker does not answer."""

    def __init__(self, data: Path | None) -> None:
        from seamwatch.judging.seams import Seams
        from seamwatch.log import configure
        from seamwatch.settings import load_settings
        from streams.contracts import ContractsFollower

        settings = load_settings()
        configure(settings.model_copy(update={"log_level": "warning"}))
        self._reach: Reach = reach(data)
        self.now: int = settings.clock().now()
        follower = ContractsFollower(self._reach.kafka, self._reach.prefix)
        self.estate: Estate = follower.estate
        follower.close()
        self._seams = Seams(self.estate, settings.default_owner)

    def keys_of(self, person: str) -> Mapping[str, str]:
        """The keys of a person, public key in base64 → key id. Raises UsageError for somebody who is not published."""
        from console.signing import keys_of

        persons = self.estate.persons
        return keys_of(person, {name: {key.public: key.key_id for key in persons[name].keys} for name in persons})

    def signs(self, person: str) -> bool:
        """Whether a person has published keys, so that only what they sign counts."""
        return person in self.estate.persons and bool(self.estate.persons[person].keys)

    def demand_system(self, system: str) -> None:
        """See that a document declares the system. Raises UsageError, with the nearest that one does."""
        from seamwatch.errors import UsageError
        from seamwatch.wire.schemas import nearest

        if system not in self.estate.systems:
            hint = nearest(system, tuple(self.estate.systems))
            raise UsageError(f"--system {system}: no published document declares it{hint}")

    def clauses(self, system: str, kind: str) -> list[BoundClause]:
        """The clauses of a kind that are in force for a system now."""
        return [
            bound
            for contract in self.estate.contracts_for(system, self.now)
            for bound in self._seams.covering(contract, system).values()
            if bound.clause.kind_name == kind
        ]

    def send(self, record_type: str, record: Mapping[str, Any]) -> None:
        """Publish an event and wait until the broker has it. Raises UnreachableError and UsageError."""
        from seamwatch.sdk.publisher import Publisher
        from seamwatch.settings import load_settings
        from seamwatch.wire.codec import codec_of
        from seamwatch.wire.topics import Topics

        codec = codec_of(load_settings())
        codec.publish_schemas()
        publisher = Publisher(self._reach.kafka, Topics(self._reach.prefix), codec)
        publisher.send(record_type, record)
        publisher.finish()
