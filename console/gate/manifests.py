"""Kubernetes manifests: what they deploy, and whom they name as owner, by labels and annotations `seamwatch.dev/…`."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from console.gate.agreed import Case
from console.gate.findings import Deployed, Finding
from seamwatch.documents.problems import Problem
from seamwatch.documents.reading import Place, Written, read_file, read_text

PREFIX: Final = "seamwatch.dev/"
NAMES: Final = ("system", "owner", "version", "config-digest", "use-case")
_TEMPLATES: Final[Mapping[str, Place]] = {
    "CronJob": ("spec", "jobTemplate", "spec", "template"),
    **dict.fromkeys(("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "Job"), ("spec", "template")),
}


@dataclass(frozen=True, slots=True)
class Workload:
    """One object of a manifest: each name under `seamwatch.dev/` with its values and the lines of them."""

    file: str
    line: int
    said: Mapping[str, tuple[tuple[Any, int], ...]]

    def get(self, name: str) -> str | None:
        """What it says under a name, first in its pod template; None where nothing does."""
        return next((str(value) for value, _ in self.said.get(name, ())), None)

    def line_of(self, name: str) -> int:
        """Where it says it."""
        return next((line for _, line in self.said.get(name, ())), self.line)


def read_manifests(names: Sequence[str]) -> tuple[list[Workload], list[Problem]]:
    """The objects of manifest files (`-`: standard input), and what is wrong with the YAML."""
    workloads: list[Workload] = []
    problems: list[Problem] = []
    for name in names:
        found, wrong = read_text(sys.stdin.read(), "-") if name == "-" else read_file(Path(name), name)
        problems += wrong
        for written in found:
            workloads += _objects(written, ())
    return workloads, problems


def deployments(case: Case, names: Sequence[str]) -> tuple[list[Deployed], list[Finding]]:
    """What the manifests deploy of the system, and what stands against them."""
    workloads, problems = read_manifests(names)
    findings = [Finding("manifest", "error", p.message, "mend the manifest", p.file, p.line) for p in problems]
    mine = [workload for workload in workloads if workload.get("system") == case.id]
    if names and not mine:
        reason = f"no object of {', '.join(names)} is labelled {PREFIX}system: {case.id}"
        findings.append(
            Finding("manifest", "error", reason, "label the workload, or gate what it deploys", names[0], 1)
        )
    for workload in mine:
        findings += _against(case, workload)
    return [
        Deployed(w.get("version"), w.get("config-digest"), w.get("use-case"), w.file, w.line) for w in mine
    ], findings


def _against(case: Case, workload: Workload) -> Iterator[Finding]:
    for name, values in workload.said.items():
        if any(not isinstance(value, str) for value, _ in values):
            reason = f"{PREFIX}{name} is no text, and Kubernetes takes nothing else"
            yield Finding("manifest", "error", reason, "put it in quotes", workload.file, workload.line_of(name))
        if len({str(value) for value, _ in values}) > 1:
            reason = f"{PREFIX}{name} is given as {' and as '.join(sorted({str(v) for v, _ in values}))}"
            yield Finding("manifest", "error", reason, "say the same everywhere", workload.file, values[-1][1])
    owner, wanted = workload.get("owner"), case.content.get("owner")
    if owner is None:
        reason = f"the workload of {case.id} names no owner"
        remedy = f"annotate it: '{PREFIX}owner: {wanted}'"
        yield Finding("manifest-owner", "error", reason, remedy, workload.file, workload.line)
    elif owner != wanted:
        reason = f"the manifest names {owner} as the owner of {case.id}, its System document {wanted}"
        remedy = "let both name who is on the hook"
        yield Finding("manifest-owner", "error", reason, remedy, workload.file, workload.line_of("owner"))


def _objects(written: Written, place: Place) -> Iterator[Workload]:
    content = _at(written.content, place)
    if not isinstance(content, Mapping):
        return
    if content.get("kind") == "List" and isinstance(content.get("items"), list):
        for number in range(len(content["items"])):
            yield from _objects(written, (*place, "items", number))
        return
    template = _TEMPLATES.get(str(content.get("kind")))
    holders: list[Place] = [(*place, *template)] if template is not None else []
    said: dict[str, list[tuple[Any, int]]] = {}
    for holder in (*holders, place):
        for part in ("annotations", "labels"):
            where: Place = (*holder, "metadata", part)
            given = _at(written.content, where)
            for name in NAMES:
                if isinstance(given, Mapping) and (key := f"{PREFIX}{name}") in given:
                    said.setdefault(name, []).append((given[key], written.line((*where, key))))
    yield Workload(written.file, written.line((*place, "metadata")), {k: tuple(v) for k, v in said.items()})


def _at(content: Any, place: Place) -> Any:
    for part in place:
        if isinstance(content, Mapping):
            content = content.get(part)
        elif isinstance(content, list) and isinstance(part, int):
            content = content[part]
        else:
            return None
    return content
