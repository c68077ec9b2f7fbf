"""Scenarios: what is practised in a drill, step by step, as a short YAML document; some come with Seamwatch.

The shape and the reading only; who is meant by a role and what came of a step is told elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from importlib import resources
from pathlib import Path
from typing import Final, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from seamwatch.documents.fields import Identifier, Words
from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Written, read_file, read_text
from seamwatch.documents.wording import problems_of
from seamwatch.durations import DAY, HOUR, SECOND, Duration
from seamwatch.errors import UsageError
from seamwatch.wire.schemas import nearest

Check = Literal["paged", "taken", "runbook", "offline", "reconstructed"]

CHECKED: Final[dict[Check, str]] = {
    "paged": "somebody is told by a channel of theirs",
    "taken": "somebody takes it on",
    "runbook": "there is a runbook",
    "offline": "who may take it offline can be reached, and the guard would refuse it",
    "reconstructed": "a decision can be reconstructed: why it was allowed, and what led to it",
}
"""What Seamwatch checks itself, and what that says where the scenario says nothing."""

ROLES: Final = ("owner", "provider", "consumer")
DEFAULT: Final = "basics"
_LEAST_LIMIT: Final = 4 * HOUR
_MOST_STEPS: Final = 40


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Step(_Part):
    """One step: checked by Seamwatch, or done by a person who says so; ``within`` is how long it may take."""

    id: Identifier = Field(description="names the step, in answers and in the report")
    check: Check | None = Field(None, description="what Seamwatch checks")
    by: Identifier | None = Field(
        None, description="who does it: a person's id, or `owner`, or `provider` or `consumer`, who sign for a party"
    )
    what: Words | None = Field(None, description="what is done")
    within: Duration | None = Field(None, gt=0, description="how long it may take")

    @model_validator(mode="after")
    def _one_or_the_other(self) -> Self:
        if (self.check is None) == (self.by is None):
            raise ValueError("a step has either check, which Seamwatch does, or by, which names who does it")
        if self.by is not None and self.what is None:
            raise ValueError("say what is done: give what")
        return self

    @property
    def told(self) -> str:
        """What it is, in a sentence."""
        return self.what or CHECKED[self.check or "paged"]


class Scenario(_Part):
    """What is practised. ``story`` is what would have happened."""

    api_version: Literal["seamwatch/v1"] = Field("seamwatch/v1", alias="apiVersion", description="the form's version")
    kind: Literal["Scenario"] = Field("Scenario", description="what this document is")
    id: Identifier = Field(max_length=100, description="names the scenario")
    title: Words = Field(max_length=150, description="what pages say it is about")
    story: Words = Field(description="what is supposed to have happened")
    steps: tuple[Step, ...] = Field(min_length=1, max_length=_MOST_STEPS, description="what is done, in this order")

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        ids = [step.id for step in self.steps]
        if twice := [name for name in dict.fromkeys(ids) if ids.count(name) > 1]:
            raise ValueError(f"two steps have the id {twice[0]!r}")
        return self

    @property
    def limit_seconds(self) -> int:
        """After how long the drill is over if nobody says so before."""
        agreed = sum(step.within or 0 for step in self.steps)
        return min(max(2 * agreed, _LEAST_LIMIT), DAY) // SECOND


def shipped() -> tuple[str, ...]:
    """The names of the scenarios that come with Seamwatch."""
    return tuple(sorted(name.removesuffix(".yaml") for name in _names()))


def scenario_text(name: str) -> str:
    """A scenario that comes with Seamwatch, as it is written. Raises UsageError, with the nearest, for another name."""
    if name not in shipped():
        raise UsageError(
            f"--scenario {name}: no such scenario comes with Seamwatch{nearest(name, shipped())}; a file is named as "
            "./scenario.yaml"
        )
    return (resources.files("console.drilling") / "scenarios" / f"{name}.yaml").read_text("utf-8")


def read_scenario(named: str) -> Scenario:
    """The scenario of that name, or in that file. Raises UsageError, which says what is wrong at which line."""
    if "/" not in named and not named.endswith((".yaml", ".yml")):
        written, problems = read_text(scenario_text(named), f"{named}.yaml")
    else:
        written, problems = read_file(Path(named), named)
    if not problems and len(written) != 1:
        problems = [Problem(named, 1, f"it has {len(written)} documents; a scenario is one")]
    if not problems:
        found, problems = _scenario(written[0])
        if found is not None:
            return found
    raise UsageError("\n".join(map(str, problems)))


def _scenario(written: Written) -> tuple[Scenario | None, list[Problem]]:
    if not isinstance(written.content, dict):
        return None, [Problem(written.file, 1, "is no document: write keys and values, such as kind: Scenario")]
    try:
        return Scenario.model_validate(written.content), []
    except ValidationError as error:
        return None, problems_of(error, Scenario, written)


def _names() -> Iterator[str]:
    for file in (resources.files("console.drilling") / "scenarios").iterdir():
        if file.name.endswith(".yaml"):
            yield file.name
