"""What the documents say against a deployment: hand-over, contracts, signatures, approvals, the five signals.

Works on documents as they were read, broken ones included, so that one run names everything. Asks no store.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from functools import cached_property
from operator import itemgetter
from shlex import quote
from typing import Any, Final

from console.gate.findings import Deployed, Finding, Level
from console.gate.tiers import Tiers
from seamwatch.documents.approving import approval_of, why_void
from seamwatch.documents.contract import Contract
from seamwatch.documents.defaults import DEFAULTS
from seamwatch.documents.estate import BEGINNING
from seamwatch.documents.handover import senseless
from seamwatch.documents.models import Approved, Person, System, Version
from seamwatch.documents.problems import Problem, is_error
from seamwatch.documents.reading import Place
from seamwatch.documents.references import HANDOFF, Read, check
from seamwatch.documents.signing_verdicts import Verdict, approval_verdicts, contract_verdicts, persons_of
from seamwatch.documents.terms import check_versions
from seamwatch.documents.tier_references import check_tiers
from seamwatch.judging.patterns.approved import in_force
from seamwatch.judging.patterns.wording import moment_text

SIGNALS: Final = ("latency", "accuracy", "drift", "abuse", "fallback")
_STANDS_FOR: Final = {"distribution": "drift", "calibration": "accuracy", "benchmark": "accuracy"}


@dataclass(frozen=True)
class Case:
    """The system to be deployed, as its document was read, among all documents of the folder; ``now`` in micros."""

    id: str
    read: Read
    reads: Sequence[Read]
    now: int

    @property
    def content(self) -> Mapping[str, Any]:
        """The system as written."""
        content: Mapping[str, Any] = self.read.written.content
        return content

    @property
    def system(self) -> System | None:
        """The system; None where its document is wrong in itself."""
        return self.read.document if isinstance(self.read.document, System) else None

    @property
    def serves(self) -> bool:
        """Whether it decides or acts; data sets and pipelines are handed over by their contracts."""
        return self.content.get("type") not in ("dataset", "pipeline")

    @cached_property
    def covering(self) -> list[Read]:
        """The contracts in force that cover it, broken ones included; what holds without a contract is none."""
        begun = [read for read in self._agreed if _since(read) <= self.now]
        newest: dict[str | None, int] = {}
        for read in begun:
            newest[read.id] = max(_since(read), newest.get(read.id, BEGINNING))
        return [read for read in begun if _since(read) == newest[read.id] and _covers(read, self.id)]

    @cached_property
    def coming(self) -> list[Read]:
        """The versions of contracts that cover it and are not in force yet."""
        return [read for read in self._agreed if _since(read) > self.now and _covers(read, self.id)]

    @cached_property
    def signatures(self) -> tuple[list[Verdict], list[Problem]]:
        """Who has signed the contracts of the files in which one covers it, and what is no signature in them."""
        files = {read.written.file for read in (*self.covering, *self.coming)}
        reads = [read for read in self.reads if read.kind == "Person" or read.written.file in files]
        return contract_verdicts(reads, self.now)

    @cached_property
    def tiers(self) -> Tiers:
        """The risk policies of the folder."""
        return Tiers(self.reads, self.now)

    @cached_property
    def _agreed(self) -> list[Read]:
        return [read for read in self.reads if read.kind == "Contract" and read.id != DEFAULTS]

    def finding(self, rule: str, reason: str, remedy: str, place: Place = ("id",), level: Level = "error") -> Finding:
        """A finding at a place of the System document."""
        return Finding(rule, level, reason, remedy, self.read.written.file, self.read.written.line(place))


def case_of(system: str, reads: Sequence[Read], now: int) -> Case | None:
    """The case of a system; None when no document declares it."""
    found = next((read for read in reads if read.kind == "System" and read.id == system), None)
    return None if found is None else Case(system, found, reads, now)


def agreed(case: Case, problems: Sequence[Problem], deployed: Sequence[Deployed]) -> Iterator[Finding]:
    """All that the documents say against it."""
    yield from broken(problems, case.reads)
    yield from _handed_over(case)
    if not case.covering:
        remedy = "write one (`seamwatch contracts new contract`) and let both parties sign it"
        yield case.finding("contract", f"no contract covers {case.id}", remedy)
    yield from _signed(case)
    yield from _coming(case)
    yield from _approved(case, deployed)
    yield from _monitored(case)
    yield from _held(case)


def broken(problems: Sequence[Problem], reads: Sequence[Read]) -> Iterator[Finding]:
    """Every error in the folder: what is broken cannot be published."""
    for problem in sorted((*problems, *check(reads), *check_versions(reads), *check_tiers(reads))):
        if is_error(problem):
            yield Finding("document", "error", problem.message, "mend the document", problem.file, problem.line)


def _covers(read: Read, system: str) -> bool:
    covers = read.written.content.get("covers")
    patterns = covers if isinstance(covers, list) else [covers]
    return any(fnmatchcase(system, pattern) for pattern in patterns if isinstance(pattern, str))


def _since(read: Read) -> int:
    return (read.document.effective_from if isinstance(read.document, Contract) else None) or BEGINNING


def _handed_over(case: Case) -> Iterator[Finding]:
    wanted = {"owner": "a named operational owner", **HANDOFF} if case.serves else {"owner": "a named owner"}
    for key, words in wanted.items():
        if not case.content.get(key):
            yield case.finding(
                "handoff", f"the hand-over of {case.id} lacks {words}", f"give it as '{key}' of the System document"
            )
    for point in senseless(case.read, case.now):
        # What other systems need not be handed over with is no reason to keep them from running.
        level: Level = "error" if case.serves else "warning"
        yield case.finding("handoff", f"the hand-over of {case.id}: {point.reason}", point.remedy, point.place, level)


def _signed(case: Case) -> Iterator[Finding]:
    keys = {read.document.key for read in case.covering if read.document is not None}
    files = {f"{read.written.file}.sig" for read in case.covering}
    verdicts, unreadable = case.signatures
    for verdict in verdicts:
        if verdict.document in keys and not verdict.holds:
            level: Level = "warning" if verdict.status == "stranger" else "error"
            reason, _, remedy = verdict.message.partition(": ")
            name = verdict.document.partition("/")[2]
            roles = f" ({', '.join(verdict.roles)})" if verdict.roles else ""
            yield Finding("signature", level, f"{name}{roles}: {reason}", remedy, verdict.file, verdict.line)
    for problem in unreadable:
        if problem.file in files:
            yield Finding("signature", "warning", problem.message, "take the line out", problem.file, problem.line)


def _coming(case: Case) -> Iterator[Finding]:
    unsigned = {verdict.document for verdict in case.signatures[0] if not verdict.holds}
    for read in case.coming:
        if isinstance(read.document, Contract):
            key, since = read.document.key, moment_text(_since(read))
            lacking = key in unsigned
            reason = f"{key.partition('/')[2]} comes into force at {since}" + (", and is not signed yet" * lacking)
            remedy = "have it signed before then" if lacking else "see to it that what is deployed keeps it too"
            place: Place = ("effective_from",)
            yield Finding("contract", "warning", reason, remedy, read.written.file, read.written.line(place))


def _approved(case: Case, deployed: Sequence[Deployed]) -> Iterator[Finding]:
    system = case.system
    if system is None or (not case.serves and not system.versions and all(d.version is None for d in deployed)):
        return
    used: set[str] = set()
    for what in deployed:
        if what.version is None and not system.versions:
            yield case.finding("approval-missing", f"{case.id} declares no version", "declare it, with its approvals")
        if what.version is not None and all(v.version != what.version for v in system.versions):
            reason = f"version {what.version} is not declared, so nobody approved it"
            yield case.finding("approval-missing", reason, "declare it under 'versions', with its approvals")
        if what.version is not None and what.config_digest is None:
            reason = f"no configuration digest is given for version {what.version}: any configuration passes"
            yield case.finding("digest", reason, "give --config-digest, or the manifest's annotation", level="warning")
        for number, version in enumerate(system.versions):
            if what.version in (None, version.version):
                yield from _version(case, system, version, ("versions", number), what, used)
    for verdict in approval_verdicts([read for read in case.reads if read is case.read or read.kind == "Person"]):
        # An approver's own that is missing leaves no approval, which is told of it above.
        if verdict.status not in ("signed", "missing") and verdict.document.partition("/")[2] in used:
            reason, _, remedy = verdict.message.partition(": ")
            name = verdict.document.partition("/")[2]
            yield Finding(
                "approval-signature", "error", f"approval {name}: {reason}", remedy, verdict.file, verdict.line
            )


def _version(
    case: Case, system: System, version: Version, place: Place, what: Deployed, used: set[str]
) -> Iterator[Finding]:
    if what.config_digest is not None and version.config_digest not in (None, what.config_digest):
        reason = f"version {version.version} is approved with {version.config_digest}, not with {what.config_digest}"
        remedy = "deploy the approved configuration, or have the new one approved as a version of its own"
        yield case.finding("approval-missing", reason, remedy, (*place, "config_digest"))
        return
    approved = [approval.use_case for approval in version.approvals]
    wanted = (what.use_case,) if what.use_case is not None else system.use_cases or tuple(approved)
    if not wanted:
        reason = f"version {version.version} of {case.id} is approved for nothing"
        yield case.finding("approval-missing", reason, "have it approved for what it is used for", place)
    persons = persons_of(case.reads)
    for use_case in dict.fromkeys(wanted):
        given = [(a, approval) for a, approval in enumerate(version.approvals) if approval.use_case == use_case]
        v = system.versions.index(version)
        voids = {a: why_void(system, v, a, persons) for a, _ in given}
        now = [(a, approval) for a, approval in given if in_force(approval_of(approval), case.now)]
        used.update(approval.id for a, approval in now if voids[a] is None)
        if not now:
            yield _unapproved(case, version, use_case, [approval for _, approval in given], place)
        elif any(voids[a] is None for a, _ in now):
            counting = [(a, approval) for a, approval in now if voids[a] is None]
            lacking = [list(case.tiers.short(system, v, a, place)) for a, _ in counting]
            for gap in (gap for gaps in lacking for gap in gaps) if all(lacking) else ():
                yield case.finding("risk-policy", gap.reason, gap.remedy, gap.place)
            yield from _keyless(case, counting, persons, place)
        else:
            for a, approval in now:
                if void := voids[a]:
                    reason = (
                        f"approval {approval.id} of version {version.version} of {case.id} for {use_case} {void.reason}"
                    )
                    rule = "approval-signature" if void.word == "signature" else "approval-authority"
                    remedy = void.remedy.replace(" FILE ", f" {quote(case.read.written.file)} ")
                    yield case.finding(rule, reason, remedy, (*place, "approvals", a))


def _keyless(
    case: Case, counting: Sequence[tuple[int, Approved]], persons: Mapping[str, Person], place: Place
) -> Iterator[Finding]:
    without = [
        (a, approval, p) for a, approval in counting if (p := persons.get(approval.approved_by or "")) is not None
    ]
    if without and not any(person.keys for _, _, person in without):
        a, approval, person = without[0]
        reason = (
            f"approval {approval.id} is by {person.id}, who has no published keys: nobody can tell that they gave it"
        )
        remedy = "publish a key of theirs (`seamwatch keys new`) and have them sign it"
        yield case.finding("approval-signature", reason, remedy, (*place, "approvals", a), "warning")


def _unapproved(case: Case, version: Version, use_case: str, given: Sequence[Approved], place: Place) -> Finding:
    name = f"version {version.version} of {case.id} for {use_case}"
    where: Place = (*place, "approvals", version.approvals.index(given[-1])) if given else place
    ended = [
        (ends, approval) for approval in given if (ends := approval_of(approval).ends) is not None and ends <= case.now
    ]
    if ended:
        ends, last = max(ended, key=itemgetter(0))
        how = "was revoked" if ends == last.revoked_at else "expired"
        reason = f"approval {last.id} of {name} {how} at {moment_text(ends)}"
        where = (*place, "approvals", version.approvals.index(last))
        return case.finding("approval-expired", reason, "have it approved again", where)
    if given:
        reason = f"approval {given[-1].id} of {name} is in force from {moment_text(given[-1].approved_at or 0)} only"
        return case.finding("approval-missing", reason, "wait until then", where)
    remedy = "have it approved, and enter the approval under this version"
    return case.finding("approval-missing", f"there is no approval of {name}", remedy, where)


def _held(case: Case) -> Iterator[Finding]:
    for gap in () if case.system is None else case.tiers.held(case.system, case.covering):
        yield case.finding("risk-policy", f"{case.id} {gap.reason}", gap.remedy, gap.place)


def _monitored(case: Case) -> Iterator[Finding]:
    if not case.serves:
        return
    watched: set[str] = set()
    covering = case.covering
    for read in covering:
        clauses = read.written.content.get("clauses")
        for clause in clauses if isinstance(clauses, list) else ():
            if isinstance(clause, Mapping):
                kind = str(clause.get("kind"))
                watched.add(str(clause.get("signal")) if kind == "signal" else _STANDS_FOR.get(kind, kind))
    for signal in SIGNALS:
        if signal not in watched:
            reason = f"nobody agreed on {signal} of {case.id}: no contract that covers it has a clause for this signal"
            remedy = f"add a clause of kind signal with 'signal: {signal}'"
            if covering:
                written = covering[0].written
                yield Finding("monitoring-gap", "error", reason, remedy, written.file, written.line(("clauses",)))
            else:
                yield case.finding("monitoring-gap", reason, remedy)
