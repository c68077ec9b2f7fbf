"""Requirements: what laws and standards ask of a system, as data, and which questions show something of each.

One YAML file a text that asks (a law, a standard), below `requirements/`. Says what the files may hold and reads them;
asks nothing and judges nothing: whether a requirement is met, no file here can say.
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import resources
from pathlib import Path
from typing import Annotated

from pydantic import Field, ValidationError, model_validator

from seamwatch.documents.models import Part
from seamwatch.documents.problems import Problem, is_error
from seamwatch.documents.reading import Written, read_file
from seamwatch.documents.wording import problems_of
from seamwatch.errors import DocumentError, UsageError
from seamwatch.instants import Instant

Words = Annotated[str, Field(min_length=1, pattern=r"\S")]


class Applies(Part):
    """From when on something applies, to what, and by which text. ``since`` is None where nothing sets a date."""

    to: Words = Field(description="to what it applies from then on")
    since: Instant | None = Field(None, description="the date, UTC; without one it is applied by choice")
    by: Words = Field(description="what sets the date")


class Evidence(Part):
    """One question of which the answer shows something."""

    question: Words = Field(description="the module of the question, such as approvals")
    shows: Words = Field(description="what rows of its answer show")
    not_shown: Words = Field(description="what they do not show")
    nothing: Words = Field(description="what it means that the answer has no rows")
    alone: bool = Field(True, description="whether rows of it are evidence with nothing else beside them")


class Requirement(Part):
    """One thing that is asked."""

    number: Words = Field(description="article, subcategory or clause, as the text numbers it")
    title: Words = Field(description="its title or topic")
    asks: Words = Field(description="what it asks, in few words of one's own")
    evidence: tuple[Evidence, ...] = Field(description="which questions show something of it", min_length=1)
    duty: Words = Field(description="what stays the reader's to do")
    gap: Words = Field(description="what it means that there is no evidence at all")

    @model_validator(mode="after")
    def _asked_once(self) -> Requirement:
        names = [each.question for each in self.evidence]
        twice = next((name for name in names if names.count(name) > 1), None)
        if twice is not None:
            raise ValueError(f"the question {twice!r} is named twice: say in one place what it shows")
        if not any(each.alone for each in self.evidence):
            raise ValueError("no question of it is evidence alone, so it would be a gap for every system")
        return self


class Source(Part):
    """A text that asks, and what of it a dossier is about."""

    id: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")] = Field(description="names the text in files")
    title: Words = Field(description="the text's own name")
    version: Words = Field(description="which edition is meant")
    applies: tuple[Applies, ...] = Field(description="from when on, and to what", min_length=1)
    requirements: tuple[Requirement, ...] = Field(description="what of it is shown", min_length=1)

    @model_validator(mode="after")
    def _numbered_once(self) -> Source:
        numbers = [each.number for each in self.requirements]
        twice = next((number for number in numbers if numbers.count(number) > 1), None)
        if twice is not None:
            raise ValueError(f"the number {twice!r} is there twice")
        return self


def packaged() -> list[Source]:
    """The requirements that come with the program."""
    folder = resources.files("sinks.dossier").joinpath("requirements_data")
    if folder.is_dir():
        with resources.as_file(folder) as found:
            return read_requirements([found])
    # In a checkout they lie at its top, where whoever reads law and no Python finds them.
    return read_requirements([Path(__file__).parents[2] / "requirements"])


def read_requirements(folders: Sequence[Path]) -> list[Source]:
    """The requirements in the YAML files of folders, by id.

    Raises DocumentError, which names file and line, for what is wrong in one, and UsageError for a folder without any.
    """
    found: dict[str, Source] = {}
    for folder in folders:
        files = sorted(folder.glob("*.yaml")) if folder.is_dir() else []
        if not files:
            raise UsageError(f"{folder}: no folder with files of requirements (*.yaml)")
        for file in files:
            for source, written in _read(file):
                if source.id in found:
                    raise DocumentError(f"{written.file}:{written.line(('id',))}: {source.id!r} is there already")
                found[source.id] = source
    return [found[name] for name in sorted(found)]


def _read(file: Path) -> list[tuple[Source, Written]]:
    documents, problems = read_file(file, str(file))
    _demand_none(problems)
    if not documents:
        raise DocumentError(f"{file}:1: is empty: write a source with its requirements")
    sources = []
    for written in documents:
        try:
            source = Source.model_validate(written.content)
        except ValidationError as error:
            _demand_none(problems_of(error, Source, written))
            raise
        _demand_known(source, written)
        sources.append((source, written))
    return sources


def _demand_known(source: Source, written: Written) -> None:
    """Raise DocumentError for a question that nobody can ask."""
    from seamwatch.wire.schemas import nearest
    from sinks.dossier.asked import QUESTIONS

    for number, requirement in enumerate(source.requirements):
        for at, evidence in enumerate(requirement.evidence):
            if evidence.question not in QUESTIONS:
                line = written.line(("requirements", number, "evidence", at, "question"))
                close = nearest(evidence.question, tuple(sorted(QUESTIONS)))
                raise DocumentError(f"{written.file}:{line}: there is no question {evidence.question!r}{close}")


def _demand_none(problems: Sequence[Problem]) -> None:
    wrong = [problem for problem in problems if is_error(problem)]
    if wrong:
        raise DocumentError("\n".join(map(str, sorted(wrong))))
