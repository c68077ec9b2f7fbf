"""Rounds: whole with the word of the last who is missing, by whichever order the others came in."""

from __future__ import annotations

from hypothesis import given as over
from hypothesis import strategies as st

from seamwatch.judging.patterns.rounds import has_not_text, has_text, last_whole, missing, with_word

NAMED = ("ada", "ben", "cy")


def test_a_round_is_whole_with_the_last_word() -> None:
    given, whole = with_word((), "ben", 5, NAMED, None)
    assert (missing(given, NAMED), whole) == (("ada", "cy"), None)
    given, whole = with_word(given, "cy", 7, NAMED, None)
    given, whole = with_word(given, "ada", 6, NAMED, None)
    assert (given, whole) == ((), 7)


def test_where_anybody_may_one_word_is_enough() -> None:
    assert with_word((), "ada", 5, (), 4) == ((), 5)


def test_what_is_not_later_than_the_round_says_nothing_of_it() -> None:
    assert with_word((("ben", 6),), "ada", 5, ("ada", "ben"), 5) == ((("ben", 6),), None)


def test_words() -> None:
    assert has_not_text((), NAMED) == "ada and ben and cy have not"
    assert has_not_text((("ada", 1), ("cy", 2)), NAMED) == "ben has not"
    assert has_not_text((), ()) == "nobody has"
    assert (has_text(()), has_text((("ada", 1),)), has_text((("ada", 1), ("ben", 1)))) == (
        "", "; ada has", "; ada and ben have",
    )  # fmt: skip


@over(st.lists(st.tuples(st.sampled_from(NAMED), st.integers(1, 50)), unique_by=lambda word: word[1]))
def test_after_many_words_the_last_whole_round_is_what_counting_finds(words: list[tuple[str, int]]) -> None:
    given, last = last_whole(words, NAMED, None)
    seen: set[str] = set()
    ended = None
    for person, at in sorted(words, key=lambda word: word[1]):
        seen.add(person)
        if seen == set(NAMED):
            seen, ended = set(), at
    assert last == ended
    assert {person for person, _ in given} == seen
