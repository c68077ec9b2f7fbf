"""Following: whether a new version of a published document is followed, by the signatures that were published with it.

Says what is lacking, in words; what then becomes of it is whoever reads the topic's (`seamwatch.documents.publishing`).
Knows no clock: a signature's time is held to its key.
"""

from __future__ import annotations

from base64 import b64decode
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Final

from seamwatch.documents.contract import Contract
from seamwatch.documents.models import Person, PublicKeyEntry
from seamwatch.documents.risk_policy import RiskPolicy
from seamwatch.documents.rota import Rota
from seamwatch.documents.signing import SignatureLine
from seamwatch.documents.signing_verdicts import signers_of
from seamwatch.documents.vouching import changes_to_vouch
from seamwatch.documents.vouching_rotas import changes_of_rota
from seamwatch.errors import SignatureError
from seamwatch.signatures import PublicKey, verify

_KEPT: Final = 100_000
"""How many signatures are not verified again when a document changes."""


def unsigned_by(
    contract: Contract | RiskPolicy, lines: Sequence[SignatureLine], persons: Mapping[str, Person]
) -> tuple[str, ...]:
    """Who must sign such a version and has not, by the keys that persons have; empty when all have."""
    return tuple(
        signer.person or "nobody named"
        for signer in signers_of(contract)
        if not any(_is_by(line, contract.digest, persons.get(signer.person or "")) for line in lines)
    )


def unvouched(
    before: Person, after: Person, lines: Sequence[SignatureLine], persons: Mapping[str, Person]
) -> tuple[str, ...]:
    """What changed of a person that must be vouched for and is not, in words; empty when nothing is.

    It is vouched for by a signature under the whole document as it is now, with a key that they had ``before``, or by
    the person whom the document named for that before.
    """
    changes = changes_to_vouch(before, after)
    voucher = None if before.vouched_by is None else persons.get(before.vouched_by)
    by = (before, voucher)
    if not changes or any(_is_by(line, after.digest, person, now_valid=True) for line in lines for person in by):
        return ()
    return tuple(changes)


def unvouched_rota(
    before: Rota, after: Rota, lines: Sequence[SignatureLine], persons: Mapping[str, Person]
) -> tuple[str, ...]:
    """What changed of a rota that its owner ``before`` must sign and has not, in words; empty when nothing did.

    It is signed as a whole, as it is now, with a key that they have.
    """
    changes = changes_of_rota(before, after)
    owner = persons.get(before.owner)
    if any(_is_by(line, after.digest, owner, now_valid=True) for line in lines):
        return ()
    return tuple(changes)


def is_signable(document: Person | Rota, persons: Mapping[str, Person]) -> bool:
    """Whether anybody could sign that the document changes: they have a key, or it names who vouches for them."""
    if isinstance(document, Rota):
        owner = persons.get(document.owner)
        return owner is not None and bool(owner.keys)
    return bool(document.keys) or document.vouched_by is not None


def holds(line: SignatureLine, key: PublicKeyEntry) -> bool:
    """Whether a signature is one by this key, at a time at which it was valid."""
    return line.key_id == key.key_id and _verified(
        line.message, line.signature, line.at, key.key_id, key.public, key.not_before, key.revoked_at
    )


def _is_by(line: SignatureLine, digest: str, person: Person | None, *, now_valid: bool = False) -> bool:
    """Whether a line is a person's under that text; ``now_valid``: by a key that was not revoked, whenever."""
    if person is None or line.person != person.id or line.digest != digest:
        return False
    # When it was signed is what the signer says: a key that was stolen and revoked could vouch with an old time.
    return any(holds(line, key) for key in person.keys if not (now_valid and key.revoked_at is not None))


@lru_cache(_KEPT)
def _verified(
    message: bytes, signature: str, at: int, key_id: str, public: str, not_before: int | None, revoked_at: int | None
) -> bool:
    try:
        verify(
            message,
            b64decode(signature, validate=True),
            PublicKey(key_id, b64decode(public), not_before, revoked_at),
            at,
        )
    except (SignatureError, ValueError):
        return False
    return True
