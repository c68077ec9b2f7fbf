"""Identities: an id at another service is one person's, and a relay has keys."""

from __future__ import annotations

from pathlib import Path

from seamwatch.documents import Estate
from tests.documents.test_check import problems

KEYS = 'keys: [{key_id: k, public: "11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo="}]'


def person(name: str, *lines: str) -> str:
    return "\n".join((f"kind: Person\nid: {name}@example.org\nname: {name}", *lines)) + "\n---\n"


def test_an_id_of_a_service_is_one_persons(tmp_path: Path) -> None:
    text = person("ada", "identities: {pagerduty: P1, slack: U1}") + person("ben", "identities: {pagerduty: U1}")
    assert problems(tmp_path, text) == []
    twice = text + person("cyd", "identities:", "  slack: U2", "  pagerduty: P1")
    assert problems(tmp_path, twice) == [
        "16: pagerduty id 'P1' is given to 'cyd@example.org' and to 'ada@example.org': it is one person's"
    ]


def test_a_relay_without_keys_is_an_error_at_its_role(tmp_path: Path) -> None:
    wrong = problems(tmp_path, person("replies", "roles: [relay]"))
    assert wrong == ["4: 'replies@example.org' is a relay without keys, so nothing that it relays would count"]
    assert problems(tmp_path, person("replies", "roles: [relay]", KEYS)) == []


def test_they_are_read(tmp_path: Path) -> None:
    (tmp_path / "people.yaml").write_text(person("ada", "identities: {pagerduty: P1}"))
    assert Estate.load(tmp_path).persons["ada@example.org"].identities == {"pagerduty": "P1"}
