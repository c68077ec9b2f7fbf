"""Declaring: what a command says of an incident is made, signed and sent, and the judge's verdict told."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from console.asking import auditor
from console.reach import reach
from console.signing import sign_as
from console.waiting import seconds_of
from seamwatch.engine.seams import BoundClause, Seams
from seamwatch.errors import SeamwatchError, UnreachableError, UsageError
from seamwatch.settings import load_settings
from seamwatch.signatures import attestation_bytes
from statements import incident, review
from statements.incident import incidents_of
from statements.incident_draft import drafted
from statements.published import Published
from statements.recorded import once_recorded
from statements.violations import violation_meant

if TYPE_CHECKING:
    from seamwatch.judging.model.facts import Violation
    from sinks.store.client import Store
    from sinks.store.questions.incidents import Incident

_PRODUCER: Final = "seamwatch incident"


class Found:
    """A violation, what is on record of it, and the documents in force."""

    def __init__(self, violation: Violation, declared: list[Incident], text: Callable[[], str], seams: Seams, now: int):
        self.violation, self.declared, self.draft, self.seams, self.now = violation, declared, text, seams, now
        self.bound: BoundClause | None = None

    def under(self) -> BoundClause:
        """The clause under which it was declared."""
        return incident.declared_under(self.seams, self.violation, self.declared, self.now)[0]

    def event(self, bound: BoundClause, person: str, said: Any, evidence_uri: str | None = None) -> dict[str, Any]:
        """What is sent, unsigned."""
        self.bound = bound
        return incident.draft_event(bound, self.violation, person, said, self.now, _PRODUCER, evidence_uri)


def say(
    violation: str,
    person: str,
    key: Path | None,
    wait: str,
    as_json: bool,
    data: Path | None,
    make: Callable[[Found], dict[str, Any]],
    told: str,
) -> None:
    """Make the event, sign it, send it, and say what the judge makes of it."""
    patience, system = seconds_of(wait), reach(data)
    settings = load_settings()
    with auditor(data) as store:
        meant = violation_meant(store, system, violation, patience, "seamwatch violations")
        declared = _declared(store, meant, patience, system)
        published = Published(system)
        keys = published.keys_of(person)
        seams, now = Seams(published.estate, settings.default_owner), settings.clock().now()
        found = Found(meant, declared, lambda: drafted(store, published.estate, meant, declared, now), seams, now)
        event = make(found)
    event["key_id"], event["signature"] = sign_as(attestation_bytes(event), person, keys, key)
    assert found.bound is not None
    review.demand_effect(found.bound, event)
    (verdict,) = review.submit(system, [event], patience)
    if as_json:
        print(json.dumps(event | {"verdict": verdict and _fields(verdict)}, ensure_ascii=False))
    elif verdict is None or verdict["counted"]:
        sent = "sent; no judge has said whether it counts" if verdict is None else verdict["summary"]
        print(f"{person} {told.format(meant.violation_id)} ({sent})")
    if verdict is not None and not verdict["counted"]:
        raise SeamwatchError(f"it does not count: {verdict['summary']}")
    if patience and verdict is None:
        raise UnreachableError(
            f"it was sent, and is on record, but no judge has said within {wait} whether it counts: is one running? "
            "`seamwatch incidents` tells what is owed"
        )


def _declared(store: Store, violation: Violation, patience: float, system: Any) -> list[Incident]:
    """What was declared of it; what was said a moment ago is waited for."""
    return once_recorded(
        store, system, ("attestation", "verdict"), lambda: incidents_of(store, violation), patience
    )  # fmt: skip


def drafted_now(violation: str, wait: str, data: Path | None) -> str:
    """The draft of a report, of what is on record now."""
    system = reach(data)
    with auditor(data) as store:
        meant = violation_meant(store, system, violation, seconds_of(wait), "seamwatch violations")
        estate = Published(system).estate
        return drafted(store, estate, meant, incidents_of(store, meant), load_settings().clock().now())


def kept(file: Path, at: str | None) -> tuple[str | None, str | None]:
    """The text of a draft or, where it is kept elsewhere, its digest."""
    if at is not None:
        return None, digest_of(file)
    try:
        return _bytes(file).decode("utf-8"), None
    except UnicodeDecodeError:
        raise UsageError(f"{file} is no text: say where it is kept with --at, and its digest goes on record") from None


def digest_of(file: Path) -> str:
    """The SHA-256 of a file, in hex."""
    return hashlib.sha256(_bytes(file)).hexdigest()


def _bytes(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise UsageError(f"{file}: {error.strerror}") from None


def _fields(verdict: dict[str, Any]) -> dict[str, Any]:
    """What of a verdict its author does not know."""
    return {name: verdict[name] for name in ("counted", "reason", "summary", "contract", "contract_version", "clause")}
