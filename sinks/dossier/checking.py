"""Checking: whether a dossier is what was sealed and signed, with public keys alone.

Needs no store, broker or network. Every member is held to the list of files, that to the seal, each record to a signed
checkpoint and each row to its record; what is wrong is named, all of it. What a dossier cannot show it tells too.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any, Final

from seamwatch.documents.models import PublicKeyEntry
from seamwatch.errors import ProofError, SeamwatchError
from seamwatch.signatures import PublicKey
from sinks.dossier.container import Packed
from sinks.dossier.places import FILES, Place, Shown, place_in, read_records
from sinks.dossier.places import said as said_of
from sinks.dossier.removals import FILE, removals, said_of_removal
from sinks.dossier.seal import INDEX, MANIFEST, PAGE, SEAL, Manifest, SealedBy, read_manifest, read_seal
from sinks.dossier.typed import Reading, table_of
from sinks.ledger.format.notes import Checkpoint, VerifierKey, read_checkpoint
from sinks.ledger.format.origins import origin_of

_MOST: Final = 64 * 1024 * 1024
"""The largest list, index or schema that is read; records are read line by line."""


@dataclass(slots=True)
class Checked:
    """What was found. ``wrong`` is everything that does not hold, ``notes`` what is worth knowing of what does."""

    wrong: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    manifest: Manifest | None = None
    sealed_by: SealedBy | None = None
    records: Counter[str] = field(default_factory=Counter)
    shown: list[Shown] = field(default_factory=list)
    removed: list[str] = field(default_factory=list)
    """The texts of what retention removed, signed for by the ledger's key."""
    unvouched: list[str] = field(default_factory=list)
    """Files that no key vouches for: all that is derived, where nobody sealed the dossier."""
    gaps: list[dict[str, str]] = field(default_factory=list)


def check(path: Path, keys: Sequence[VerifierKey], tell: Callable[[int], None] = lambda _: None) -> Checked:
    """Check a dossier. Raises UsageError for a file that cannot be read; all else that is wrong is in the answer."""
    checked = Checked()
    try:
        with Packed(path) as packed:
            _Checker(packed, keys, tell, checked).run()
    except ProofError as error:
        checked.wrong.append(str(error))
    return checked


class _Checker:
    """Checks one dossier, part by part; what is wrong in one keeps no other from being checked."""

    def __init__(
        self, packed: Packed, keys: Sequence[VerifierKey], tell: Callable[[int], None], checked: Checked
    ) -> None:
        self._packed = packed
        self._keys = keys
        self._tell = tell
        self._checked = checked

    def run(self) -> None:
        """Check all of it."""
        if self._packed.is_as_packed is False:
            self._checked.wrong.append("the archive is not as it was packed: a byte of it was changed")
        elif self._packed.is_as_packed is None:
            self._checked.notes.append(
                "the archive was packed anew since it was made; its files are checked all the same"
            )
        self._guarded(self._files)
        self._guarded(self._places)
        self._guarded(self._removals)
        self._guarded(self._seal)
        self._guarded(self._index)

    def _files(self) -> None:
        """Hold every member to the list."""
        if MANIFEST not in self._packed.names:
            raise ProofError(f"{MANIFEST}: is missing")
        self._checked.manifest = manifest = read_manifest(self._packed.content(MANIFEST, _MOST))
        names = set(self._packed.names)
        for name in sorted(names - manifest.files.keys() - {MANIFEST, SEAL}):
            self._checked.wrong.append(f"{name}: is not among the files of the dossier")
        for name, member in sorted(manifest.files.items()):
            if name not in names:
                self._checked.wrong.append(f"{name}: is missing")
                continue
            self._guarded(partial(self._member, name, member.sha256, member.size))

    def _member(self, name: str, sha256: str, size: int) -> None:
        if self._packed.digest(name, size) != (sha256, size):
            raise ProofError(f"{name}: is not what the list of files says")

    def _places(self) -> None:
        """Prove every record, and hold every row to its record."""
        reading = Reading(self._schemas())
        folders = sorted({name.rpartition("/")[0] for name in self._packed.names if name.count("/") == 3})
        for folder in folders:
            self._guarded(partial(self._place, folder, reading))
        if reading.unvouched:
            self._checked.notes.append(
                f"{len(reading.unvouched)} schemas are named by a registry's number alone: that rows are read by the "
                "right ones is vouched for by who sealed the dossier"
            )

    def _place(self, folder: str, reading: Reading) -> None:
        place = place_in(folder)
        lacking = [name for name in FILES if f"{folder}/{name}" not in self._packed.names]
        if lacking:
            raise ProofError(f"{folder}/{lacking[0]}: is missing")
        head = self._head(folder, place)
        check = Place(place, head.size, head.root)
        shown = check.prove(self._lines(folder, "records.txt"), self._lines(folder, "siblings.txt"))
        table = table_of(place[0])
        check.compare(self._lines(folder, "records.txt"), self._lines(folder, "rows.jsonl"), table, reading)
        self._checked.shown.append(shown)
        self._checked.records[table] += shown.records
        self._tell(self._checked.records.total())

    def _head(self, folder: str, place: tuple[str, int]) -> Checkpoint:
        name = f"{folder}/checkpoint.txt"
        try:
            note = self._packed.content(name, _MOST).decode()
            head = read_checkpoint(note, self._keys)
        except (ProofError, UnicodeDecodeError) as error:
            raise ProofError(f"{name}: {error}") from error
        if head.origin not in {origin_of(key.name, place) for key in self._keys}:
            raise ProofError(f"{name}: is of {head.origin}")
        return head

    def _removals(self) -> None:
        """Read what retention removed, by the notes that the ledger's key signed."""
        self._checked.removed = removals(self._packed.lines(FILE), self._keys)

    def _seal(self) -> None:
        """Find out who vouches for the list, and so for all that is in it."""
        manifest = self._checked.manifest
        if manifest is None:
            return
        if SEAL in self._packed.names:
            content = self._packed.content(SEAL, _MOST)
            self._checked.sealed_by = read_seal(content, manifest, self._keys, self._keys_of)
            return
        self._checked.unvouched = [name for name in sorted(manifest.files) if not _is_proven(name)]
        self._checked.wrong.append(
            f"nobody sealed it: no key vouches for {len(self._checked.unvouched)} of its files, nor for that nothing "
            "was left out; only its records and their rows are proven"
        )

    def _keys_of(self, person: str) -> list[PublicKey]:
        """The keys of a person by their newest publication among the records, all of which are proven."""
        newest: dict[str, Any] = {}
        wanted = f"Person/{person}".encode()
        for shown in self._checked.shown:
            if table_of(shown.place[0]) != "document":
                continue
            folder = f"ledger/{shown.place[0]}/{shown.place[1]}"
            for _, _, entry in read_records(self._lines(folder, "records.txt"), shown.place, folder):
                if entry.key == wanted:
                    newest = json.loads(entry.value)["document"] if entry.value is not None else {}
        return [_key(each) for each in newest.get("keys") or ()]

    def _index(self) -> None:
        """Hold what the index counts to what is there."""
        if INDEX not in self._packed.names or PAGE not in self._packed.names:
            raise ProofError(f"{INDEX} or {PAGE}: is missing")
        try:
            said = json.loads(self._packed.content(INDEX, _MOST))
            counted = dict(self._checked.records)
            self._checked.gaps = [{"of": str(each["of"]), "gap": str(each["gap"])} for each in said["gaps"]]
            is_right = (said["records"], said["ledger"]) == (counted, said_of(self._checked.shown))
            is_right = is_right and said["removed"] == [said_of_removal(text) for text in self._checked.removed]
        except (ValueError, KeyError, TypeError, RecursionError) as error:
            raise ProofError(f"{INDEX}: is no index of a dossier") from error
        if not is_right and not self._checked.wrong:
            raise ProofError(f"{INDEX}: says of records and removals what is not so")

    def _schemas(self) -> dict[str, bytes]:
        return {
            name.removeprefix("schemas/").removesuffix(".json"): self._packed.content(name, _MOST)
            for name in self._packed.names
            if name.startswith("schemas/")
        }

    def _lines(self, folder: str, name: str) -> Iterator[bytes]:
        return self._packed.lines(f"{folder}/{name}")

    def _guarded(self, part: Callable[[], None]) -> None:
        try:
            part()
        except ProofError as error:
            said = str(error)
        except SeamwatchError as error:
            said = f"cannot be checked: {error}"
        except Exception as error:  # noqa: BLE001  the file is anybody's, and what reads it is in part a third party's
            said = f"cannot be read: {type(error).__name__}: {error}"
        else:
            return
        if said not in self._checked.wrong:
            self._checked.wrong.append(said)


def _is_proven(name: str) -> bool:
    """Whether the ledger's key vouches for a file, whoever sealed the dossier."""
    return name == FILE or (name.startswith("ledger/") and name.rpartition("/")[2] in FILES)


def _key(entry: Any) -> PublicKey:
    from base64 import b64decode

    read = PublicKeyEntry.model_validate(entry)
    return PublicKey(read.key_id, b64decode(read.public), read.not_before, read.revoked_at)
