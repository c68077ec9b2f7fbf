"""Removals: what retention took out of the record, month by month, as the ledger's key signed for it. Pure.

A line of `retention.jsonl` is a JSON object whose `note` is the signed note (docs/ledger.md). Their leaves are still in
the trees, among those that a dossier does not show.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from seamwatch.errors import ProofError
from sinks.dossier.values import line
from sinks.ledger.format.notes import VerifierKey, read_note

FILE: Final = "retention.jsonl"
_KIND: Final = "/retention/"
_WORDS: Final = ("table", "topic", "offsets", "leaves", "kept", "dropped", "by", "because")


def removal_lines(notes: Iterable[str]) -> Iterator[bytes]:
    """Notes as they stand in the file."""
    for note in notes:
        yield line({"note": note})


def removals(lines: Iterable[bytes], keys: Sequence[VerifierKey]) -> list[str]:
    """The texts of the notes in a file. Raises ProofError for one that none of the keys signed, or is of no removal."""
    return [_text(each, keys) for each in lines]


def text_of(note: str) -> str:
    """The text of a note, whoever signed it."""
    return note.rpartition("\n\n")[0] + "\n"


def said_of_removal(text: str) -> dict[str, str]:
    """What the text of a note says, by its words."""
    parts = (each.partition(" ") for each in text.splitlines()[1:])
    return {word: said for word, _, said in parts if word in _WORDS}


def _text(content: bytes, keys: Sequence[VerifierKey]) -> str:
    try:
        note = str(json.loads(content)["note"])
        is_whole = line({"note": note}) == content
    except (ValueError, KeyError, TypeError, RecursionError):
        is_whole = False
    if not is_whole:
        raise ProofError(f"{FILE}: a line is no note")
    try:
        text, name = read_note(note, keys)
    except ProofError as error:
        raise ProofError(f"{FILE}: {error}") from error
    if not text.startswith(f"{name}{_KIND}"):
        raise ProofError(f"{FILE}: a note is of no removal")
    return text
