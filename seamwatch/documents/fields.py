"""Field types of documents: identifiers, versions and texts, as authors write them."""

from __future__ import annotations

from base64 import b64decode
from binascii import Error as Base64Error
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, StringConstraints

from seamwatch.documents.scalars import Spelled


def _text_of(value: Any) -> Any:
    # YAML takes 3 for a number, and 1.10 for the number 1.1, which is another version.
    if isinstance(value, bool):
        return value
    if isinstance(value, float):
        raise ValueError(f"{value!r} is read as a number: write it in quotes")  # noqa: TRY004  pydantic's
    if isinstance(value, Spelled):
        raise ValueError(f"{value.written} is read as the number {value}: write it in quotes")  # noqa: TRY004
    return str(value) if isinstance(value, int) else value


def _one_or_many(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _public_key(text: str) -> str:
    try:
        raw = b64decode(text, validate=True)
    except (Base64Error, ValueError):
        raise ValueError("is not base64: give the 32 bytes of an Ed25519 public key in base64") from None
    if len(raw) != 32:
        raise ValueError(f"holds {len(raw)} bytes: an Ed25519 public key has 32")
    return text


Words = Annotated[str, StringConstraints(min_length=1, max_length=4_000), BeforeValidator(_text_of)]
"""Any text; a whole number is taken as its digits."""

Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\s\x00-\x1f#]+$"), BeforeValidator(_text_of)
]
"""Names a document or person: no white space, no #."""

VersionText = Annotated[
    str, StringConstraints(min_length=1, max_length=256, pattern=r"^[^\s\x00-\x1f]+$"), BeforeValidator(_text_of)
]
"""A version as the serving process names it."""

ContractVersion = Annotated[
    str, StringConstraints(min_length=1, max_length=64, pattern=r"^[^\s\x00-\x1f@#]+$"), BeforeValidator(_text_of)
]
"""A version of a contract: no @ and no #, which separate it in keys and references."""

OneOrMany = Annotated[tuple[Words, ...], BeforeValidator(_one_or_many)]
"""One text or a list of them."""

Persons = Annotated[tuple[Identifier, ...], BeforeValidator(_one_or_many)]
"""One person's id, or a list of them."""

PublicKeyText = Annotated[str, AfterValidator(_public_key)]
"""32 bytes in base64."""
