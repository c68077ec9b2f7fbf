"""Holds the auditor to reading: which statements may run on an engine that has no users of its own.

``readonly=1`` stops inserts, DDL and settings, but neither the scalar ``file()``, ``INTO OUTFILE``, ``KILL QUERY`` nor
``SYSTEM``. So the engine's own parser is asked, and nothing passes that is not on a list:

1. ``formatQuerySingleLine`` gives the one statement in canonical form (several statements are refused by the parser),
   and what it gave is what runs: nothing in a comment or an odd quote can mean one thing here and another there.
2. ``EXPLAIN AST`` gives its tree. Every line must be a node on the list, every function harmless by its category in
   ``system.functions`` or by name, every table function harmless by name. An output file is a node too many.
3. A table of a database that has files for tables is refused by that database's name: whether the file is there, no
   answer tells. Which these are is asked of the engine.
4. The session is ``readonly=1`` besides.

What a *view* does is its maker's affair: views are made by the writer.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from stack.clickhouse.refusals import Refusal
from stack.clickhouse.statement import quoted, tokens

Ask = Callable[[str], str]
"""Runs one query of ours and gives its text."""

_ALLOWED_CATEGORIES: Final = (
    "Aggregate Functions", "Arithmetic", "Arrays", "Bit", "Bitmap", "Comparison", "Conditional", "Dates and Times",
    "Distance", "Encoding", "Financial", "Geo", "Geo Polygon", "Hash", "IP Address", "JSON", "Logical", "Map",
    "Mathematical", "Null", "NumericIndexedVector", "Random Number", "Rounding", "String", "String Replacement",
    "String Search", "String Splitting", "Time Window", "Tuple", "Type Conversion", "URL", "UUID",
)  # fmt: skip

# Of the categories above: asks the engine again, or reads schema files.
_REFUSED_FUNCTIONS: Final = frozenset({"chdb", "formatrow", "formatrownonewline", "flamegraph", "aggthrow"})

# Harmless ones of the mixed categories, and words of the language that its parser writes as functions.
_ALLOWED_FUNCTIONS: Final = frozenset(
    """
    _cast bar bytesize caseWithExpression caseWithExpr caseWithoutExpr caseWithoutExpression columns countDigits
    currentDatabase currentUser user database schema defaultValueOfArgumentType defaultValueOfTypeName digits exists
    finalizeAggregation formatQuery formatQuerySingleLine formatReadableDecimalSize formatReadableQuantity
    formatReadableSize formatReadableTimeDelta format_bytes getSetting getSizeOfEnumType getSubcolumn grouping
    HMAC identity ignore indexHint initializeAggregation isConstant isDecimalOverflow lambda lowCardinalityIndices
    lowCardinalityKeys materialize minSampleSizeContinuous minSampleSizeConversion neighbor normalizeQuery
    normalizedQueryHash parseReadableSize parseReadableSizeOrNull parseReadableSizeOrZero parseTimeDelta queryID
    query_id rowNumberInAllBlocks rowNumberInBlock runningAccumulate runningDifference throwIf toColumnTypeName
    toTypeName transform untuple uptime variantElement variantType version visibleWidth
    """.lower().split()
)

_ALLOWED_TABLE_FUNCTIONS: Final = frozenset(
    {
        "numbers", "numbers_mt", "zeros", "zeros_mt", "generateseries", "generate_series", "values", "null",
        "generaterandom", "primes",
    }
)  # fmt: skip

_ROOTS: Final = frozenset(
    """
    SelectWithUnionQuery Explain DescribeQuery ShowTables ShowColumns ShowIndexes ShowFunctions ShowEngineQuery
    ShowCreateTableQuery ShowCreateViewQuery ShowCreateDatabaseQuery ExistsTableQuery ExistsViewQuery
    ExistsDatabaseQuery
    """.split()
)
_NODES: Final = _ROOTS | frozenset(
    """
    ExpressionList SelectQuery SelectIntersectExceptQuery Subquery WithElement Function Literal Identifier
    TableIdentifier Asterisk QualifiedAsterisk ColumnsTransformerList ColumnsExceptTransformer ColumnsRegexpMatcher
    ColumnsListMatcher QualifiedColumnsRegexpMatcher QualifiedColumnsListMatcher TablesInSelectQuery
    TablesInSelectQueryElement TableExpression TableJoin ArrayJoin OrderByElement WindowDefinition WindowListElement
    InterpolateElement SampleRatio QueryParameter
    """.split()
)
_FORMATS: Final = re.compile(
    r"(Native|Arrow|ArrowStream|Parquet|ORC|Avro|Null|Values|Vertical|Markdown|XML|RowBinary\w*|JSON\w*|CSV\w*|TSV\w*"
    r"|TabSeparated\w*|Pretty\w*|MsgPack|SQLInsert)$"
)
# Every other engine of databases has tables that lie elsewhere: in files, or on another server.
_ELSEWHERE: Final = (
    "SELECT name = currentDatabase(), name FROM system.databases"
    " WHERE engine NOT IN ('Atomic', 'Memory', 'Ordinary', 'Replicated', 'Shared')"
)
_OF_A_TABLE: Final = frozenset({"ExistsTableQuery", "ExistsViewQuery", "ShowCreateTableQuery", "ShowCreateViewQuery"})
_NODE = re.compile(
    r"(?P<indent> *)(?P<node>\w+)(?: (?P<rest>.*?))??(?: \(alias (?P<alias>.*)\))?(?: \(children (?P<children>\d+)\))?$"
)
_NAME = re.compile(r"\w+$")


def readable(sql: str, ask: Ask, functions: frozenset[str], combinators: tuple[str, ...]) -> str:
    """The statement in the canonical form that may run, or Refusal (ACCESS_DENIED, SYNTAX_ERROR).

    ``ask`` runs on a read-only session of the engine that carries the statement's own parameters; ``functions``
    and ``combinators`` come from ``harmless_functions``.
    """
    canonical = ask(f"SELECT formatQuerySingleLine({quoted(sql)})").removesuffix("\n")
    previous = ""
    for token in tokens(canonical.encode()):
        if previous == "INTO" and token.keyword == "OUTFILE":
            raise _refused("INTO OUTFILE")
        previous = token.keyword
        if token.kind == "quoted" and token.text[:1] in {b"`", b'"'} and b"\\" in token.text:
            # A line break in a name could pass for a line of the tree.
            raise _refused("a name with a backslash in it")
    lines = ask(f"EXPLAIN AST {canonical}").rstrip("\n").split("\n")
    elsewhere = dict(line.split("\t")[::-1] for line in ask(_ELSEWHERE).splitlines())
    if current := [name for name, is_current in elsewhere.items() if is_current == "1"]:
        raise _refused(f"the database {current[0]}")
    _check_tree(lines, functions, combinators, frozenset(elsewhere))
    return canonical


def harmless_functions(ask: Ask) -> tuple[frozenset[str], tuple[str, ...]]:
    """Names of this engine's harmless functions, in small letters, and the combinators of its aggregates."""
    categories = ", ".join(f"'{category}'" for category in _ALLOWED_CATEGORIES)
    listed = ask(
        "SELECT lower(f.name) FROM system.functions AS f LEFT JOIN system.functions AS original"
        " ON f.alias_to = original.name AND f.alias_to != '' WHERE f.origin = 'System'"
        f" AND if(f.alias_to = '', f.categories, original.categories) IN ({categories})"
    )
    combinators = ask("SELECT lower(name) FROM system.aggregate_function_combinators")
    names = (frozenset(listed.split()) - _REFUSED_FUNCTIONS) | _ALLOWED_FUNCTIONS
    return names, tuple(combinators.split())


def _check_tree(
    lines: list[str], functions: frozenset[str], combinators: tuple[str, ...], elsewhere: frozenset[str]
) -> None:
    ancestors: list[str] = []
    for number, line in enumerate(lines):
        match = _NODE.match(line)
        if match is None:
            raise _refused(f"the part {line.strip()[:60]!r}")
        node, rest, depth = match["node"], match["rest"] or "", len(match["indent"])
        if node not in (_ROOTS if number == 0 else _NODES):
            raise _refused(f"the statement or part {node}")
        del ancestors[depth:]
        parent = ancestors[-1] if ancestors else ""
        ancestors.append(node)
        if node == "Function":
            _check_function(rest, parent, functions, combinators)
        elif node == "Literal" and parent in _ROOTS:
            raise _refused("INTO OUTFILE")  # a whole query has no literal of its own but the name of an output file
        elif node == "Identifier" and parent == "SelectWithUnionQuery" and not _FORMATS.match(rest):
            raise _refused(f"FORMAT {rest}")
        elif node in {"Identifier", "TableIdentifier"}:
            _check_identifier(rest, parent, elsewhere)


def _check_identifier(name: str, parent: str, elsewhere: frozenset[str]) -> None:
    for database in elsewhere:
        # A column may have the database's name; of a table it is the first part, or a part by itself.
        if name.startswith(f"{database}.") or (name == database and parent in _OF_A_TABLE):
            raise _refused(f"a table of the database {database}")


def _check_function(name: str, parent: str, functions: frozenset[str], combinators: tuple[str, ...]) -> None:
    if not _NAME.match(name):
        raise _refused(f"the function {name!r}")
    if parent == "TableExpression":
        if name.lower() not in _ALLOWED_TABLE_FUNCTIONS:
            raise _refused(f"the table function {name}")
        return
    plain = name.lower()
    while plain not in functions:
        suffix = next((each for each in combinators if plain.endswith(each) and plain != each), None)
        if suffix is None:
            raise _refused(f"the function {name}")
        plain = plain.removesuffix(suffix)


def _refused(what: str) -> Refusal:
    return Refusal(497, "ACCESS_DENIED", f"auditor: {what} is not among what a read-only user may use")
