"""Signing: from documents and the signatures beside them to who has signed a contract version, and since when.

Verifies signatures, each once; what a missing one comes to is the clause `signed`'s. Knows no clock.
"""

from __future__ import annotations

from seamwatch.documents import Contract, Estate
from seamwatch.documents.covering import Glob
from seamwatch.documents.estate import BEGINNING, Term
from seamwatch.documents.following import holds
from seamwatch.documents.signing_verdicts import signers_of
from seamwatch.judging.model.seam import Signer, Signing


def judged_under(contract: Contract) -> str | None:
    """The system whose id stands for all that a contract covers; None where no pattern of it can."""
    globs = [Glob(pattern) for pattern in contract.covers]
    literal = (glob.pattern for glob in globs if glob.literal)
    return next(literal, None) or next((glob.pattern for glob in globs if glob.matches(glob.pattern)), None)


def signing_of(estate: Estate, term: Term, *, all_asked: bool) -> Signing:
    """Who must sign a contract version, and when each did. ``all_asked``: also where nobody ever signed."""
    contract = term.contract
    lines = estate.signatures.get(contract.key, ())
    ever = any(estate.signatures.get(known.key) for known in estate.versions_of(contract.id))
    signers = []
    for signer in signers_of(contract):
        person = None if signer.person is None else estate.persons.get(signer.person)
        keys = () if person is None else person.keys
        when = [line.at for line in lines if line.person == signer.person and any(holds(line, key) for key in keys)]
        asked = all_asked or ever or bool(keys)
        roles = tuple(role.replace("co-signer of ", "co-signer of threshold ", 1) for role in signer.roles)
        signers.append(Signer(signer.person, roles, min(when, default=None), asked))
    return Signing(None if term.valid_from == BEGINNING else term.valid_from, tuple(signers))
