"""Attached files: the histograms that a `distribution` clause names are read into its contract.

So what is signed, published and judged is the content, and not the name of a file that a stage does not have. Reads
files beside the contract; judges nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path, PurePosixPath
from typing import Any, Final

from pydantic import ValidationError

from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Place, Written, read_file
from seamwatch.documents.wording import problems_of
from seamwatch.statistics.histograms import ReferenceFile

REFERENCE: Final = "Reference"
"""The kind of such a file: one that lies in a folder of documents is none of them."""
_ASIDE: Final = {"period": {"from": "1970-01-01", "to": "1970-01-02"}}


def with_attached(written: Written) -> tuple[Written, list[Problem]]:
    """A contract with the content of each file that it names, and what is wrong with the files.

    A reference whose file is wrong is put aside, so that the rest of the contract can still be checked.
    """
    listed = written.content.get("clauses")
    clauses, problems = list(listed) if isinstance(listed, list) else [], []
    files = list(_named(clauses))
    if not files:
        return written, []
    for index, named in files:
        content, wrong = _content(written, named, ("clauses", index, "reference", "file"))
        problems += wrong
        reference = {**clauses[index]["reference"], "histograms": content} if content is not None else _ASIDE
        clauses[index] = {**clauses[index], "reference": reference}
    return replace(written, content={**written.content, "clauses": clauses}), problems


def attaches(written: Written) -> bool:
    """Whether the document names a file, whose content is in it by now or could not be read."""
    listed = written.content.get("clauses") if isinstance(written.content, Mapping) else None
    clauses = [clause for clause in listed if isinstance(clause, Mapping)] if isinstance(listed, list) else []
    references = [clause["reference"] for clause in clauses if isinstance(clause.get("reference"), Mapping)]
    return any("file" in reference or reference == _ASIDE for reference in references)


def check_reference(written: Written) -> list[Problem]:
    """What is wrong with a file of histograms in itself."""
    try:
        ReferenceFile.model_validate(written.content)
    except ValidationError as error:
        return problems_of(error, ReferenceFile, written)
    return []


def _named(clauses: list[Any]) -> Iterator[tuple[int, str]]:
    for index, clause in enumerate(clauses):
        reference = clause.get("reference") if isinstance(clause, Mapping) else None
        if not isinstance(reference, Mapping) or clause.get("kind") != "distribution":
            continue
        if isinstance(reference.get("file"), str) and not {"histograms", "period"} & set(reference):
            yield index, reference["file"]


def _content(written: Written, named: str, place: Place) -> tuple[Any, list[Problem]]:
    here = Problem(written.file, written.line(place), "")
    path = PurePosixPath(named)
    if path.is_absolute() or ".." in path.parts:
        return None, [replace(here, message=f"file {named!r} is to lie beside the contract or below: name it so")]
    file = Path(written.file).parent / named
    if not file.is_file():
        text = f"file {named!r} is not there: `seamwatch contracts reference` writes it"
        return None, [replace(here, message=text)]
    found, problems = read_file(file, str(file))
    if len(found) != 1 or not isinstance(found[0].content, Mapping) or found[0].content.get("kind") != REFERENCE:
        return None, [*problems, replace(here, message=f"file {named!r} is no file of histograms (kind: Reference)")]
    problems += check_reference(found[0])
    return (None, problems) if problems else (found[0].content, [])
