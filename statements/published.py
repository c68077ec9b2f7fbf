"""What is published, asked of the broker: the estate by which people's words are judged, and sending such words.

For whatever says something on a person's behalf. It needs no store, and sees what the stages see.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from seamwatch.documents import Estate
    from seamwatch.engine.seams import BoundClause
    from seamwatch.judging.model.seam import Seam
    from statements.running import RunningSystem

_PATIENCE_SECONDS: Final = 10.0
"""Somebody waits for the answer, and can ask again: a stage waits three times as long for a broker that starts."""


class Published:
    """The documents in force of a running system. Raises UnreachableError when its broker does not answer."""

    def __init__(self, system: RunningSystem) -> None:
        from bus.documents import ContractsFollower
        from seamwatch.engine.seams import Seams
        from seamwatch.log import configure
        from seamwatch.settings import load_settings

        settings = load_settings()
        configure(settings.model_copy(update={"log_level": "warning"}))
        self._kafka, self._prefix = system.kafka, system.prefix
        self.now: int = settings.clock().now()
        required = settings.follows_signed_only
        follower = ContractsFollower(self._kafka, self._prefix, required=required, patience=_PATIENCE_SECONDS)
        self.estate: Estate = follower.estate
        follower.close()
        self._seams = Seams(self.estate, settings.default_owner)

    def keys_of(self, person: str) -> Mapping[str, str]:
        """The keys of a person, public key in base64 → key id. Raises UsageError for somebody who is not published."""
        from statements.persons import keys_of

        persons = self.estate.persons
        return keys_of(person, {name: {key.public: key.key_id for key in persons[name].keys} for name in persons})

    def signs(self, person: str) -> bool:
        """Whether a person has published keys, so that only what they sign counts."""
        return person in self.estate.persons and bool(self.estate.persons[person].keys)

    def demand_system(self, system: str, option: str = "--system") -> None:
        """See that a document declares the system. Raises UsageError, with the nearest that one does."""
        from seamwatch.errors import UsageError
        from seamwatch.wire.schemas import nearest

        if system not in self.estate.systems:
            hint = nearest(system, tuple(self.estate.systems))
            raise UsageError(f"{option} {system}: no published document declares it{hint}")

    def clauses(self, system: str, kind: str) -> list[BoundClause]:
        """The clauses in force for a system now that are of a kind, or take attestations of that kind."""
        return [
            bound
            for contract in self.estate.held_by(system, self.now)
            for bound in self._seams.covering(contract, system).values()
            if kind in (bound.clause.kind_name, bound.clause.attested_as)
        ]

    def clauses_of(self, contract: str, system: str) -> tuple[str, ...]:
        """The ids of the clauses of a contract in force for a system now."""
        return tuple(
            bound.clause.id
            for known in self.estate.contracts_for(system, self.now)
            if known.id == contract
            for bound in self._seams.covering(known, system).values()
        )

    def seams(self, system: str) -> list[Seam]:
        """Each contract in force for a system now, as it binds that; one without parties where there is none."""
        from seamwatch.judging.model.seam import Seam

        covering = [
            next(iter(self._seams.covering(contract, system).values())).seam
            for contract in self.estate.contracts_for(system, self.now)
            if contract.clauses
        ]
        keys = {person: self._seams.keys_of(person) for person in self.estate.persons}
        return covering or [Seam("", "", "", system, keys=keys)]

    def send(self, record_type: str, record: Mapping[str, Any]) -> None:
        """Publish an event and wait until the broker has it. Raises UnreachableError and UsageError."""
        from seamwatch.sdk.publisher import Publisher
        from seamwatch.settings import load_settings
        from seamwatch.wire.codec import codec_of
        from seamwatch.wire.topics import Topics

        codec = codec_of(load_settings())
        codec.publish_schemas()
        publisher = Publisher(self._kafka, Topics(self._prefix), codec)
        publisher.send(record_type, record)
        publisher.finish()
