"""`seamwatch replay`: violations on standard output, everything else on standard error, exit codes."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console.app import build
from seamwatch.errors import DocumentError, UnreachableError, UsageError
from seamwatch.testing import event_id
from tests.clauses.history import PEOPLE, at, contract, decision

CLAUSES = "- {id: valid, kind: range, max: 1}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "contracts").mkdir()
    (tmp_path / "contracts" / "example.yaml").write_text(PEOPLE + contract("scorer", CLAUSES), "utf-8")
    return tmp_path / "contracts"


def run(*arguments: str, stdin: str = "") -> Result:
    result = CliRunner().invoke(build(), ["replay", *arguments], input=stdin)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result


def test_violations_go_to_standard_output_and_make_the_exit_code(folder: Path) -> None:
    events = [decision("1h", score=0.5), decision("2h", score=7.0, event_id=event_id("bad"))]
    result = run("--contracts", str(folder), "-", stdin="\n".join(json.dumps(e) for e in events))
    assert result.exit_code == 1
    (line,) = result.stdout.splitlines()
    violation = json.loads(line)
    assert (violation["opened_at"], violation["state"]) == ("2026-03-02T02:00:00.000000Z", "open")
    assert violation["evidence"] == [{"topic": None, "partition": None, "offset": None, "event_id": event_id("bad")}]
    assert "not signed" in result.stderr


def test_silence_is_exit_code_zero(folder: Path) -> None:
    result = run("--contracts", str(folder), "-", stdin=json.dumps(decision("1h", score=0.5)))
    assert (result.exit_code, result.stdout) == (0, "")


def test_lines_that_hold_no_event_are_named_and_the_others_judged(folder: Path, tmp_path: Path) -> None:
    history = tmp_path / "history.ndjson"
    history.write_text("\n".join(["{", json.dumps(decision("2h", score=7.0)), json.dumps({"type": "inferrence"})]))
    result = run("--contracts", str(folder), str(history))
    assert result.exit_code == 1
    assert len(result.stdout.splitlines()) == 1
    assert f"{history}:1: not JSON" in result.stderr
    assert f"{history}:3: 'inferrence' is no type of event: did you mean 'inference'?" in result.stderr


def test_the_same_history_in_any_order_gives_the_same_lines(folder: Path) -> None:
    lines = [json.dumps(decision(f"{n}m", score=1.5 if n % 3 else 0.5, subject=str(n))) for n in range(1, 40)]
    forwards = run("--contracts", str(folder), "-", stdin="\n".join(lines))
    backwards = run("--contracts", str(folder), "-", stdin="\n".join(reversed(lines)))
    assert forwards.stdout == backwards.stdout != ""


def test_now_advances_the_clock(folder: Path) -> None:
    events = json.dumps(decision("2h", score=7.0))
    later = run("--contracts", str(folder), "--now", "2026-03-04T00:00:00Z", "-", stdin=events)
    assert json.loads(later.stdout)["state"] == "resolved"
    assert json.loads(later.stdout)["resolved_at"] == "2026-03-03T02:00:00.000000Z"


def test_wrong_use_is_said_plainly(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="--now"):
        run("--contracts", str(folder), "--now", "yesterday", "-")
    with pytest.raises(UsageError, match="cannot be read"):
        run("--contracts", str(folder), str(tmp_path / "missing.ndjson"))
    (folder / "example.yaml").write_text("kind: Contract\nid: [", "utf-8")
    with pytest.raises(DocumentError, match=r"example.yaml:\d+"):
        run("--contracts", str(folder), "-")


HISTORY = [
    decision("1h", score=7.0, subject="a"),
    decision("1h30m", score=7.0, subject="b"),
    decision("3d", score=0.5),
    decision("16d", score=8.0),
    decision("16d5h", score=0.5),
]


def summary(folder: Path, *options: str) -> Result:
    return run("--contracts", str(folder), "-", "--summary", *options, stdin="\n".join(map(json.dumps, HISTORY)))


def test_a_summary_counts_episodes_by_clause_and_week_and_says_who_would_have_been_paged(folder: Path) -> None:
    result = summary(folder, "--json")
    assert result.exit_code == 1
    total = json.loads(result.stdout)
    assert (total["events"], total["episodes"], total["paged"]) == (5, 2, {"owner@example.org": 2})
    assert (total["from"], total["to"]) == ("2026-03-02T01:00:00.000000Z", "2026-03-18T05:00:00.000000Z")
    # The week in between had none, and is told all the same.
    assert total["by_week"] == {
        "2026-03-02": {"warnings": 0, "breaches": 1},
        "2026-03-09": {"warnings": 0, "breaches": 0},
        "2026-03-16": {"warnings": 0, "breaches": 1},
    }
    (clause,) = total["clauses"]
    assert (clause["contract"], clause["clause"], clause["kind"]) == ("example", "valid", "range")
    assert (clause["breaches"], clause["warnings"], clause["open"]) == (2, 0, 1)
    assert clause["per_week"] == pytest.approx(2 * 7 / (16 + 4 / 24))
    assert clause["by_week"] == {"2026-03-02": 1, "2026-03-16": 1}
    violations = run("--contracts", str(folder), "-", stdin="\n".join(map(json.dumps, HISTORY)))
    longest = json.loads(violations.stdout.splitlines()[0])
    assert clause["longest_violation_id"] == longest["violation_id"]
    assert clause["longest_seconds"] == seconds(longest["resolved_at"]) - seconds(longest["opened_at"])


def seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()


def test_a_summary_for_people_lists_quiet_clauses_as_well(folder: Path) -> None:
    quiet = contract("scorer", CLAUSES + "\n- {id: sure, kind: human_review, below: 0.1}")
    (folder / "example.yaml").write_text(PEOPLE + quiet, "utf-8")
    lines = summary(folder).stdout.splitlines()
    assert [line.split()[:5] for line in lines[1:3]] == [
        ["example@1", "valid", "range", "0", "2"],
        ["example@1", "sure", "human_review", "0", "0"],
    ]
    assert "5 events from 2026-03-02 01:00:00 UTC to 2026-03-18 05:00:00 UTC: 2 episodes" in lines
    assert lines[-1] == "owner@example.org would have been paged first about 2 of them"


def test_a_summary_of_nothing_is_exit_code_zero(folder: Path) -> None:
    result = run("--contracts", str(folder), "-", "--summary", "--json", stdin=json.dumps(decision("1h", score=0.5)))
    total = json.loads(result.stdout)
    assert (result.exit_code, total["episodes"], total["paged"], total["by_week"]) == (0, 0, {}, {})
    assert total["clauses"][0]["per_week"] is None  # an event at one moment is no span to count over


def test_since_and_until_hold_for_files_too(folder: Path) -> None:
    def opened(*options: str) -> list[str]:
        stdin = "\n".join(map(json.dumps, HISTORY))
        found = run("--contracts", str(folder), "-", *options, stdin=stdin).stdout.splitlines()
        return [json.loads(line)["opened_at"][:10] for line in found]

    assert opened() == ["2026-03-02", "2026-03-18"]
    assert opened("--since", "2026-03-10T00:00:00Z") == ["2026-03-18"]
    assert opened("--until", "2026-03-10T00:00:00Z") == ["2026-03-02"]
    # An episode that was not over by then is told, with the time at which it opened.
    assert opened("--since", "2026-03-02T01:10:00Z") == ["2026-03-02", "2026-03-18"]


KNOWN = """
- {id: told, kind: change_notice, acknowledgers: [owner@example.org], acknowledge_within: 48h, unannounced: true}
- {id: fresh, kind: freshness, max_lag: 9d}
- {id: right, kind: signal, signal: accuracy, min: 0.5, window: 1h, min_count: 1}
"""


def test_what_was_announced_delivered_or_decided_before_since_is_known(folder: Path) -> None:
    def event(record_type: str, offset: str, **fields: Any) -> dict[str, Any]:
        named = {"type": record_type, "event_id": event_id(f"{record_type}-{offset}")}
        return {**named, "event_time": at(offset), "system": "scorer", **fields}

    change = {"kind": "model", "effective_at": at("1h"), "announced_by": "owner@example.org"}
    answer = {"of": "change", "person": "owner@example.org", "answer": "accept"}
    events = [
        event("config_change", "1h", change_id="answered", to_value="v1", **change),
        event("acknowledgement", "2h", reference="answered", **answer),
        event("config_change", "3h", change_id="ignored", to_value="v2", **change),
        event("dataset_refresh", "1d", data_as_of=at("1d"), row_count=1),
        decision("1d1h", event_id=event_id("decided"), score=0.9),
        event("outcome", "9d12h", inference_id=event_id("decided"), observed_at=at("9d12h"), label=0.0),
        decision("9d13h", version="v2"),
        decision("11d", version="v3"),
    ]
    (folder / "example.yaml").write_text(PEOPLE + contract("scorer", KNOWN), "utf-8")
    stdin = "\n".join(map(json.dumps, events))

    def opened(*options: str) -> list[tuple[str, str]]:
        found = run("--contracts", str(folder), "-", *options, stdin=stdin)
        return [(v["clause"], v["opened_at"][:13]) for v in map(json.loads, found.stdout.splitlines())]

    everything = [
        ("told", "2026-03-04T03"), ("right", "2026-03-11T13"), ("fresh", "2026-03-12T00"), ("told", "2026-03-13T00")
    ]  # fmt: skip
    assert opened() == everything
    # The change that nobody answered is still open; those that were announced or answered do not come up again.
    assert opened("--since", "2026-03-11T00:00:00Z") == everything


LONG = """
- {id: shape, kind: distribution, reference: {period: {from: 2026-03-02, to: 2026-03-03}}}
- {id: own, kind: distribution, reference: {first: 14d}}
- {id: meant, kind: calibration, max_error: 0.1}
- {id: still, kind: signal, signal: drift, max: 0.2}
- {id: fast, kind: signal, signal: latency, max: 200}
"""


def test_what_counts_from_before_since_is_named(folder: Path) -> None:
    approval = "{id: a, use_case: credit, approved_by: owner@example.org, approved_at: 2026-03-09}"
    versions = f"approvers: [owner@example.org]\nversions: [{{version: v1, approvals: [{approval}]}}]"
    system = f"kind: System\nid: scorer\ntype: model\nowner: owner@example.org\n{versions}\n---\n"
    (folder / "example.yaml").write_text(PEOPLE + system + contract("scorer", LONG), "utf-8")

    def named(*options: str) -> list[str]:
        said = run("--contracts", str(folder), "-", *options, stdin=json.dumps(decision("30d"))).stderr
        lines = [line for line in said.splitlines() if "count from before --since" in line]
        return [name for line in lines for name in line.rsplit(": ", 1)[1].split(", ")]

    assert named() == []
    assert named("--since", "2026-03-20T00:00:00Z") == [
        "example#shape",
        "example#own",
        "example#meant",
        "example#still",
    ]
    # A day before that lies the approval, and the reference's beginning.
    assert named("--since", "2026-03-10T00:00:00Z") == ["example#shape", "example#own", "example#still"]
    assert named("--since", "2026-03-03T00:00:00Z") == ["example#own", "example#still"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("-", "--from-store"), "not both"),
        ((), "no history to judge"),
        (("--from-store", "--type", "inference"), "--type is for Avro and Parquet files"),
        (("-", "--data", "somewhere"), "add --from-store"),
        (("-", "--json"), "--json is the form of --summary"),
        (("-", "--since", "last week"), "--since last week: write a duration such as 24h"),
        (("-", "--since", "2026-03-02T00:00:00Z", "--until", "2026-03-02T00:00:00Z"), "nothing lies between them"),
    ],
)
def test_what_does_not_go_together_is_refused_before_anything_is_read(
    folder: Path, arguments: tuple[str, ...], said: str
) -> None:
    with pytest.raises(UsageError, match=said):
        run("--contracts", str(folder), *arguments)


def test_a_store_that_cannot_be_reached_is_said(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CLICKHOUSE_URL", "http://nobody:x@127.0.0.1:9/seamwatch")
    with pytest.raises(UnreachableError, match=r"127\.0\.0\.1:9"):
        run("--contracts", str(folder), "--from-store")


def test_what_could_not_be_told_is_said_on_standard_error(tmp_path: Path) -> None:
    (tmp_path / "contracts").mkdir()
    clauses = "- {id: valid, kind: range, max: 1, where: cohort <> 'internal-test'}"
    (tmp_path / "contracts" / "example.yaml").write_text(PEOPLE + contract("scorer", clauses), "utf-8")
    events = [decision(f"{n}m", score=40.0) for n in (1, 2, 3)] + [decision("4m", score=0.4, cohort="retail")]
    given = "\n".join(json.dumps(event) for event in events)
    result = run("--contracts", str(tmp_path / "contracts"), "-", stdin=given)
    assert (result.exit_code, result.stdout) == (0, "")
    assert "note: 3 events of scorer lack what is asked for: valid of example\n" in result.stderr
    summed = run("--contracts", str(tmp_path / "contracts"), "--summary", "--json", "-", stdin=given)
    assert json.loads(summed.stdout)["unknown"] == [
        {"contract": "example", "clause": "valid", "system": "scorer", "why": "absent", "events": 3}
    ]
