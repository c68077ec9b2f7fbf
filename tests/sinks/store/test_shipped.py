"""A view is one file: it says what it answers, and its place in the order follows from what it reads."""

from __future__ import annotations

import pytest

from seamwatch.errors import StoreError
from sinks.store.migrate import migrations
from sinks.store.shipped import in_order, read_by, shipped_views


def test_every_view_says_which_question_it_answers_and_comes_after_those_it_reads() -> None:
    seen: set[str] = set()
    names = {view.name for view in shipped_views()}
    assert len(names) > 25
    for view in shipped_views():
        assert "?" in view.question, view.name
        assert read_by(view.query) & names <= seen, view.name
        seen.add(view.name)


def test_the_views_that_steps_once_made_are_all_shipped_and_no_step_makes_one_any_more() -> None:
    former = {name for step in migrations() for name in step.former_views}
    assert former <= {view.name for view in shipped_views()}  # one that is dropped later is taken out here, by name
    assert not [each for step in migrations() for each in step.of_tables if "VIEW" in each]


def test_order_follows_from_what_is_read_and_not_from_names_texts_or_aliases() -> None:
    texts = {
        "a.sql": "-- What of b?\nSELECT 'FROM c' AS x, d.y FROM b AS d WHERE x NOT IN (SELECT x FROM t)\n",
        "b.sql": "-- What?\n-- More; of it.\nSELECT 1 AS y\n-- FROM a\nFROM t INNER JOIN c ON 1\n",
        "c.sql": "-- What of t?\nWITH 1 AS a SELECT 1 FROM t",
    }
    views = in_order(texts)
    assert [view.name for view in views] == ["c", "b", "a"]
    assert views[1].question == "What?"
    assert views[1].statement == "CREATE OR REPLACE VIEW b AS\nSELECT 1 AS y\nFROM t INNER JOIN c ON 1"
    # Words about a view are no other view.
    again = in_order({**texts, "b.sql": texts["b.sql"].replace("of it", "of this")})
    assert [view.digest for view in again] == [view.digest for view in views]


@pytest.mark.parametrize(
    ("file", "text", "what"),
    [
        ("a.sql", "SELECT 1", "first line must be a comment"),
        ("a.sql", "-- \nSELECT 1", "first line must be a comment"),
        ("a.sql", "-- What?\nSELECT 1;", "no semicolon"),
        ("a.sql", "-- What?\nCREATE VIEW a AS SELECT 1", "one query"),
        ("a.sql", "", "first line must be a comment"),
        ("A-b.sql", "-- What?\nSELECT 1", "small letters"),
        ("a.sql", "-- What?\nSELECT 1 FROM a", "circle: a → a"),
    ],
)
def test_a_file_that_is_not_as_it_must_be_is_named(file: str, text: str, what: str) -> None:
    with pytest.raises(StoreError, match=what) as caught:
        in_order({file: text})
    assert "sinks/store/views" in str(caught.value)
