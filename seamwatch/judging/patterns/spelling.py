"""Spelling: which names mean the same although they are spelt otherwise. Tells names apart; knows none."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import lru_cache
from operator import eq


@lru_cache(maxsize=4_096)
def meant(name: str) -> str:
    """A name in one spelling: equal for names that differ by blanks, capitals or the form of their characters alone.

    The form: a letter with its accent as one character or as two, wide or narrow, and characters that show nothing.
    """
    plain = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", name).casefold())
    if not plain.isascii():
        plain = "".join(one for one in plain if unicodedata.category(one) != "Cf")
    return " ".join(plain.split())


def difference(name: str, other: str, same: Callable[[str, str], bool] = eq) -> str:
    """What two names that mean the same differ by, in words that stand after "differs": ``by blanks or capitals``.

    ``same``: how they are compared, where the other is a pattern.
    """
    alike = same(" ".join(name.split()).casefold(), " ".join(other.split()).casefold())
    return "by blanks or capitals" if alike else "by another form of the same characters"
