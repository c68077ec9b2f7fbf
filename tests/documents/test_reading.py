"""What a YAML text says is what any other reader of YAML 1.2 finds in it, whatever form its author gave it."""

from __future__ import annotations

import hashlib
import json
import textwrap
import warnings
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML
from ruamel.yaml.constructor import SafeConstructor

from seamwatch.documents import Estate, composing, load_folder
from seamwatch.documents.reading import Written, read_file, read_text
from seamwatch.documents.scalars import Spelled
from seamwatch.documents.writing import yaml_text


class _TimesAsText(SafeConstructor):
    """The recipe of docs/documents.md: times are the text that they are."""


_TimesAsText.add_constructor("tag:yaml.org,2002:timestamp", SafeConstructor.construct_yaml_str)


def by_another(text: str) -> list[Any]:
    """The documents of a text as another reader of YAML 1.2 sees them."""
    reader = YAML(typ="safe", pure=True)
    reader.Constructor = _TimesAsText
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return [document for document in reader.load_all(text) if document is not None]


def by_ours(text: str) -> list[Any]:
    """The same as ours sees them, in which nothing is wrong."""
    documents, problems = read_text(text, "x.yaml")
    assert problems == []
    return [document.content for document in documents]


def exactly(value: Any) -> str:
    """A text that tells 1 from 1.0 and from "1"."""
    return json.dumps(value, ensure_ascii=True)


ODD = {
    "folded": "must: >\n  score >= 0\n  AND score <= 1\n",
    "folded, kept": "must: >+\n  score >= 0\n  AND score <= 1\n\n\nother: 1\n",
    "folded, stripped": "must: >-\n  score >= 0\n  AND score <= 1\n",
    "folded with paragraphs and lists": (
        "runbook: >\n\n  First\n  part.\n\n\n  - one\n  - two\n   deeper\n  Last\n\n  part.\n\n"
    ),
    "folded with an indentation of its own": "runbook: >2\n   leading\n  text\n",
    "folded with a tab": "runbook: >\n  a\tb\n  \tc\n  d\n",
    "folded in a list": "- >\n  one\n  two\n- >-\n  three\n\n  four\n",
    "folded with what looks like a comment": "a: >  # said here\n  one # two\n  # three\n  four\n# five\n",
    "literal": "runbook: |\n  one\n    two\n\n  three\n",
    "literal, kept": "runbook: |+\n  one\n\n",
    "literal without an end": "runbook: |\n  one",
    "plain over several lines": "summary: one\n  two\n\n  three\n",
    "single quotes over several lines": "summary: 'one\n  two\n\n  it''s'\n",
    "double quotes over several lines": 'summary: "one\n  two\\\n  \\ three\\tfour\n\n  five"\n',
    "escapes": r'summary: "\0\a\b\e\x41\u00e9\U0001F600\N\_\L\P\"\\\/"' + "\n",
    "comments everywhere": "# a\na: 1 # b\n# c\nb: # d\n  - x # e\n  # f\n  - y#z\n",
    "anchors": "a: &a {x: &b [1, 2]}\nb: *a\nc: [*b, *a]\n",
    "an anchor on a text": "a: &a >\n  one\n  two\nb: *a\n",
    "flow": "{a: [1, two, 'three', {b: c}], 'd e': null, \"f\":1}\n",
    "windows": "a: >\r\n  one\r\n  two\r\n\r\nb: |\r\n  x\r\n  y\r\nc: one\r\n  two\r\n",
    "old macintosh": "a: |\r  one\r  two\rb: 3\r",
    "unicode": "a: größer als „0,62“\nb: 'e\u0301 \U0001f600 \u00a0'\nc: 東京\n",
    "long lines": f"a: {'word ' * 900}end\nb: >\n  {'x' * 3000}\n  y\n",
    "octal": "a: 0o14\nb: 014\nc: 0x1F\nd: 007\n",
    "numbers": "a: [1, -1, +1, 0, -0, 1.5, 1., .5, 1e3, 1E-3, 123456789012345678]\n",
    "what is no number": "a: [1.2.3, 1e, e1, '1', 0x, 0o8, 0b, --1, 1-1, ., .e1, +, -a, 12:30:45, 1 000]\n",
    "what is a truth, and what is not": "a: [true, True, TRUE, false, yes, no, on, off, y, n, tRUE]\n",
    "nothing": "a:\nb: ~\nc: null\nd: Null\ne: ''\nf: nil\ng: none\n",
    "dates": "a: 2026-01-08\nb: 2026-01-08T09:00:00Z\nc: 2026-01-08 09:00:00 +01:00\n",
    "tags": "a: !!str 12\nb: !!int '3'\nc: !!float 2\nd: !!null ''\ne: !!bool 'true'\nf: !!str\n",
    "several": "%YAML 1.2\n---\na: >\n  x\n  y\n---\nb: 2\n...\n---\n- c\n",
    "colons and hashes": "a: http://example.org:80/#x\nb: x:y\nc: '# no comment'\nd: -x\ne: a ? b\n",
    "keys": "1: a\n'2.5': b\n'true': c\n? long key\n: d\n2026-01-01: e\n",
}  # fmt: skip


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_another_reader_finds_the_same(text: str) -> None:
    theirs = by_another(text.replace('"\\0', '"'))  # which takes \0 for the end of the text
    ours = by_ours(text.replace('"\\0', '"'))
    assert exactly(ours) == exactly(theirs)


@pytest.mark.parametrize("text", ODD.values(), ids=ODD.keys())
def test_pyyaml_without_libyaml_finds_the_same(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with_it = by_ours(text), [document.lines for document in read_text(text, "")[0]]
    monkeypatch.setattr(composing, "_parser", composing._pure)
    assert (by_ours(text), [document.lines for document in read_text(text, "")[0]]) == with_it


def test_a_folded_text_is_one_line_and_nothing_else() -> None:
    assert by_ours("a: >\n  score >= 0\n  AND score <= 1\n") == [{"a": "score >= 0 AND score <= 1\n"}]


_WORDS = st.lists(
    st.text(st.sampled_from("abé東\U0001f600.,:#'\"-?!&*%@`{}[]|>\\0123"), min_size=1, max_size=6),
    min_size=1,
    max_size=9,
)
_STYLES = st.sampled_from([">", ">-", ">+", "|", "|-", "|+"])


@given(
    st.lists(st.tuples(_STYLES, st.lists(_WORDS, min_size=1, max_size=4), st.integers(0, 2)), min_size=1, max_size=4)
)
@settings(max_examples=300)
def test_block_texts_of_any_kind_are_read_as_others_read_them(
    blocks: list[tuple[str, list[list[str]], int]],
) -> None:
    text = "".join(
        f"k{number}: {style}\n" + "".join(f"  {' '.join(words)}\n{chr(10) * blank}" for words in lines)
        for number, (style, lines, blank) in enumerate(blocks)
    )
    assert exactly(by_ours(text)) == exactly(by_another(text))


_TEXTS = st.text(
    st.one_of(
        st.characters(exclude_categories=["Cs"]), st.sampled_from("\n\t\r \x00\x07\x1b\x7f\x85\u2028\u2029\ufeff")
    )
)
_TRAPS = st.sampled_from(
    ["yes", "no", "on", "~", "null", "true", "1.10", "007", "0o14", "0x1F", "0b1", "1_000", "12:30", "2026-01-01", "<<",
     "=", "- a", "? a", "a: b", "# a", "&a", "*a", "!a", "%a", "@a", "`a", "|", ">", "---", "...", "", " ", "a\n",
     "\na", " a\n b"]
)  # fmt: skip
_NUMBERS = st.one_of(st.integers(-(10**16), 10**16), st.floats(allow_nan=False, allow_infinity=False))
_VALUES = st.recursive(
    st.one_of(_TEXTS, _TRAPS, _NUMBERS, st.booleans(), st.none()),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.one_of(_TEXTS, _TRAPS), inner, max_size=3)),
    max_leaves=8,
)


@given(_VALUES)
@settings(max_examples=400)
def test_what_is_written_is_read_again_by_every_reader(value: Any) -> None:
    text = yaml_text([{"k": value}])
    assert exactly(by_ours(text)) == exactly([{"k": value}])
    assert exactly(by_another(text)) == exactly([{"k": value}])
    assert exactly(list(yaml.safe_load_all(text))) == exactly([{"k": value}])  # a reader of YAML 1.1


def test_half_a_surrogate_pair_is_written_nowhere() -> None:
    with pytest.raises(ValueError, match="half a surrogate pair"):
        yaml_text([{"a": "\ud800"}])


@pytest.mark.parametrize("character", "\x85\u2028\u2029")
def test_what_only_older_yaml_takes_for_a_line_break_is_a_character(character: str) -> None:
    text = f"a: one{character}two\nb: |\n  three{character}four\nc{character}: '{character}'\n"
    value = {"a": f"one{character}two", "b": f"three{character}four\n", f"c{character}": character}
    assert by_ours(text) == [value]
    document = read_text(text, "x")[0][0]
    assert document.line(("b",)) == 2
    assert document.line((f"c{character}",)) == 4


def test_a_key_that_is_there_twice_is_named_with_such_a_character() -> None:
    assert [str(p) for p in read_text("a\u2028: 1\na\u2028: 2\n", "x")[1]] == [
        "x:2: key 'a\\u2028' is given twice: first in line 1"
    ]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("a: !thing 1\n", "1: tag '!thing' is not supported: write a plain value"),
        ("a: !!binary aGk=\n", "1: tag '!!binary' is not supported: write a plain value"),
        ("a:\n  !!set {b}\n", "2: tag '!!set' is not supported: leave it out"),
        ("a: !!int 1.5\n", "1: '1.5' is no int, which its tag says"),
        ("a: *b\n", "1: alias '*b' stands for nothing: no '&b' is before it"),
        ("a: &b\n  c: *b\n", "2: alias '*b' stands inside what it stands for"),
        ("1.10: a\n", "1: key '1.10' is not read as text: write it in quotes"),
        ("x: {true: a}\n", "1: key 'true' is not read as text: write it in quotes"),
        ("007: a\n", "1: key '007' is not read as text: write it in quotes"),
        ("&a [x]: b\n", "1: a key is a list or a mapping: keys are text"),
        ("a: &a [x]\n*a : b\n", "2: a key is a list or a mapping: keys are text"),
        (
            "a: one\n\nb: two\x07\n",
            '3: is not YAML: it holds a character that no YAML may hold, U+0007: write "\\x07", in double quotes',
        ),
        (
            'a: "\\ud800"\n',
            "1: is not YAML: while parsing a quoted scalar, found invalid Unicode character escape code",
        ),
        ("a: \ud800\n", '1: is not YAML: it holds a character that no YAML may hold, U+D800: write "\\ud800"'),
        ("a: 1234567890123456789\n", "1: 1234567890123456789 is too large for a number: write it in quotes"),
    ],
)
def test_what_cannot_be_read_is_named_at_its_line(text: str, problem: str) -> None:
    found = [str(p).removeprefix("x:") for p in read_text(text, "x")[1]]
    assert len(found) == 1
    assert found[0].startswith(problem)


def test_a_document_that_cannot_be_read_hides_no_other() -> None:
    documents, problems = read_text("a: 1\n---\nb: !x [1, {c: 2}]\nd: 3\n---\ne: 4\n", "x")
    assert [document.content for document in documents] == [{"a": 1}, {"e": 4}]
    assert [problem.line for problem in problems] == [3]


def test_lines_are_those_of_keys_and_items_also_behind_an_alias() -> None:
    text = "a: &a\n  b:\n    - 1\n    - x: 2\nc:\n\n  - *a\n  - >\n    y\n"
    (document,), _ = read_text(text, "x")
    places = [("a",), ("a", "b"), ("a", "b", 1, "x"), ("c", 0), ("c", 0, "b", 0), ("c", 1), ("c", 9), ("none",)]
    assert [document.line(place) for place in places] == [1, 2, 4, 1, 3, 8, 5, 1]
    assert isinstance(document, Written)


def test_numbers_that_were_not_written_as_their_digits_are_numbers_but_no_texts(tmp_path: Path) -> None:
    (document,), _ = read_text("a: 0x1F\n", "x")
    assert document.content == {"a": 31}
    assert isinstance(document.content["a"], Spelled)
    assert document.content["a"].written == "0x1F"
    person = tmp_path / "p.yaml"
    for spelled, number in (("007", 7), ("0o14", 12), ("0x1F", 31), ("+5", 5), ("1.10", 1.1)):
        person.write_text(f"kind: Person\nid: p\nname: {spelled}\n")
        (problem,) = load_folder(tmp_path)[1]
        told = "1.1 is read as a number" if number == 1.1 else f"{spelled} is read as the number {number}"
        assert problem.message == f"'name' of person 'p': {told}: write it in quotes"
    person.write_text("kind: Person\nid: p\nname: 12\n")
    assert Estate.load(tmp_path).persons["p"].name == "12"


SYSTEM = """\
apiVersion: seamwatch/v1
kind: System  # a model
id: triage
type: model
owner: &owner ada@example.org
runbook: >
  Ask the owner
  first.

  Then call "the desk", but not before 08:00.
lineage: [referrals,
  "notes\\tand letters"]
review: {every: 90d, by: *owner, last: 2026-01-15}
labels:
  text: |-
    größer als
      „0,62“
  plain: over
    two lines
  folded: >+
    one
    two

  zone: 'it''s UTC'
"""


@pytest.mark.parametrize("text", [SYSTEM, SYSTEM.replace("\n", "\r\n"), "\ufeff" + SYSTEM, SYSTEM.rstrip("\n") + "\n"])
def test_the_digest_is_that_of_an_ordinary_reader(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.yaml").write_bytes(text.encode())
    (tmp_path / "p.yaml").write_text("kind: Person\nid: ada@example.org\nname: Ada\n")
    (theirs,) = by_another(text.removeprefix("\ufeff"))
    canonical = json.dumps(theirs, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    assert Estate.load(tmp_path).systems["triage"].digest == hashlib.sha256(canonical.encode()).hexdigest()


def test_comments_and_layout_do_not_change_what_is_said() -> None:
    other = textwrap.dedent("""\
        {apiVersion: seamwatch/v1, kind: System, id: triage, type: model, owner: ada@example.org,
         runbook: "Ask the owner first.\\nThen call \\"the desk\\", but not before 08:00.\\n",
         lineage: [referrals, "notes\\tand letters"],
         review: {every: 90d, by: ada@example.org, last: "2026-01-15"},
         labels: {text: "größer als\\n  „0,62“", plain: over two lines, folded: "one two\\n\\n", zone: it's UTC}}
        """)
    assert by_ours(other) == by_ours(SYSTEM)


def test_the_examples_of_the_repository_are_read_as_others_read_them() -> None:
    files = sorted((Path(__file__).parents[2] / "contracts").rglob("*.yaml"))
    assert files
    for file in files:
        documents, problems = read_file(file, str(file))
        assert problems == []
        assert exactly([document.content for document in documents]) == exactly(by_another(file.read_text("utf-8")))
