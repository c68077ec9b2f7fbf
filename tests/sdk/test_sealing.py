"""What is personal is sealed before it is sent, opens only where it belongs, and is gone with its key."""

from __future__ import annotations

import json
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.errors import RecordError, SealError, UsageError
from seamwatch.sdk.sealer import ERASED, SEALED, Seal, argument_of, attribute_of, opened
from seamwatch.sdk.subject_keys import Erasure, SubjectKeyFile, open_subject_keys
from seamwatch.sealing import KEY_ID_SIZE, KEY_SIZE, SealContext, SubjectKey, key_id_of, seal, unseal
from seamwatch.testing import RecordingEmitter
from seamwatch.wire.codec import Codec

DOCS = Path(__file__).parents[2] / "docs" / "erasure.md"
TEXT = st.text(max_size=40)
KEYS = st.builds(
    SubjectKey,
    TEXT,
    st.binary(min_size=KEY_ID_SIZE, max_size=KEY_ID_SIZE),
    st.binary(min_size=KEY_SIZE, max_size=KEY_SIZE),
)
PLACES = st.builds(SealContext, TEXT, TEXT)


@given(TEXT, KEYS, PLACES)
def test_what_is_sealed_opens_to_what_it_was(text: str, key: SubjectKey, place: SealContext) -> None:
    sealed = seal(text, key, place)
    assert key_id_of(sealed) == key.key_id
    assert unseal(sealed, key, place) == text
    assert seal(text, key, place) != sealed


@given(TEXT, KEYS, KEYS, PLACES, PLACES)
def test_it_opens_nowhere_else_and_to_nobody_else(
    text: str, key: SubjectKey, other: SubjectKey, place: SealContext, elsewhere: SealContext
) -> None:
    sealed = seal(text, key, place)
    wrong = [(SubjectKey(key.subject + "x", key.key_id, key.key), place)]
    wrong += [(key, elsewhere)] if elsewhere != place else []
    wrong += [(other, place), (SubjectKey(key.subject, key.key_id, other.key), place)] if other.key != key.key else []
    # What is bound has lengths: no part can be taken for the end of another.
    shifted = SealContext(place.event_id + place.name, "") if place.name else SealContext(place.event_id, "x")
    wrong.append((key, shifted))
    for each, where in wrong:
        with pytest.raises(SealError):
            unseal(sealed, each, where)


@given(KEYS, PLACES, st.data())
def test_a_changed_letter_is_noticed(key: SubjectKey, place: SealContext, data: st.DataObject) -> None:
    sealed = seal("ada@example.org", key, place)
    at = data.draw(st.integers(0, len(sealed) - 1))
    letter = data.draw(st.characters(codec="ascii").filter(lambda c: c != sealed[at]))
    with pytest.raises(SealError):
        unseal(sealed[:at] + letter + sealed[at + 1 :], key, place)


def test_the_documented_vector_holds() -> None:
    rows = r"^\| (subject|event id|name|text|key|key id|nonce|sealed) \| `([^`]*)` \|$"
    vector = dict(re.findall(rows, DOCS.read_text("utf-8"), re.MULTILINE))
    key = SubjectKey(vector["subject"], bytes.fromhex(vector["key id"]), bytes.fromhex(vector["key"]))
    place = SealContext(vector["event id"], vector["name"])
    assert seal(vector["text"], key, place, bytes.fromhex(vector["nonce"])) == vector["sealed"]


def test_a_destroyed_key_is_nowhere_in_its_file_and_a_new_one_opens_nothing_old(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "subjects.sqlite"
    file, elsewhere = SubjectKeyFile(path), SubjectKeyFile(path)
    old, stays = file.key_of("p-81"), file.key_of("p-82")
    assert elsewhere.key_of("p-81") == old
    assert path.stat().st_mode & 0o777 == 0o600
    assert old.key in path.read_bytes()
    assert file.erase("p-81", "ada", 5) == Erasure(old.key_id, "ada", 5)
    left = b"".join(each.read_bytes() for each in path.parent.iterdir())
    assert old.key not in left
    assert b"p-81" not in left
    assert stays.key in left
    assert (elsewhere.find(old.key_id), elsewhere.find(stays.key_id)) == (Erasure(old.key_id, "ada", 5), stays)
    assert file.erase("p-81", "ada", 6) is None
    assert elsewhere.key_of("p-81").key != old.key
    assert file.erasures() == [Erasure(old.key_id, "ada", 5)]
    with pytest.raises(UsageError, match="SEAMWATCH_SUBJECT_KEYS"):
        open_subject_keys(tmp_path / "none")


def test_two_that_make_keys_at_once_have_the_same(tmp_path: Path) -> None:
    path, names = tmp_path / "keys", [f"p{i}" for i in range(6)]

    def make(_: int) -> list[SubjectKey]:
        file = SubjectKeyFile(path)  # a connection of its own, as another process has
        return [file.key_of(name) for name in names]

    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(make, range(2))
    assert first == second == make(2)


@pytest.mark.parametrize(
    "arguments",
    [json.dumps(json.dumps({"iban": "XX00"})), '[{"iban": "XX00"}]', '{"iban": "XX00", "iban": "XX01"}', '{"iban": '],
)
def test_arguments_in_which_nothing_can_be_sealed_are_not_sent(tmp_path: Path, arguments: str) -> None:
    seal_all = Seal(SubjectKeyFile(tmp_path / "keys"), arguments=("iban",))
    record = {"event_id": "e", "arguments": arguments, "attributes": [{"key": "subject", "value": "p-81"}]}
    with pytest.raises(SealError, match="so nothing in them can be sealed"):
        seal_all.sealed("tool_call", record)
    assert seal_all.sealed("tool_call", record | {"arguments": ""})["arguments"] == ""


def test_named_attributes_and_arguments_are_sealed_on_the_wire(tmp_path: Path) -> None:
    keys = SubjectKeyFile(tmp_path / "keys")
    emitter = RecordingEmitter(seal=Seal(keys, attributes=("email",), arguments=("iban", "amount")))
    emitter.inference(system="s", version="1", subject="p-81", attributes={"email": "ada@example.org", "branch": "7"})
    emitter.tool_call(
        system="s",
        version="1",
        tool="transfer",
        arguments={"iban": "XX00", "amount": 12.5, "note": "rent"},
        attributes={"subject": "p-81"},
    )
    emitter.inference(system="s", version="1", subject="p-82", attributes={"branch": "7"})
    (_, decision), (_, call), (_, plain) = emitter.records
    wire = b"".join(Codec().encode(kind, record) for kind, record in emitter.records)
    assert not {text for text in (b"ada@example.org", b"XX00", b"12.5") if text in wire}
    email, branch = (each["value"] for each in decision["attributes"])
    arguments = json.loads(call["arguments"])
    assert (branch, arguments["note"], plain["attributes"][0]["value"]) == ("7", "rent", "7")

    def read(text: str, place: SealContext) -> str:
        return opened(text, place, keys)

    place = attribute_of(decision["event_id"], "email")
    assert read(email, place) == "ada@example.org"
    assert json.loads(read(arguments["amount"], argument_of(call["event_id"], "amount"))) == 12.5
    assert opened(email, place, None) == SEALED
    assert opened(email, place, SubjectKeyFile(tmp_path / "others")) == SEALED
    with pytest.raises(SealError, match="another event, field or subject"):
        read(email, attribute_of(call["event_id"], "email"))
    keys.erase("p-81", "ada", 5)
    assert read(email, place) == ERASED
    assert read("seal1.hello", place) == "seal1.hello"


def test_nothing_personal_is_sent_where_it_cannot_be_sealed(tmp_path: Path) -> None:
    keys = SubjectKeyFile(tmp_path / "keys")
    emitter = RecordingEmitter(seal=Seal(keys, attributes=("email",)))
    with pytest.raises(RecordError, match="names no subject"):
        emitter.inference(system="s", version="1", attributes={"email": "ada@example.org"})
    with pytest.raises(RecordError, match="names no subject"):
        emitter.outcome(system="s", inference_id="i", label=1.0, observed_at=1, attributes={"email": "ada@example.org"})
    (tmp_path / "file").write_text("no folder")
    quiet = RecordingEmitter(seal=Seal(SubjectKeyFile(tmp_path / "file" / "keys"), attributes=("email",)), strict=False)
    assert quiet.inference(system="s", version="1", subject="p", attributes={"email": "ada@example.org"}) is None
    assert (quiet.counts.refused, quiet.records) == (1, [])
