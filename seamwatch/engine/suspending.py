"""Suspending: the suspensions that the judge makes itself, for the breaches of clauses that agree on it.

They are inputs of the clause `suspension` like what persons say, and no event: no producer can send one. What it makes
of them, and of traffic that goes on, is the clause's.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from seamwatch.engine.emitted import Emitter
from seamwatch.engine.keyed_state import StateKey
from seamwatch.engine.process import KeyedProcess
from seamwatch.engine.settings import JudgeSettings
from seamwatch.engine.state_store import StateStore
from seamwatch.engine.verdicts import verdict_of
from seamwatch.engine.versions import ContractVersions
from seamwatch.engine.watermarks import Watermarks
from seamwatch.judging.model.facts import ForwardedEvent, Violation
from seamwatch.judging.model.identity import identity
from seamwatch.judging.model.judgement import Answered
from seamwatch.judging.patterns.suspensions import MADE

KIND: Final = "suspension"
"""The clause kind that holds traffic to what is suspended."""


class Suspending:
    """The suspensions of one judge."""

    def __init__(
        self,
        versions: ContractVersions,
        states: StateStore,
        watermarks: Watermarks,
        process: KeyedProcess,
        settings: JudgeSettings,
    ) -> None:
        self._versions = versions
        self._states = states
        self._watermarks = watermarks
        self._process = process
        self._replayed = settings.replayed

    def holds(self, key: StateKey) -> bool:
        """Whether the key is of the clause that holds traffic to what is suspended.

        Time passes for it last: what other clauses find in the same time may suspend its system.
        """
        state = self._states.get(key)
        return state is not None and state.kind == KIND

    def by_contract(self, out: Emitter) -> None:
        """Suspend the systems for whose breaches, found since the last call, their contract says so."""
        while out.suspending:
            found, out.suspending = out.suspending, []
            for violation in sorted(found, key=lambda each: (each.opened_at, each.violation_id)):
                self._suspend(violation, out)

    def _suspend(self, violation: Violation, out: Emitter) -> None:
        made = ForwardedEvent(MADE, _record(violation), arrived=None if self._replayed else self._watermarks.now)
        for bound in self._versions.seams.wanting(MADE, violation.system, violation.opened_at):
            self._process.on_input(bound, made, out)

    def refuse(self, record: Mapping[str, Any], out: Emitter) -> None:
        """Say of a person's suspension that it came too long after it was given."""
        answer = "suspend" if record["state"] == "suspended" else "resume"
        what = record["tool"] or record["version"] or record["system"]
        found = Answered(
            record["event_id"], KIND, what, record["person"], answer, int(record["event_time"]), False, "too_old",
            "it came too long after it was given to be judged",
        )  # fmt: skip
        out.add_verdict(verdict_of(found, record["system"], None, self._watermarks.now))


def _record(violation: Violation) -> dict[str, Any]:
    clause = f"{violation.contract}@{violation.contract_version}#{violation.clause}"
    return {
        "event_id": identity("suspension", violation.violation_id),
        "event_time": violation.opened_at,
        "system": violation.system,
        "version": None,
        "tool": None,
        "state": "suspended",
        "person": None,
        "reason": violation.summary,
        "evidence_uri": None,
        "until": None,
        "contract": clause,
        "violation_id": violation.violation_id,
    }
