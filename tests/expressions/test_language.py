"""What the language takes and refuses, and what NULL and JSON values mean, by known answers."""

from __future__ import annotations

import re
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from seamwatch.columnar.expressions import polars_expression
from seamwatch.errors import ExpressionError
from seamwatch.expressions import Expression
from seamwatch.expressions.build import (
    above,
    all_of,
    always,
    any_of,
    at_or_after,
    before,
    below,
    equals,
    is_in,
    is_null,
    negate,
    not_true,
    outside,
)
from seamwatch.expressions.closure import closure, value_closure
from seamwatch.expressions.functions import FUNCTIONS
from seamwatch.record_types import INPUT_TYPES
from seamwatch.wire.schemas import schema

PAGE = Path(__file__).parents[2] / "docs" / "expressions.md"
EXAMPLES = [
    (record_type, line)
    for record_type, block in re.findall(r"```(inference|tool_call)\n(.*?)```", PAGE.read_text(), re.DOTALL)
    for line in block.splitlines()
]


def holds(text: str, record_type: str = "inference", **record: Any) -> bool | None:
    return closure(Expression.parse(text), record_type)(record)


def called(text: str, arguments: str) -> bool | None:
    return holds(text, "tool_call", arguments=arguments)


@pytest.mark.parametrize(("record_type", "text"), EXAMPLES)
def test_every_example_of_the_page_has_a_meaning(record_type: str, text: str) -> None:
    expression = Expression.parse(text)
    expression.check(record_type)
    assert Expression.parse(expression.text) == expression


def test_the_page_lists_the_functions_with_their_meaning() -> None:
    rows = dict(re.findall(r"^\| `(\w+)\([^`]*\)` \| (.*) \|$", PAGE.read_text(), re.MULTILINE))
    assert rows == {name: function.says for name, function in FUNCTIONS.items()}


def test_the_page_lists_the_fields_by_their_kind() -> None:
    table = PAGE.read_text().split("### Fields\n\n")[1].split("\n\n")[0].splitlines()
    listed = {
        row[0].strip("`"): row[1:] for row in ([cell.strip() for cell in line.split("|")[1:-1]] for line in table)
    }
    kinds = listed.pop("record type")
    del listed["---"]
    of_every = listed.pop("every")
    assert set(listed) == set(INPUT_TYPES)
    trial = {"numbers": "{} > 1", "text": "{} LIKE 'a'", "conditions": "{} IS TRUE", "times": "{} > '2026-03-02'",
             "lists": "array_length({}) > 1"}  # fmt: skip
    for record_type, cells in listed.items():
        named = [re.findall(r"`(\w+)`", f"{own} {every}") for own, every in zip(cells, of_every, strict=True)]
        known = {field.name for field in schema(record_type).fields} - {"attributes", "arguments"}
        assert {name for names in named for name in names} == known
        for kind, names in zip(kinds, named, strict=True):
            for name in names:
                Expression.parse(trial[kind].format(name)).check(record_type)


def test_the_python_of_the_page_runs() -> None:
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(), re.DOTALL):
        exec(block, {})


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("scroe > 1", "unknown field 'scroe' of inference: did you mean 'score'?"),
        ("score > 'x'", "score is a number and 'x' is text: they cannot be compared"),
        ("decision = 1", "they cannot be compared"),
        ('decision = "approve now"', "text is written in single quotes"),
        ("score", "score is a number, where a condition is needed"),
        ("score AND fallback", "score is a number, where a condition is needed"),
        ("score.x = 1", "score has nothing inside it"),
        ("arguments.amount = 1", "unknown field 'arguments' of inference"),
        ("attributes IS NULL", "reach inside it with attributes.<key>"),
        ("event_time > 'yesterday'", "'yesterday' is not a time"),
        ("event_time - data_as_of > 'long'", "'long' is not a duration"),
        ("event_time + data_as_of > 0", "two times can be subtracted"),
        ("fallback < abuse", "conditions have no order"),
        ("array_length(score) > 1", "array_length takes a list"),
        ("decision LIKE 'a\\%'", "backslash"),
    ],
)
def test_what_has_no_meaning_is_refused_with_the_word(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=re.escape(said)):
        Expression.parse(text).check("inference")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "an empty text is not an expression"),
        ("score >", "is not an expression"),
        ("score > 1 score", "is not an expression"),
        ("select 1", "is not an expression"),
        ("score = NULL", "NULL stands only in IS NULL"),
        ("lenght(decision) > 1", "unknown function 'lenght': did you mean 'length'?"),
        ("now() > event_time", "unknown function 'now': known are abs"),
        ("regexp_like(decision, 'a')", "unknown function"),
        ("round(score, 2) = 1", "round takes one argument"),
        ("contains(decision)", "is not an expression"),
        ("score IN (SELECT 1)", "IN takes a list of literals"),
        ("score IN (1, 'a')", "literals of one kind"),
        ("decision LIKE cohort", "LIKE takes a pattern"),
        ("decision ILIKE 'a'", "ILIKE is not part of the language"),
        ("CAST(score AS INT) = 1", "casts are not part of the language"),
        ("CASE WHEN fallback THEN 1 END = 1", "CASE is not part of the language"),
        ("score > 1 -- really", "'--' is not part of the language"),
        ("score > 1; DROP TABLE x", "';' is not part of the language"),
        ("score > {x}", "'{' is not part of the language"),
        ("score > 1e999", "too large for a number"),
        ("arguments.id = 12345678901234567890.5", "cannot be held exactly: write a number as large as this without"),
        ("(" * 30 + "fallback" + ")" * 30, "at most 24"),
        ("NOT " * 2000 + "fallback", "not an expression|nested too deeply"),
        ("score > 1 AND " * 1000 + "fallback", "characters: at most"),
        ("score" + " BETWEEN 0 AND 1" * 40, "has more than 2,000 parts"),
        ("(" * 20 + "score" + " BETWEEN 0 AND 1)" * 20 + " = TRUE", "has more than 2,000 parts"),
        ("decision LIKE '" + "a" * 1001 + "'", "a LIKE pattern of 1001 characters: at most 1000"),
        ("arguments" + ".a" * 128 + " = 1", "arguments is followed by 128 keys: nothing lies deeper than 127 levels"),
        ("decision = 'a\0'", "NUL"),
        ('"a\\b" = 1', "backslash"),
    ],
)
def test_what_is_not_of_the_language_is_refused_with_the_word(text: str, said: str) -> None:
    with pytest.raises(ExpressionError, match=said if "|" in said else re.escape(said)):
        Expression.parse(text)


def test_a_word_an_enum_never_holds_is_refused() -> None:
    with pytest.raises(ExpressionError, match=r"decision is never 'alowed': did you mean 'allowed'\?"):
        Expression.parse("decision IN ('denied', 'alowed')").check("tool_call")


def test_an_argument_may_have_any_name() -> None:
    arguments = '{"select": 1, "from": {"order by": 2}, "it\'s": 3, "null": 4}'
    assert called('arguments.select = 1 AND arguments.from."order by" = 2', arguments) is True
    assert called('arguments."it\'s" = 3 AND arguments.null = 4', arguments) is True


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("50", True), ("50.0", True), ("5e1", True), ("101", False), ("123456789012345678901234567890", False),
        ('"50"', None), ('"abc"', None), ("null", None), ("true", None), ("[50]", None), ('{"amount": 50}', None),
    ],
)  # fmt: skip
def test_an_argument_is_typed_by_its_json_value(value: str, expected: bool | None) -> None:
    assert called("arguments.amount <= 100", f'{{"amount": {value}}}') is expected


def test_not_turns_every_form_round() -> None:
    forms = ["= 'ab'", "LIKE 'a%'", "IN ('ab', 'c')", "BETWEEN 'a' AND 'b'"]
    for form in forms:
        word = form.split()[0]
        for decision in ("ab", "x"):
            plain = holds(f"decision {form}", decision=decision)
            assert plain is (decision == "ab")
            assert holds(f"NOT (decision {form})", decision=decision) is not plain
            if word != "=":
                assert holds(f"decision NOT {form}", decision=decision) is not plain
                assert holds(f"NOT decision NOT {form}", decision=decision) is plain
    assert holds("decision IS NOT NULL", decision="ab") is True
    assert holds("fallback IS NOT TRUE", fallback=False) is True
    assert Expression.parse("decision NOT LIKE 'a%'").text == "NOT (decision LIKE 'a%')"


def test_what_the_grammar_adds_to_a_form_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    from seamwatch.expressions import parsing

    monkeypatch.setattr(parsing, "_KNOWN", parsing._KNOWN - {"negate"})
    with pytest.raises(ExpressionError, match=r"is not part of the language \(negate\)"):
        parsing.parse_tree("decision NOT LIKE 'never seen before'")


def test_null_follows_sql() -> None:
    assert holds("score > 1", score=None) is None
    assert holds("NOT score > 1", score=None) is None
    assert holds("score > 1 AND fallback", score=None, fallback=False) is False
    assert holds("score > 1 AND fallback", score=None, fallback=True) is None
    assert holds("score > 1 OR fallback", score=None, fallback=True) is True
    assert holds("(score > 1) IS NOT TRUE", score=None) is True
    assert holds("(score > 1) IS FALSE", score=None) is False
    assert holds("score NOT IN (1, 2)", score=None) is None
    assert holds("1 / score IS NULL", score=0.0) is True
    assert holds("score * 10 IS NULL", score=1e308) is True
    assert holds("coalesce(score, confidence, 3) = 3", score=None, confidence=None) is True
    assert holds("least(score, confidence) = 2", score=None, confidence=2.0) is True


def test_times_compare_with_text_durations_and_micros() -> None:
    hour = 3_600_000_000
    record: dict[str, Any] = {"event_time": 30 * hour, "data_as_of": 3 * hour}
    assert holds("event_time - data_as_of > '26h'", **record) is True
    assert holds(f"event_time - data_as_of = {27 * hour}", **record) is True
    assert holds("event_time < '1970-01-02T06:00:01Z' AND event_time >= '1970-01-02T07:00:00+01:00'", **record) is True
    assert holds("data_as_of + '27h' = event_time AND event_time - '27h' = data_as_of", **record) is True
    lag = value_closure(Expression.parse("event_time - data_as_of"), "inference")
    assert lag(record) == 27 * hour


def test_like_is_linear_and_over_code_points() -> None:
    assert holds("decision LIKE '_'", decision="💥") is True
    assert holds("decision LIKE 'a%b%c'", decision="a\nxbb\nc") is True
    assert holds("decision LIKE 'ab%ba'", decision="aba") is False
    assert holds("decision LIKE '" + "%a" * 30 + "b'", decision="a" * 50_000) is False


@pytest.mark.parametrize("pattern", ["%_", "%a_", "%a__b", "%a" + "_" * 18])
def test_no_pattern_makes_a_long_text_slow(pattern: str) -> None:
    long = (pattern * 500)[:999] + "z"
    texts = ["a" * 500_000, "ab" * 250_000, "éa" * 250_000]
    expression = Expression.parse(f"decision LIKE '{long}'")
    begun = time.monotonic()
    columns = pl.DataFrame({"decision": texts}).select(polars_expression(expression, "inference").alias("holds"))
    assert columns["holds"].to_list() == [holds(f"decision LIKE '{long}'", decision=text) for text in texts]
    assert time.monotonic() - begun < 60


@given(st.text("ab%_", max_size=8), st.text("ab", max_size=8))
def test_a_pattern_matches_what_it_says_however_its_wildcards_stand(pattern: str, text: str) -> None:
    said = re.fullmatch("".join({"%": ".*", "_": "."}.get(c, c) for c in pattern), text) is not None
    assert holds(f"decision LIKE '{pattern}'", decision=text) is said


def test_equal_expressions_have_equal_texts() -> None:
    one, other = Expression.parse("score>0.50 and not fallback"), Expression.parse("(score > .5) AND (NOT (fallback))")
    assert one == other
    assert hash(one) == hash(other)
    assert str(one) == "score > 0.5 AND NOT fallback"
    assert one.source == "score>0.50 and not fallback"


def test_what_an_expression_reads() -> None:
    expression = Expression.parse("arguments.to.city = 'x' AND tool <> 'y'")
    assert expression.fields == {"arguments.to.city", "tool"}
    assert expression.columns == {"arguments", "tool"}


def test_a_value_expression_is_checked_for_its_kind() -> None:
    Expression.parse("event_time - data_as_of").check("inference", kind="number")
    with pytest.raises(ExpressionError, match="where a number is needed"):
        Expression.parse("decision").check("inference", kind="number")


def test_builders_make_what_text_would_say() -> None:
    assert all_of(equals("tool", "a'b"), is_null("resource")).text == "tool = 'a''b' AND resource IS NULL"
    assert (
        any_of(is_in("version", ["1", "2"]), equals("fallback", True)).text
        == "version IN ('1', '2') OR fallback = TRUE"
    )
    assert any_of() == is_in("version", []) == Expression.parse("FALSE")
    assert all_of() == always() == Expression.parse("TRUE")
    assert negate(equals("decision", None)).text == "decision IS NOT NULL"
    assert not_true(outside("score", 0, 1)).text == "(score < 0 OR score > 1) IS NOT TRUE"
    assert outside("score", None, 1).text == "score > 1"
    assert above("event_time - data_as_of", 5).text == "event_time - data_as_of > 5"
    assert below("score", 0.5).text == "score < 0.5"
    assert all_of(at_or_after("event_time", 3), before("event_time", 9)).text == "event_time >= 3 AND event_time < 9"
    for built in (all_of(equals("tool", "a"), negate(is_in("version", ["x"]))), not_true(is_null("resource"))):
        assert Expression.parse(built.text) == built
        built.check("tool_call")


def test_as_a_field_of_a_model_it_reads_and_writes_text() -> None:
    class Agreed(BaseModel):
        must: Expression

    agreed = Agreed.model_validate({"must": "score  >  0"})
    assert agreed.must == Expression.parse("score > 0")
    assert agreed.model_dump() == {"must": "score > 0"}
    assert Agreed.model_validate_json(agreed.model_dump_json()) == agreed
    with pytest.raises(ValidationError, match="unknown function 'foo'"):
        Agreed.model_validate({"must": "foo(score)"})
    with pytest.raises(ValidationError, match="is not an expression"):
        Agreed.model_validate({"must": 5})


@pytest.mark.parametrize("record_type", INPUT_TYPES)
def test_every_field_of_the_wire_can_be_named(record_type: str) -> None:
    for field in schema(record_type).fields:
        if field.primitive == "array" or field.name == "arguments":
            continue
        Expression.parse(f"{field.name} IS NOT NULL").check(record_type)


def test_the_parser_is_loaded_only_when_a_text_is_parsed() -> None:
    code = "import sys, seamwatch.expressions.build; print('sqlglot' in sys.modules, 'polars' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
