"""Signed notes: as C2SP has them, refused when anything in them is changed."""

from __future__ import annotations

import pytest

from seamwatch.errors import ProofError, UsageError
from sinks.ledger.format.notes import Checkpoint, SignerKey, VerifierKey, read_checkpoint

KEY = SignerKey("ledger.example.org", bytes(range(32)))
HEAD = Checkpoint("ledger.example.org/seamwatch.inference/0", 5, bytes(32))


def test_a_note_reads_back_and_keys_as_their_lines() -> None:
    assert read_checkpoint(KEY.sign(HEAD), [KEY.verifier]) == HEAD
    assert VerifierKey.parse(str(KEY.verifier)) == KEY.verifier
    assert SignerKey.parse(KEY.secret_line()) == KEY
    assert KEY.secret_line() not in repr(KEY)


def test_the_published_example_of_a_verifier_key_is_read() -> None:
    key = VerifierKey.parse("example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")
    assert (key.name, key.key_id.hex()) == ("example.com/foo", "530d903a")
    with pytest.raises(UsageError):
        VerifierKey.parse("example.com/fop+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k")


def test_no_character_of_a_note_can_be_changed() -> None:
    note = KEY.sign(HEAD)
    for index, letter in enumerate(note):
        other = note[:index] + ("B" if letter == "A" else "A") + note[index + 1 :]
        with pytest.raises(ProofError):
            read_checkpoint(other, [KEY.verifier])


def test_others_do_not_speak_for_a_ledger() -> None:
    other = SignerKey("other.example.org", bytes(32))
    with pytest.raises(ProofError, match="not signed by a known key"):
        read_checkpoint(other.sign(HEAD), [KEY.verifier])
    with pytest.raises(ProofError, match="does not speak"):
        read_checkpoint(other.sign(HEAD), [other.verifier])


def test_an_old_key_verifies_beside_a_new_one_of_the_same_name() -> None:
    new = SignerKey(KEY.name, bytes(32))
    keys = [KEY.verifier, new.verifier]
    assert read_checkpoint(KEY.sign(HEAD), keys) == read_checkpoint(new.sign(HEAD), keys) == HEAD
