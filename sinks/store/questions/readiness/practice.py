"""What is written and done: runbook and drills, inventory, reviews on schedule, permissions. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from seamwatch.clauses.drill import Drill
from seamwatch.documents.handover import why_nothing
from seamwatch.documents.tiers import in_force, is_held, tier_terms
from seamwatch.durations import DAY, format_duration
from seamwatch.judging.patterns.wording import moment_text
from sinks.store.questions.readiness.people import declare, drill_command
from sinks.store.questions.readiness.row import Said, no, not_known, yes

if TYPE_CHECKING:
    from sinks.store.questions.due import Due
    from sinks.store.questions.readiness.known import Known

DRILLED_WITHIN: Final = 365 * DAY
"""A drill shows something for so long, unless a contract asks for one more often."""


def runbook(known: Known) -> Said:
    """A runbook is named, and the last drill that was held is not too old, and passed."""
    declared = known.declared
    if declared is None:
        return no("no document declares it, so it has no runbook", declare(known))
    if declared.runbook is None or (why := why_nothing(declared.runbook)) is not None:
        said = "it has no runbook" if declared.runbook is None else f"its runbook {why}"
        return no(said, f"write the 'runbook' of System/{known.system}")
    last = max(known.drills, key=lambda one: one.at, default=None)
    drill = f"hold a drill ({drill_command(known)})"
    if last is None:
        return no(f"its runbook is {declared.runbook}, and no drill was ever held", drill)
    told = f"drill {last.drill} at {moment_text(last.at)}, run by {last.person}"
    asked = [c.every for k in known.in_force for c in k.clauses if isinstance(c, Drill) and c.every is not None]
    within = min(asked, default=DRILLED_WITHIN)
    if not last.passed:
        return no(f"its runbook is {declared.runbook}; {told}, did not pass", f"mend what failed, then {drill}")
    if known.now - last.at > within:
        return no(f"its runbook is {declared.runbook}; {told}, is older than {format_duration(within)}", drill)
    return yes(f"its runbook is {declared.runbook}; {told}, passed")


def inventory(known: Known) -> Said:
    """It is declared, says where its data comes from, and names a risk class that a policy in force has."""
    declared = known.declared
    if declared is None:
        seen = "" if known.running is None else f"; {known.running.events:,} events of it were seen"
        return no(f"no document declares it{seen}", declare(known))
    lacking, where = [], f"System/{known.system}"
    lineage = [text for text in declared.lineage if why_nothing(text) is None]
    if not lineage and not declared.depends_on:
        lacking.append("'lineage'")
    policies = in_force(known.estate.policies, known.now)
    tier = declared.risk_tier
    if tier is None or why_nothing(tier) is not None:
        lacking.append("'risk_tier'")
    elif policies and is_held(declared) and not tier_terms(policies, declared):
        lacking.append(f"a 'risk_tier' that the risk policy has ({tier!r} it has not)")
    if lacking:
        return no(f"{where} is declared, and lacks {' and '.join(lacking)}", f"write them in {where}, and publish it")
    held = "" if policies else "; no risk policy is in force that says what that asks for"
    return yes(f"{where}: lineage {', '.join((*lineage, *declared.depends_on))}; risk class {tier}{held}")


def reviews(known: Known) -> Said:
    """Every scheduled review of it, of its runbook and what else is agreed, is done and not overdue."""
    if known.declared is None:
        return no("no document declares it, so no review of it is scheduled", declare(known))
    found = [one for one in known.due if one.of not in ("permissions", "contract")]
    if not any(one.of == "system" for one in found):
        return no("no review of it is scheduled", f"write 'review' in System/{known.system}: {{every: 90d, by: …}}")
    return _on_schedule(known, found)


def permissions(known: Known) -> Said:
    """A clause asks that its permissions are reviewed, and they were in time."""
    found = [one for one in known.due if one.of == "permissions"]
    if not found:
        return no(
            "no review of its permissions is agreed",
            "agree on a clause {kind: review, of: permissions, every: 90d, by: …} in its contract",
        )
    return _on_schedule(known, found)


def _on_schedule(known: Known, found: Sequence[Due]) -> Said:
    told, words = [], []
    for one in found:
        name, every = f"{one.contract}#{one.clause} ({one.of})", format_duration(one.every)
        if one.due_at is None:
            words.append("not_known")
            told.append(f"{name}, every {every}: never done, and its clock has not begun")
        elif one.due_at <= known.now:
            words.append("no")
            last = "never done" if one.last is None else f"last done at {moment_text(one.last)}"
            told.append(f"{name}, every {every}: {last}, due since {moment_text(one.due_at)}")
        elif one.last is None:
            words.append("not_known")
            told.append(f"{name}, every {every}: never done so far, due by {moment_text(one.due_at)}")
        else:
            words.append("yes")
            told.append(f"{name}, every {every}: last done at {moment_text(one.last)}")
    evidence = "; ".join(told)
    for word, say in (("no", no), ("not_known", not_known)):
        if word in words:
            one = found[words.index(word)]
            by = " and ".join(one.by) if one.all_of_them else " or ".join(one.by)
            return say(evidence, f"{by or 'who may'}: seamwatch attest review '{one.contract}#{one.clause}'")
    return yes(evidence)
