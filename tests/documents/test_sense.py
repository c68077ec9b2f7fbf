"""A clause that makes no sense is named at its line: by an error, or by a warning where it may be meant."""

from __future__ import annotations

from pathlib import Path

import pytest

from seamwatch.documents import load_folder

DOCUMENTS = """\
kind: Person
id: ada@example.org
name: Ada
---
{systems}
---
kind: Contract
id: pact
version: 1
seam: agent-pact
covers: [{covers}]
parties: {{provider: {{team: a}}, consumer: {{team: b}}}}
clauses:
"""


def told(folder: Path, clause: str, types: tuple[str, ...] = ("agent",), covers: str | None = None) -> list[str]:
    """Line within the clause and message of each problem."""
    systems = "\n---\n".join(f"kind: System\nid: s{n}\ntype: {t}\nowner: ada@example.org" for n, t in enumerate(types))
    names = ", ".join(f"s{n}" for n in range(len(types)))
    before = DOCUMENTS.format(systems=systems, covers=names if covers is None else covers)
    file = folder / "pact.yaml"
    file.write_text(before + "".join(f"  {line}\n" for line in clause.splitlines()))
    first = before.count("\n")
    return [
        f"{p.line - first}: {'' if p.severity == 'error' else 'warning: '}{p.message}"
        for p in load_folder(folder)[1]
        if "hand-over" not in p.message
    ]


ERRORS = {
    "- id: never\n  kind: prohibition\n  never: >-\n"
    "    tool = 'refund'\n    AND arguments.amount BETWEEN 1000\n    AND 100": (
        "3: clause 'never' (prohibition): tool = 'refund' AND arguments.amount >= 1000 AND arguments.amount <= 100 can "
        "hold for no event: arguments.amount would have to be at least 1000 and at most 100"
    ),
    "- id: two\n  kind: rate\n  max: 1\n  per: 1h\n  tool: sell\n  where: tool = 'buy'": (
        "6: clause 'two' (rate): tool = 'buy' selects no event: tool would have to be 'sell' and 'buy'"
    ),
    "- id: ask\n  kind: precondition\n  tool: sell\n  requires: ask\n  where: starts_with(tool, 'buy')": (
        "5: clause 'ask' (precondition): starts_with(tool, 'buy') selects no event: tool would have to be 'sell' and "
        "text that begins with 'buy'"
    ),
    "- id: tools\n  kind: scope\n  tools:\n    - {tool: a}\n    - tool: b\n"
    "      where: arguments.n > 2 AND 1 > arguments.n": (
        "6: clause 'tools' (scope): no event can meet arguments.n > 2 AND 1 > arguments.n: arguments.n would have to "
        "be above 2 and below 1"
    ),
    "- id: sure\n  kind: assertion\n  where: decision = 'yes'\n  must: decision = 'no'": (
        "4: clause 'sure' (assertion): no event can meet decision = 'no': decision would have to be 'yes' and 'no'"
    ),
    "- id: all\n  kind: assertion\n  must: score IS NULL OR score IS NOT NULL": (
        "3: clause 'all' (assertion): every event meets score IS NULL OR score IS NOT NULL: it agrees nothing"
    ),
    "- id: line\n  kind: threshold\n  decision: approve\n  when: score > 0.9 AND score < 0.1": (
        "4: clause 'line' (threshold): no event can meet score > 0.9 AND score < 0.1: score would have to be above 0.9 "
        "and below 0.1"
    ),
    "- id: person\n  kind: escalation\n  where: tool = 'a'\n  when: tool = 'b'": (
        "4: clause 'person' (escalation): tool = 'b' can hold for no event: tool would have to be 'a' and 'b'"
    ),
    "- id: unsure\n  kind: human_review\n  below: 60": (
        "3: clause 'unsure' (human_review): every confidence is below 60: it lies between 0 and 1"
    ),
    "- id: scores\n  kind: range\n  min: 0\n  where: latency_ms < 0": (
        "4: clause 'scores' (range): latency_ms < 0 selects no event: latency_ms would have to be below 0, but is 0 at "
        "the least and 86400000 at the most"
    ),
}


@pytest.mark.parametrize(("clause", "problem"), ERRORS.items())
def test_what_no_event_can_meet_is_an_error(tmp_path: Path, clause: str, problem: str) -> None:
    assert told(tmp_path, clause) == [problem]


SLIPS = "is NULL then: say which is meant, by {0} IS NULL OR, or by {0} IS NOT NULL AND"
WARNINGS = {
    "- {id: r, kind: range, min: 0,\n   where: cohort <> 'test'}": (
        "2: warning: clause 'r' (range): an event without cohort is left out by cohort <> 'test', which "
        + SLIPS.format("cohort")
    ),
    "- id: hash\n  kind: prohibition\n  never: tool = 'run' AND arguments.hash NOT IN ('a')": (
        "3: warning: clause 'hash' (prohibition): an event without arguments.hash does not meet tool = 'run' AND "
        "arguments.hash NOT IN ('a'), which " + SLIPS.format("arguments.hash")
    ),
    "- {id: large, kind: escalation, when: arguments.to NOT LIKE '%@example.org'}": (
        "1: warning: clause 'large' (escalation): an event without arguments.to does not meet NOT (arguments.to LIKE "
        "'%@example.org'), which " + SLIPS.format("arguments.to")
    ),
    "- id: some\n  kind: volume\n  min: 0": (
        "2: warning: clause 'some' (volume): it lets everything pass: no number is below 0"
    ),
    "- {id: few, kind: signal, signal: fallback, max: 1}": (
        "1: warning: clause 'few' (signal): it lets everything pass: a share lies between 0 and 1"
    ),
    "- {id: tell, kind: change_notice}": (
        "1: warning: clause 'tell' (change_notice): it lets everything pass: no acknowledger, no notice before, and "
        "what is unannounced is fine"
    ),
}


@pytest.mark.parametrize(("clause", "problem"), WARNINGS.items())
def test_what_may_be_meant_is_a_warning(tmp_path: Path, clause: str, problem: str) -> None:
    assert told(tmp_path, clause) == [problem]


@pytest.mark.parametrize(
    "clause",
    [
        "- {id: hash, kind: prohibition, never: arguments.hash <> 'a' OR arguments.hash IS NULL}",
        "- {id: hash, kind: prohibition, never: arguments.hash <> 'a', missing: breach}",
        "- {id: to, kind: escalation, when: arguments.to <> 'a', missing: ignore}",
        # A scope and an assertion fail closed.
        "- {id: tools, kind: scope, tools: [{tool: a, where: arguments.to <> 'b'}]}",
        "- {id: sure, kind: assertion, on: tool_call, must: resource <> 'a'}",
        "- {id: busy, kind: rate, max: 9, per: 1h, where: tool <> 'find'}",
        # An agent decides as well as calls; a where that means something of one of two is fine.
        "- {id: r, kind: range, min: 0}",
        "- {id: shown, kind: approval, where: confidence IS NULL OR confidence <= 1}",
        "- {id: much, kind: volume, min: 0, max: 9}",
    ],
)
def test_what_makes_sense_is_not_accused(tmp_path: Path, clause: str) -> None:
    assert told(tmp_path, clause) == []


def test_a_clause_on_what_no_covered_system_reports_is_a_warning(tmp_path: Path) -> None:
    scope = "- id: tools\n  kind: scope\n  tools: [{tool: a}]"
    said = (
        "2: warning: clause 'tools' (scope): it looks at tool calls, and s0 is a model, s1 is a dataset, which has none"
    )
    assert told(tmp_path, scope, ("model", "dataset")) == [said]
    assert told(tmp_path, scope, ("model", "agent")) == []
    # What is not declared, or is a pipeline, may report anything.
    assert told(tmp_path, scope, ("model", "pipeline")) == []
    assert told(tmp_path, scope, ("model",), covers='"s*"') == []
    assert "refreshes" in told(tmp_path, "- {id: fresh, kind: freshness, max_lag: 1d}", ("agent",))[0]
    assert told(tmp_path, "- {id: fresh, kind: freshness, max_lag: 1d}", ("dataset",)) == []


NOBODY = {
    "- {id: quarterly, kind: review, every: 90d}": "a review, and its clock runs out",
    "- {id: anew, kind: reevaluation}": "a re-evaluation, and its clock runs out",
    "- {id: auc, kind: benchmark, metric: auc, min: 0.8}": "a measurement, and none counts",
    "- {id: from, kind: lineage, attested: true}": "an attestation of each refresh, and none counts",
}


@pytest.mark.parametrize("clause", NOBODY)
def test_a_word_that_nobody_may_give_is_a_warning(tmp_path: Path, clause: str) -> None:
    types = ("dataset" if "lineage" in clause else "model",)
    (line,) = told(tmp_path, clause, types)
    assert line.startswith("1: warning: clause ")
    assert f"it asks for {NOBODY[clause]}: nobody may attest it; name persons in 'by', or signatories" in line
    assert told(tmp_path, clause.replace("}", ", by: ada@example.org}"), types) == []
    signed = DOCUMENTS.replace("provider: {{team: a}}", "provider: {{team: a, signatory: ada@example.org}}")
    file = tmp_path / "pact.yaml"
    systems = f"kind: System\nid: s0\ntype: {types[0]}\nowner: ada@example.org"
    file.write_text(signed.format(systems=systems, covers="s0") + f"  {clause}\n")
    assert [p for p in load_folder(tmp_path)[1] if "nobody may attest" in p.message] == []


def test_a_reevaluation_that_only_episodes_ask_for_wants_a_clause_that_has_them(tmp_path: Path) -> None:
    anew = "- {id: anew, kind: reevaluation, by: ada@example.org, after: [distribution, unannounced]}"
    (line,) = told(tmp_path, anew, ("model",))
    assert line.endswith(
        "clause 'anew' (reevaluation): nothing asks for an evaluation: the contract has no clause of kind "
        "'distribution' and no 'change_notice' with 'unannounced'"
    )
    for more in ("after: [unannounced], every: 90d}", "after: [unannounced, model]}"):
        assert told(tmp_path, anew.replace("after: [distribution, unannounced]}", more), ("model",)) == []
    notice = "\n- {id: tell, kind: change_notice, unannounced: true, acknowledgers: [ada@example.org]}"
    assert told(tmp_path, anew + notice, ("model",)) == []
    heard = anew.replace("distribution, ", "") + notice.replace("unannounced: true, ", "")
    assert "no 'change_notice' with 'unannounced'" in told(tmp_path, heard, ("model",))[0]


@pytest.mark.parametrize(
    ("shares", "says"),
    [
        (
            "{north: [0, 1], North: [0, 1]}",
            "'north' and 'North' differ by blanks or capitals alone, and are two cohorts",
        ),
        ('{"s\u00fcd": [0, 1], "su\u0308d": [0, 1]}', "differ by another form of the same characters alone"),
        ('{"north ": [0.1, 1]}', "'north ' has blanks at its ends"),
    ],
)
def test_cohorts_that_differ_by_their_spelling_are_a_warning(tmp_path: Path, shares: str, says: str) -> None:
    lines = told(tmp_path, f"- {{id: who, kind: representation, of: inference, shares: {shares}}}", ("model",))
    assert any(line.startswith("1: warning: clause 'who' (representation): ") and says in line for line in lines)


FOLLOWS = "- {{id: learn, kind: follow_up, by: ada@example.org{}}}\n- {{id: valid, kind: range, min: 0, max: 1}}"


@pytest.mark.parametrize(
    ("says", "told_of"),
    [
        ("", []),
        (", clauses: [valid], kinds: [range]", []),
        (", clauses: [valed]", ["error: has no clause 'valed'", "warning: no clause that it follows up on"]),
        (", kinds: [freshness, range]", ["warning: has no clause of kind 'freshness'"]),
        (", kinds: [freshnes, range]", ["error: has no clause of kind 'freshnes'"]),
        (", clauses: [learn]", ["error: has no clause 'learn'", "warning: no clause that it follows up on"]),
    ],
)
def test_what_a_follow_up_names_is_in_its_contract(tmp_path: Path, says: str, told_of: list[str]) -> None:
    lines = told(tmp_path, FOLLOWS.format(says), ("model",))
    assert len(lines) == len(told_of)
    for line, expected in zip(lines, told_of, strict=True):
        level, _, words = expected.partition(": ")
        assert ("warning: " in line) is (level == "warning")
        assert words in line
