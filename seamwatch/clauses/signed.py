"""Signed: a version that is in force is signed by all who must.

Who must sign is who signs for the parties, and each of the `co_signers` of a `threshold`. A signature counts from when
it was made, by a key that the person's document lists, under the very text that is in force; it travels with the
contract (docs/signatures.md). What a version changed is not asked: that it moved a line without its co-signer is one
case of it, and the sentence names the threshold and whose signature is missing.

**Every contract has such a clause**, without writing it: a warning. It asks all who must sign as soon as anybody has
signed any version of the contract, and before that those who have published keys; where nobody has a key, and nobody
ever signed, it asks nothing. A contract that writes the clause asks all who must in any case, and says how severe it
is: a `breach` by default, because who demands signatures has agreed that nothing holds without them.

It is judged once for a contract, under the first system id of its `covers` (a pattern, where it has only patterns),
from when a version is in force. A first version without `effective_from` reaches back without limit, and so do the
signatures under it. It is over when the last of them has signed, or with the next version; until then each signature
changes its sentence. The contract `defaults` has no parties, and none of this.

State: one for a contract that is asked, for good, under 2 kB. At its largest it takes 2 kB.

What its violation says: which version of which contract, and who has not signed it in which role (`observed` of `limit`
signatures). Pages and `seamwatch violations` give the command by which each of them signs; what is signed counts once
it is published.

What it cannot see: whether who signed has read it, and when they did if their clock was wrong: the time of a signature
is what its signer says. `recorded_at` of the view `contract_signatures` says when it was published.

```yaml
- id: signed-by-all
  kind: signed
```

With these events:

```json
{"type": "inference", "event_time": "2026-01-02T09:00:00Z", "system": "scorer", "version": "v1", "use_case": "credit",
 "subject": "s1"}
```

Replayed to 2026-01-02T10:00:00Z, this gives:

```text
breach open, opened 2026-01-02T09:00:00Z
  version 1 of contract example is in force, and not signed by owner@example.org (provider), second@example.org
  (consumer)
```
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Literal

from seamwatch.clauses.clause import BEGINNING, Clause
from seamwatch.judging.model.facts import ForwardedEvent
from seamwatch.judging.model.judgement import IN_FORCE, Finding, Input, Judgement, Moment, Open, Resolve
from seamwatch.judging.model.seam import Seam, Signer, Signing
from seamwatch.judging.patterns.wording import moment_text

IMPLIED = "signed"
"""The id of the clause that every contract has without writing it."""


@dataclass(frozen=True, slots=True)
class SignedState:
    """Which version is judged, and how far.

    ``begun``: the event time from which the contract was looked at; ``since`` when the version came into force;
    ``told`` the last moment at which it was asked who has signed; ``open`` the version of which an episode is open.
    """

    begun: int | None = None
    version: str = ""
    since: int = BEGINNING
    told: int | None = None
    open: str | None = None


class Signed(Clause, kind="signed"):
    """All who must sign it have signed it."""

    state_type = SignedState
    wants: ClassVar[frozenset[str]] = frozenset({IN_FORCE})

    kind: Literal["signed"]

    def sources(self) -> tuple[str, ...]:
        """It looks at documents only."""
        return ()

    def judge(self, seam: Seam, state: SignedState | None, received: Input, moment: Moment) -> Judgement:
        """Who has signed the version in force, at each moment at which that became another answer."""
        signing, state = seam.signing, state or SignedState()
        if signing is None or (since := max(signing.since or BEGINNING, BEGINNING)) < state.since:
            # Of a version that is over; the one in force is asked at once.
            return Judgement(state, (), None, moment.now)
        if isinstance(received, ForwardedEvent):
            # Of a history in any order, an earlier beginning may be heard of later.
            begun = int(received.record["event_time"])
            state = replace(state, begun=begun if state.begun is None else min(begun, state.begun))
        if state.version != seam.contract_version:
            state = replace(state, version=seam.contract_version, since=since, told=None)
        start = max(since, moment.watermark if state.begun is None else state.begun)
        if start > moment.watermark:
            return Judgement(state, (), start)
        return self._judged(seam, signing, state, start, moment.watermark)

    def _judged(self, seam: Seam, signing: Signing, state: SignedState, start: int, watermark: int) -> Judgement:
        findings: list[Finding] = []
        if state.open not in (None, seam.contract_version):
            said = f"version {seam.contract_version} of contract {seam.contract} is in force in its place"
            findings.append(Resolve(self.severity, str(state.open), start, summary=said))
            state = replace(state, open=None)
        moments = list(_moments(signing, start))
        come = [at for at in moments if at <= watermark]
        for at in [at for at in come if state.told is None or at > state.told] or come[-1:]:
            lacking = [signer for signer in signing.asked if not signer.has_signed(at, signing)]
            if lacking:
                findings.append(self._open(seam, signing, lacking, start))
            elif state.open is not None:
                findings.append(self._over(seam, signing, start))
            state = replace(state, open=seam.contract_version if lacking else None)
        due = next((at for at in moments if at > watermark), None)
        return Judgement(replace(state, told=come[-1]), tuple(findings), due)

    def _open(self, seam: Seam, signing: Signing, lacking: Sequence[Signer], start: int) -> Open:
        summary = (
            f"version {seam.contract_version} of contract {seam.contract} is in force, and not signed by "
            f"{', '.join(map(str, lacking))}"
        )
        return Open(
            self.severity, seam.contract_version, start, summary, since=start,
            observed=float(len(signing.asked) - len(lacking)), limit=float(len(signing.asked)), unit="signatures",
            unsigned_by=tuple(dict.fromkeys(signer.person for signer in lacking if signer.person is not None)),
        )  # fmt: skip

    def _over(self, seam: Seam, signing: Signing, start: int) -> Resolve:
        last = max((signer.signed_at or start for signer in signing.asked), default=start)
        said = (
            f"version {seam.contract_version} of contract {seam.contract} is signed by all who must since "
            f"{moment_text(last)}"
        )
        return Resolve(self.severity, seam.contract_version, max(last, start), summary=said)


def _moments(signing: Signing, start: int) -> Iterator[int]:
    """When it may be another answer who has signed: at the start, and at each later signature."""
    yield start
    if signing.since is not None:
        yield from sorted({s.signed_at for s in signing.signers if s.signed_at is not None and s.signed_at > start})
