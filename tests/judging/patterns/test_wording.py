"""What is told of a number never contradicts what it is told for, and what is missing reads as missing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from seamwatch.durations import HOUR, SECOND, format_duration
from seamwatch.judging.model.seam import Approval, DeclaredVersion, VoidApproval
from seamwatch.judging.patterns.approved import Served, why_not
from seamwatch.judging.patterns.wording import digest_text, number_text, share_text

NUMBERS = st.floats(allow_nan=False, allow_infinity=False)


def test_a_number_has_the_digits_that_it_needs() -> None:
    assert number_text(12.0) == "12"
    assert number_text(1.0000001) == "1"
    assert number_text(1.0000001, 0, 1) == "1.0000001"
    assert number_text(0.30000000000000004, 0.3) == "0.30000000000000004"
    assert (share_text(0.05004, 0.05), share_text(0.05, 0.05), share_text(0.42)) == ("5.004 %", "5 %", "42 %")
    assert format_duration(HOUR + SECOND // 2, HOUR) == "just over 1 h"
    assert format_duration(HOUR, HOUR) == "1 h"


@given(NUMBERS, NUMBERS)
def test_it_lies_where_the_number_does(value: float, bound: float) -> None:
    shown, agreed = float(number_text(value, bound)), float(number_text(bound, bound))
    assert agreed == bound
    assert (shown < bound, shown > bound) == (value < bound, value > bound)


@given(st.integers(0, 10**6), st.integers(1, 10**6), st.integers(0, 1_000))
def test_a_share_lies_where_it_does(hits: int, more: int, bound: int) -> None:
    share, agreed = hits / (hits + more), bound / 1_000
    shown, told = (float(share_text(each, agreed).removesuffix(" %")) for each in (share, agreed))
    if abs(share - agreed) > 1e-8:
        assert (shown < told, shown > told) == (share < agreed, share > agreed)


VERSIONS = (
    DeclaredVersion(
        "v1",
        "sha256:" + "a" * 64,
        (Approval("A1", "triage", 100, 200), Approval("A2", "other", 100, None, 150)),
        (VoidApproval(Approval("A3", "third"), "is by nobody"),),
    ),
    DeclaredVersion("v2"),
)


def test_it_is_said_what_is_wrong() -> None:
    digest = VERSIONS[0].config_digest

    def why(version: str, config_digest: str | None, use_case: str | None, at: int) -> str:
        return why_not(VERSIONS, Served(version, config_digest, use_case, at))

    assert why("v9", None, "triage", 120) == "version v9 is not declared"
    assert why("v2", None, "triage", 120) == "version v2 is declared, but nobody has approved it"
    assert why("v1", "sha256:b", "triage", 120) == (
        "its configuration is sha256:b, not sha256:aaaaaaaaaaaa…, which was approved"
    )
    assert why("v1", None, "triage", 120).startswith("it names no configuration digest")
    assert why("v1", digest, "fourth", 120) == "version v1 is approved for triage, other, third, not for fourth"
    assert why("v1", digest, "triage", 200) == "approval A1 expired at 1970-01-01 00:00:00 UTC"
    assert why("v1", digest, "other", 150) == "approval A2 was revoked at 1970-01-01 00:00:00 UTC"
    assert why("v1", digest, "triage", 50) == "approval A1 was given only at 1970-01-01 00:00:00 UTC"
    assert why("v1", digest, "third", 120) == "approval A3 is by nobody"


def test_the_part_of_the_configuration_that_changed_is_named() -> None:
    approved, other = (f"sha256:{c * 64}+model.11111111+prompt.{c * 8}" for c in "ab")
    versions = (DeclaredVersion("v1", approved, (Approval("A1", "triage"),)),)
    assert why_not(versions, Served("v1", other, "triage", 0)).endswith("which was approved: prompt changed")


def test_a_sentence_tells_twelve_digits_of_each_digest_and_all_of_anything_else() -> None:
    one, other = "9a4be2710c53d866" * 4, "0123456789abcdef" * 4
    assert digest_text(f"sha256:{one}") == "sha256:9a4be2710c53…"
    assert digest_text(f"v2/sha256:{one}+prompt.0123abcd/credit, {other}") == (
        "v2/sha256:9a4be2710c53…+prompt.0123abcd/credit, 0123456789ab…"
    )
    for text in ("sha256:bbbb", "v2", "01890a5d-ac96-774b-bcce-b302099a8057", "deadbeef" * 2, f"x{one}"):
        assert digest_text(text) == text
