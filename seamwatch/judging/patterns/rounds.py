"""Rounds: what several persons must each attest, who of them has, and when the last had.

The arithmetic of one round only; what it is about and the words are the clause's. A round begins with what the last one
ended with, and is whole with the word of whoever is missing. Of one person's several words in a round the latest holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

Given = tuple[tuple[str, int], ...]
"""Who has attested in a round, and when (event time)."""


def with_word(given: Given, person: str, at: int, named: Sequence[str], since: int | None) -> tuple[Given, int | None]:
    """The round with one person's word of time ``at``, and when it is whole with that; None while somebody is missing.

    ``named``: who must attest; nobody where anybody may, whose word is enough. What is not later than ``since``, when
    the round began, says nothing of it.
    """
    if since is not None and at <= since:
        return given, None
    words = dict(given)
    words[person] = max(at, words.get(person, at))
    if any(other not in words for other in named):
        return tuple(sorted(words.items())), None
    return (), max(words.values())


def last_whole(words: Iterable[tuple[str, int]], named: Sequence[str], since: int | None) -> tuple[Given, int | None]:
    """Who has attested in the round that goes on after all these words, and when the last whole one ended.

    ``since``: when one ended before them, None where none had.
    """
    given: Given = ()
    for person, at in sorted(words, key=lambda word: (word[1], word[0])):
        given, whole = with_word(given, person, at, named, since)
        since = since if whole is None else whole
    return given, since


def missing(given: Given, named: Sequence[str]) -> tuple[str, ...]:
    """Of those who must attest, who has not, in their order."""
    words = dict(given)
    return tuple(person for person in named if person not in words)


def has_not_text(given: Given, named: Sequence[str]) -> str:
    """Who has not, to begin a sentence: ``ada has not``, ``ada and ben have not``; ``nobody has`` where anybody may."""
    who = missing(given, named)
    if not who:
        return "nobody has"
    return f"{' and '.join(who)} {'has' if len(who) == 1 else 'have'} not"


def has_text(given: Given) -> str:
    """Who has by then, to end a sentence with; "" where nobody has."""
    return f"; {' and '.join(person for person, _ in given)} {'has' if len(given) == 1 else 'have'}" if given else ""
