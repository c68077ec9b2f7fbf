"""Differences between two states of contracts, clause by clause, and which way each parameter moved.

A direction is told by the name of a parameter, which means the same in every kind; where a name cannot tell, the
parameter is `changed`. What an expression lets through is not compared. Pure: nothing is read.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, Final, Literal

from seamwatch.clauses import Clause
from seamwatch.documents.contract import Contract
from seamwatch.documents.estate import BEGINNING
from seamwatch.documents.signing_verdicts import Signer, signers_of

What = Literal["added", "removed", "changed"]
Direction = Literal["loosened", "tightened", "changed"]

_FIELDS: Final = ("seam", "effective_from", "covers", "parties", "escalation", "lateness")
_Compare = Callable[[Any, Any], Direction]


@dataclass(frozen=True, slots=True)
class Change:
    """One parameter that differs, as its author wrote it before and after; None where it is not written."""

    name: str
    before: Any
    after: Any
    direction: Direction


@dataclass(frozen=True, slots=True)
class ClauseDifference:
    """A clause that came, went or differs; what comes tightens, what goes loosens."""

    id: str
    kind: str
    what: What
    changes: tuple[Change, ...] = ()


@dataclass(frozen=True, slots=True)
class ContractDifference:
    """A contract that came, went or differs; ``must_sign`` are the signers of what it has become.

    With neither ``fields`` nor ``clauses`` it is only written differently, which makes another digest all the same.
    """

    id: str
    what: What
    before: Contract | None
    after: Contract | None
    fields: tuple[Change, ...] = ()
    clauses: tuple[ClauseDifference, ...] = ()
    must_sign: tuple[Signer, ...] = ()

    @property
    def same_version(self) -> bool:
        """Whether the agreement changed under a version that was in use."""
        return self.before is not None and self.after is not None and self.before.version == self.after.version


def differences(old: Iterable[Contract], new: Iterable[Contract]) -> tuple[ContractDifference, ...]:
    """Every contract that is not the same in both, by id; contracts of equal digest and version are the same.

    Of several versions the one is compared that comes into force last.
    """
    before, after = ({c.id: c for c in sorted(contracts, key=_since)} for contracts in (old, new))
    return tuple(
        difference
        for name in sorted({*before, *after})
        if (difference := _contract(name, before.get(name), after.get(name))) is not None
    )


def _since(contract: Contract) -> int:
    return BEGINNING if contract.effective_from is None else contract.effective_from


def _contract(name: str, before: Contract | None, after: Contract | None) -> ContractDifference | None:
    if before is None or after is None:
        what: What = "added" if before is None else "removed"
        clauses = tuple(_whole(clause, what) for clause in (after or before).clauses)  # type: ignore[union-attr]
        return ContractDifference(name, what, before, after, (), clauses, signers_of(after) if after else ())
    if before.digest == after.digest:
        return None
    fields = tuple(_changes(before, after, _FIELDS, before.written, after.written))
    return ContractDifference(
        name, "changed", before, after, fields, tuple(_clauses(before, after)), signers_of(after)
    )  # fmt: skip


def _clauses(before: Contract, after: Contract) -> Iterator[ClauseDifference]:
    old, new = _by_id(before), _by_id(after)
    for name in dict.fromkeys((*old, *new)):
        was, now = old.get(name), new.get(name)
        if was is not None and now is not None and was[0].kind == now[0].kind:
            names = (info.alias or field for field, info in type(now[0]).model_fields.items())
            if changes := tuple(_changes(was[0], now[0], names, was[1], now[1])):
                yield ClauseDifference(name, now[0].kind, "changed", changes)
            continue
        if was is not None:
            yield _whole(was[0], "removed")
        if now is not None:
            yield _whole(now[0], "added")


def _by_id(contract: Contract) -> dict[str, tuple[Clause, Mapping[str, Any]]]:
    written = contract.written.get("clauses", ())
    return {clause.id: (clause, said) for clause, said in zip(contract.clauses, written, strict=True)}


def _whole(clause: Clause, what: What) -> ClauseDifference:
    return ClauseDifference(clause.id, clause.kind, what)


def _changes(
    before: Any, after: Any, names: Iterable[str], was: Mapping[str, Any], now: Mapping[str, Any]
) -> Iterator[Change]:
    fields = {info.alias or field: field for field, info in type(after).model_fields.items()}
    for name in names:
        old, new = getattr(before, fields[name]), getattr(after, fields[name])
        if old != new:
            yield Change(name, was.get(name), now.get(name), _DIRECTIONS.get(name, _unknown)(old, new))


def _unknown(_before: Any, _after: Any) -> Direction:
    return "changed"


def _ordered(*, up: Direction, absent: float | None = None) -> _Compare:
    """Numbers that loosen or tighten as they grow; one that is absent demands nothing, or stands for ``absent``."""
    down: Direction = "tightened" if up == "loosened" else "loosened"

    def compare(before: Any, after: Any) -> Direction:
        before, after = (absent if value is None else value for value in (before, after))
        if before is None or after is None:
            return "tightened" if before is None else "loosened"
        return up if after > before else down

    return compare


def _listed(*, more: Direction, empty_is_all: bool = False) -> _Compare:
    """Lists that loosen or tighten as they grow."""
    less: Direction = "tightened" if more == "loosened" else "loosened"

    def compare(before: Any, after: Any) -> Direction:
        if empty_is_all and not (before and after):
            return more if not after else less
        if all(item in after for item in before):
            return more
        return less if all(item in before for item in after) else "changed"

    return compare


def _shares(before: Mapping[str, tuple[float, float]], after: Mapping[str, tuple[float, float]]) -> Direction:
    # A cohort that is not named may have any share.
    pairs = [(before.get(name, (0.0, 1.0)), after.get(name, (0.0, 1.0))) for name in {*before, *after}]
    if all(new[0] >= old[0] and new[1] <= old[1] for old, new in pairs):
        return "tightened"
    return "loosened" if all(new[0] <= old[0] and new[1] >= old[1] for old, new in pairs) else "changed"


def _where(before: Any, after: Any) -> Direction:
    # A condition leaves events out.
    return "loosened" if before is None else ("tightened" if after is None else "changed")


def _severity(_before: Any, after: Any) -> Direction:
    return "loosened" if after == "warning" else "tightened"


_ON_BREACH: Final = ("review", "page", "suspend")


def _on_breach(before: Any, after: Any) -> Direction:
    return "tightened" if _ON_BREACH.index(after) > _ON_BREACH.index(before) else "loosened"


_DIRECTIONS: Final[Mapping[str, _Compare]] = MappingProxyType(
    {
        **dict.fromkeys(
            (
                "max_lag", "warn_at", "acknowledge_within", "max", "max_error", "tolerate", "floor", "every", "within",
                "refresh_every", "min_count", "min_outcomes",
            ),
            _ordered(up="loosened"),
        ),
        **dict.fromkeys(("min", "at_least", "notice_before", "alpha", "below", "quantile"), _ordered(up="tightened")),
        "grace": _ordered(up="loosened", absent=0),
        "nullable": _ordered(up="loosened"),
        **dict.fromkeys(("unannounced", "attested"), _ordered(up="tightened")),
        **dict.fromkeys(("co_signers", "acknowledgers", "exclude", "matching"), _listed(more="tightened")),
        "kinds": _listed(more="tightened", empty_is_all=True),
        "tools": _listed(more="loosened"),
        "include": _listed(more="loosened", empty_is_all=True),
        "shares": _shares,
        "where": _where,
        "severity": _severity,
        "on_breach": _on_breach,
    }
)  # fmt: skip
