"""References to rotas: those that contracts name and no document has, and exceptions of a rota that meet. Pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence

from seamwatch.documents.contract import Contract
from seamwatch.documents.problems import Problem
from seamwatch.documents.references import Read
from seamwatch.documents.rota import Rota
from seamwatch.documents.wording import whose


def check_rotas(documents: Sequence[Read]) -> Iterator[Problem]:
    """What is wrong between rotas and the contracts that name them, documents that are wrong in themselves too."""
    known = {read.id for read in documents if read.kind == Rota.kind_name and read.id is not None}
    for read in documents:
        if read.kind == Contract.kind_name:
            yield from _unknown(read, known)
        if isinstance(read.document, Rota):
            yield from _meeting(read, read.document)


def _unknown(read: Read, known: set[str]) -> Iterator[Problem]:
    steps = read.written.content.get("escalation")
    for number, step in enumerate(steps if isinstance(steps, list) else ()):
        name = step.get("rota") if isinstance(step, Mapping) else None
        if isinstance(name, str) and name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f": did you mean {close[0]!r}?" if close else ": no Rota document has this id"
            place = ("escalation", number, "rota")
            yield read.error(place, f"unknown rota {name!r} ('escalation' of {whose(read.written.content, ())}){hint}")


def _meeting(read: Read, rota: Rota) -> Iterator[Problem]:
    """A warning for each exception that meets one which begins before it: with the one of those that ends last."""
    longest: int | None = None
    for number in sorted(range(len(rota.spans)), key=lambda each: (rota.spans[each][0], each)):
        if longest is not None and rota.spans[number][0] < rota.spans[longest][1]:
            first, later = sorted((number, longest))
            both = f"items {first + 1} and {later + 1} of 'instead' of rota {rota.id!r} are for the same time"
            yield read.warning(("instead", later), f"{both}: then the later one holds, {rota.instead[later].person}")
        if longest is None or rota.spans[number][1] > rota.spans[longest][1]:
            longest = number
