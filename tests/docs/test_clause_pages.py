"""Every clause page says all that a reader needs, and its example gives what the page says it gives."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from ruamel.yaml import YAML

from seamwatch.clauses import kinds
from tests.clauses.worked import example_of, replayed, shown, worked_example

PAGES = Path(__file__).parents[2] / "docs" / "clause_pages.py"


@pytest.fixture(scope="module")
def pages() -> ModuleType:
    spec = importlib.util.spec_from_file_location("clause_pages", PAGES)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", kinds())
def test_a_page_lacks_nothing_and_its_example_is_a_clause(pages: ModuleType, name: str) -> None:
    kind = kinds()[name]
    assert pages.lacking(pages.page(kind)) == []
    example, *_beside = YAML(typ="safe").load(worked_example(kind))
    assert kind.model_validate(example).kind == name


@pytest.mark.parametrize("name", kinds())
def test_the_example_of_a_page_gives_what_the_page_says(name: str) -> None:
    kind = kinds()[name]
    violations = replayed(kind)
    shown_clauses = YAML(typ="safe").load(worked_example(kind))
    assert {violation.kind for violation in violations} == {clause["kind"] for clause in shown_clauses}
    assert " ".join("\n".join(map(shown, violations)).split()) == example_of(kind).told


def test_a_section_that_is_missing_is_named(pages: ModuleType) -> None:
    whole = pages.page(kinds()["scope"])
    said = ("State:", "What its violation says:", "What it cannot see:")
    for mark in (*said, "```yaml\n- id: ", "```json\n{", "```text\n", "## Parameters"):
        assert pages.lacking(whole.replace(mark, "")) == [mark]
    assert pages.lacking(whole + "| `x` | text | none |  |") == ["a meaning of `x`"]
