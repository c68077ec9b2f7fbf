"""What is read inside the arguments of a call: one table of texts, and one answer by every target."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, Protocol

import polars as pl
import pytest

from seamwatch.columnar.expressions import argument_columns, odd_expression, polars_expression
from seamwatch.errors import ArgumentsError
from seamwatch.expressions import Expression
from seamwatch.expressions.arguments import read_arguments
from seamwatch.expressions.closure import ODD, Odd, Row, row_closure
from seamwatch.expressions.sql import clickhouse
from seamwatch.judging.patterns.calls import matched

Answer = bool | Odd | None

ORDER, NEXT = 2512292042121000001, 2512292042121000002

UNREADABLE = {
    "encoded twice": json.dumps(json.dumps({"a": 1})),
    "a list": '[{"a":1}]',
    "a number": "5",
    "a truth value": "true",
    "text": '"a"',
    "cut off": '{"a":1',
    "more behind": '{"a":1} x',
    "a comma behind": '{"a":1,}',
    "NaN": '{"a":1,"x":NaN}',
    "Infinity": '{"a":1,"x":Infinity}',
    "beyond a double": '{"a":1,"x":5e400}',
    "beyond a double, with digits alone": '{"a":1,"x":' + "9" * 309 + "}",
    "a leading zero": '{"a":1,"x":01}',
    "half a pair": '{"a":1,"x":"\\ud83e drop table"}',
    "a key twice": '{"a":1,"a":1}',
    "another key twice": '{"x":1,"x":2,"a":1}',
    "a key twice, once escaped": '{"a":1,"\\u0061":1}',
    "a key twice further in": '{"a":1,"x":{"y":[{"z":1,"z":2}]}}',
    "too deep": '{"a":1,"x":' + "[" * 127 + "]" * 127 + "}",
}
NOTHING = {"nothing": "", "white": " \n", "null": "null", "empty": "{}", "empty and white": " { } "}
LOOKS_TWICE = {
    "in two objects": '{"x":[{"a":1},{"a":2}],"a":1}',
    "inside a text": '{"x":"\\"a\\":2,\\"a\\":","a":1}',
    "inside each other": '{"x":{"a":{"a":2}},"a":1}',
    "a key with an escape": '{"\\u0078":2,"a":1}',
    "a whole pair": '{"x":"\\ud83e\\udd16","a":1}',
    "as deep as may be": '{"a":1,"x":' + "[" * 126 + "]" * 126 + "}",
    "as large as may be": '{"a":1,"x":' + str(10**308) + "}",
    "NUL": '{"x":"a\\u0000b","a":1}',
}


class Engine(Protocol):
    """A ClickHouse engine in this process."""

    def query(self, sql: str, form: str = ...) -> Any: ...


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    import chdb.session

    sessions: Any = chdb.session
    session = sessions.Session()
    yield session
    session.close()


def answers(engine: Engine, condition: str, texts: list[str]) -> list[Answer]:
    """What a condition says of calls with these arguments, by every target alike."""
    expression = Expression.parse(condition)
    ask = row_closure(expression, "tool_call")
    expected = [ask(Row({"arguments": text})) for text in texts]
    known = [None if answer is ODD else answer for answer in expected]
    frame = pl.DataFrame({"arguments": texts})
    for extracted in (False, True):
        read = argument_columns([(expression, "boolean")], "tool_call") if extracted else []
        odd = odd_expression(expression, "tool_call", extracted=extracted)
        odd = pl.repeat(value=False, n=pl.len()) if odd is None else odd
        holds = polars_expression(expression, "tool_call", extracted=extracted)
        found = frame.lazy().with_columns(read).select(holds.alias("holds"), odd.alias("odd")).collect()
        assert found["holds"].to_list() == known
        assert found["odd"].to_list() == [answer is ODD for answer in expected]
    rows = " ".join(json.dumps({"arguments": text, "n": n}) for n, text in enumerate(texts))
    engine.query("CREATE OR REPLACE TABLE calls (arguments String, n UInt32) ENGINE = Memory")
    engine.query(f"INSERT INTO calls FORMAT JSONEachRow {rows}")
    told = str(engine.query(f"SELECT toInt8({clickhouse(expression, 'tool_call')}) FROM calls ORDER BY n", "TSV"))
    assert [None if line == "\\N" else line == "1" for line in told.splitlines()] == known
    return expected


@pytest.mark.parametrize("condition", ["arguments.a = 1", "arguments.a <> 1", "arguments.a IS NULL",
    "arguments.a IS NOT NULL", "coalesce(arguments.a, 1) = 1", "coalesce(arguments.b, arguments.a) = arguments.a",
    "greatest(arguments.a, 1) = 1", "contains(arguments.a, 'x')", "arguments.a IN (1, 2)", "NOT arguments.a > 5",
])  # fmt: skip
def test_of_arguments_that_cannot_be_read_nothing_can_be_told(engine: Engine, condition: str) -> None:
    assert answers(engine, condition, list(UNREADABLE.values())) == [ODD] * len(UNREADABLE)


@pytest.mark.parametrize("name", UNREADABLE)
def test_it_is_said_why_arguments_cannot_be_read(name: str) -> None:
    with pytest.raises(ArgumentsError, match=r"^(are|hold|give) "):
        read_arguments(UNREADABLE[name])


def test_no_arguments_are_no_fault(engine: Engine) -> None:
    texts = list(NOTHING.values())
    assert answers(engine, "arguments.a = 1", texts) == [None] * len(texts)
    assert answers(engine, "arguments.a IS NULL", texts) == [True] * len(texts)
    assert answers(engine, "coalesce(arguments.a, 1) = 1", texts) == [True] * len(texts)


def test_what_only_looks_like_a_key_twice_can_be_read(engine: Engine) -> None:
    texts = list(LOOKS_TWICE.values())
    assert answers(engine, "arguments.a = 1", texts) == [True] * len(texts)
    assert answers(engine, "arguments.b IS NULL", texts) == [True] * len(texts)


@pytest.mark.parametrize(
    ("given", "condition", "expected"),
    [
        ('"5000"', "arguments.a > 1000", ODD),
        ("[5000]", "arguments.a > 1000", ODD),
        ('{"x":1}', "arguments.a > 1000", ODD),
        ("true", "arguments.a > 1000", ODD),
        ("null", "arguments.a > 1000", None),
        ("5000", "arguments.a = 'x'", ODD),
        ("5000", "NOT contains(arguments.a, 'x')", ODD),
        ('["x"]', "arguments.a NOT IN ('x')", ODD),
        ("1", "arguments.a", ODD),
        ('"5000"', "tool = 'x' AND arguments.a > 1000", ODD),
        ('"5000"', "1 = 2 AND arguments.a > 1000", False),
        ('"5000"', "1 = 1 OR arguments.a > 1000", True),
        ('"5000"', "arguments.b > 1 AND arguments.a > 1000", ODD),
        ('"5000"', "arguments.b > 1 OR arguments.a IS NOT NULL", True),
        ('"5000"', "(arguments.a > 1000) IS TRUE", False),
        ('"5000"', "coalesce(arguments.a, 10) <= 50", ODD),
        ('"5000"', "coalesce(arguments.b, arguments.a, 10) <= 50", ODD),
        ('"5000"', "coalesce(arguments.b, 10, arguments.a) <= 50", True),
        ('"5000"', "greatest(arguments.a, 0) > 1000", ODD),
        ('"5000"', "least(arguments.a, 0) > 1000", ODD),
        ("null", "greatest(arguments.a, 0) > 1000", False),
        ('"5000"', "arguments.a * 2 > 1000", ODD),
        ('"5000"', "array_length(arguments.a) > 1", ODD),
        ("null", "array_length(arguments.a) > 1", None),
        ("[1, 2]", "array_length(arguments.a) > 1", True),
        ('"5000"', "arguments.a = arguments.a", True),
        ("[1]", "arguments.a = arguments.a", ODD),
        ('"5000"', "arguments.a = arguments.b", None),
        ("1e3", "arguments.a = 1000", True),
        ("1.0", "arguments.a = 1", True),
        ("1.0", "arguments.a IN (1, 2)", True),
        ("-1", "arguments.a = -1.0", True),
        ("0.1", "arguments.a = 0.1", True),
    ],
)
def test_absent_is_not_odd(engine: Engine, given: str, condition: str, expected: Answer) -> None:
    # The record of this test has no tool: TRUE stands for it.
    condition = condition.replace("tool = 'x'", "1 = 1")
    assert answers(engine, condition, [f'{{"a":{given}}}']) == [expected]


PAIRS: list[tuple[str, str, Answer, Answer]] = [
    (str(ORDER), str(NEXT), False, True),
    (str(NEXT), str(ORDER), False, False),
    (str(ORDER), str(ORDER), True, False),
    (f"-{ORDER}", f"-{NEXT}", False, False),
    (f"-{NEXT}", f"-{ORDER}", False, True),
    (f"-{ORDER}", str(ORDER), False, True),
    ("9007199254740992", "9007199254740993", False, True),
    ("18446744073709551616", "18446744073709551617", False, True),
    ("18446744073709551615", "18446744073709551616", False, True),
    ("99999999999999999999", "100000000000000000000", False, True),
    (str(10**300), str(10**300 + 1), False, True),
    (str(10**300), str(10**300), True, False),
    (str(ORDER), "5", False, False),
    (str(ORDER), "0.5", False, False),
    (str(ORDER), "1e30", False, True),
    ("1e30", "2e30", False, True),
    ("1e3", "1000", True, False),
    ("1000", "1000.0", True, False),
    # Which whole number was meant cannot be told.
    (f"{ORDER}.0", f"{NEXT}.0", ODD, ODD),
    (str(ORDER), f"{ORDER}.0", ODD, ODD),
    ("1e30", "1e30", ODD, ODD),
    ("2.512292042121000001e18", str(ORDER), ODD, ODD),
    (f'"{ORDER}"', str(ORDER), ODD, ODD),
    (f'"{ORDER}"', f'"{NEXT}"', False, True),
]
"""Two numbers as they are written, whether they are equal, and whether the first is less."""


def not_(answer: Answer) -> Answer:
    return answer if isinstance(answer, Odd) else not answer


def test_whole_numbers_are_compared_exactly(engine: Engine) -> None:
    texts = [json.dumps({"x": f'"b": {b}'})[:-1] + f', "a": {a}, "b":{b}}}' for a, b, _, _ in PAIRS]
    equal, less = [pair[2] for pair in PAIRS], [pair[3] for pair in PAIRS]
    at_most = [
        is_less if isinstance(is_less, Odd) else is_less or same for same, is_less in zip(equal, less, strict=True)
    ]
    expected = {"=": equal, "<": less, "<=": at_most, "<>": [*map(not_, equal)], ">": [*map(not_, at_most)],
                ">=": [*map(not_, less)]}  # fmt: skip
    for operator, said in expected.items():
        assert answers(engine, f"arguments.a {operator} arguments.b", texts) == said, operator
    assert answers(engine, "coalesce(arguments.c, arguments.a) = arguments.b", texts) == equal


@pytest.mark.parametrize(
    "b", sorted({b for _, b, _, _ in PAIRS if b[0] not in '"-' and (b.isdigit() or float(b) < 2**53)})
)
def test_whole_numbers_are_compared_exactly_with_one_that_is_agreed(engine: Engine, b: str) -> None:
    own = [pair for pair in PAIRS if pair[1] == b]
    texts = [f'{{"a":{a}}}' for a, _, _, _ in own]
    as_text = [a[0] == '"' for a, _, _, _ in own]
    less = [ODD if odd else pair[3] for odd, pair in zip(as_text, own, strict=True)]
    equal = [ODD if odd else pair[2] for odd, pair in zip(as_text, own, strict=True)]
    assert answers(engine, f"arguments.a < {b}", texts) == less
    assert answers(engine, f"arguments.a IN (-1, {b})", texts) == equal


@pytest.mark.parametrize(("a", "b", "equal"), [pair[:3] for pair in PAIRS])
def test_whole_numbers_are_matched_exactly(a: str, b: str, equal: Answer) -> None:
    same = matched(f'{{"id":{a}}}', ["id"]) == matched(f'{{"id":{b}}}', ["id"]) is not None
    assert same is (equal is True)


def test_a_calculation_with_what_is_not_exact_is_odd(engine: Engine) -> None:
    texts = [f'{{"a":{ORDER},"b":{NEXT}}}', '{"a":1e30,"b":1}', '{"a":9007199254740991,"b":1}']
    assert answers(engine, "arguments.a - arguments.b = 0", texts) == [ODD, ODD, False]
    assert answers(engine, "abs(arguments.a) > 0", texts) == [ODD, ODD, True]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ('{"id":[1,{"x":2}]}', '{"id":[1.0,{"x":2e0}]}', True),
        (f'{{"id":[{ORDER}]}}', f'{{"id":[{NEXT}]}}', False),
        ('{"id":[1e30]}', '{"id":[1e30]}', False),
        ('{"id":{"x":1,"y":2}}', '{"id":{"y":2,"x":1}}', True),
        ('{"id":1,"id":1}', '{"id":1}', False),
        ('{"id":null}', '{"id":null}', False),
        ('"{\\"id\\":1}"', '"{\\"id\\":1}"', False),
        ('{"id":1}', '{"id":"1"}', False),
    ],
)
def test_what_is_matched_is_equal_or_not_known_to_be(one: str, other: str, same: bool) -> None:
    assert (matched(one, ["id"]) == matched(other, ["id"]) is not None) is same
