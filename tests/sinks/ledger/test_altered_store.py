"""Whatever a writer does to tables, views and the list of migrations is named, and all else is still verified."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from console.app import main
from sinks.ledger.verify.findings import Finding
from sinks.store.client import Store
from sinks.store.definitions import differences, read_definitions
from sinks.store.shipped import read_by, shipped_views
from tests.sinks.ledger.copies import KEY, Copy, Original, original

Named = tuple[str, str | None, str | None]
# What is done to a store, and what of its tables and views must be named.
ALTERED: Final[dict[str, tuple[tuple[str, ...], set[Named]]]] = {
    "columns": (
        (
            "ALTER TABLE tool_call RENAME COLUMN outcome TO result",
            "ALTER TABLE outcome DROP COLUMN cohort",
            "ALTER TABLE violation MODIFY COLUMN observed Nullable(String)",
            "ALTER TABLE acknowledgement ADD COLUMN extra String DEFAULT 'x'",
            "ALTER TABLE config_change MODIFY COLUMN summary String MATERIALIZED 'all is well'",
            "ALTER TABLE notice MODIFY COLUMN summary ALIAS person",
            "ALTER TABLE page MODIFY COLUMN person String DEFAULT 'eve'",
            "ALTER TABLE attestation MODIFY COLUMN value Nullable(Float64) TTL toDate(event_time) + 9000",
            "ALTER TABLE dead_letter DROP COLUMN reason",
            "ALTER TABLE document MODIFY COLUMN digest CODEC(LZ4)",
        ),
        {
            ("definition", "tool_call", "outcome"),
            ("definition", "tool_call", "result"),
            ("definition", "outcome", "cohort"),
            # What asks for all columns of a table shows another one in another type, too.
            ("definition", "calls", "outcome"),
            ("definition", "calls", "result"),
            ("definition", "outcomes", "cohort"),
            ("definition", "answers", "extra"),
            ("definition", "changes", "summary"),
            ("definition", "violation", "observed"),
            ("definition", "violations", "observed"),
            ("definition", "acknowledgement", "extra"),
            ("definition", "config_change", "summary"),
            ("definition", "notice", "summary"),
            ("definition", "page", "person"),
            ("definition", "attestation", "value"),
            ("definition", "dead_letter", "reason"),
            ("definition", "document", "digest"),
        },
    ),
    "places": (
        (
            "ALTER TABLE page MODIFY COLUMN offset String",
            "ALTER TABLE outcome RENAME COLUMN offset TO place",
            "ALTER TABLE notice DROP COLUMN raw",
            "ALTER TABLE attestation MODIFY COLUMN headers String",
            "ALTER TABLE acknowledgement MODIFY COLUMN partition Nullable(Int64)",
            "ALTER TABLE acknowledgement UPDATE partition = NULL WHERE offset = 1",
        ),
        {
            ("definition", "page", "offset"),
            ("definition", "outcome", "offset"),
            ("definition", "outcome", "place"),
            ("definition", "outcome", "INDEX by_offset"),
            ("definition", "notice", "raw"),
            ("definition", "attestation", "headers"),
            ("definition", "acknowledgement", "partition"),
            ("definition", "answers", "partition"),
        },
    ),
    "tables": (
        (
            "DROP TABLE attestation",
            "RENAME TABLE dataset_refresh TO dataset_refresh_2",
            "DROP TABLE outcome",
            "CREATE TABLE outcome (x Int32, raw Map(String, Int32), offset JSON) ENGINE = Memory",
            "DROP TABLE page",
            "CREATE VIEW page AS SELECT 't.page' AS topic, toInt32(throwIf(number > 1)) AS partition FROM numbers(9)",
            "RENAME TABLE notice TO notice_2",
            "CREATE VIEW notice AS SELECT * FROM notice_2 WHERE offset != 3",
            "DROP TABLE acknowledgement",
            "CREATE TABLE acknowledgement AS violation ENGINE = Null",
        ),
        {
            ("definition", "attestation", None),
            ("definition", "dataset_refresh", None),
            ("definition", "outcome", None),
            ("definition", "page", None),
            ("definition", "notice", None),
            ("definition", "acknowledgement", None),
        },
    ),
    "what the ledger keeps": (
        (
            "ALTER TABLE ledger_commit DROP COLUMN frontier",
            "ALTER TABLE ledger_commit MODIFY COLUMN size String",
            "ALTER TABLE ledger_commit MODIFY COLUMN recorder DEFAULT 'x'",
            "DROP TABLE ledger_intent",
            "DROP TABLE ledger_tile",
            "DROP TABLE retention",
            "ALTER TABLE ledger_dropped DROP COLUMN indexes",
            "ALTER TABLE hold MODIFY SETTING non_replicated_deduplication_window = 1",
        ),
        {
            ("definition", "ledger_commit", "frontier"),
            ("definition", "ledger_commit", "size"),
            ("definition", "ledger_commit", "recorder"),
            ("definition", "ledger_intent", None),
            ("definition", "ledger_tile", None),
            ("definition", "retention", None),
            ("definition", "ledger_dropped", "indexes"),
            ("definition", "hold", "non_replicated_deduplication_window"),
        },
    ),
    "no heads": (("ALTER TABLE checkpoint DROP COLUMN note",), {("definition", "checkpoint", "note")}),
    "no commits": (("DROP TABLE ledger_commit",), {("definition", "ledger_commit", None)}),
    "indexes, projections, clauses": (
        (
            "ALTER TABLE inference DROP INDEX by_trace",
            "ALTER TABLE inference DROP PROJECTION seen",
            "ALTER TABLE inference ADD PROJECTION more (SELECT system, count() GROUP BY system)",
            "ALTER TABLE tool_call DROP PROJECTION seen",
            "ALTER TABLE tool_call ADD PROJECTION seen (SELECT system, version, count() GROUP BY system, version)",
            "ALTER TABLE violation MODIFY TTL toDateTime(opened_at) + INTERVAL 9 YEAR",
            "ALTER TABLE outcome ADD CONSTRAINT sane CHECK label < 2",
            "ALTER TABLE page MODIFY SETTING non_replicated_deduplication_window = 7",
            "ALTER TABLE page MODIFY SETTING merge_with_ttl_timeout = 60",
        ),
        {
            ("definition", "inference", "INDEX by_trace"),
            ("definition", "inference", "PROJECTION seen"),
            ("definition", "inference", "PROJECTION more"),
            ("definition", "tool_call", "PROJECTION seen"),
            ("definition", "violation", "TTL"),
            ("definition", "outcome", "CONSTRAINT sane"),
            ("definition", "page", "non_replicated_deduplication_window"),
        },
    ),
    "views": (
        (
            "CREATE OR REPLACE VIEW violations AS SELECT * FROM violation WHERE system != 'triage-model'",
            "DROP VIEW owners",
            "DROP VIEW trail",
            "CREATE TABLE trail (event_id String) ENGINE = MergeTree ORDER BY event_id",
        ),
        {("definition", "violations", None), ("definition", "owners", None), ("definition", "trail", None)},
    ),
    "migrations": (
        (
            "ALTER TABLE migration UPDATE digest = 'x' WHERE number = 2",
            "ALTER TABLE migration DELETE WHERE number = 5",
            "INSERT INTO migration (number, name, digest) VALUES (999, 'later', 'y')",
            "ALTER TABLE shipped_view UPDATE digest = 'x' WHERE name = 'owners'",
            "ALTER TABLE shipped_view DELETE WHERE name = 'why'",
            "INSERT INTO shipped_view (name, digest, version) VALUES ('later', 'y', '0.0.1')",
        ),
        {("migration", "migration", None), ("migration", "shipped_view", None)},
    ),
    "no migrations": (("DROP TABLE migration",), {("definition", "migration", None), ("migration", "migration", None)}),
}  # fmt: skip


@pytest.fixture(scope="module")
def made(clickhouse: str, auditor_url: str) -> Iterator[Original]:
    with original(clickhouse, auditor_url) as made:
        yield made


@pytest.fixture
def copy(made: Original) -> Iterator[Copy]:
    with made.copy() as copy:
        yield copy


def test_an_untouched_store_of_every_topic_is_as_signed_and_as_migrated(copy: Copy, made: Original) -> None:
    report = copy.verified()
    assert report.findings == []
    every = sum(size for _, size in made.book.at.values())
    assert (report.rows + report.dropped, report.partitions) == (every, len(made.book.at))
    assert report.dropped > 20


@pytest.mark.parametrize("what", ALTERED)
def test_what_was_altered_is_named_and_all_else_is_still_verified(copy: Copy, what: str) -> None:
    statements, named = ALTERED[what]
    copy.run("ALTER TABLE violation UPDATE summary = 'all is well' WHERE topic = 't.violations.range'")
    before = {("t.violations.range", 0), ("t.violations.range", 1), ("t.violations.range", 2)}
    copy.run(*statements)
    findings = copy.verified().findings
    assert {(each.what, each.table, each.column) for each in findings if each.topic is None} == named
    # Without commits no row belongs anywhere; but for that, what could be read before is read as before.
    altered = {table for _, table, _ in named}
    places = {place(each) for each in findings if each.topic is not None}
    if what not in ("no commits", "no heads"):
        assert before <= places
        # Of the rows that retention dropped only the ledger's own tables speak.
        dropped = {"inference", "violations"} if "retention" in altered else set()
        assert {topic.split(".")[1] for topic, _ in places - before} <= altered | dropped


def test_each_step_of_the_migrations_that_is_not_as_it_was_taken_is_named(copy: Copy) -> None:
    copy.run(*ALTERED["migrations"][0])
    said = [str(each).split()[:3] for each in copy.verified().findings]
    assert said == [
        ["migration:", "step", "0002_views"],
        ["migration:", "step", "999"],
        ["migration:", "step", "0005_ledger"],
        ["shipped_view:", "view", "later"],
        ["shipped_view:", "view", "owners"],
        ["shipped_view:", "view", "why"],
    ]


def test_every_view_is_held_to_its_query_and_to_what_that_answers(copy: Copy) -> None:
    """A list of columns before the same query makes another view, as any other word does.

    Views are altered together of which none reads another: what reads an altered one may not be asked any more.
    """
    views = {view.name: (number, view) for number, view in enumerate(shipped_views())}
    depths: dict[str, int] = {}
    for name, (_, view) in views.items():
        depths[name] = 1 + max((depths[each] for each in read_by(view.query) & views.keys()), default=0)
    assert len(views) > 10
    with Store(copy.writer) as store, Store(copy.auditor) as reader:
        for depth in sorted(set(depths.values())):
            together = [views[name] for name in views if depths[name] == depth]
            expected = set()
            for number, view in together:
                columns = store.rows(f"DESCRIBE TABLE {view.name}")
                shown = [
                    f"`{each['name']}` {each['type'] if at else 'FixedString(300)'}" for at, each in enumerate(columns)
                ]
                made, part = (
                    (f"AS SELECT * FROM ({view.query}) WHERE 1", None),
                    (f"({', '.join(shown)}) AS {view.query}", columns[0]["name"]),
                    (f"({', '.join(shown[1:])}) AS {view.query}", columns[0]["name"]),
                )[number % (3 if len(columns) > 1 else 2)]
                store.command(f"CREATE OR REPLACE VIEW {view.name} {made}")
                expected.add((view.name, part))
            named = {(each.table, each.part) for each in differences(reader, read_definitions(reader))}
            assert expected <= named
            for _, view in together:
                store.command(view.statement)
        assert [*differences(reader, read_definitions(reader))] == []


def test_what_else_is_in_the_database_is_nobodys_affair(copy: Copy) -> None:
    copy.run(
        "CREATE TABLE inference_copy AS inference",
        "INSERT INTO inference_copy SELECT * FROM inference",
        "CREATE VIEW of_mine AS SELECT 1",
        "ALTER TABLE inference COMMENT COLUMN system 'which model'",
    )
    assert copy.verified().findings == []


def test_the_commands_say_it_too_and_go_on(
    copy: Copy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ledger.pub").write_text(f"{KEY.verifier}\n")
    for variable, value in {
        "CLICKHOUSE_URL": copy.auditor,
        "SEAMWATCH_PREFIX": "t",
        "SEAMWATCH_DATA": str(tmp_path),
    }.items():
        monkeypatch.setenv(variable, value)

    def run(*arguments: str) -> tuple[int, list[str]]:
        with pytest.raises(SystemExit) as end:
            main(arguments)
        return int(end.value.code or 0), capsys.readouterr().out.splitlines()

    verify = ("verify", "--key", str(tmp_path / "ledger.pub"))
    code, lines = run(*verify)
    assert (code, lines[-1].split(": ")[-1]) == (0, "all as signed")
    copy.run(
        "CREATE OR REPLACE VIEW violations AS SELECT * FROM violation WHERE system != 'triage-model'",
        "ALTER TABLE tool_call RENAME COLUMN outcome TO result",
        "ALTER TABLE migration UPDATE digest = 'x' WHERE number = 1",
        "ALTER TABLE page UPDATE person = 'eve' WHERE topic = 't.page' AND partition = 2",
    )
    code, lines = run(*verify)
    assert code == 1
    # The view of all calls shows the column as well.
    named = {"migration", "tool_call, outcome", "tool_call, result", "violations", "calls, outcome", "calls, result"}
    assert {line.split(": ")[0] for line in lines[:6]} == named
    assert lines[6].startswith("t.page[2] offset ")
    assert lines[-1].endswith("7 found wrong")
    code, lines = run(*verify, "--json")
    said = json.loads(lines[-1])["findings"]
    assert sorted(each["what"] for each in said) == ["column", *["definition"] * 5, "migration"]
    assert [each["topic"] for each in said] == [None] * 6 + ["t.page"]
    doctor = next(line for line in run("doctor")[1] if "tables and views" in line)
    assert doctor.startswith("problem")
    assert "tool_call, outcome:" in doctor  # and the rest on the lines below, at this width


def place(finding: Finding) -> tuple[str, int]:
    assert finding.topic is not None
    assert finding.partition is not None
    return finding.topic, finding.partition
