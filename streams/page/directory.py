"""The pager's directory: from published documents, whom it can tell, how, and what comes next for a violation.

Pure: it is handed the messages of the contracts topic in their order. What a message is worth, `seamwatch.documents`
says. Reads nothing and sends nothing.
"""

from __future__ import annotations

from collections.abc import Mapping

import structlog

from seamwatch.documents import Estate
from seamwatch.documents.contract import Contract
from seamwatch.documents.escalating import escalation_list, ladder_of
from seamwatch.documents.models import Person, System
from seamwatch.documents.publishing import Published
from seamwatch.documents.rota import Rota
from seamwatch.incidents import Ahead
from seamwatch.judging.model.facts import CLIMBING, OBJECTION, Violation
from seamwatch.judging.model.seam import Step
from seamwatch.paging import NOBODY, Recipient
from streams.page.aftermath import Acting

_log = structlog.get_logger("streams.page.stage")


class Directory:
    """Persons, systems and escalation lists, as published last."""

    def __init__(self, *, required: bool = False) -> None:
        """``required``: a person's new document is followed only when it is signed by who must."""
        self._said = Published(required=required)
        self._persons: dict[str, Recipient] = {}
        self._estate: Estate | None = None

    @property
    def estate(self) -> Estate:
        """All documents, as they are followed by now."""
        if self._estate is None:
            self._estate = self._said.estate()
        return self._estate

    @property
    def persons(self) -> Mapping[str, Recipient]:
        """Everybody whom a document knows."""
        return self._persons

    def take(self, key: str, value: bytes | None) -> str | None:
        """Take the next message; returns the id of the person whom it is about, if it is about one."""
        self._said.take(key, value)
        self._estate = None
        self._say_unfollowed(key)
        kind, _, identity = key.partition("/")
        if kind != Person.kind_name:
            return None
        self._persons.pop(identity, None)
        document = self._said.document(key)
        if isinstance(document, Person):
            self._persons[identity] = Recipient(
                identity, document.name, document.channels, signs=bool(document.keys), told_of=document.told_of
            )
        return identity

    def _say_unfollowed(self, key: str) -> None:
        if (why := self._said.held.get(key)) is not None:
            _log.error("a document is not followed", why=why)
        elif (why := self._said.unsigned.get(key)) is not None:
            _log.warning("a document is followed that nobody signed", why=why)

    def recipient(self, person: str | None) -> Recipient:
        """How somebody is told; who is not known is nonetheless somebody."""
        if not person or person == NOBODY.id:
            return NOBODY
        return self._persons.get(person) or Recipient(person, person, known=False)

    def ahead(self, violation: Violation, acting: Acting) -> Ahead:
        """What comes next for a violation: its system's runbook, and when who is told if nobody takes it on."""
        system = self._said.document(f"{System.kind_name}/{violation.system}")
        runbook = system.runbook if isinstance(system, System) else None
        steps = self._steps(violation, acting.first)
        # A warning climbs no list.
        if violation.severity not in CLIMBING or violation.step + 1 >= len(steps):
            return Ahead(runbook)
        deadline = acting.since + steps[violation.step].acknowledge_within
        return Ahead(runbook, deadline, steps[violation.step + 1].person)

    def is_last(self, violation: Violation, acting: Acting) -> bool:
        """Whether nobody is after the person who must act, as far as is known."""
        return violation.step + 1 >= len(self._steps(violation, acting.first))

    def _steps(self, violation: Violation, first: str | None) -> tuple[Step, ...]:
        """Who must act, in order; empty where that is not agreed, or its contract is not known.

        Nor is it of an objection, whose author is left out of the list.
        """
        contract = self._said.document(f"{Contract.kind_name}/{violation.contract}@{violation.contract_version}")
        if not isinstance(contract, Contract) or violation.unit == OBJECTION:
            return ()
        return ladder_of(violation, first, escalation_list(contract, self._rota, self._owner(violation.system)))

    def _rota(self, name: str) -> Rota | None:
        rota = self._said.document(f"{Rota.kind_name}/{name}")
        return rota if isinstance(rota, Rota) else None

    def _owner(self, system: str) -> str | None:
        declared = self._said.document(f"{System.kind_name}/{system}")
        return declared.owner if isinstance(declared, System) else None
