"""`seamwatch attest`: a person attests that something agreed was done, and is told first whether that counts."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

if TYPE_CHECKING:
    from seamwatch.engine.seams import BoundClause
    from statements.published import Published
    from statements.running import RunningSystem

_PATIENCE_SECONDS: Final = 15.0
KINDS: Final = ("review", "coverage", "benchmark", "lineage", "action", "reevaluation")


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command()(attest)


def attest(
    kind: Annotated[str, typer.Argument(metavar="KIND", help=f"what was done: {', '.join(KINDS)}")],
    subject: Annotated[
        str | None,
        typer.Argument(
            help="the clause as <contract>#<clause>, of an action <contract>#<clause>/<violation>/<action>; the point "
            "of the hand-over when absent"
        ),
    ] = None,
    *,
    person: Annotated[str, typer.Option("--as", help="who attests: the id of a Person document", metavar="PERSON")],
    key: Annotated[
        Path | None, typer.Option(help="your Ed25519 private key, to sign with; needed when your Person has keys")
    ] = None,
    system: Annotated[str | None, typer.Option(help="the system; needed where a contract covers several")] = None,
    value: Annotated[float | None, typer.Option(help="of a benchmark: the value measured")] = None,
    metric: Annotated[
        list[str] | None,
        typer.Option(help="of a re-evaluation: a metric and its value; once for each", metavar="NAME=VALUE"),
    ] = None,
    evidence: Annotated[str | None, typer.Option(help="where the evidence lies: a URI")] = None,
    data_as_of: Annotated[str | None, typer.Option(help="of a refresh's lineage: how new its data is")] = None,
    rows: Annotated[int | None, typer.Option(help="of a refresh's lineage: how many rows it has")] = None,
    source: Annotated[list[str] | None, typer.Option(help="of a refresh's lineage: a source; once for each")] = None,
    version: Annotated[str | None, typer.Option(help="of a refresh's lineage: its version")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="print the event as one object")] = False,
    data: Annotated[Path | None, typer.Option(help="data folder of a running `seamwatch up`")] = None,
) -> None:
    """Attest a review, coverage, a benchmark's value, a re-evaluation, a refresh's lineage, or an action.

    Exit 1, and nothing is sent, when it would not count for the clause that asks for it. The lineage of a refresh is
    attested by the refresh itself, so `attest lineage` publishes one. Of an action of a review (`seamwatch review`)
    that is done the judge says whether it counts: exit 1 as well when it does not, 3 when no judge says anything.

    Example: seamwatch attest review 'credit-limits#quarterly' --as owner@example.org --key owner.pem
    """
    from console.reach import reach
    from statements.published import Published

    metrics = _metrics(kind, metric or [])
    _check_options(kind, value, {"--data-as-of": data_as_of, "--rows": rows, "--source": source, "--version": version})
    published = Published(reach(data))
    keys = published.keys_of(person)
    concerned = _system(published, subject, system)
    asking = _asking(published, kind, subject, concerned)
    if kind == "lineage":
        record_type, record = (
            "dataset_refresh",
            _refresh(published, concerned, person, data_as_of, rows, source, version),
        )
    else:
        record_type, record = "attestation", _attestation(published, concerned, kind, subject, person, value, evidence)
        record["metric"] = getattr(asking[0].clause, "metric", None) if asking else None
        record |= metrics
    _sign(record_type, record, person, keys, key)
    _demand_effect(asking, record, subject)
    if kind == "action":
        _close(reach(data), record)
    else:
        published.send(record_type, record)
    if as_json:
        print(json.dumps({"type": record_type, **record}, ensure_ascii=False))
        return
    print(f"{person} attested {kind} of {concerned}: {_consequence(asking, kind, record['event_time'])}")


def _metrics(kind: str, given: list[str]) -> dict[str, str]:
    """What a re-evaluation measured, as the statement that is signed; nothing of what measured nothing."""
    from seamwatch.clauses.reevaluation.statement import metrics_of, metrics_text
    from seamwatch.errors import UsageError

    if given and kind != "reevaluation":
        raise UsageError("--metric is of a re-evaluation; a benchmark has a --value")
    found: dict[str, float] = {}
    for each in given:
        name, _, text = each.rpartition("=")
        try:
            number = float(text)
        except ValueError:
            raise UsageError(f"--metric {each}: write <name>=<number>, such as gini=0.61") from None
        if not name or name in found:
            raise UsageError(f"--metric {each}: " + ("name the metric" if not name else f"{name} is given twice"))
        found[name] = number
    if not found:
        return {}
    said = {"statement": metrics_text(found)}
    try:
        metrics_of({"metric": None, "value": None, **said})
    except ValueError as error:
        raise UsageError(f"--metric: {error}") from None
    return said


def _check_options(kind: str, value: float | None, of_refresh: dict[str, Any]) -> None:
    from seamwatch.errors import UsageError
    from seamwatch.wire.schemas import nearest

    if kind == "drill":
        raise UsageError("a drill is attested by `seamwatch drill`, which holds it and signs what it came to")
    if kind not in KINDS:
        raise UsageError(f"{kind!r} cannot be attested{nearest(kind, KINDS) or ': it is one of ' + ', '.join(KINDS)}")
    if (value is None) == (kind == "benchmark"):
        raise UsageError("a benchmark has a --value, and nothing else has")
    for option, given in of_refresh.items():
        if given is not None and kind != "lineage":
            raise UsageError(f"{option} is of a refresh: it goes with `attest lineage` alone")
        if given is None and kind == "lineage" and option in ("--data-as-of", "--source"):
            raise UsageError(f"`attest lineage` publishes a refresh, which needs {option}")


def _system(published: Published, subject: str | None, system: str | None) -> str:
    from seamwatch.errors import UsageError
    from seamwatch.wire.schemas import nearest

    if system is not None:
        published.demand_system(system)
        return system
    if subject is None or "#" not in subject:
        raise UsageError("say what it concerns: <contract>#<clause>, or --system")
    contract = subject.partition("#")[0]
    versions = published.estate.versions_of(contract)
    if not versions:
        known = tuple(sorted({contract.id for contract in published.estate.contracts}))
        raise UsageError(f"no contract {contract!r} is published{nearest(contract, known)}")
    covered = sorted(name for name in published.estate.systems if versions[-1].covers_system(name))
    if len(covered) != 1:
        which = ", ".join(covered) or "no declared one"
        raise UsageError(f"{contract} covers several systems or none ({which}): name the one you mean with --system")
    return covered[0]


def _asking(published: Published, kind: str, subject: str | None, system: str) -> list[BoundClause]:
    """The clauses in force that ask for such an attestation: the one that the subject names, else all."""
    from seamwatch.errors import UsageError
    from seamwatch.wire.schemas import nearest

    found = {f"{bound.seam.contract}#{bound.clause.id}": bound for bound in published.clauses(system, kind)}
    if kind == "action":
        clause, *names = (subject or "").split("/")
        if len(names) != 2:
            raise UsageError(
                "say which action: <contract>#<clause>/<violation>/<action>, as `seamwatch followups` does"
            )
        subject = clause
    if subject is None or "#" not in subject:
        # A point of the hand-over: of those that ask for a review, each asks for that of its own.
        point = subject or kind
        at_point = [bound for bound in found.values() if getattr(bound.clause, "point", kind) == point]
        if at_point or point == kind:
            return at_point
        subject = point
    if subject not in found:
        raise UsageError(f"{subject} is no {kind} clause in force for {system}{nearest(subject, tuple(found))}")
    return [found[subject]]


def _attestation(
    published: Published,
    system: str,
    kind: str,
    subject: str | None,
    person: str,
    value: float | None,
    evidence: str | None,
) -> dict[str, Any]:
    return {
        **_head(published.now, system),
        "subject": subject or kind,
        "kind": kind,
        "metric": None,
        "value": value,
        "person": person,
        "evidence_uri": evidence,
    }


def _refresh(
    published: Published,
    system: str,
    person: str,
    data_as_of: str | None,
    rows: int | None,
    sources: list[str] | None,
    version: str | None,
) -> dict[str, Any]:
    from console.moments import moment_of

    return {
        **_head(published.now, system),
        "data_as_of": moment_of("--data-as-of", data_as_of),
        "row_count": rows,
        "schema_digest": None,
        "sources": sources or [],
        "version": version,
        "attested_by": person,
    }


def _head(now: int, system: str) -> dict[str, Any]:
    from seamwatch.wire.events import new_event_id

    return {"event_id": new_event_id(), "event_time": now, "producer": "seamwatch attest", "system": system}


def _sign(record_type: str, record: dict[str, Any], person: str, keys: Mapping[str, str], file: Path | None) -> None:
    from console.signing import sign_as
    from seamwatch.signatures import attestation_bytes, refresh_bytes

    message = (refresh_bytes if record_type == "dataset_refresh" else attestation_bytes)(record)
    record["key_id"], record["signature"] = sign_as(message, person, keys, file)


def _demand_effect(asking: list[BoundClause], record: dict[str, Any], subject: str | None) -> None:
    """Raise SeamwatchError when clauses ask for it and it counts for none of them."""
    from seamwatch.errors import SeamwatchError

    void = {bound.clause.id: bound.clause.why_void(bound.seam, record) for bound in asking}
    if void and None not in void.values():
        why = (
            "; ".join(f"{clause}: {reason}" for clause, reason in void.items())
            if subject is None
            else void.popitem()[1]
        )
        raise SeamwatchError(f"it would not count, and was not sent: {why}")


def _close(system: RunningSystem, record: dict[str, Any]) -> None:
    """Send that an action is done, and raise SeamwatchError when the judge says that it does not count."""
    from seamwatch.errors import SeamwatchError, UnreachableError
    from statements.review import submit

    (verdict,) = submit(system, [record], _PATIENCE_SECONDS)
    if verdict is None:
        raise UnreachableError(
            "it was sent, and is on record, but no judge has said whether it counts: is one running?"
        )
    if not verdict["counted"]:
        raise SeamwatchError(f"it does not count: {verdict['summary']}")


def _consequence(asking: list[BoundClause], kind: str, at: int) -> str:
    from seamwatch.judging.patterns.wording import moment_text

    if not asking:
        return f"on record; no clause in force asks for a {kind}"
    if kind == "action":
        return "the judge says that it counts"
    clocks = (getattr(bound.clause, "every", None) for bound in asking)
    every = next((clock for clock in clocks if isinstance(clock, int)), None)
    named = ", ".join(f"{bound.seam.contract}#{bound.clause.id}" for bound in asking)
    return f"it counts for {named}" + (f"; the next is due by {moment_text(at + every)}" if every else "")
