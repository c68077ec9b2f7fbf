"""Whose keys are published: the keys by which what a person states is signed. Pure."""

from __future__ import annotations

from collections.abc import Mapping

from seamwatch.errors import UsageError
from seamwatch.wire.schemas import nearest


def keys_of(person: str, published: Mapping[str, Mapping[str, str]], option: str = "--as") -> Mapping[str, str]:
    """The keys of a person among those who are ``published`` (person → public key in base64 → key id).

    Raises UsageError, with the nearest name, for somebody who is not; where nobody is, nobody has keys.
    """
    if published and person not in published:
        raise UsageError(f"{option} {person}: no such person is published{nearest(person, tuple(published))}")
    return published.get(person, {})
