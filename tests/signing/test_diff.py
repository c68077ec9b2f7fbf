"""What a change of contracts changes: clause by clause, which way, and who must sign anew."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.documents import Contract
from seamwatch.documents.differences import Direction, differences
from tests.signing.folder import Folder, run


def contract(clauses: list[dict[str, Any]], **more: Any) -> Contract:
    parties = {"provider": {"signatory": "a@example.org"}, "consumer": {"signatory": "b@example.org"}}
    fields = {"kind": "Contract", "id": "pact", "version": "1", "seam": "operations", "covers": ["*"]}
    return Contract.model_validate({**fields, "parties": parties, "clauses": clauses, **more})


def direction(kind: str, before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, Direction]]:
    (difference,) = differences(
        [contract([{"id": "c", "kind": kind, **before}])], [contract([{"id": "c", "kind": kind, **after}])]
    )
    return [(change.name, change.direction) for clause in difference.clauses for change in clause.changes]


@pytest.mark.parametrize(
    ("kind", "before", "after", "expected"),
    [
        ("freshness", {"max_lag": "26h"}, {"max_lag": "24h"}, [("max_lag", "tightened")]),
        ("freshness", {"max_lag": "26h"}, {"max_lag": "26h", "warn_at": "25h"}, [("warn_at", "tightened")]),
        ("freshness", {"max_lag": "1h"}, {"max_lag": "1h", "severity": "warning"}, [("severity", "loosened")]),
        ("range", {"min": 0, "max": 1}, {"min": 0.1}, [("min", "tightened"), ("max", "loosened")]),
        ("range", {"min": 0}, {"min": 0, "nullable": False}, [("nullable", "tightened")]),
        ("range", {"min": 0}, {"min": 0, "where": "score > 0"}, [("where", "loosened")]),
        ("approval", {}, {"grace": "15m"}, [("grace", "loosened")]),
        ("approval", {"grace": "15m"}, {}, [("grace", "tightened")]),
        ("change_notice", {}, {"kinds": ["model"]}, [("kinds", "loosened")]),
        ("change_notice", {}, {"notice_before": "48h", "unannounced": True},
         [("notice_before", "tightened"), ("unannounced", "tightened")]),
        ("scope", {"tools": [{"tool": "a"}]}, {"tools": [{"tool": "a"}, {"tool": "b"}]}, [("tools", "loosened")]),
        ("scope", {"tools": [{"tool": "a"}]}, {"tools": [{"tool": "b"}]}, [("tools", "changed")]),
        ("lineage", {"include": ["a"], "attested": True}, {"attested": True}, [("include", "loosened")]),
        ("representation", {"shares": {"a": [0.1, 0.5]}}, {"shares": {"a": [0.2, 0.4]}}, [("shares", "tightened")]),
        ("representation", {"shares": {"a": [0.1, 0.5]}}, {"shares": {"a": [0.2, 0.6]}}, [("shares", "changed")]),
        ("threshold", {"decision": "yes", "when": "score > 1"}, {"decision": "yes", "when": "score > 2"},
         [("when", "changed")]),
        ("assertion", {"must": "score > 0", "at_least": 0.9}, {"must": "score > 0"}, [("at_least", "tightened")]),
    ],
)  # fmt: skip
def test_which_way_a_parameter_moved(kind: str, before: dict[str, Any], after: dict[str, Any], expected: Any) -> None:
    assert direction(kind, before, after) == expected
    opposite = {"loosened": "tightened", "tightened": "loosened", "changed": "changed"}
    assert direction(kind, after, before) == [(name, opposite[way]) for name, way in expected]


@given(st.integers(1, 500), st.integers(1, 500))
def test_the_way_follows_the_order_of_durations(before: int, after: int) -> None:
    old, new = ([contract([{"id": "c", "kind": "freshness", "max_lag": f"{n}m"}])] for n in (before, after))
    found = [change.direction for d in differences(old, new) for clause in d.clauses for change in clause.changes]
    assert found == ([] if before == after else ["loosened" if after > before else "tightened"])


def test_contracts_and_clauses_come_and_go() -> None:
    ranged, fresh = {"id": "r", "kind": "range", "min": 0}, {"id": "f", "kind": "freshness", "max_lag": "1h"}
    one, other = contract([ranged]), contract([fresh, {**ranged, "kind": "volume"}], version="2")
    (difference,) = differences([one], [other])
    assert [(c.id, c.kind, c.what) for c in difference.clauses] == [
        ("r", "range", "removed"),
        ("r", "volume", "added"),
        ("f", "freshness", "added"),
    ]
    assert not difference.same_version
    assert [d.what for d in differences([], [one])] == ["added"]
    assert [d.what for d in differences([one], [])] == ["removed"]
    assert differences([one], [one]) == ()


def test_what_is_only_written_differently_is_signed_anew_all_the_same() -> None:
    old, new = ([contract([{"id": "f", "kind": "freshness", "max_lag": lag}])] for lag in ("26h", "1d2h"))
    (difference,) = differences(old, new)
    assert (difference.fields, difference.clauses) == ((), ())
    assert [signer.person for signer in difference.must_sign] == ["a@example.org", "b@example.org"]


def test_the_command_says_who_must_sign_and_that_the_version_stayed(folder: Folder, tmp_path: Path) -> None:
    folder.sign("lead", "product", "risk")
    old = tmp_path / "old"
    shutil.copytree(folder.path, old)
    same = run("contracts", "diff", old, folder.path)
    assert (same.exit_code, same.stdout) == (0, "the contracts are the same\n")
    folder.edit("score >= 0.62", "score >= 0.58")
    folder.sign("product")
    result = run("contracts", "diff", old, folder.path)
    assert result.exit_code == 1
    assert result.stdout.splitlines() == [
        "credit-limits  changed, version 1",
        "  changed    clause line (threshold): when score >= 0.62 → score >= 0.58",
        "  note       the version is the same: give what was changed a new one",
        "  must sign  lead@example.org (provider)",
        "  must sign  risk@example.org (co-signer of line)",
    ]
    (told,) = json.loads(run("contracts", "diff", old, folder.path, "--json").stdout)["contracts"]
    assert {entry["person"].split("@")[0]: entry["status"] for entry in told["signatures"]} == {
        "lead": "changed", "product": "signed", "risk": "changed"
    }  # fmt: skip
    assert told["before"]["digest"] != told["after"]["digest"]
