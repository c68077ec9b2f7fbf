"""What of announced changes stands, and what serves that nobody announced, by the documents in force."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from board.announced import Standing
from seamwatch.documents import Estate
from sinks.store.questions.seen import Seen

DOCUMENTS = """\
kind: Person
id: ada
name: Ada
---
kind: Person
id: bob
name: Bob
---
kind: System
id: scorer
type: model
owner: ada
versions: [{version: "1", config_digest: d1}]
"""


@pytest.fixture
def standing(tmp_path: Path) -> Standing:
    (tmp_path / "all.yaml").write_text(DOCUMENTS)
    return Standing(Estate.load(tmp_path), 1_000)


def said(at: int, *, by: str = "ada", withdrawn: bool = False, **fields: Any) -> dict[str, Any]:
    return {
        "event_id": str(at), "event_time": at, "environment": "test", "system": "scorer", "change_id": "c1",
        "kind": "model", "from_value": "1", "to_value": "2", "config_digest": None, "effective_at": 5_000,
        "summary": "", "announced_by": by, "withdrawn": withdrawn, "signatures": [], **fields,
    }  # fmt: skip


def seen(version: str, digest: str | None = None, first: int = 10, **fields: Any) -> Seen:
    values = {"system": "scorer", "seen_as": "model", "events": 3, "last_seen": 20, **fields}
    return Seen(version=version, config_digest=digest, first_seen=first, **values)


def test_announced_again_with_other_content_it_is_answered_as_that(standing: Standing) -> None:
    newer, older = standing.changes([said(1), said(2), said(3, to_value="3")])
    assert (older.record["event_time"], older.stands, older.newest) == (1, True, False)
    assert (newer.record["to_value"], newer.stands, newer.newest) == ("3", True, True)
    assert newer.reference == f"c1@{newer.digest[:12]}"


def test_who_announced_it_withdraws_it_and_nobody_else_does(standing: Standing) -> None:
    (withdrawn,) = standing.changes([said(1), said(2, withdrawn=True)])
    assert (withdrawn.stands, withdrawn.newest) == (False, False)
    assert withdrawn.withdrawal is not None
    assert withdrawn.withdrawal["event_time"] == 2
    (stands,) = standing.changes([said(1), said(2, by="bob", withdrawn=True)])
    assert (stands.stands, stands.newest, stands.withdrawal) == (True, True, None)


def test_the_same_name_in_another_system_is_another_change(standing: Standing) -> None:
    found = standing.changes([said(1), said(2, system="other"), said(3, withdrawn=True)])
    assert [(one.record["system"], one.stands) for one in found] == [("other", True), ("scorer", False)]


def test_what_is_neither_declared_nor_announced_is_unannounced(standing: Standing) -> None:
    served = [
        seen("1", "d1"), seen("2"), seen("2", "d2", first=5), seen("3"), seen("1", None),
        seen("9", system="stray"), seen("9", seen_as="dataset"),
    ]  # fmt: skip
    found = standing.unannounced(served, [said(1)])
    assert [(one.what, one.value, one.first_seen, one.events) for one in found] == [
        ("version", "3", 10, 3),
        ("configuration", "d2", 5, 3),
    ]
    withdrawn = standing.unannounced(served, [said(1), said(2, withdrawn=True)])
    assert [(one.what, one.value, one.first_seen, one.events) for one in withdrawn] == [
        ("version", "3", 10, 3),
        ("configuration", "d2", 5, 3),
        ("version", "2", 5, 6),
    ]


def test_a_threshold_announces_no_version(standing: Standing) -> None:
    found = standing.unannounced([seen("2")], [said(1, kind="threshold")])
    assert [one.value for one in found] == ["2"]
