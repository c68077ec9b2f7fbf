"""Which approvals count: given by somebody with authority for it, and signed where the approver has keys.

One rule for the stages, the gate and `contracts check`. Authority have those whom the System document lists as
`approvers`, and where it lists none every person of the documents but the system's owner: who answers for a system does
not approve it alone. A risk policy may ask for several, or for certain persons: an approval falls short of it while it
is in force. Whether an approval is in force at some time is another question. Pure.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final, Literal

from seamwatch.documents.canonical import digest_of
from seamwatch.documents.models import Approved, Person, PublicKeyEntry, System, Version
from seamwatch.documents.risk_policy import Tier
from seamwatch.documents.tiers import TierTerm
from seamwatch.errors import SignatureError
from seamwatch.judging.model.seam import Approval, Baseline, DeclaredVersion, Short, VoidApproval
from seamwatch.remedies import sign_command
from seamwatch.signatures import PublicKey, approval_bytes, verify

MORE: Final = "have them approve it as well, and enter them as its 'co_approvers'"
"""What to do where too few have approved, or others than a risk policy asks for."""


@dataclass(frozen=True, slots=True)
class Void:
    """Why an approval is none: ``reason`` follows its name, ``remedy`` says what to do."""

    word: Literal["approver", "authority", "signature", "policy"]
    reason: str
    remedy: str


def why_void(system: System, v: int, a: int, persons: Mapping[str, Person]) -> Void | None:
    """Why an approval of a system (of its version ``v`` the ``a``-th) does not count; None when it does.

    ``persons`` are all that are known; where there is none, as where a single file is read, nobody is missed.
    """
    approver = system.versions[v].approvals[a].approved_by
    if approver is None:
        return Void("approver", "does not say who approved ('approved_by')", "enter who approved as 'approved_by'")
    return _why_not_by(approver, system, v, a, persons)


def approvers_counting(system: System, v: int, a: int, persons: Mapping[str, Person]) -> tuple[str, ...]:
    """The persons whose approval of it counts: who approved it, and who did beside them."""
    approval = system.versions[v].approvals[a]
    named = (*filter(None, (approval.approved_by,)), *approval.co_approvers)
    return tuple(one for one in dict.fromkeys(named) if _why_not_by(one, system, v, a, persons) is None)


def falls_short(tier: Tier, policy: str, system: System, v: int, a: int, persons: Mapping[str, Person]) -> str | None:
    """How an approval that counts falls short of a tier, in words that follow its name; None when it does not."""
    held = f"tier {tier.tier!r} of risk policy {policy}"
    if tier.ai_act == "prohibited":
        return f"is of a system in {held}, which is prohibited"
    counting = approvers_counting(system, v, a, persons)
    lacking = [
        asked for asked in tier.approvals if sum(not asked.of or one in asked.of for one in counting) < asked.at_least
    ]
    if not lacking:
        return None
    by = f"by {', '.join(counting)} alone" if counting else "by nobody whose approval counts"
    return f"is {by}, and {held} asks for {' and '.join(map(str, lacking))}"


def _why_not_by(approver: str, system: System, v: int, a: int, persons: Mapping[str, Person]) -> Void | None:
    version, approval = system.versions[v], system.versions[v].approvals[a]
    if persons and approver not in persons:
        return Void("authority", f"is by {approver}, who is no person of the documents", "declare them, or ask another")
    if system.approvers and approver not in system.approvers:
        who = ", ".join(system.approvers)
        return Void("authority", f"is by {approver}, who is none of the approvers of {system.id!r}", f"ask {who}")
    if not system.approvers and approver == system.owner:
        remedy = "have another person approve it, or list who may as 'approvers' of the system"
        return Void("authority", f"is by {approver} alone, who owns {system.id!r}", remedy)
    person = persons.get(approver)
    if person is None or not person.keys:
        return None
    written: Mapping[str, Any] = system.written["versions"][v]["approvals"][a]
    if any(_holds(system, version, approval, written, person, given.key_id, given.signature)
           for given in approval.signatures if given.person == approver):  # fmt: skip
        return None
    command = sign_command("FILE", approver, approval=approval.id)
    return Void(
        "signature", f"is not signed by {approver}, who has published keys, as it now is",
        f"sign it with `{command}`, and enter what it prints as its 'signatures'",
    )  # fmt: skip


def declared_versions(
    system: System, persons: Mapping[str, Person], tiers: Sequence[TierTerm] = ()
) -> tuple[DeclaredVersion, ...]:
    """The versions that a system declares, with those of their approvals that count and those that do not.

    ``tiers`` are those that hold it: an approval that counts may fall short of one while that is in force.
    """
    return tuple(_declared(system, persons, tiers))


def _declared(system: System, persons: Mapping[str, Person], tiers: Sequence[TierTerm]) -> Iterator[DeclaredVersion]:
    for v, version in enumerate(system.versions):
        approvals: list[Approval] = []
        void: list[VoidApproval] = []
        for a, given in enumerate(version.approvals):
            wrong = why_void(system, v, a, persons)
            if wrong is None:
                short = tuple(
                    Short(term.since, term.until, reason)
                    for term in tiers
                    if (reason := falls_short(term.tier, term.policy, system, v, a, persons)) is not None
                )
                approvals.append(replace(approval_of(given), short=short))
            else:
                void.append(VoidApproval(approval_of(given), wrong.reason))
        yield DeclaredVersion(version.version, version.config_digest, tuple(approvals), tuple(void))


def approval_of(given: Approved) -> Approval:
    """An approval as the judges have it."""
    pinned = given.baseline
    baseline = None
    if pinned is not None:
        baseline = Baseline(pinned.evaluated_at, tuple(sorted(pinned.metrics.items())), pinned.config_digest)
    return Approval(
        given.id, given.use_case, given.approved_at, given.expires, given.revoked_at, given.approved_by,
        baseline=baseline,
    )  # fmt: skip


def approvers_of(system: System) -> frozenset[str]:
    """Who approved anything of a system, alone or beside others."""
    return frozenset(
        person
        for version in system.versions
        for approval in version.approvals
        for person in (approval.approved_by, *approval.co_approvers)
        if person is not None
    )


def approval_statement(
    system: System, version: Version, approval: Approved, written: Mapping[str, Any], person: str, key_id: str
) -> dict[str, Any]:
    """What is signed under an approval; ``written`` is the approval as its author wrote it, for its times.

    Who approved beside others is part of it where anybody did: each signs that they are several. So is the digest
    of the baseline.
    """
    beside: dict[str, Any] = {"co_approvers": list(approval.co_approvers)} if approval.co_approvers else {}
    if approval.baseline is not None:
        beside["baseline"] = digest_of(written["baseline"])
    return {
        "system": system.id, "version": version.version, "config_digest": version.config_digest, "id": approval.id,
        "use_case": approval.use_case, "approved_by": approval.approved_by, "approved_at": written.get("approved_at"),
        "expires": written.get("expires"), "evidence": approval.evidence, "person": person, "key_id": key_id,
        "revoked_at": written.get("revoked_at"), **beside,
    }  # fmt: skip


def approval_moment(approval: Approved, key: PublicKeyEntry | None) -> int:
    """When an approval was given (micros), for a key's validity.

    One that does not say when counts with a key that was never revoked, whenever it is looked at: nobody could say
    that it was given before.
    """
    if approval.approved_at is not None:
        return approval.approved_at
    ends = None if key is None else key.revoked_at
    begins = None if key is None else key.not_before
    return ends if ends is not None else begins or 0


def key_of(person: Person | None, key_id: str) -> PublicKeyEntry | None:
    """The key of a person by its id, if their document lists it."""
    return None if person is None else next((key for key in person.keys if key.key_id == key_id), None)


def public_key(entry: PublicKeyEntry) -> PublicKey:
    """A key as documents list it, in the form that verifies."""
    return PublicKey(entry.key_id, b64decode(entry.public), entry.not_before, entry.revoked_at)


def _holds(
    system: System,
    version: Version,
    approval: Approved,
    written: Mapping[str, Any],
    person: Person,
    key_id: str,
    signature: str,
) -> bool:
    key = key_of(person, key_id)
    if key is None:
        return False
    message = approval_bytes(approval_statement(system, version, approval, written, person.id, key_id))
    try:
        verify(message, b64decode(signature, validate=True), public_key(key), approval_moment(approval, key))
    except (SignatureError, ValueError):
        return False
    return True
