"""Answering: who does a step that persons do, and what they say came of it: from a file, or asked at the terminal.

Reads and asks only; what an answer is worth is `console.drilling.holding`'s.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from console.drilling.scenario import Scenario, Step
from seamwatch.documents import Estate
from seamwatch.documents.fields import Identifier, Words
from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Written, read_file
from seamwatch.documents.wording import problems_of
from seamwatch.durations import SECOND, Duration, format_duration
from seamwatch.errors import UsageError
from seamwatch.judging.model.seam import Seam
from seamwatch.wire.schemas import nearest


class Answer(BaseModel):
    """What was done of a step: by whom, where that is not who was meant to, and how long it took."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    said: Words = Field(max_length=1_000, description="what was done, or said")
    by: Identifier | None = Field(None, description="the person who did it, where that is another than was meant")
    took: Duration | None = Field(None, description="how long it took")


@dataclass(frozen=True, slots=True)
class Asked:
    """A step that a person is asked for: who is meant, if anybody is named, as a person's id."""

    step: Step
    person: str | None


Answers = Callable[[Asked], Answer | None]
"""The answer to a step; None where nobody gives one."""


def meant(step: Step, seam: Seam, estate: Estate) -> str | None:
    """The person who is to do a step: as it says, or who has the role that it names; None where nobody has."""
    if step.by == "owner":
        return seam.owner
    if step.by in ("provider", "consumer"):
        versions = (c for c in estate.versions_of(seam.contract) if c.version == seam.contract_version)
        contract = next(versions, None)
        return None if contract is None else getattr(contract.parties, step.by).signatory
    return step.by


def check_people(scenario: Scenario, estate: Estate, file: str) -> None:
    """Raise UsageError where a step names somebody whom no published document knows."""
    known = (*estate.persons, "owner", "provider", "consumer")
    for step in scenario.steps:
        if step.by is not None and step.by not in known:
            hint = nearest(step.by, known)
            raise UsageError(f"{file}: step {step.id!r} is for {step.by}, whom no document knows{hint}")


def read_answers(path: Path, scenario: Scenario, estate: Estate) -> Answers:
    """The answers of a file, by the step's id. Raises UsageError, which says what is wrong at which line."""
    written, problems = read_file(path, str(path))
    if not problems and len(written) != 1:
        problems = [Problem(str(path), 1, f"it has {len(written)} documents; answers are one")]
    found: dict[str, Answer] = {}
    if not problems:
        found, problems = _answers(written[0], scenario, estate)
    if problems:
        raise UsageError("\n".join(map(str, problems)))
    return lambda asked: found.get(asked.step.id)


def _answers(written: Written, scenario: Scenario, estate: Estate) -> tuple[dict[str, Answer], list[Problem]]:
    content = written.content
    if not isinstance(content, Mapping):
        return {}, [Problem(written.file, 1, "it is no mapping: write a step's id, and below it what was said")]
    asked = tuple(step.id for step in scenario.steps if step.by is not None)
    found: dict[str, Answer] = {}
    problems: list[Problem] = []
    for name, given in content.items():
        line = written.line((name,))
        if name not in asked:
            hint = nearest(str(name), asked)
            problems.append(Problem(written.file, line, f"no step {name!r} of {scenario.id} is for a person{hint}"))
            continue
        try:
            found[name] = answer = Answer.model_validate(given)
        except ValidationError as error:
            inside = Written(given, written.file, {name: (line, line)}) if isinstance(given, Mapping) else written
            problems += [Problem(written.file, line, p.message) for p in problems_of(error, Answer, inside)]
            continue
        if answer.by is not None and answer.by not in estate.persons:
            hint = nearest(answer.by, tuple(estate.persons))
            problems.append(Problem(written.file, line, f"{answer.by} is nobody that the documents know{hint}"))
    return found, problems


def at_terminal(say: Callable[[str], None], read: Callable[[str], str], measure: Callable[[], float]) -> Answers:
    """Answers that are typed when they are asked for; an empty line says that it was not done."""

    def ask(asked: Asked) -> Answer | None:
        within = "" if asked.step.within is None else f", within {format_duration(asked.step.within)}"
        say(f"{asked.step.id}: {asked.step.told} ({asked.person or 'nobody is named'}{within})")
        began = measure()
        said = read("what was done, or said (an empty line: it was not): ").strip()
        if not said:
            return None
        # Not read as a file is, in which a duration has its unit.
        return Answer.model_construct(said=said[:1_000], by=None, took=max(0, round((measure() - began) * SECOND)))

    return ask
