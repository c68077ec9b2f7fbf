"""A seam: one contract between two parties as it binds one system, in the form clauses need.

Built from documents by `seamwatch.engine.seams`; this module holds the values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Protocol

from seamwatch.durations import HOUR
from seamwatch.signatures import PublicKey

OTHERS: Final = "*"
"""The system whose episode stands for all undeclared systems beyond those that are told one by one."""


@dataclass(frozen=True, slots=True)
class Short:
    """Event times, [since, until) in micros, in which an approval falls short of the risk policy.

    ``reason`` follows its name in a sentence.
    """

    since: int
    until: int
    reason: str


@dataclass(frozen=True, slots=True)
class Baseline:
    """What an approval was pinned on: when that was evaluated (micros), the value of each metric, the configuration."""

    evaluated_at: int
    metrics: tuple[tuple[str, float], ...] = ()
    config_digest: str | None = None


@dataclass(frozen=True, slots=True)
class Approval:
    """One use case approved for a version, from ``approved_at`` until it ends (micros; None: never).

    In the times of ``short`` it does not count, whatever else it says.
    """

    approval_id: str
    use_case: str
    approved_at: int | None = None
    expires: int | None = None
    revoked_at: int | None = None
    approved_by: str | None = None
    short: tuple[Short, ...] = ()
    baseline: Baseline | None = None

    @property
    def ends(self) -> int | None:
        """When it ends, whichever of both comes first."""
        return min((at for at in (self.expires, self.revoked_at) if at is not None), default=None)


@dataclass(frozen=True, slots=True)
class VoidApproval:
    """An approval that does not count, whenever; ``reason`` follows its name in a sentence."""

    approval: Approval
    reason: str


@dataclass(frozen=True, slots=True)
class DeclaredVersion:
    """A version that the System document declares, with the approvals that count and those that are void."""

    version: str
    config_digest: str | None = None
    approvals: tuple[Approval, ...] = ()
    void: tuple[VoidApproval, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an escalation list: who is paged, and how long they have to acknowledge (micros)."""

    person: str
    acknowledge_within: int = HOUR


class OnCall(Protocol):
    """Who is on call when: a rota, as the documents have it."""

    @property
    def members(self) -> tuple[str, ...]:
        """Everybody who may ever be on call, each once."""

    def on_call(self, at: int, /) -> str:
        """The person who is on call at an event time (micros): there always is one."""


@dataclass(frozen=True, slots=True)
class RotaStep:
    """A step of an escalation list that pages whoever is on call when it comes due."""

    rota: OnCall
    acknowledge_within: int = HOUR


EscalationList = tuple[Step | RotaStep, ...]
"""Who is paged, in order, as agreed; `seamwatch.judging.patterns.ladder` says who that is of an episode."""


@dataclass(frozen=True, slots=True)
class Signer:
    """Somebody who must sign a contract version, in which roles; None where a party names nobody.

    ``signed_at``: when they signed, as their first signature that holds says (micros). ``asked``: whether it is
    missed where it is missing.
    """

    person: str | None
    roles: tuple[str, ...]
    signed_at: int | None = None
    asked: bool = True

    def __str__(self) -> str:
        return f"{self.person or 'nobody named'} ({', '.join(self.roles)})"

    def has_signed(self, at: int, signing: Signing) -> bool:
        """Whether they had signed by an event time. What reaches back without limit is signed for all of it."""
        return self.signed_at is not None and (signing.since is None or self.signed_at <= at)


@dataclass(frozen=True, slots=True)
class Signing:
    """Who must sign a contract version, and since when that is in force (micros; None: without a beginning)."""

    since: int | None
    signers: tuple[Signer, ...]

    @property
    def asked(self) -> tuple[Signer, ...]:
        """Those whose signature is missed where it is missing."""
        return tuple(signer for signer in self.signers if signer.asked)


@dataclass(frozen=True, slots=True)
class Scheduled:
    """What a System document says of a review: how often (micros), by whom, all of them, and when it was last done."""

    every: int
    by: tuple[str, ...]
    last: int | None = None


@dataclass(frozen=True, slots=True)
class Authority:
    """The persons who may suspend a system, and those who may resume it."""

    suspend: tuple[str, ...] = ()
    resume: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Seam:
    """A contract version as it binds one system.

    ``declared`` is False for a system without a document, and ``near`` the declared one from which it differs by its
    spelling alone, if there is one; ``owner`` is whose it is by its document, ``review`` and ``runbook_review`` what
    that says of the reviews of the system and of its runbook; ``signatories`` are the
    persons who sign for the parties, the provider's first; ``signing`` says who has signed this version, of the one
    system that stands for all that the contract covers; ``authority`` says who may suspend the system and resume it,
    ``contract_suspends`` whether a contract could by itself; ``held`` is false only for measuring, where nothing was
    said that could suspend it; ``always_held`` is whether its traffic is measured for that all the same.
    """

    contract: str
    contract_version: str
    contract_digest: str
    system: str
    declared: bool = False
    versions: tuple[DeclaredVersion, ...] = ()
    escalation: EscalationList = ()
    keys: Mapping[str, tuple[PublicKey, ...]] = field(default_factory=dict)
    signatories: tuple[str, ...] = ()
    review: Scheduled | None = None
    runbook_review: Scheduled | None = None
    near: str | None = None
    signing: Signing | None = None
    owner: str | None = None
    authority: Authority = field(default_factory=Authority)
    contract_suspends: bool = False
    held: bool = True
    always_held: bool = False
