"""Every problem is said at its line, in words that name the offending one; no YAML ends in a traceback."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from console.app import build
from seamwatch.clauses import kinds
from seamwatch.documents import Estate, load_folder
from seamwatch.documents.template import template
from seamwatch.errors import DocumentError, UsageError

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "documents.md"

PEOPLE = """\
kind: Person
id: ada@example.org
name: Ada
---
"""
SYSTEM = """\
kind: System
id: scores
type: dataset
owner: ada@example.org
---
"""
CONTRACT = """\
kind: Contract
id: feed
version: 1
seam: data-to-model
covers: [scores]
parties: {provider: {team: a}, consumer: {team: b}}
clauses:
"""


def problems(folder: Path, text: str | bytes) -> list[str]:
    """Line and message of each problem of one file."""
    file = folder / "x.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return [str(p).removeprefix(f"{file}:") for p in load_folder(folder)[1]]


def of_clause(folder: Path, clause: str) -> list[str]:
    """The problems of a contract whose one clause begins in line 1."""
    before = PEOPLE + SYSTEM + CONTRACT
    found = problems(folder, before + "".join(f"  {line}\n" for line in clause.splitlines()))
    lines = before.count("\n")
    return [re.sub(r"^\d+", lambda m: str(int(m.group()) - lines), problem) for problem in found]


@pytest.mark.parametrize(
    ("clause", "problem"),
    [
        (
            "- id: fresh\n  kind: freshness\n  max_lag: 26h\n  max_lagg: 26h",
            "4: unknown key 'max_lagg' in clause 'fresh' (freshness): did you mean 'max_lag'?",
        ),
        (
            "- id: fresh\n  kind: freshness",
            "1: clause 'fresh' (freshness) lacks 'max_lag': how old the data may be",
        ),
        (
            "- id: fresh\n  kind: freshness\n  max_lag: 26h\n  warn_at: 26h",
            "4: clause 'fresh' (freshness): warn_at must be below max_lag: a warning after the breach helps nobody",
        ),
        (
            "- id: fresh\n  kind: freshness\n  max_lag: 26",
            (
                "3: 'max_lag' of clause 'fresh' (freshness): 26 is not a duration: write a number and a unit in "
                "quotes or plain, such as 90s or 26h"
            ),
        ),
        (
            "- {id: fresh, kind: freshnes, max_lag: 26h}",
            "1: unknown kind 'freshnes' of clause 'fresh': did you mean 'freshness'?",
        ),
        (
            "- {id: r, kind: range, min: 1,\n   max: 0}",
            "1: clause 'r' (range): min 1 is above max 0: turn them round",
        ),
        (
            "- id: r\n  kind: range\n  min: 0\n  severity: fatal",
            "4: 'severity' of clause 'r' (range) is 'fatal': it is 'warning' or 'breach'",
        ),
        (
            "- id: sure\n  kind: assertion\n  must: confidence > 'x'",
            (
                "3: clause 'sure' (assertion): confidence is a number and 'x' is text: they cannot be compared "
                "(in \"confidence > 'x'\")"
            ),
        ),
        (
            "- id: sure\n  kind: assertion\n  where: scroe > 1\n  must: score > 0",
            "3: clause 'sure' (assertion): unknown field 'scroe' of inference: did you mean 'score'? (in 'scroe > 1')",
        ),
        (
            "- id: sure\n  kind: assertion\n  must: score >",
            "3: 'must' of clause 'sure' (assertion): 'score >' is not an expression: stopped at '>'",
        ),
        (
            "- id: tools\n  kind: scope\n  tools:\n    - tool: a\n    - tool: b\n      where: amount < 3",
            "6: clause 'tools' (scope): unknown field 'amount' of tool_call (in 'amount < 3')",
        ),
        (
            "- id: tools\n  kind: scope\n  tools:\n    - tool: a\n      were: tool = 'a'",
            "5: unknown key 'were' in clause 'tools' (scope): did you mean 'where'?",
        ),
        (
            "- id: tell\n  kind: change_notice\n  acknowledgers:\n    - ada@example.org\n    - adda@example.org",
            (
                "5: unknown person 'adda@example.org' ('acknowledgers' of clause 'tell' (change_notice)): did you mean "
                "'ada@example.org'?"
            ),
        ),
        (
            "- {id: a, kind: approval}\n- {id: a, kind: volume, max: 9}",
            "2: clause 'a' is given twice in contract 'feed': first in line {before}",
        ),
        ("- approval", "1: a clause is a mapping with id and kind"),
        ("- {id: a}", "1: clause 'a' lacks 'kind': it is one of " + ", ".join(kinds())),
    ],
)
def test_a_faulty_clause_is_named_at_its_line(tmp_path: Path, clause: str, problem: str) -> None:
    before = str((PEOPLE + SYSTEM + CONTRACT).count("\n") + 1)
    assert of_clause(tmp_path, clause) == [problem.replace("{before}", before)]


def test_all_problems_are_said_in_one_go_in_order_of_place(tmp_path: Path) -> None:
    (tmp_path / "a.yml").write_text("kind: Sytem\n---\nid: x\n---\n- 1\n")
    (tmp_path / "deep").mkdir()
    (tmp_path / "deep" / "b.yaml").write_text(
        "kind: System\nid: m\ntype: modle\nowner: nobody@example.org\nversoins: []\nversions:\n  - {version: 1.10}\n"
    )
    found = [str(p).removeprefix(f"{tmp_path}/") for p in load_folder(tmp_path)[1]]
    assert found == [
        "a.yml:1: unknown kind 'Sytem' of document: did you mean 'System'?",
        "a.yml:3: the document lacks 'kind': it is one of Person, System, Contract, RiskPolicy, Rota",
        "a.yml:5: is no document: write keys and values, such as kind: System",
        (
            "deep/b.yaml:3: 'type' of system 'm' is 'modle': it is 'model', 'agent', 'dataset' or 'pipeline'; did you "
            "mean 'model'?"
        ),
        "deep/b.yaml:4: unknown person 'nobody@example.org' ('owner' of system 'm'): no Person document has this id",
        "deep/b.yaml:5: unknown key 'versoins' in system 'm': did you mean 'versions'?",
        "deep/b.yaml:7: 'version' of system 'm': 1.1 is read as a number: write it in quotes",
    ]


def test_documents_defined_twice_are_found_across_files(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(PEOPLE)
    (tmp_path / "b.yaml").write_text("# again\n" + PEOPLE)
    assert [str(p) for p in load_folder(tmp_path)[1]] == [
        f"{tmp_path}/b.yaml:3: person 'ada@example.org' is defined twice: first in {tmp_path}/a.yaml:2"
    ]


def test_gaps_in_the_hand_over_and_idle_covers_are_warnings(tmp_path: Path) -> None:
    text = PEOPLE + SYSTEM.replace("dataset", "model") + CONTRACT.replace("[scores]", "[scores, scroes]")
    assert problems(tmp_path, text + "  - {id: a, kind: approval}\n") == [
        (
            "6: warning: hand-over of system 'scores' is incomplete: it lacks a benchmark with thresholds, a runbook, "
            "a lineage "
            "map, a monitoring agreement, a scheduled review, a risk-registry entry"
        ),
        "14: warning: contract 'feed' covers 'scroes', which is no declared system: did you mean 'scores'?",
    ]
    assert Estate.load(tmp_path).systems.keys() == {"scores"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (b"kind: Person\n\tid: x\n", "2: is not YAML: it is indented with a tab; use spaces"),
        (b"kind: Person\nid: a\nid: b\nname: x\n", "3: key 'id' is given twice: first in line 2"),
        (b"kind: Person\nid: a\x00b\n", "2: is not YAML: it holds a character that no YAML may hold"),
        (b"\x89PNG\r\n\x1a\n\x00\xff", "1: is not UTF-8 text: save it as UTF-8"),
        (
            b"kind: [\n",
            "2: is not YAML: while parsing a flow node, did not find expected node content",
        ),
        (
            b"kind: Person\nid: !!python/object:os.system x\n",
            "2: tag '!!python/object:os.system' is not supported: write a plain value",
        ),
        (b"a: &a {b: 1}\n<<: *a\n", "2: merge keys (<<) are not supported: write the keys out"),
        (b"? [a]\n: 1\n", "1: a key is a list or a mapping: keys are text"),
        (b"kind: System\nid: .inf\n", "2: .inf is not a finite number"),
        (b"a: " + b"[" * 40 + b"]" * 40, "1: is nested deeper than 32 levels"),
        (b"a: " + b"[" * 100_000, "1: is nested deeper than 32 levels"),
        (b"[" * 100_000 + b"]" * 100_000, "1: is nested deeper than 32 levels"),
        (b"a: " + b"{a: " * 100_000, "1: is nested deeper than 32 levels"),
        (b"- " * 100_000, "1: is nested deeper than 32 levels"),
        (b"\n".join(b" " * level + b"a:" for level in range(1_500)), "34: is nested deeper than 32 levels"),
        (
            b"a: &a [" + b"x," * 99 + b"]\nb: &b [" + b"*a," * 99 + b"]\nc: [" + b"*b," * 99 + b"]\n",
            "3: holds more than 100000 values",
        ),
        (b"# long\n" * 800_000, "1: is larger than 2 MB: no contract is; split it"),
        (b"just words\n", "1: is no document: write keys and values, such as kind: System"),
        (b"kind: Person\nid: 5\nname: [x]\n", "3: 'name' of person 5 is ['x']: it should be a valid string"),
        (b"kind: System\nid: s\nuse_cases: x\n", "3: 'use_cases' of system 's' is 'x': it should be a list"),
    ],
)
def test_no_yaml_ends_in_a_traceback(tmp_path: Path, text: bytes, problem: str) -> None:
    found = problems(tmp_path, text)
    assert any(p.startswith(problem) for p in found), found


@pytest.mark.parametrize("text", ["", "---\n---\n", "# nothing\n", "\ufeff# a mark before it\n"])
def test_a_file_without_documents_is_fine(tmp_path: Path, text: str) -> None:
    assert problems(tmp_path, text) == []


def test_anchors_and_aliases_stand_for_their_value(tmp_path: Path) -> None:
    assert problems(tmp_path, "kind: Person\nid: &me ada@example.org\nname: *me\n") == []


def test_loading_raises_every_error_and_only_errors(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("kind: Person\nname: A\n---\nkind: Person\nid: b\n")
    with pytest.raises(DocumentError) as raised:
        Estate.load(tmp_path)
    assert str(raised.value).splitlines() == [
        f"{tmp_path}/x.yaml:1: person '' lacks 'id': names the person everywhere",
        f"{tmp_path}/x.yaml:4: person 'b' lacks 'name': as colleagues know them",
    ]


def command(*arguments: str) -> tuple[int, str, str]:
    result = CliRunner().invoke(build(), ["contracts", *arguments])
    return result.exit_code, result.stdout, result.stderr


def test_the_worked_examples_are_right() -> None:
    code, out, err = command("check", str(ROOT / "contracts"))
    assert (code, out) == (0, "19 documents: 0 errors, 0 warnings\n")
    assert err.startswith("note: not signed: ")


def test_check_ends_with_1_and_says_all_as_json(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_text("kind: Person\nid: a\n")
    code, out, _ = command("check", str(tmp_path), "--json")
    assert code == 1
    assert json.loads(out) == {
        "documents": 1,
        "errors": 1,
        "unsigned": [],
        "problems": [
            {
                "file": f"{tmp_path}/x.yaml",
                "line": 1,
                "severity": "error",
                "message": "person 'a' lacks 'name': as colleagues know them",
            }
        ],
    }


@pytest.mark.parametrize("kind", sorted(kinds()))
def test_templates_fit_together(tmp_path: Path, kind: str) -> None:
    contract = template("contract")
    head = contract[: contract.index("clauses:")]
    clause = "".join(f"  {line}\n" for line in template(kind).splitlines())
    text = "---\n".join([template("person"), template("system"), head + "clauses:\n" + clause])
    # The system of the template is a model, which some kinds do not look at.
    fine = ("warning: hand-over", "credit-model is a model")
    assert [p for p in problems(tmp_path, text) if not any(each in p for each in fine)] == []


def test_the_optional_lines_of_a_template_are_right_too(tmp_path: Path) -> None:
    text = "---\n".join(template(kind) for kind in ("person", "system", "contract"))
    freed = re.sub(r"^# (?=[a-z_]+:)", "", text, flags=re.MULTILINE)
    assert freed != text
    found = problems(tmp_path, freed.replace("[credit-features]", "[credit-model]"))
    # Nobody can sign for an example.
    assert [told for told in found if "is not signed by owner@example.org, who has published keys" not in told] == []


def test_an_unknown_template_names_the_nearest() -> None:
    with pytest.raises(UsageError, match=r"there is no kind 'freshnes': did you mean 'freshness'\?"):
        template("freshnes")


def test_the_page_shows_what_check_says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = PAGE.read_text()
    good, bad = re.search(r"```yaml\n(.*?)```", page, re.DOTALL), re.search(r"```yaml bad\n(.*?)```", page, re.DOTALL)
    said = re.search(r"```text\n(.*?)```", page, re.DOTALL)
    assert good is not None
    assert bad is not None
    assert said is not None
    assert problems(tmp_path, good.group(1)) == []
    monkeypatch.chdir(tmp_path)
    Path("estate").mkdir()
    Path("estate", "ada.yaml").write_text(PEOPLE)
    Path("estate", "bad.yaml").write_text(bad.group(1))
    assert [str(p) for p in load_folder(Path("estate"))[1]] == said.group(1).splitlines()


def test_the_python_of_the_page_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(block, {})


def test_check_names_points_of_the_hand_over_that_say_nothing_and_blank_text(tmp_path: Path) -> None:
    system = SYSTEM.replace("dataset", "model").removesuffix("---\n")
    file = tmp_path / "estate.yaml"
    file.write_text(
        PEOPLE.replace("name: Ada", 'name: " "') + system + 'team: "\\t"\nrunbook: tbd\nlineage: " "\n'
        "review: {every: 90d, by: ada@example.org, last: 2099-01-01}\n"
    )
    code, told, _ = command("check", str(tmp_path))
    assert code == 0
    lines = [line.removeprefix(f"{file}:") for line in told.splitlines()]
    assert "3: warning: name of person 'ada@example.org' is blank: write it, or leave it out" in lines
    assert "9: warning: team of system 'scores' is blank: write it, or leave it out" in lines
    points = [line.split(":")[0] for line in lines if "hand-over of system 'scores': " in line]
    assert points == ["10", "11", "12"]
