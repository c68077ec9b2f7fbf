"""A seam: one contract between two parties as it binds one system, in the form clauses need.

Built from documents by `seamwatch.judging.seams`; this module holds the values only.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from seamwatch.durations import HOUR

OTHERS: Final = "*"
"""The system whose episode stands for all undeclared systems beyond those that are told one by one."""


@dataclass(frozen=True, slots=True)
class Approval:
    """One use case approved for a version, from ``approved_at`` until ``expires`` (micros; None: without end)."""

    approval_id: str
    use_case: str
    approved_at: int | None = None
    expires: int | None = None


@dataclass(frozen=True, slots=True)
class DeclaredVersion:
    """A version that the System document declares, with its configuration digest and approvals."""

    version: str
    config_digest: str | None = None
    approvals: tuple[Approval, ...] = ()


@dataclass(frozen=True, slots=True)
class Step:
    """One step of an escalation list: who is paged, and how long they have to acknowledge (micros)."""

    person: str
    acknowledge_within: int = HOUR


@dataclass(frozen=True, slots=True)
class PublicKey:
    """An Ed25519 public key of a person (32 bytes) with its validity (micros)."""

    key_id: str
    public: bytes
    not_before: int | None = None
    revoked_at: int | None = None


@dataclass(frozen=True, slots=True)
class Seam:
    """A contract version as it binds one system.

    ``declared`` is False for a system without a document; ``reviewed_at`` is its document's last review (micros);
    ``signatories`` are the persons who sign for the parties, the provider's first.
    """

    contract: str
    contract_version: str
    contract_digest: str
    system: str
    declared: bool = False
    versions: tuple[DeclaredVersion, ...] = ()
    escalation: tuple[Step, ...] = ()
    keys: Mapping[str, tuple[PublicKey, ...]] = field(default_factory=dict)
    reviewed_at: int | None = None
    signatories: tuple[str, ...] = ()
