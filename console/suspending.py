"""What `seamwatch suspend` and `seamwatch resume` have in common: sign, send, wait for the judge's word, and say it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from console.reach import Reach
    from statements.published import Published


def say(
    system: Reach, published: Published, event: dict[str, Any], key: Path | None, wait: str, *, as_json: bool
) -> None:
    """Sign and send what was drafted, and print what the judge makes of it.

    Raises SeamwatchError where it would not count (nothing is sent) or does not, UnreachableError where no judge has
    said anything in time.
    """
    from console.signing import sign_as
    from console.waiting import seconds_of
    from seamwatch.errors import SeamwatchError, UnreachableError
    from seamwatch.signatures import suspension_bytes
    from statements.suspension import submit, why_void

    person, what = event["person"], _what(event)
    verb, noun = ("suspends", "suspension") if event["state"] == "suspended" else ("resumes", "resumption")
    event["key_id"], event["signature"] = sign_as(suspension_bytes(event), person, published.keys_of(person), key)
    if (void := why_void(published, event)) is not None:
        raise SeamwatchError(f"the {noun} would not count, and was not sent: {void}")
    patience = seconds_of(wait)
    verdict = submit(system, event, patience)
    if as_json:
        said = None if verdict is None else {name: verdict[name] for name in ("counted", "reason", "summary")}
        print(json.dumps({"type": "suspension", **event, "verdict": said}, ensure_ascii=False))
    if verdict is None and patience:
        raise UnreachableError(
            f"the {noun} was sent, and is on record, but no judge has said within {wait} that it holds, so no guard "
            "knows of it yet: is one running? See `seamwatch doctor`"
        )
    if verdict is not None and not verdict["counted"]:
        raise SeamwatchError(f"the {noun} does not count: {verdict['summary']}")
    if not as_json:
        sent = "" if patience else " (sent; nobody was asked whether it counts)"
        print(f"{person} {verb} {what}: {event['reason']}{sent}")


def _what(event: dict[str, Any]) -> str:
    from seamwatch.judging.patterns.suspensions import Target

    return Target(event["version"], event["tool"]).text(event["system"])
