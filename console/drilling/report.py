"""The report of a drill: for people as text, Markdown or HTML, for machines as JSON. The forms only."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from html import escape
from typing import Any, Final

from console.drilling.holding import line_of, times_of
from console.drilling.scenario import Scenario
from seamwatch.clauses.drill.statement import Held, Paged, Step, Taken
from seamwatch.durations import SECOND, format_duration
from seamwatch.instants import format_instant
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.printable import on_one_line

FORMS: Final = (".md", ".html", ".json", ".txt")
_STYLE: Final = (
    "body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
    "table{border-collapse:collapse;width:100%}th,td{text-align:left;vertical-align:top;border:1px solid #999;"
    "padding:.3rem .5rem}"
)


@dataclass(frozen=True, slots=True)
class Report:
    """What a drill came to; times in micros."""

    drill: str
    system: str
    contract: str
    contract_version: str
    clause: str
    scenario: Scenario
    person: str
    began: int
    ended: int
    violation: str | None
    paged: tuple[Paged, ...]
    taken: Taken | None
    steps: tuple[Step, ...]

    @property
    def passed(self) -> bool:
        """Whether each step passed."""
        return all(step.result == "passed" for step in self.steps)

    def record(self) -> dict[str, Any]:
        """All of it for machines."""
        return {
            "drill": self.drill,
            "system": self.system,
            "contract": self.contract,
            "contract_version": self.contract_version,
            "clause": self.clause,
            "scenario": {"id": self.scenario.id, "title": self.scenario.title, "story": self.scenario.story},
            "person": self.person,
            "began": format_instant(self.began),
            "ended": format_instant(self.ended),
            "violation_id": self.violation,
            "passed": self.passed,
            "paged": [one.model_dump(mode="json") for one in self.paged],
            "taken": None if self.taken is None else self.taken.model_dump(mode="json"),
            "steps": [step.model_dump(mode="json") for step in self.steps],
        }

    @property
    def digest(self) -> str:
        """SHA-256 of the canonical JSON of it, by which what is signed names it."""
        text = json.dumps(self.record(), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

    def held(self) -> Held:
        """The statement that it was held, and came to this."""
        return Held(
            scenario=self.scenario.id, violation=self.violation, passed=self.passed, taken=self.taken,
            paged=self.paged, steps=self.steps, report=self.digest,
        )  # fmt: skip

    @property
    def headline(self) -> str:
        """What it came to, in a sentence."""
        count = sum(step.result == "passed" for step in self.steps)
        came_to = "passed" if self.passed else "did not pass"
        took = format_duration(self.ended - self.began)
        return f"{self.system} {came_to}: {count} of {len(self.steps)} steps passed, in {took}"


def written(report: Report, form: str) -> str:
    """The report in a form, one of `FORMS`."""
    if form == ".json":
        return json.dumps(report.record() | {"report": report.digest}, indent=2, ensure_ascii=False) + "\n"
    if form == ".html":
        return _html(report)
    return "\n".join(_markdown(report) if form == ".md" else _text(report)) + "\n"


def _facts(report: Report) -> Iterator[tuple[str, str]]:
    yield "System", report.system
    yield "Contract", f"{report.contract}@{report.contract_version}, clause {report.clause}"
    yield "Drill", report.drill
    yield "Run by", report.person
    yield "Began", moment_text(report.began)
    yield "Ended", moment_text(report.ended)
    yield "Episode", report.violation or "none was opened"
    yield "Report", report.digest


def _told(one: Paged) -> tuple[str, str, str, str]:
    return one.person, one.channel, format_duration(max(0, round(one.after_seconds * SECOND))), one.result


def _taken(report: Report) -> str:
    by = report.taken
    if by is None:
        return "Nobody took it on."
    own = "" if by.told_seconds is None else f", {format_duration(round(by.told_seconds * SECOND))} after being told"
    return f"{by.person} took it on by {by.by} after {format_duration(round(by.after_seconds * SECOND))}{own}."


def _text(report: Report) -> Iterator[str]:
    yield f"DRILL  {report.scenario.title}"
    yield report.headline
    yield ""
    for name, value in _facts(report):
        yield f"{name:<9} {on_one_line(value)}"
    yield ""
    for one in report.paged:
        person, channel, after, result = map(on_one_line, _told(one))
        yield f"after {after}  {person} by {channel}: {result}"
    yield _taken(report)
    yield ""
    for step in report.steps:
        yield on_one_line(line_of(step))


def _markdown(report: Report) -> Iterator[str]:
    yield f"# Drill: {_cell(report.scenario.title)}"
    yield ""
    yield f"**{_cell(report.headline)}**"
    yield ""
    yield f"What was supposed to have happened: {_cell(report.scenario.story)}"
    yield ""
    yield from (f"- {name}: {_cell(value)}" for name, value in _facts(report))
    yield ""
    yield from ("## Who was told", "", "| person | channel | after | result |", "|---|---|---|---|")
    yield from (f"| {' | '.join(map(_cell, _told(one)))} |" for one in report.paged)
    yield ""
    yield _cell(_taken(report))
    yield ""
    yield from ("## Steps", "", "| step | result | time | by | what came of it |", "|---|---|---|---|---|")
    for step in report.steps:
        yield f"| {' | '.join(map(_cell, _row(step)))} |"


def _row(step: Step) -> tuple[str, ...]:
    return f"{step.id}: {step.what}", step.result, times_of(step).strip(" ()"), step.by or "Seamwatch", step.said


def _cell(text: str) -> str:
    # What people write must neither end a cell nor become a link or a tag.
    said = on_one_line(text)
    for mark in "\\|`*_[]<>":
        said = said.replace(mark, f"\\{mark}")
    return said


def _html(report: Report) -> str:
    def table(heads: tuple[str, ...], rows: Iterator[tuple[str, ...]]) -> str:
        head = "".join(f"<th scope=col>{escape(one)}</th>" for one in heads)
        body = "".join("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in rows)
        return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"

    title = escape(f"Drill: {report.scenario.title}")
    facts = "".join(f"<li>{escape(name)}: {escape(value)}</li>" for name, value in _facts(report))
    told = table(("person", "channel", "after", "result"), (_told(one) for one in report.paged))
    steps = table(("step", "result", "time", "by", "what came of it"), (_row(step) for step in report.steps))
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{title}</title><style>{_STYLE}</style>'
        f"</head><body><h1>{title}</h1><p><strong>{escape(report.headline)}</strong></p>"
        f"<p>What was supposed to have happened: {escape(report.scenario.story)}</p><ul>{facts}</ul>"
        f"<h2>Who was told</h2>{told}<p>{escape(_taken(report))}</p><h2>Steps</h2>{steps}</body></html>\n"
    )
