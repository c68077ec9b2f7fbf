"""`seamwatch why`: from one decision to the approval that allowed it, its contracts and the person on the hook."""

from __future__ import annotations

import json
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from seamwatch.judging.model.facts import Violation
    from seamwatch.sdk.subject_keys import SubjectKeys
    from seamwatch.sealing import SealContext
    from sinks.store.client import Store
    from sinks.store.questions.erasures import Erasure
    from sinks.store.questions.signatures import Signature
    from sinks.store.questions.why import Decision


_OF_VIOLATION = (
    "violation_id", "contract", "contract_version", "clause", "severity", "state", "summary", "person",
    "acknowledged_by", "resolved_at",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Answer:
    """All that is said of a decision. ``held``: its attributes and arguments by title, as far as they can be read."""

    decision: Decision
    why_not: str | None
    basis: Sequence[str]
    """Why the basis of its approval was gone by then."""
    held: dict[str, dict[str, str]]
    erasures: Sequence[tuple[Erasure, bool]]
    """Of the keys that sealed something in it; and whether the file of keys has that key again."""
    signatures: Sequence[Signature]
    violations: Sequence[Violation]
    paged: str


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(why)


def why(
    event: Annotated[str, typer.Argument(help="event_id of an inference or a tool call", metavar="EVENT_ID")],
    as_json: Annotated[bool, typer.Option("--json", help="one object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Say why a decision was allowed: its approval, the contracts that bind it, who answers for it, where it is kept.

    The approval is the one that allowed it when it came: by its own time, configuration and use case, and by the
    documents that were published then. What it rests on and changed since, without a re-evaluation, is told with it.
    Who signed each contract, and when they signed, stands beside it; who must and
    has not, too.

    Its attributes and arguments are shown, and what is sealed in them where SEAMWATCH_SUBJECT_KEYS names the keys.
    Exit 1 when there is no such event, or no approval covers it.

    Example: seamwatch why 019539d9-1e5c-7c3a-9d1b-0c1f8f6b2a11
    """
    from console.asking import auditor
    from seamwatch.errors import SeamwatchError
    from seamwatch.settings import load_settings
    from sinks.store.questions.approved import Publications, with_approval
    from sinks.store.questions.basis import gone
    from sinks.store.questions.episodes import caused_by
    from sinks.store.questions.estate import estate_shown
    from sinks.store.questions.rotas import paged_text
    from sinks.store.questions.signatures import signatures
    from sinks.store.questions.why import decision

    with auditor(data) as store:
        found = decision(store, event)
        if found is None:
            raise SeamwatchError(
                f"no inference or tool call with event_id {event!r} is on record: it may not have arrived, or its kind "
                "is another (`seamwatch trail` shows all kinds of a trace)"
            )
        allowed = Publications(store, [found.system]).allowed(found)
        answer = _Answer(
            with_approval(found, allowed.approval),
            allowed.why_not,
            gone(store, found, allowed.approval),
            *_held(store, found),
            signatures(store, found.contracts),
            caused_by(store, event),
            paged_text(found.escalation, lambda: estate_shown(store), load_settings().clock().now()),
        )
    if as_json:
        print(json.dumps(_record(answer), ensure_ascii=False))
    else:
        _print(answer)
    raise typer.Exit(answer.decision.approval_id is None)


def _record(answer: _Answer) -> dict[str, Any]:
    from sinks.store.questions.rows import record, records

    return {
        **record(answer.decision),
        **answer.held,
        "erasures": [record(erasure) | {"key_is_back": back} for erasure, back in answer.erasures],
        "why_not": answer.why_not,
        "basis_gone": list(answer.basis),
        "signatures": records(answer.signatures),
        "violations": [_violation(violation) for violation in answer.violations],
    }


def _violation(violation: Violation) -> dict[str, Any]:
    fields = {name: getattr(violation, name) for name in _OF_VIOLATION}
    return fields | {"resolved_at": _moment(violation.resolved_at)}


def _held(store: Store, found: Decision) -> tuple[dict[str, dict[str, str]], list[tuple[Erasure, bool]]]:
    """The event's attributes, and arguments of a tool call, as texts; what is sealed opened if the key is at hand.

    And the erasures that are on record of the keys that sealed them. Such a key opens nothing, also where a copy of it
    came back with a backup.
    """
    from seamwatch.sdk.sealer import argument_of, attribute_of
    from seamwatch.sdk.subject_keys import open_subject_keys
    from seamwatch.settings import load_settings
    from sinks.store.questions.why import contents

    named = load_settings().subject_keys
    keys = None if named is None else open_subject_keys(named)
    texts = contents(store, found)
    erasures = _erasures(store, [*texts.attributes.values(), *texts.arguments.values()], keys)
    erased = {erasure.key_id for erasure, _ in erasures}
    held = {
        "attributes": {
            name: _read(text, attribute_of(found.event_id, name), keys, erased)
            for name, text in texts.attributes.items()
        }
    }
    if found.type == "tool_call":
        held["arguments"] = {
            name: _read(text, argument_of(found.event_id, name), keys, erased) for name, text in texts.arguments.items()
        }
    return held, erasures


def _moment(micros: int | None) -> str | None:
    from seamwatch.instants import format_instant

    return None if micros is None else format_instant(micros)


def _erasures(store: Store, texts: list[str], keys: SubjectKeys | None) -> list[tuple[Erasure, bool]]:
    """Those of the keys by which any of the texts is sealed; and whether the file has that key again."""
    from seamwatch.sealing import SubjectKey, key_id_of
    from sinks.store.questions.erasures import erasures

    ids = sorted({key_id.hex() for text in texts if (key_id := key_id_of(text)) is not None})
    return [
        (erasure, keys is not None and isinstance(keys.find(bytes.fromhex(erasure.key_id)), SubjectKey))
        for erasure in erasures(store, ids)
    ]


def _read(text: str, place: SealContext, keys: SubjectKeys | None, erased: AbstractSet[str]) -> str:
    from seamwatch.errors import SealError
    from seamwatch.sdk.sealer import ERASED, SEALED, opened
    from seamwatch.sealing import key_id_of

    key_id = key_id_of(text)
    if key_id is None:
        return text
    if key_id.hex() in erased:
        return ERASED
    try:
        found = opened(text, place, keys)
    except SealError:
        return "(sealed for another event or field, or changed since)"
    unknown = found == SEALED and keys is not None
    return "(sealed by a key that is not here, and of which no erasure is on record)" if unknown else found


def _print(answer: _Answer) -> None:
    from console.tables import print_text
    from seamwatch.instants import format_instant
    from sinks.store.questions.episodes import standing
    from sinks.store.questions.signatures import by_contract, signed
    from sinks.store.questions.why import allowed_by, bound_by, owned_by, said, served_by

    def line(name: str, text: str) -> None:
        print_text(f"{name:<11} {text}", indent="  ", further=" " * 14)

    found = answer.decision
    print_text(
        f"{found.event_id}  {found.type} of {found.system} at {format_instant(found.event_time)}: {said(found)}",
        further="  ",
    )
    line("served by", served_by(found))
    line("approval", allowed_by(found, answer.why_not))
    for text in answer.basis:
        line("basis gone", text)
    line("owner", owned_by(found))
    line("contracts", bound_by(found))
    for name, under in by_contract(answer.signatures).items():
        line("signed", f"{name}: {signed(under)}")
    if answer.paged:
        line("paged", answer.paged)
    for title, texts in answer.held.items():
        if texts:
            line(title, ", ".join(f"{name}: {value}" for name, value in texts.items()))
    for erasure, back in answer.erasures:
        why_so = f": {erasure.reason}" if erasure.reason else ""
        again = f"; BUT THE KEY IS BACK: seamwatch erase --key-id {erasure.key_id}" if back else ""
        line("erased", f"key {erasure.key_id} by {erasure.person} at {_moment(erasure.erased_at)}{why_so}{again}")
    line("on record", f"{found.topic}, partition {found.partition}, offset {found.offset}")
    for violation in answer.violations:
        place = f"{violation.contract}/{violation.clause}"
        line(violation.severity, f"{place} ({standing(violation)}): {violation.summary}")
        line("", violation.violation_id)
