"""What is owed after what was broken, by the record: reviews and actions, done and not; and reviews, by command."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from seamwatch.documents import Estate
from seamwatch.durations import DAY, HOUR
from seamwatch.engine.seams import BoundClause, Seams
from seamwatch.errors import SeamwatchError, UsageError
from sinks.store.questions.followups import followups, given, standing
from statements import review as reviews
from tests.console.followed import BROKEN, REVIEWER, STATED, SUBJECT, attest, followed
from tests.console.populated import DATASET, EPISODES, PEOPLE, Populated
from tests.sinks.samples import NOW


@pytest.fixture
def store(
    clickhouse: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Iterator[Populated]:
    with followed(clickhouse, tmp_path, monkeypatch, capsys) as made:
        yield made


def test_the_review_of_what_is_over_is_owed_until_one_that_counts_is_given(store: Populated) -> None:
    (owed,) = followups(store.store)
    assert (owed.what, owed.reference, owed.person, owed.system) == ("review", BROKEN.violation_id, REVIEWER, DATASET)
    assert (owed.since, owed.due_at, owed.done_at) == (NOW - HOUR, NOW - HOUR + 5 * DAY, None)
    assert standing(owed, NOW) == "due in 4 d 23 h"
    assert standing(owed, NOW + 6 * DAY) == "overdue for 25 h"
    attest(store, "follow_up", counted=False, person=PEOPLE[0])
    assert followups(store.store) == [owed]
    assert given(store.store, BROKEN.violation_id) == []
    attest(store, "follow_up")
    (review,) = given(store.store, BROKEN.violation_id)
    assert (review.person, review.stated.cause, review.contract, review.clause) == (
        REVIEWER, "a job that hung", BROKEN.contract, "learn",
    )  # fmt: skip
    late, later = followups(store.store)
    assert [(one.what, one.reference, one.person) for one in (late, later)] == [
        ("action", f"{BROKEN.violation_id}/2", PEOPLE[2]), ("action", f"{BROKEN.violation_id}/1", PEOPLE[0]),
    ]  # fmt: skip
    attest(store, "action", f"{SUBJECT}/1", person=PEOPLE[0])
    assert followups(store.store) == [late]
    assert followups(store.store, person=PEOPLE[0]) == followups(store.store, system="another") == []
    done = followups(store.store, done=True)
    assert [(one.what, one.done_by) for one in done] == [("action", None), ("action", PEOPLE[0]), ("review", REVIEWER)]
    assert followups(store.store, violation=BROKEN.violation_id, done=True) == done
    assert followups(store.store, violation="another", done=True) == []


def test_the_command_lists_who_owes_what_and_how_it_is_done(store: Populated) -> None:
    told = store.run("followups")
    assert told.code == 0
    assert f"seamwatch review {BROKEN.violation_id} --file REVIEW_FILE --as {REVIEWER}" in told.out
    attest(store, "follow_up")
    told = store.run("followups", "--json")
    assert told.code == 1, "one of them is overdue"
    first, second = (json.loads(line) for line in told.out.splitlines())
    assert first["command"] == f"seamwatch attest action '{SUBJECT}/2' --system {DATASET} --as {PEOPLE[2]}"
    assert (first["text"], second["done_at"]) == ("ask the <supplier>", None)
    assert "nobody owes" in store.run("followups", "--person", PEOPLE[1]).out
    assert "neither declared" in store.run("followups", "--person", "nobody").err


# The command that reviews


@pytest.fixture
def sent(store: Populated, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """What goes to the broker, which a judge counts at once; and the documents, as it has them."""
    events: list[dict[str, Any]] = []

    def submit(_system: object, given: list[dict[str, Any]], _patience: float) -> list[dict[str, Any]]:
        events.extend(given)
        verdict = {"counted": True, "reason": "counts", "summary": "-", "contract": "c", "contract_version": "1"}
        return [verdict | {"clause": "learn"}] * len(given)

    class Published:
        def __init__(self, _system: object) -> None:
            self.estate, self.now = Estate.load(store.documents), NOW

        def keys_of(self, person: str) -> dict[str, str]:
            return {key.public: key.key_id for key in self.estate.persons[person].keys}

        def demand_system(self, system: str) -> None:
            assert system in self.estate.systems

        def clauses(self, system: str, kind: str) -> list[BoundClause]:
            (contract,) = self.estate.contracts_for(system, self.now)
            bound = Seams(self.estate).covering(contract, system).values()
            return [each for each in bound if kind in (each.clause.kind_name, each.clause.attested_as)]

    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", "127.0.0.1:9")
    monkeypatch.setattr("statements.published.Published", Published)
    monkeypatch.setattr("statements.review.submit", submit)
    monkeypatch.setattr("statements.recorded._beyond", lambda *_: {})
    return events


def test_an_action_is_attested_and_the_judge_says_whether_that_counts(
    store: Populated, sent: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    typed = ("attest", "action", f"{SUBJECT}/1", "--system", DATASET, "--as", PEOPLE[0])
    told = store.run(*typed)
    assert (told.code, told.err) == (0, "")
    assert "the judge says that it counts" in told.out
    assert [(e["kind"], e["subject"], e["person"]) for e in sent] == [("action", f"{SUBJECT}/1", PEOPLE[0])]
    assert "<contract>#<clause>/<violation>/<action>" in store.run("attest", "action", SUBJECT, *typed[3:]).err
    assert "no action clause" in store.run("attest", "action", "another#learn/v/1", *typed[3:]).err
    assert len(sent) == 1
    refused = {"counted": False, "summary": "that was done before"}
    monkeypatch.setattr("statements.review.submit", lambda *_: [refused])
    assert "it does not count: that was done before" in store.run(*typed).err
    monkeypatch.setattr("statements.review.submit", lambda *_: [None])
    assert store.run(*typed).code == 3


ALL = ("--implied", "data is an hour old", "--diverged", "it was two", "--cause", "a job that hung")


def test_a_review_is_sent_with_its_actions_as_the_clause_takes_it(store: Populated, sent: list[dict[str, Any]]) -> None:
    action = f"{PEOPLE[0]} by 2126-11-02: watch the feed's age"
    told = store.run("review", BROKEN.violation_id[:8], "--as", REVIEWER, *ALL, "--action", action)
    assert (told.code, told.err) == (0, "")
    assert f"{REVIEWER} has reviewed violation {BROKEN.violation_id}" in told.out
    (event,) = sent
    assert event["subject"] == SUBJECT
    assert json.loads(event["statement"])["actions"] == [
        {"id": "1", "person": PEOPLE[0], "due": "2126-11-02", "what": "watch the feed's age"}
    ]
    bound = reviews.asking(Seams(Estate.load(store.documents)), BROKEN, REVIEWER)
    assert bound.clause.why_void(bound.seam, event) is None


def test_a_file_states_all_of_it(store: Populated, sent: list[dict[str, Any]], tmp_path: Path) -> None:
    file = tmp_path / "review.yaml"
    file.write_text(
        "implied: data is an hour old\ndiverged: it was two\ncause: a job that hung\n"
        f"actions:\n  - {{person: {PEOPLE[0]}, due: 2126-11-02, what: watch it}}\n"
    )
    assert store.run("review", BROKEN.violation_id, "--as", REVIEWER, "--file", str(file)).code == 0
    assert json.loads(sent[0]["statement"])["actions"][0]["id"] == "1"
    for text, said in (
        ("implied: a\n", "diverged: Field required"),
        ("a: [\n", "is not YAML"),
        ("a\n---\nb\n", "2 doc"),
    ):
        file.write_text(text)
        assert said in store.run("review", BROKEN.violation_id, "--as", REVIEWER, "--file", str(file)).err
    assert "leave out" in store.run("review", "x" * 8, "--as", REVIEWER, "--file", str(file), *ALL[:2]).err
    assert len(sent) == 1


def test_what_would_not_count_is_not_sent(store: Populated, sent: list[dict[str, Any]]) -> None:
    open_one = next(episode for episode in EPISODES if episode.state == "open")
    for arguments, said in (
        ((BROKEN.violation_id, "--as", PEOPLE[0]), f"it is for {REVIEWER} to review it"),
        ((open_one.violation_id, "--as", REVIEWER), "is not over"),
        (("0" * 12, "--as", REVIEWER), "is on record"),
        (("0", "--as", REVIEWER), "is too short"),
        ((BROKEN.violation_id, "--as", REVIEWER, "--action", f"{PEOPLE[0]} by 2020-01-01: x"), "before the review"),
        ((BROKEN.violation_id, "--as", REVIEWER, "--action", "nobody by 2126-01-01: x"), "documents do not know"),
        ((BROKEN.violation_id, "--as", REVIEWER, "--action", "somebody does it"), "PERSON by DATE: what"),
    ):
        told = store.run("review", *arguments, *ALL)
        assert told.code in (1, 2), told
        assert said in told.err
    assert "give --diverged, --cause" in store.run("review", "x", "--as", REVIEWER, *ALL[:2]).err
    assert sent == []


def test_who_has_keys_signs_the_statement(store: Populated, sent: list[dict[str, Any]], tmp_path: Path) -> None:
    key = Ed25519PrivateKey.from_private_bytes(b"k" * 32)
    public = b64encode(key.public_key().public_bytes_raw()).decode()
    text = (store.documents / "all.yaml").read_text()
    entry = f'id: {REVIEWER}\nkeys: [{{key_id: k1, public: "{public}"}}]'
    (store.documents / "all.yaml").write_text(text.replace(f"id: {REVIEWER}", entry, 1))
    file = tmp_path / "key.pem"
    file.write_bytes(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    file.chmod(0o600)
    assert "has published keys" in store.run("review", BROKEN.violation_id, "--as", REVIEWER, *ALL).err
    assert store.run("review", BROKEN.violation_id, "--as", REVIEWER, "--key", str(file), *ALL).code == 0
    (event,) = sent
    bound = reviews.asking(Seams(Estate.load(store.documents)), BROKEN, REVIEWER)
    assert bound.clause.why_void(bound.seam, event) is None
    assert bound.clause.why_void(bound.seam, event | {"statement": json.dumps(STATED)}) is not None


def test_an_action_as_it_is_typed() -> None:
    assert reviews.action_of("ada by 2026-11-02: look, and\ntell: us", 3) == {
        "id": "3", "person": "ada", "due": "2026-11-02", "what": "look, and\ntell: us",
    }  # fmt: skip
    with pytest.raises(UsageError, match="PERSON by DATE"):
        reviews.action_of("ada: look", 1)
    assert reviews.with_ids({"actions": [{"id": "a"}, {}, 5]}) == {"actions": [{"id": "a"}, {"id": "2"}, 5]}
    assert reviews.with_ids([1]) == [1]


def test_no_clause_asks_about_another_kind(store: Populated) -> None:
    drift = EPISODES[0]
    with pytest.raises(SeamwatchError, match="no clause of contract"):
        reviews.asking(Seams(Estate.load(store.documents)), drift, REVIEWER)
