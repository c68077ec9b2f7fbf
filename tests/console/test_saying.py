"""`attest`, `announce`, `cosign`, `suspend`, `resume`, on a broker: what counts is sent, what would not is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from console.app import build
from seamwatch.clauses.threshold import Threshold
from seamwatch.documents import Estate
from seamwatch.durations import HOUR
from seamwatch.engine.seams import Seams
from seamwatch.errors import SeamwatchError, UsageError
from seamwatch.judging.patterns.suspensions import why_void
from seamwatch.wire.text import record_of

HEAD = "apiVersion: seamwatch/v1\nkind: "
CONTRACT = """apiVersion: seamwatch/v1
kind: Contract
id: {0}
version: "1"
seam: {1}
covers: {2}
parties:
  provider: {{team: models, signatory: lead@example.org}}
  consumer: {{team: product, signatory: product@example.org}}
clauses:{3}"""
AGREED = (
    ("both", "model-to-product", "[scorer, ranker]", "\n  - {id: looked-at, kind: review, every: 30d}\n"),
    (
        "limits",
        "model-to-product",
        "[scorer]",
        """
  - {id: yearly, kind: review, every: 365d, by: steward@example.org}
  - {id: auc, kind: benchmark, metric: auc, min: 0.8, every: 30d}
  - {id: line, kind: threshold, decision: approve, when: score >= 0.6, co_signers: [product@example.org]}
  - id: told
    kind: change_notice
    kinds: [model, threshold]
    acknowledgers: [product@example.org]
    acknowledge_within: 24h
    notice_before: 48h
""",
    ),
    (
        "shift",
        "model-to-product",
        "[ranker]",
        """
  - {id: scores, kind: distribution, reference: {first: 1d}, reviewer: steward@example.org, review_within: 8h}
""",
    ),
    (
        "feed",
        "data-to-model",
        "[claims]",
        "\n  - {id: sources, kind: lineage, attested: true, by: steward@example.org}\n",
    ),
)


def run(*arguments: str) -> Result:
    return CliRunner().invoke(build(), list(arguments))


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output + repr(result.exception)
    return result.stdout


def refused(result: Result, error: type[SeamwatchError] = SeamwatchError) -> str:
    assert isinstance(result.exception, error), result.output + repr(result.exception)
    return str(result.exception)


@pytest.fixture
def estate(kafka: str, topics: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A published estate of two models, a dataset, and four persons, of whom two have keys that lie beside it."""
    monkeypatch.setenv("KAFKA_BOOTSTRAP_SERVERS", kafka)
    monkeypatch.setenv("SEAMWATCH_PREFIX", topics)
    folder = tmp_path / "contracts"
    folder.mkdir()
    people = []
    for name, has_key in (("lead", True), ("product", True), ("steward", False), ("colleague", False)):
        entry = ""
        if has_key:
            made = said(run("keys", "new", "--id", f"{name}-1", "--out", str(tmp_path / name)))
            entry = f"\nkeys:\n  - {made.split('- ')[-1].strip()}"
        people.append(f"{HEAD}Person\nid: {name}@example.org\nname: Example {name}{entry}\n")
    systems = [
        f"{HEAD}System\nid: {name}\ntype: {kind}\nowner: lead@example.org\n"
        for name, kind in (("scorer", "model"), ("ranker", "model"), ("claims", "dataset"))
    ]
    contracts = [CONTRACT.format(*parts) for parts in AGREED]
    (folder / "all.yaml").write_text("---\n".join([*people, *systems, *contracts]))
    said(run("topics", "create", "--partitions", "2"))
    said(run("contracts", "publish", str(folder)))
    return tmp_path


def events(record_type: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in said(run("cat", record_type)).splitlines()]


def test_what_is_attested_counts_for_the_clause_that_asks(estate: Path) -> None:
    line = said(
        run("attest", "review", "limits#yearly", "--as", "steward@example.org", "--evidence", "https://example.org/r")
    )
    assert "attested review of scorer: it counts for limits#yearly; the next is due by " in line
    lead = ("--as", "lead@example.org", "--key", str(estate / "lead"))
    assert "counts for limits#auc" in said(run("attest", "benchmark", "limits#auc", "--value", "0.84", *lead))
    assert "counts for both#looked-at" in said(run("attest", "review", "both#looked-at", "--system", "ranker", *lead))
    shift = ("attest", "review", "shift#scores", "--as")
    assert "counts for shift#scores" in said(run(*shift, "steward@example.org"))
    refusal = refused(run(*shift, *lead[1:]))
    assert "it is for steward@example.org to attest, not for lead@example.org" in refusal
    assert "attested by `seamwatch drill`" in refused(run("attest", "drill", "--system", "ranker", *lead), UsageError)
    refresh = ("--data-as-of", "2026-01-02T00:00:00Z", "--rows", "12", "--source", "core", "--source", "partner")
    said(run("attest", "lineage", "feed#sources", *refresh, "--as", "steward@example.org"))

    seams = Seams(Estate.load(estate / "contracts"))
    for event in events("attestation"):
        record = record_of(event)[1]
        contract, _, clause = record["subject"].partition("#")
        bound = seams.bound(contract, "1", clause, record["system"])
        assert bound is not None
        assert bound.clause.why_void(bound.seam, record) is None
    (published,) = events("dataset_refresh")
    assert (published["attested_by"], published["sources"], published["row_count"]) == (
        "steward@example.org", ["core", "partner"], 12,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (
            ("review", "limits#yearly", "--as", "colleague@example.org"),
            "for steward@example.org to attest, not for coll",
        ),
        (("review", "limits#yearly", "--as", "lead@example.org"), "has published keys"),
        (("review", "limits#yearly", "--as", "stewart@example.org"), "did you mean 'steward@example.org'?"),
        (("review", "limits#yearl", "--as", "steward@example.org"), "did you mean 'limits#yearly'?"),
        (("review", "limit#yearly", "--as", "steward@example.org"), "did you mean 'limits'?"),
        (("review", "both#looked-at", "--as", "steward@example.org"), "name the one you mean with --system"),
        (("review", "--system", "scorrer", "--as", "steward@example.org"), "did you mean 'scorer'?"),
        (("reviews", "limits#yearly", "--as", "steward@example.org"), "did you mean 'review'?"),
        (("benchmark", "limits#auc", "--as", "steward@example.org"), "a benchmark has a --value"),
        (("lineage", "feed#sources", "--as", "steward@example.org", "--source", "core"), "needs --data-as-of"),
    ],
)
def test_what_would_not_count_is_refused_and_not_sent(estate: Path, arguments: tuple[str, ...], why: str) -> None:
    assert why in refused(run("attest", *arguments))
    assert events("attestation") == []


def test_a_change_that_others_must_sign_is_drafted_signed_by_each_and_announced(estate: Path) -> None:
    change = (
        "threshold",
        "--system",
        "scorer",
        "--from",
        "0.6",
        "--to",
        "0.55",
        "--summary",
        "the line moves – 5 points",
    )
    lead = ("--as", "lead@example.org")
    told = refused(run("announce", *change, *lead))
    assert "asks for the signature of product@example.org; write it with --draft FILE" in told
    assert events("config_change") == []

    draft = estate / "change.json"
    said(
        run("announce", *change, *lead, "--id", "CHG-7", "--effective", "2099-01-02T00:00:00.5Z", "--draft", str(draft))
    )
    assert "never written over" in refused(run("announce", *change, *lead, "--draft", str(draft)), UsageError)
    assert "asks for the signature" in refused(run("announce", "--file", str(draft), *lead))
    key = str(estate / "product")
    nobody = run("cosign", str(draft), "--as", "produkt@example.org", "--key", key)
    assert "did you mean 'product@example.org'?" in refused(nobody, UsageError)
    assert "is signed by product@example.org" in said(
        run("cosign", str(draft), "--as", "product@example.org", "--key", key)
    )
    assert "it is lead@example.org who announces" in refused(
        run("announce", "--file", str(draft), "--as", "product@example.org"), UsageError
    )
    lines = said(run("announce", "--file", str(draft), *lead, "--key", str(estate / "lead"))).splitlines()
    assert lines[0] == "lead@example.org announced threshold change CHG-7 of scorer"
    assert "product@example.org has until" in lines[1]
    assert "seamwatch ack CHG-7 --as product@example.org" in lines[1]

    (event,) = events("config_change")
    assert {signature["person"] for signature in event["signatures"]} == {"lead@example.org", "product@example.org"}
    bound = Seams(Estate.load(estate / "contracts")).bound("limits", "1", "line", "scorer")
    assert bound is not None
    assert isinstance(bound.clause, Threshold)
    assert bound.clause.unsigned_by(bound.seam, record_of(event)[1]) == []


def test_a_draft_that_was_edited_after_it_was_signed_is_not_announced(estate: Path) -> None:
    draft = estate / "change.json"
    lead = ("--as", "lead@example.org")
    said(run("announce", "threshold", "--system", "scorer", "--to", "0.55", *lead, "--draft", str(draft)))
    said(run("cosign", str(draft), "--as", "product@example.org", "--key", str(estate / "product")))
    draft.write_text(draft.read_text().replace('"0.55"', '"0.35"'))
    assert "asks for the signature of product@example.org" in refused(run("announce", "--file", str(draft), *lead))
    said(run("announce", "--file", str(draft), *lead, "--unsigned"))
    assert [event["to_value"] for event in events("config_change")] == ["0.35"]
    draft.write_text(draft.read_text().replace('"withdrawn": false', '"withdrawn": true'))
    assert "`seamwatch withdraw` does that" in refused(run("announce", "--file", str(draft), *lead), UsageError)


def test_a_change_that_nobody_must_sign_says_what_is_short_of_what_was_agreed(estate: Path) -> None:
    lines = said(run("announce", "model", "--system", "scorer", "--to", "v2", "--as", "lead@example.org"))
    assert "short notice: it takes effect at once, and limits agreed 48 h ahead" in lines
    other = said(run("announce", "model", "--system", "ranker", "--to", "v2", "--as", "lead@example.org"))
    assert "no contract in force asks anybody to answer it" in other
    unknown = run("announce", "model", "--system", "scorrer", "--to", "v2", "--as", "lead@example.org")
    assert "did you mean 'scorer'?" in refused(unknown, UsageError)
    nobody = run("announce", "model", "--system", "scorer", "--to", "v2", "--as", "leed@example.org")
    assert "did you mean 'lead@example.org'?" in refused(nobody, UsageError)
    nobody = run("contracts", "publish", str(estate / "contracts"), "--withdraw", "--as", "leed@example.org")
    assert "did you mean 'lead@example.org'?" in refused(nobody, UsageError)
    assert "did you mean 'model'?" in refused(
        run("announce", "modle", "--system", "ranker", "--to", "v2", "--as", "lead@example.org"), UsageError
    )


def test_what_is_suspended_and_resumed_is_signed_and_sent(estate: Path) -> None:
    lead = ("--as", "lead@example.org", "--key", str(estate / "lead"), "--wait", "0s")
    line = said(run("suspend", "scorer", "--tool", "refund", "--reason", "twice", "--until", "2h", *lead))
    assert line == (
        "lead@example.org suspends tool refund of scorer: twice (sent; nobody was asked whether it counts)\n"
    )
    said(run("resume", "scorer", "--tool", "refund", "--evidence", "https://example.org/81", *lead))
    suspended, resumed = (record_of(event)[1] for event in events("suspension"))
    seams = Seams(Estate.load(estate / "contracts"))
    (bound,) = seams.wanting("suspension", "scorer", suspended["event_time"])
    assert [why_void(bound.seam, record, None) for record in (suspended, resumed)] == [None, None]
    assert (suspended["tool"], suspended["until"]) == ("refund", suspended["event_time"] + 2 * HOUR)
    assert (resumed["state"], resumed["evidence_uri"]) == ("resumed", "https://example.org/81")
    assert resumed["reason"] == "on the evidence of https://example.org/81"


def test_a_version_that_no_document_declares_is_suspended_with_a_word_about_it(estate: Path) -> None:
    lead = ("--as", "lead@example.org", "--key", str(estate / "lead"), "--wait", "0s")
    result = run("suspend", "scorer", "--version", "9", "--reason", "x", *lead)
    assert "no document declares version '9' of scorer" in result.stderr
    assert [event["version"] for event in events("suspension")] == ["9"]


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("suspend", "scorer", "--reason", "x", "--as", "steward@example.org"), "for lead@example.org to suspend"),
        (("suspend", "scorer", "--reason", "x", "--as", "lead@example.org"), "has published keys"),
        (("suspend", "scorer", "--reason", "x", "--as", "leed@example.org"), "did you mean 'lead@example.org'?"),
        (("suspend", "scorrer", "--reason", "x", "--as", "lead@example.org"), "did you mean 'scorer'?"),
        (
            ("suspend", "scorer", "--reason", "x", "--as", "lead@example.org", "--until", "2020-01-01T00:00:00Z"),
            "is over",
        ),
        (("suspend", "scorer", "--reason", "x", "--as", "lead@example.org", "--until", "soon"), "write a duration"),
        (("suspend", "scorer", "--reason", "", "--as", "lead@example.org"), "say why"),
        (
            ("suspend", "scorer", "--reason", "x", "--as", "lead@example.org", "--version", "1", "--tool", "a"),
            "name one of them",
        ),
        (("resume", "scorer", "--as", "lead@example.org"), "say on which evidence"),
        (("resume", "scorer", "--note", "x", "--as", "steward@example.org"), "for lead@example.org to resume"),
    ],
)
def test_a_suspension_that_would_not_count_is_not_sent(estate: Path, arguments: tuple[str, ...], why: str) -> None:
    assert why in refused(run(*arguments, "--wait", "0s"))
    assert events("suspension") == []


def test_a_drill_and_a_silence_of_what_nobody_knows_are_refused_by_name(estate: Path) -> None:
    lead = ("--as", "lead@example.org")
    for verb, clause, rest in (
        ("drill", "limits#drill", ()), ("silence", "limits#line", ("--until", "1h", "--reason", "moved")),
    ):  # fmt: skip
        assert "did you mean 'scorer'?" in refused(run(verb, "scorrer", *lead, *rest), SeamwatchError)
        nobody = run(verb, "scorer", "--as", "leed@example.org", "--clause", clause, *rest)
        assert "leed@example.org" in refused(nobody, SeamwatchError)
        assert "nope-x" in refused(run(verb, "scorer", *lead, "--clause", "limits#nope-x", *rest), SeamwatchError)
    several = refused(run("drill", "scorer", *lead), UsageError)
    assert several.endswith("--clause, one of both#drill, limits#drill"), "what holds for every system has no list"
