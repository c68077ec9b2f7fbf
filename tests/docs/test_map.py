"""The pages for contributors name modules, files and folders that exist, and every package is on the map."""

from __future__ import annotations

import importlib
import importlib.util
import re
from pathlib import Path

import pytest

from seamwatch.clauses import Clause, kinds

ROOT = Path(__file__).parents[2]
PACKAGES = ("seamwatch", "bus", "streams", "sinks", "stack", "statements", "board", "replies", "console")
_MODULE = re.compile(rf"(?<![\w./-])(?:{'|'.join(PACKAGES)})(?:\.[a-z_]+)+\b(?!\()")
_PATH = re.compile(rf"(?:{'|'.join(PACKAGES)}|tests|docs|schemas|benchmarks)(?:/[\w.]+)+")
_TOPIC = re.compile(r"topics? seamwatch\.\S+")


def text_of(page: str) -> str:
    return _TOPIC.sub("topic", (ROOT / page).read_text("utf-8"))


def modules(page: str) -> set[str]:
    return {name for name in _MODULE.findall(text_of(page)) if not name.startswith("seamwatch.testing.event_id")}


def exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def test_every_module_on_the_way_of_an_event_exists() -> None:
    named = modules("docs/architecture.md")
    assert len(named) > 30
    assert {name for name in named if not exists(name)} == set()


def test_the_way_leads_through_every_stage() -> None:
    named = modules("docs/architecture.md")
    stages = {str(path.relative_to(ROOT).with_suffix("")).replace("/", ".") for path in ROOT.glob("s*/*/stage.py")}
    assert len(stages) == 4
    assert stages <= named


def test_every_file_that_a_contributor_is_sent_to_exists() -> None:
    text = text_of("CONTRIBUTING.md")
    named = {path.rstrip(".") for path in _PATH.findall(re.sub(r"\S*<\w+>\S*", "", text))}
    assert len(named) > 30
    assert {path for path in named if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize(("name", "kind"), kinds().items())
def test_a_clause_kind_is_where_a_contributor_looks_for_it(name: str, kind: type[Clause]) -> None:
    folder = ROOT / "seamwatch" / "clauses" / name
    assert kind.__module__ == f"seamwatch.clauses.{name}" + (".kind" if folder.is_dir() else "")
    if folder.is_dir():
        exported = importlib.import_module(f"seamwatch.clauses.{name}")
        assert kind.__name__ in exported.__all__
        assert kind.state_type.__module__ == f"seamwatch.clauses.{name}.state"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_package_is_on_the_map(package: str) -> None:
    rows = [line for line in text_of("CONTRIBUTING.md").splitlines() if line.startswith(f"| `{package}")]
    assert rows, f"CONTRIBUTING.md has no row for {package}"
    below = {path.parent.name for path in (ROOT / package).glob("*/__init__.py")}
    if package in ("streams", "sinks"):
        assert {name for name in below if not any(f"`{name}`" in row for row in rows)} == set()
