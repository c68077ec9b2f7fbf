"""Generated events and expressions, drawn from small pools so that they meet."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from hypothesis import strategies as st

from seamwatch.expressions import Expression, tree
from seamwatch.expressions.functions import FUNCTIONS

MIDDAY = 1_767_268_800_000_000
WORDS = (
    "approve",
    "Refer",
    "",
    "a",
    "ab",
    "%_",
    "5",
    "true",
    "it's",
    "back\\slash",
    "naïve 💥",
    "line\nbreak",
    "ÀB",
    "null",
)
NUMBERS = (0.0, 1.0, -1.0, 0.5, 100.0, 2.5, -2.5, 0.1, 0.30000000000000004, 1e300, 5e-324, 9007199254740992.0)
KEYS = ("a", "b", "select", "user-id", "it's", "", "é")
PATTERNS = ("%", "a%", "%b", "_", "%é%", "a_%b%", "%e_e%", "", "__%", "%.%", "ab", "%_%_%")

texts = st.one_of(
    st.sampled_from(WORDS), st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=6)
)
LARGE = (
    2**53, 2**53 + 1, 2**53 + 2, -(2**53), -(2**53) - 1, 2**63 - 1, 2**63, 2**64 - 1, 2**64, 2**64 + 1, -(2**63) - 1,
    2512292042121000001, 2512292042121000002, 10**25, 10**25 + 1, -(10**25), -(10**25) - 1, 10**200, 10**200 + 1,
)  # fmt: skip
"""Whole numbers of which neighbours are one double."""
large = st.sampled_from(LARGE) | st.integers(2**53, 2**70) | st.integers(-(2**70), -(2**53))
numbers = st.one_of(
    st.sampled_from(NUMBERS), st.integers(-(2**53), 2**53).map(float), st.floats(allow_nan=False, allow_infinity=False)
)
times = st.integers(-2_208_988_800_000_000, 4_102_444_800_000_000) | st.integers(MIDDAY - 5, MIDDAY + 5)
attributes = st.lists(st.fixed_dictionaries({"key": st.sampled_from(KEYS), "value": texts}), max_size=3)

_json_scalars = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 3),
    large,
    large.map(float),
    numbers,
    texts,
    large.map(str),
)
_json = st.recursive(
    _json_scalars,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=3),
    max_leaves=8,
)


@st.composite
def argument_texts(draw: st.DrawFn) -> str:
    """Mostly JSON objects, some with a key given twice, some that are no JSON at all."""
    odd = draw(st.integers(0, 19))
    if odd == 0:
        return draw(
            st.sampled_from(
                [
                    "",
                    "null",
                    " ",
                    "{}",
                    " {\t} ",
                    "[1]",
                    "true",
                    '"a"',
                    r'"{\"a\": 1}"',
                    '[{"a":1}]',
                    '{"a":1,"a":1}',
                    r'{"a":2,"\u0061":1}',
                    '{"b":{"a":1,"a":2},"a":1}',
                    '{"b":[{"a":1,"a":2}],"a":1}',
                    '{"b":[{"a":1},{"a":2}],"a":1,"é":{"a":{"a":3}}}',
                    r'{"a\\":1,"a":2}',
                    r'{"b":"x\":1,\"a\":2","a":1}',
                    '{"a":Infinity}',
                    '{"a":-Infinity}',
                    '{"a":12345678901234567890.5,"b":12345678901234567890.0}',
                    '{"a":0.12345678901234567890,"b":[ 12345678901234567890 ,12345678901234567891e0]}',
                    '{"a":1e3,"b":1000,"select":1000.0}',
                    '{"a":9007199254740993,"b":9007199254740993.0}',
                    r'{"a":"\ud83e drop","b":1}',
                    r'{"a":"\ud83e\udd16","b":"\u0000"}',
                    '{"a":1}x',
                    '{"a":01}',
                    '{"a":NaN}',
                    '{"a":1e400}',
                    '{"b":-1e400,"a":1}',
                    '{"a":"\\ud800"}',
                    '{"a":',
                    "5",
                    '{"a":"\t"}',
                    '{"a":1,}',
                    "{'a':1}",
                    '{"a":-}',
                    ' {"a" : 1.50e1 , "b":"\\u00e9\\/" } ',
                    '{"\\u0061":1}',
                ]
            )
        )
    pairs = draw(
        st.lists(st.tuples(st.sampled_from(KEYS), _json), max_size=4, unique_by=None if odd == 1 else lambda p: p[0])
    )
    ascii_only = draw(st.booleans())
    items = (f"{json.dumps(k, ensure_ascii=ascii_only)}:{json.dumps(v, ensure_ascii=ascii_only)}" for k, v in pairs)
    return "{" + ",".join(items) + "}"


_shared: dict[str, st.SearchStrategy[Any]] = {
    "event_id": st.just("e"),
    "event_time": times.map(abs),
    "producer": texts,
    "environment": texts,
    "trace_id": st.none() | texts,
    "parent_id": st.none(),
    "attributes": attributes,
    "system": texts,
    "version": texts,
    "config_digest": st.none() | texts,
    "confidence": st.none() | st.floats(0, 1),
}
EVENTS: Mapping[str, st.SearchStrategy[dict[str, Any]]] = {
    "inference": st.fixed_dictionaries(
        {
            **_shared,
            "use_case": texts,
            "subject": texts,
            "score": st.none() | numbers,
            "decision": st.none() | texts,
            "latency_ms": st.none() | st.floats(0, 1e9),
            "fallback": st.booleans(),
            "abuse": st.booleans(),
            "human_review": st.booleans(),
            "data_as_of": st.none() | times,
            "cohort": st.none() | texts,
            "approval_id": st.none() | texts,
            "input_digest": st.none() | texts,
        }
    ),
    "tool_call": st.fixed_dictionaries(
        {
            **_shared,
            "tool": texts,
            "arguments": argument_texts(),
            "resource": st.none() | texts,
            "authorisation": st.none() | texts,
            "decision": st.sampled_from(["allowed", "denied", "escalated"]),
            "outcome": st.none() | texts,
        }
    ),
    "dataset_refresh": st.fixed_dictionaries(
        {
            **{k: v for k, v in _shared.items() if k not in ("config_digest", "confidence")},
            "version": st.none() | texts,
            "data_as_of": times,
            "row_count": st.integers(0, 2**63 - 1) | st.integers(0, 3),
            "sources": st.lists(texts, max_size=3),
            "cohorts": st.lists(st.fixed_dictionaries({"cohort": texts, "count": st.integers(0, 9)}), max_size=2),
            "schema_digest": st.none() | texts,
            "attested_by": st.none() | texts,
            "key_id": st.none() | texts,
            "signature": st.none() | texts,
        }
    ),
}

_names = {
    "inference": {
        "number": ["score", "confidence", "latency_ms"],
        "text": ["decision", "cohort", "use_case", "config_digest", "subject", "attributes.a", "attributes.it's"],
        "time": ["event_time", "data_as_of"],
        "boolean": ["fallback", "abuse"],
        "list": [],
    },
    "tool_call": {
        "number": ["confidence"],
        "text": ["tool", "resource", "attributes.b", "trace_id", "version"],
        "time": ["event_time"],
        "boolean": [],
        "list": [],
    },
    "dataset_refresh": {
        "number": ["row_count"],
        "text": ["version", "attested_by"],
        "time": ["event_time", "data_as_of"],
        "boolean": [],
        "list": ["sources", "cohorts"],
    },
}


def _name(text: str) -> tree.Name:
    return tree.Name(tuple(text.split(".")))


_orders: st.SearchStrategy[tree.ComparisonOperator] = st.sampled_from(["=", "<>", "<", "<=", ">", ">="])
_equalities: st.SearchStrategy[tree.ComparisonOperator] = st.sampled_from(["=", "<>"])
_operators: st.SearchStrategy[tree.ArithmeticOperator] = st.sampled_from(["+", "-", "*", "/"])
_instants: st.SearchStrategy[tree.Node] = st.sampled_from(
    [tree.Text("2026-01-01T12:00:00Z"), tree.Number(float(MIDDAY - 1))]
)


class _Trees:
    """Draws nodes of a kind for one record type."""

    def __init__(self, draw: st.DrawFn, record_type: str) -> None:
        self._draw, self._names = draw, _names[record_type]
        self._arguments = record_type == "tool_call"

    def _pick(self, *options: str) -> str:
        return self._draw(st.sampled_from(options))

    def argument(self, deeper: int = 3) -> tree.Node:
        """A path inside arguments, or the first given of several."""
        keys: list[str] = self._draw(st.lists(st.sampled_from(KEYS), min_size=1, max_size=2))
        path = ("arguments", *keys)
        # The last of what is picked from: the simplest is tried again and again, and would go ever deeper.
        if deeper and self._pick(*"0123456789") == "9":
            return tree.Call("coalesce", (tree.Name(path), self.argument(deeper - 1)))
        return tree.Name(path)

    def _leaf(self, kind: str) -> tree.Node:
        if self._arguments and self._draw(st.booleans()):
            return self.argument()
        names = self._names[kind]
        if names and self._pick("name", "name", "name", "literal") == "name":
            return _name(self._draw(st.sampled_from(names)))
        if kind == "number":
            return tree.Number(self._draw(numbers))
        return tree.Text(self._draw(texts)) if kind == "text" else tree.Truth(self._draw(st.booleans()))

    def number(self, depth: int) -> tree.Node:
        """A number."""
        form = (
            self._pick("leaf", "leaf", "arithmetic", "one", "many", "length", "duration", "list") if depth else "leaf"
        )
        if form == "arithmetic":
            operator = self._draw(_operators)
            return tree.Arithmetic(operator, self.number(depth - 1), self.number(depth - 1))
        if form == "one":
            return tree.Call(self._pick("abs", "ceil", "floor", "round"), (self.number(depth - 1),))
        if form == "many":
            return tree.Call(self._pick("least", "greatest", "coalesce"), (self.number(depth - 1), tree.Number(1.0)))
        if form == "length":
            return tree.Call("length", (self.text(depth - 1),))
        if form == "list" and (self._names["list"] or self._arguments):
            names = [_name(n) for n in self._names["list"]]
            inside: tree.Node = tree.Name(("arguments", self._draw(st.sampled_from(KEYS))))
            return tree.Call("array_length", (self._draw(st.sampled_from(names)) if names else inside,))
        if form == "duration":
            return tree.Arithmetic("-", *(_name(self._draw(st.sampled_from(self._names["time"]))) for _ in range(2)))
        return self._leaf("number")

    def text(self, depth: int) -> tree.Node:
        """A text."""
        form = self._pick("leaf", "leaf", "case", "coalesce") if depth else "leaf"
        if form == "case":
            return tree.Call(self._pick("lower", "upper"), (self.text(depth - 1),))
        if form == "coalesce":
            return tree.Call("coalesce", (self.text(depth - 1), tree.Text("a")))
        return self._leaf("text")

    def condition(self, depth: int) -> tree.Node:  # noqa: C901
        """A condition."""
        simple = ("number", "text", "time", "in", "like", "null", "part", "leaf", "any", "age")
        form = self._pick(*simple, "and", "or", "not", "is", "equal") if depth else self._pick(*simple)
        less = max(0, depth - 1)
        order = self._draw(_orders)
        match form:
            case "number":
                return tree.Comparison(order, self.number(less), self.number(less))
            case "text":
                return tree.Comparison(order, self.text(less), self.text(less))
            case "time":
                literal = self._draw(_instants)
                return tree.Comparison(order, _name(self._draw(st.sampled_from(self._names["time"]))), literal)
            case "age":
                name = _name(self._draw(st.sampled_from(self._names["time"])))
                return tree.Comparison(order, tree.Arithmetic("-", _name("event_time"), name), tree.Text("26h"))
            case "in" if self._draw(st.booleans()):
                drawn = st.one_of(numbers, large).map(tree.Number)
                values = self._draw(st.lists(drawn, min_size=1, max_size=10))
                return tree.Membership(self.number(less), tuple(values))
            case "in":
                words = self._draw(st.lists(texts.map(tree.Text), min_size=1, max_size=4))
                return tree.Membership(self.text(less), tuple(words))
            case "like":
                return tree.Like(self.text(less), self._pick(*PATTERNS))
            case "null":
                return tree.IsNull(self._draw(st.sampled_from([self.number, self.text, self.condition]))(less))
            case "part":
                function = self._pick("contains", "starts_with", "ends_with")
                return tree.Call(function, (self.text(less), self.text(less)))
            case "any" if self._arguments:
                whole = self._draw(st.booleans())
                other = tree.Number(self._draw(large)) if whole else self.argument()
                return tree.Comparison(order, self.argument(), other)
            case "and":
                return tree.conjunction((self.condition(less), self.condition(less)))
            case "or":
                return tree.disjunction((self.condition(less), self.condition(less)))
            case "not":
                return tree.Not(self.condition(less))
            case "is":
                return tree.IsTruth(self.condition(less), self._draw(st.booleans()))
            case "equal":
                equality = self._draw(_equalities)
                return tree.Comparison(equality, self.condition(less), self.condition(less))
            case _:
                return self._leaf("boolean")


@st.composite
def expressions(draw: st.DrawFn, record_type: str, depth: int = 3) -> Expression:
    """A condition that has a meaning for the record type."""
    return Expression.of(_Trees(draw, record_type).condition(draw(st.integers(0, depth))))


assert FUNCTIONS.keys() == {
    "abs",
    "array_length",
    "ceil",
    "coalesce",
    "contains",
    "ends_with",
    "floor",
    "greatest",
    "least",
    "length",
    "lower",
    "round",
    "starts_with",
    "upper",
}, "a function was added or removed: draw it above"
