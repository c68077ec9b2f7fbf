"""What ODCS documents promise in the ways people write it: what is plain is a clause, what is not is told with why."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner

from console.app import build
from seamwatch.documents import load_folder
from seamwatch.documents.reading import read_file
from seamwatch.documents.writing import yaml_text
from seamwatch.errors import DocumentError
from seamwatch.odcs import Imported, exported, imported
from seamwatch.odcs.importing import kept_document, without_label

FEED: dict[str, Any] = {
    "apiVersion": "v3.1.0", "kind": "DataContract", "id": "meter-readings", "version": "4.2.0", "status": "active",
    "schema": [{"name": "readings", "physicalType": "table", "properties": [{"name": "meter"}, {"name": "taken_at"}]}],
    "team": {"name": "metering", "members": [{"username": "mara@example.org", "role": "owner"}]},
}  # fmt: skip


def promising(*items: dict[str, Any], **more: Any) -> Imported:
    return imported({**copy.deepcopy(FEED), "slaProperties": list(items), **more})


def clauses(done: Imported) -> list[dict[str, Any]]:
    return [] if done.contract is None else done.contract["clauses"]


@pytest.mark.parametrize(
    ("item", "lag"),
    [
        ({"property": "latency", "value": 24, "unit": "h"}, "1d"),
        ({"property": "latency", "value": "24", "unit": "h"}, "1d"),
        ({"property": "latency", "value": " 1.5 ", "unit": "Hours"}, "90m"),
        ({"property": "Latency", "value": 24.0, "unit": "hr"}, "1d"),
        ({"property": "ly", "value": 2, "unit": "WEEKS"}, "14d"),
        ({"property": "FRESHNESS", "value": 90, "unit": "min"}, "90m"),
        ({"property": "latency", "value": 30, "unit": "seconds"}, "30s"),
        ({"property": "freshness", "value": 500, "unit": "ms"}, "500ms"),
        ({"property": "freshness", "value": 2, "unit": "s", "description": "of what the pipeline loads"}, "2s"),
        ({"property": "latency", "value": 4, "unit": "d", "element": "readings.taken_at"}, "4d"),
        ({"property": "latency", "value": 4, "unit": "d", "description": "Readings of the day before"}, "4d"),
    ],
)
def test_a_plain_limit_of_age_is_a_freshness(item: dict[str, Any], lag: str) -> None:
    done = promising(item)
    assert clauses(done) == [{"id": "freshness", "kind": "freshness", "max_lag": lag}]
    assert done.kept == ()


@pytest.mark.parametrize(
    ("item", "why"),
    [
        ({"property": "latency", "value": 500, "unit": "ms"}, "how long something takes to answer"),
        ({"property": "latency", "value": 0.5, "unit": "s"}, "how long something takes to answer"),
        ({"property": "ly", "value": "2", "unit": "sec"}, "how long something takes to answer"),
        ({"property": "latency", "value": 30, "unit": "s", "description": "p95 of the API"}, "told of 'api'"),
        ({"property": "latency", "value": 2, "unit": "h", "element": "nightly pipeline"}, "told of 'pipeline'"),
        ({"property": "latency", "value": "24h"}, "its value '24h' is no number"),
        ({"property": "latency", "value": "24h", "unit": "h"}, "its value '24h' is no number"),
        ({"property": "latency", "value": "PT24H"}, "is no number"),
        ({"property": "latency", "value": "< 24", "unit": "h"}, "is no number"),
        ({"property": "latency", "value": True, "unit": "h"}, "is no number"),
        ({"property": "latency", "value": 24}, "it has no unit"),
        ({"property": "latency", "value": 90, "unit": "m"}, "may be minutes or months"),
        ({"property": "latency", "value": 1, "unit": "month"}, "none from milliseconds to weeks"),
        ({"property": "latency", "value": 0, "unit": "h"}, "always older than that"),
        ({"property": "latency", "value": -4, "unit": "h"}, "always older than that"),
        ({"property": "latency", "value": 1, "valueExt": 4, "unit": "h"}, "two values"),
        ({"property": "frequency", "value": 1, "unit": "d"}, "no clause says this"),
        ({"property": "timeOfAvailability", "value": "09:00+01:00"}, "no clause says this"),
    ],
)
def test_what_is_no_plain_limit_of_age_is_no_clause_and_is_told_with_why(item: dict[str, Any], why: str) -> None:
    done = promising(item)
    assert clauses(done) == []
    (told,) = done.kept
    assert told.startswith(f"slaProperties.0 ({item['property']}): ")
    assert why in told


@pytest.mark.parametrize(
    "more",
    [
        {"servers": [{"server": "front", "type": "api", "location": "https://example.org"}]},
        {"schema": [{"name": "scores", "physicalType": "REST endpoint"}]},
        {"schema": [{"name": "readings", "physicalType": "table"}, {"name": "load", "physicalType": "pipeline"}]},
    ],
)
def test_the_latency_of_what_answers_or_runs_is_no_age_of_data(more: dict[str, Any]) -> None:
    item = {"property": "latency", "value": 1, "unit": "h", "element": "load"}
    done = promising(item, **more)
    assert clauses(done) == []
    assert "is not how old data are" in done.kept[0]
    assert clauses(promising({**item, "property": "freshness"}, **more))


ORDERED = {"property": "freshness", "value": 24, "unit": "h", "element": "readings.taken_at"}
PAID = {"property": "freshness", "value": 1, "unit": "h", "element": "readings.paid_at"}
WHOLE = {"property": "latency", "value": 12, "unit": "h"}


def test_the_ages_of_two_columns_are_not_two_limits_of_one_data_set() -> None:
    done = promising(ORDERED, PAID)
    assert clauses(done) == []
    assert len(done.kept) == 2
    assert all(
        "several limits (1d of 'readings.taken_at', 1h of 'readings.paid_at'), and elements are not told apart" in told
        for told in done.kept
    )


def test_of_several_limits_that_of_the_whole_is_the_clause() -> None:
    done = promising(ORDERED, WHOLE, PAID)
    assert clauses(done) == [{"id": "freshness", "kind": "freshness", "max_lag": "12h"}]
    assert [told.partition(":")[0] for told in done.kept] == [
        "slaProperties.0 (freshness)",
        "slaProperties.2 (freshness)",
    ]
    assert all("12h (slaProperties.1) is watched" in told for told in done.kept)


def test_freshness_is_preferred_to_latency_and_equal_limits_are_one() -> None:
    both = promising(WHOLE, {"property": "freshness", "value": 1, "unit": "h"})
    assert clauses(both) == [{"id": "freshness", "kind": "freshness", "max_lag": "1h"}]
    assert "it is another limit" in both.kept[0]
    same = promising(ORDERED, {**PAID, "value": "1", "unit": "day"})
    assert clauses(same) == [{"id": "freshness", "kind": "freshness", "max_lag": "1d"}]
    assert len(same.kept) == 1
    assert clauses(promising(WHOLE, {**WHOLE, "value": 3})) == []


def test_numbers_written_as_text_are_numbers_everywhere() -> None:
    rule = {"metric": "rowCount", "mustBeBetween": ["10", "20"]}
    score = {"name": "score", "logicalTypeOptions": {"minimum": "0", "maximum": "1.0"}}
    nulls = {"name": "cohort", "quality": [{"metric": "nullValues", "mustBeLessOrEqualTo": "5", "unit": "percent"}]}
    schema = [{"name": "readings", "quality": [rule]}, {"name": "inference", "properties": [score, nulls]}]
    assert clauses(promising(schema=schema)) == [
        {"id": "volume", "kind": "volume", "of": "dataset", "min": 10, "max": 20},
        {"id": "range", "kind": "range", "min": 0, "max": 1.0},
        {"id": "assertion", "kind": "assertion", "must": "cohort IS NOT NULL", "at_least": 0.95},
    ]
    rule["mustBeBetween"] = ["ten", "20"]
    score["logicalTypeOptions"] = {"minimum": 0, "exclusiveMinimum": True}
    done = promising(schema=schema)
    assert [clause["kind"] for clause in clauses(done)] == ["assertion"]
    assert done.kept == ("schema.0.quality.0 (rowCount)", "schema.1.properties.0 (bounds of score)")


def test_sections_that_no_clause_is_about_are_told() -> None:
    done = promising(
        WHOLE, servers=[{"server": "x"}], price={"priceAmount": 1}, support=[], description={"purpose": "p"}
    )
    assert done.unread == ("servers", "price", "description")
    columns = [{"name": "a", "required": True}, {"name": "b", "unique": True}, {"name": "c"}]
    assert promising(WHOLE, schema=[{"name": "t", "properties": columns}]).unread == (
        "columns that are required or unique (2)",
    )


@pytest.mark.parametrize("version", ["v3.2.0", "v3.2.1", "3.2.0", "v3.10.0"])
def test_since_3_2_a_document_need_not_tell_its_status(version: str) -> None:
    document = {key: value for key, value in FEED.items() if key != "status"}
    assert imported({**document, "apiVersion": version, "slaProperties": [WHOLE]}).contract
    with pytest.raises(DocumentError, match="lacks status"):
        imported({**document, "apiVersion": "v3.1.0"})


def test_a_version_of_the_standard_that_is_not_known_yet_is_told() -> None:
    (note,) = promising(WHOLE, apiVersion="v3.10.0").notes
    assert note == "it is of ODCS v3.10.0, newer than 3.2: what is new there is kept, but not read"
    assert promising(WHOLE, apiVersion="v3.2.0").notes == ()
    for version in ("v2.2.2", "v4.0.0", "v99.0.0", "v3", "v30.1"):
        with pytest.raises(DocumentError, match="only kind DataContract of ODCS v3"):
            promising(WHOLE, apiVersion=version)


def test_versions_are_text() -> None:
    for version in ("1.10", "2", 2, "2026-01"):
        contract = promising(WHOLE, version=version).contract
        assert contract is not None
        assert contract["version"] == str(version)
    odd = promising(WHOLE, version="1.0 @beta")
    assert odd.contract is not None
    assert (odd.contract["version"], odd.notes) == ("1.0-beta", ("version '1.0 @beta' is written '1.0-beta'",))
    with pytest.raises(DocumentError, match="at most 64 characters"):
        promising(WHOLE, version="1" * 65)


@pytest.mark.parametrize(
    ("key", "written", "read"), [("version", "1.10", "1.1"), ("version", "010", "10"), ("id", "1.5", "1.5")]
)
def test_a_number_that_was_another_text_is_refused_at_its_line(
    tmp_path: Path, key: str, written: str, read: str
) -> None:
    file = tmp_path / "x.odcs.yaml"
    file.write_text(yaml_text([{**FEED, key: "X"}]).replace(f"{key}: X\n", f"{key}: {written}\n"), "utf-8")
    done = CliRunner().invoke(build(), ["contracts", "import", "--odcs", str(file)])
    assert done.exit_code == 1
    line = 3 if key == "id" else 4
    assert f"{file}:{line}: '{key}' is read as the number {read}: write it in quotes" in str(done.exception)


def test_owner_is_for_a_document_that_names_nobody() -> None:
    document = {**FEED, "slaProperties": [WHOLE]}
    for team in (FEED["team"], FEED["team"]["members"]):
        done = imported({**document, "team": team}, "kim@example.org")
        assert [d["id"] for d in done.documents if d["kind"] == "Person"] == ["mara@example.org"]
        assert next(d for d in done.documents if d["kind"] == "System")["owner"] == "mara@example.org"
        assert done.notes == (
            "mara@example.org answers for the dataset, as the document says; --owner is for one that names nobody",
        )
    nobody = {**document, "team": {"name": "metering"}}
    done = imported(nobody, "kim@example.org")
    assert next(d for d in done.documents if d["kind"] == "System")["owner"] == "kim@example.org"
    assert done.notes == ()
    with pytest.raises(DocumentError, match="--owner"):
        imported(nobody)


def test_a_document_without_a_clause_is_written_told_and_ends_with_1(tmp_path: Path) -> None:
    file, out = tmp_path / "x.odcs.yaml", tmp_path / "x.yaml"
    file.write_text(yaml_text([{**FEED, "slaProperties": [ORDERED, PAID]}]), "utf-8")
    asked = ["contracts", "import", "--odcs", str(file), "--out", str(out)]
    done = CliRunner().invoke(build(), asked)
    assert done.exit_code == 1
    assert done.stderr.endswith(f"{file}: nothing in it is a clause: there is a system, but no contract\n")
    assert [document.content["kind"] for document in read_file(out, "x")[0]] == ["Person", "System"]
    file.write_text(yaml_text([{**FEED, "slaProperties": [WHOLE]}]), "utf-8")
    assert CliRunner().invoke(build(), asked).exit_code == 0


def test_a_limit_added_or_changed_later_leaves_the_clauses_that_are_told_apart_by_their_ids() -> None:
    first = promising(WHOLE)
    contract, system = first.contract, next(d for d in first.documents if d["kind"] == "System")
    assert contract is not None
    contract["clauses"].append({"id": "soon", "kind": "freshness", "max_lag": "30m", "severity": "warning"})
    back = exported(contract, base=kept_document(system), system=without_label(system))
    again = imported(back).contract
    assert again == contract
    back["slaProperties"].append(PAID)
    later = imported(back)
    assert later.contract is not None
    assert [c["id"] for c in later.contract["clauses"]] == ["freshness", "soon"]
    assert "elements are not told apart" in later.kept[-1]


_TEXTS = st.text(
    st.characters(exclude_categories=["Cs"]) | st.sampled_from("\n\r\t \x00\x07\x85\u2028\u2029\ufeff'\"#:-"),
    max_size=40,
)


@given(st.lists(_TEXTS, max_size=5), _TEXTS)
@settings(max_examples=60)
def test_text_survives_both_ways_as_it_is(texts: list[str], word: str) -> None:
    long = " ".join([*texts, "x" * 9_000, *texts]) + "\n" + word
    document = {**FEED, "slaProperties": [WHOLE], "description": {"purpose": long, "usage": texts}, "tags": [word]}
    (read,) = _again([document])
    assert read == document
    documents = _again(imported(read).documents)
    system = next(d for d in documents if d["kind"] == "System")
    contract = next(d for d in documents if d["kind"] == "Contract")
    back = exported(contract, base=kept_document(system), system=without_label(system))
    (back,) = _again([back])
    del back["customProperties"]
    assert back == document


def _again(documents: Any) -> list[Any]:
    from seamwatch.documents.reading import read_text

    found, problems = read_text(yaml_text(documents), "x")
    assert problems == []
    return [written.content for written in found]


def test_what_no_document_of_ours_may_hold_is_refused_by_name() -> None:
    for change, said in (
        ({"id": "a\x07b"}, "'id' of system 'a\\x07b'"),
        ({"team": {"name": "t" * 4_001, "members": FEED["team"]["members"]}}, "'team' of system 'meter-readings'"),
        ({"id": "i" * 300}, "at most 256 characters"),
    ):
        with pytest.raises(DocumentError, match="gives a document that cannot be used") as raised:
            promising(WHOLE, **change)
        assert said in str(raised.value)


def test_check_accepts_what_import_writes(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text(yaml_text(promising(WHOLE, version="1.10").documents), "utf-8")
    estate, problems = load_folder(tmp_path)
    assert problems == []
    assert estate is not None
    assert [contract.version for contract in estate.contracts] == ["1.10"]
