"""Kubernetes manifests: what they deploy, and whom they name as owner, by labels and annotations `seamwatch.dev/…`.

Whatever the kind of an object, its labels and annotations are read wherever they stand in it: on the object itself, on
the pod templates of Deployments, CronJobs, Knative Services, Argo Rollouts and Workflows, on the predictors of KServe.
"""

from __future__ import annotations

import sys
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from pathlib import Path
from typing import Final

from console.gate.agreed import Case
from console.gate.findings import Deployed, Finding
from console.gate.nodes import Items, Node, NotYaml, Pairs, Scalar, documents

PREFIX: Final = "seamwatch.dev/"
NAMES: Final = ("system", "owner", "version", "config-digest", "use-case")
HOLDERS: Final = ("annotations", "labels")


@dataclass(frozen=True, slots=True)
class Workload:
    """What one object of a manifest deploys: each name under `seamwatch.dev/` with its values, innermost first.

    ``odd`` are findings about keys of the object that are nearly such names.
    """

    file: str
    line: int
    said: Mapping[str, tuple[Scalar, ...]]
    odd: tuple[Finding, ...] = ()

    def get(self, name: str) -> str | None:
        """What it says under a name; None where nothing does, or only blanks."""
        return next((value.text.strip() for value in self.said.get(name, ()) if value.text.strip()), None)

    def line_of(self, name: str) -> int:
        """Where it says it."""
        return next((value.line for value in self.said.get(name, ())), self.line)


@dataclass(frozen=True, slots=True)
class _Said:
    """One name where it stands: ``part`` is the innermost item of a list that it is in."""

    part: tuple[object, ...]
    depth: int
    name: str
    value: Scalar


def read_manifests(names: Sequence[str]) -> tuple[list[Workload], list[Finding]]:
    """The workloads of manifest files (`-`: standard input), and what is wrong with the files."""
    workloads: list[Workload] = []
    findings: list[Finding] = []
    for name in names:
        try:
            for document in documents(_text_of(name)):
                for item in _items(document):
                    workloads += _workloads(name, item)
        except NotYaml as error:
            findings.append(Finding("manifest", "error", str(error), "mend the manifest", name, error.line))
    return workloads, findings


def deployments(case: Case, names: Sequence[str]) -> tuple[list[Deployed], list[Finding]]:
    """What the manifests deploy of the system, and what stands against them."""
    workloads, findings = read_manifests(names)
    mine = [workload for workload in workloads if workload.get("system") == case.id]
    if names and not mine:
        reason = f"no object of {', '.join(names)} is labelled {PREFIX}system: {case.id}"
        findings.append(
            Finding("manifest", "error", reason, "label the workload, or gate what it deploys", names[0], 1)
        )
    for workload in workloads:
        if workload.get("system") in (None, case.id):
            findings += workload.odd
    for workload in mine:
        findings += _against(case, workload)
    return [
        Deployed(w.get("version"), w.get("config-digest"), w.get("use-case"), w.file, w.line) for w in mine
    ], findings


def _against(case: Case, workload: Workload) -> Iterator[Finding]:
    for name, values in workload.said.items():
        for value in values:
            if not value.is_text:
                reason = f"{PREFIX}{name} is no text, and Kubernetes takes nothing else"
                yield Finding("manifest", "error", reason, "put it in quotes", workload.file, value.line)
        said = {value.text.strip(): value.line for value in values}
        if len(said) > 1:
            reason = f"{PREFIX}{name} is given as {' and as '.join(sorted(said))}"
            yield Finding("manifest", "error", reason, "say the same everywhere", workload.file, values[-1].line)
    owner, wanted = workload.get("owner"), case.content.get("owner")
    if owner is None:
        reason = f"the workload of {case.id} names no owner"
        remedy = f"annotate it: '{PREFIX}owner: {wanted}'"
        yield Finding("manifest-owner", "error", reason, remedy, workload.file, workload.line_of("owner"))
    elif owner != wanted:
        reason = f"the manifest names {owner} as the owner of {case.id}, its System document {wanted}"
        remedy = "let both name who is on the hook"
        yield Finding("manifest-owner", "error", reason, remedy, workload.file, workload.line_of("owner"))


def _text_of(name: str) -> str:
    try:
        raw = sys.stdin.buffer.read() if name == "-" else Path(name).read_bytes()
    except OSError as error:
        raise NotYaml(f"it cannot be read: {error.strerror}", 1) from None
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise NotYaml("it is not UTF-8 text", raw.count(b"\n", 0, error.start) + 1) from None


def _items(document: Node) -> Iterator[Pairs]:
    """The objects of a document: itself, or those of a List."""
    waiting = [document]
    while waiting:
        node = waiting.pop(0)
        if not isinstance(node, Pairs):
            continue
        items = node.get("items")
        if isinstance(items, Items) and str(_text(node.get("kind"))).endswith("List"):
            waiting += items.items
        else:
            yield node


def _workloads(file: str, item: Pairs) -> Iterator[Workload]:
    odd: list[Finding] = []
    said = sorted(_said(file, item, odd), key=lambda one: -one.depth)
    parts = list(dict.fromkeys(one.part for one in said if one.part and one.name == "system"))
    metadata = item.get("metadata")
    line = item.line if metadata is None else metadata.line
    # Items of a list that name a system are workloads of their own, and share what is said outside of them.
    for number, part in enumerate(parts or [None]):
        of_it: dict[str, list[Scalar]] = {}
        for one in said:
            if part is None or one.part in ((), part):
                of_it.setdefault(one.name, []).append(one.value)
        yield Workload(
            file, line, {name: tuple(values) for name, values in of_it.items()}, () if number else tuple(odd)
        )


def _said(file: str, item: Pairs, findings: list[Finding]) -> Iterator[_Said]:
    """What is said under our prefix anywhere in an object; keys that are nearly ours are findings."""
    seen: set[int] = set()
    waiting: deque[tuple[Node, tuple[object, ...], int]] = deque([(item, (), 0)])
    while waiting:
        node, part, depth = waiting.popleft()
        # An alias names the same node again: what it says was heard.
        if isinstance(node, Scalar) or id(node) in seen:
            continue
        seen.add(id(node))
        if isinstance(node, Items):
            waiting += [(child, (*part, number), depth + 1) for number, child in enumerate(node.items)]
            continue
        for key, child in node.all():
            if key.text in HOLDERS and isinstance(child, Pairs):
                yield from _held(file, child, part, depth, findings)
            waiting.append((child, part, depth + 1))


def _held(file: str, holder: Pairs, part: tuple[object, ...], depth: int, findings: list[Finding]) -> Iterator[_Said]:
    for key, value in holder.all():
        name = key.text.removeprefix(PREFIX)
        if key.text.startswith(PREFIX) and name in NAMES:
            if isinstance(value, Scalar):
                yield _Said(part, depth, name, Scalar(value.text, value.is_text, key.line))
            else:
                reason = f"{key.text} is no text, and Kubernetes takes nothing else"
                findings.append(Finding("manifest", "error", reason, "put a text there", file, key.line))
        elif "seamwatch" in key.text.lower():
            reason = f"{key.text} is none of the names that are read"
            near = get_close_matches(key.text.lower().replace("_", "-").rpartition("/")[2], NAMES, 1)
            all_of_them = f"those are {', '.join(PREFIX + known for known in NAMES)}"
            remedy = f"did you mean {PREFIX}{near[0]}?" if near else all_of_them
            findings.append(Finding("manifest", "error", reason, remedy, file, key.line))


def _text(node: Node | None) -> str | None:
    return node.text if isinstance(node, Scalar) else None
