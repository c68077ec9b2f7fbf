"""A card as Markdown (CommonMark with tables): headings, lists and tables. What others wrote is escaped. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from board.cards import words
from board.cards.made import MARK, embedded
from seamwatch.judging.patterns.wording import moment_text
from seamwatch.printable import printable
from sinks.store.questions.cards.model import Card, Figure, Incident, Signatory

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]<>#|~&])")


def markdown(card: Card) -> str:
    """The whole card."""
    said = {
        "form": card.form,
        "system": card.who.system,
        **{name: card.model_dump(mode="json")[name] for name in ("as_of", "good_until", "since", "basis")},
    }
    lines = [
        f"# {_safe(card.who.system)}",
        "",
        _made(card),
        "",
        *(
            f"**Suspended**: {_safe(f'{one.what} since {moment_text(one.since)} by {one.by}: {one.reason}')}\n"
            for one in card.suspended
        ),
        *_who(card),
        *_performance(card),
        *_what_happened(card),
        *_stands_on(card),
        f"<!-- {MARK} {embedded(said)} -->",
    ]
    return "\n".join(lines) + "\n"


def _made(card: Card) -> str:
    of = card.counted
    return (
        f"As of {moment_text(card.as_of)}, of events since {moment_text(card.since)}: {of.decisions:,} decisions, "
        f"{of.calls:,} calls, {of.outcomes:,} outcomes, {of.refreshes:,} refreshes. **Good until "
        f"{moment_text(card.good_until)}; from then on it is stale.**"
    )


def _who(card: Card) -> Iterator[str]:
    who = card.who
    owner = _known(who.owner if who.owner_name is None else f"{who.owner_name} ({who.owner})")
    yield from _section("What it is for, and who answers for it")
    yield from _items(
        f"For: {_known(who.purpose)}",
        f"Not for: {_known('; '.join(who.not_for))}",
        f"Used for: {_known(', '.join(who.use_cases))}",
        f"Owner: {owner}",
        f"Team: {_known(who.team)}",
        f"Type: {_known(who.type)}",
        f"Risk: {_known(who.risk_tier)}",
        *(f"{name.capitalize()}: {_safe(text)}" for name, text in who.links.items()),
    )
    yield from _section("Who approved it, and on what basis")
    yield from _table(
        ("Approval", "Version", "For", "By", "At", "Basis", "Signed by", "Stands", "Events allowed"),
        (
            (
                one.approval_id, one.version, one.use_case, one.approved_by or words.NOT_KNOWN,
                _at(one.approved_at), words.basis_text(one), ", ".join(one.signed_by) or "nobody",
                one.standing, f"{one.events:,}",
            )
            for one in card.approvals
        ),
        "Nobody has approved anything of it.",
    )  # fmt: skip


def _performance(card: Card) -> Iterator[str]:
    yield from _section("How it does, against what was approved")
    for title, figures in (
        ("All together", [one for one in card.figures if one.cohort is None]),
        ("By cohort", [one for one in card.figures if one.cohort is not None]),
    ):
        yield from (f"### {title}", "")
        yield from _table(
            ("Figure", "Of", "Value", "95 % sure", "Events", "Approved", "Stands"),
            map(_figure, figures),
            "No cohort is told apart.",
        )
    if card.counted.cohorts_left_out:
        yield from (f"{card.counted.cohorts_left_out:,} more cohorts are not told apart.", "")
    yield from ("### What was attested", "")
    yield from _table(
        ("Metric", "Value", "At", "By", "Approved", "Stands"),
        (
            (one.metric, words.attested_text(one), _at(one.at), one.person or words.NOT_KNOWN,
             words.threshold_text(one.threshold), words.STANDINGS[one.standing])
            for one in card.attested
        ),
        "The System document has no benchmark.",
    )  # fmt: skip
    yield from _section("Drift")
    yield from (_safe(words.drift_text(card.drift)), "")
    yield from _section("Calibration")
    if not card.calibration:
        yield from (f"{words.NOT_KNOWN.capitalize()}: no outcome with a score is on record.", "")
    for found in card.calibration:
        yield from (f"{_safe(words.cohort_text(found.cohort))}: {words.calibration_text(found)}.", "")
        yield from _table(
            ("Score said", "Came true", "95 % sure", "Outcomes"),
            (
                (f"{b.said:.3f}", f"{b.happened:.3f}", f"{b.low:.3f} to {b.high:.3f}", f"{b.count:,}")
                for b in found.bins
            ),
            "",
        )


def _figure(one: Figure) -> Sequence[str]:
    return (
        one.metric, words.cohort_text(one.cohort), words.figure_text(one), words.interval_text(one), f"{one.events:,}",
        words.thresholds_text(one), words.STANDINGS[one.standing],
    )  # fmt: skip


def _what_happened(card: Card) -> Iterator[str]:
    yield from _section("Incidents, and what followed")
    yield from _table(
        ("What", "Clause", "Severity", "State", "Opened", "Taken on by", "Over", "What followed"),
        map(_incident, card.incidents),
        "Nothing is open, and nothing opened in this time.",
    )
    if card.incidents_left_out:
        yield from (f"And {card.incidents_left_out:,} more.", "")
    since = "" if card.changed_since is None else f" ({moment_text(card.changed_since)})"
    yield from _section(f"Changes since the approval{since}")
    if card.changed_since is None:
        yield from ("Not known since when: no approval is in force.", "")
    else:
        yield from _table(
            ("At", "What", "By"),
            ((moment_text(one.at), f"{one.what}: {one.text}", one.by or "") for one in card.changes),
            "Nothing changed.",
        )


def _incident(one: Incident) -> Sequence[str]:
    followed = "; ".join(
        f"{each.what} by {each.person}: {'done' if each.done_at is not None else 'owed'}" for each in one.followed
    )
    return (
        one.summary, one.clause, one.severity, one.state, moment_text(one.opened_at), one.acknowledged_by or "nobody",
        _at(one.resolved_at) if one.resolved_at is not None else "no", followed or "nothing",
    )  # fmt: skip


def _stands_on(card: Card) -> Iterator[str]:
    yield from _section("Data that it stands on")
    yield from _table(
        ("Data set", "Refreshed", "Data as of", "Age", "Agreed", "Stands"),
        (
            (one.dataset, _at(one.refreshed_at), _at(one.data_as_of), words.age_text(one.age_seconds),
             "nothing" if one.agreed_seconds is None else f"at most {words.age_text(one.agreed_seconds)}",
             words.source_standing(one))
            for one in card.sources
        ),
        "Not known: its document names no data that it is fed by.",
    )  # fmt: skip
    if (of := card.decided_on) is not None:
        median, most = words.age_text(of.median_seconds), words.age_text(of.most_seconds)
        silent = f"{of.without_age:,} of {of.events:,} do not say"
        yield from (f"Decisions were made on data {median} old (median), at most {most}; {silent}.", "")
    yield from _section("Limits that are agreed")
    yield from _table(
        ("Contract", "Clause", "Kind", "Severity", "Terms"),
        (
            (f"{one.contract}@{one.version}", one.clause, one.kind, one.severity,
             words.terms_text(one.terms))
            for one in card.limits
        ),
        "No clause is in force.",
    )  # fmt: skip
    yield from _items(
        *(
            _safe(
                f"{one.contract}@{one.version}: {one.person or 'nobody named'} ({', '.join(one.roles)}) {_signed(one)}"
            )
            for one in card.signatories
        )
    )
    yield from _section("What could not be judged")
    yield from _table(
        ("Clause", "Why", "What"),
        ((one.clause or "no clause", one.why, one.said) for one in card.unjudged),
        "Everything that came could be judged.",
    )


def _signed(one: Signatory) -> str:
    """Whether somebody has signed."""
    return "has not signed" if one.signed_at is None else f"signed at {moment_text(one.signed_at)}"


def _section(title: str) -> Iterator[str]:
    yield from (f"## {title}", "")


def _items(*items: str) -> Iterator[str]:
    yield from (f"- {item}" for item in items)
    yield ""


def _table(head: Sequence[str], rows: Iterable[Sequence[str]], empty: str) -> Iterator[str]:
    lines = [f"| {' | '.join(map(_safe, row))} |" for row in rows]
    if not lines:
        yield from (empty, "")
        return
    yield f"| {' | '.join(head)} |"
    yield f"|{'---|' * len(head)}"
    yield from (*lines, "")


def _safe(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", printable(" ".join(text.split())))


def _known(text: str | None) -> str:
    return _safe(text) if text else f"*{words.NOT_KNOWN}*"


def _at(moment: int | None) -> str:
    return words.NOT_KNOWN if moment is None else moment_text(moment)
