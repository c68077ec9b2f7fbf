"""A channel refers to what the operator set for channels, and to nothing else of the environment."""

from __future__ import annotations

import os

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seamwatch.channel_urls import VARIABLE_PREFIX, free, references, refused, resolved
from seamwatch.errors import UsageError

NAMES = st.text(st.characters(codec="utf-8", exclude_characters="}"), max_size=40)


@given(NAMES, st.sampled_from(["", "json://", "json://host/?token="]))
def test_only_a_variable_for_channels_is_read(name: str, before: str) -> None:
    url = f"{before}${{{name}}}/x"
    environment = {name: "value"}
    allowed = name.startswith(VARIABLE_PREFIX) and name.isascii() and name[len(VARIABLE_PREFIX) :].isidentifier()
    assert references(url) == (name,)
    if allowed:
        assert resolved(url, environment) == f"{before}value/x"
    elif not name.startswith(VARIABLE_PREFIX):
        with pytest.raises(UsageError) as caught:
            resolved(url, environment)
        assert f"${{{name}}}" in str(caught.value)


@pytest.mark.parametrize(
    "name", ["PATH", "CLICKHOUSE_URL", "SEAMWATCH_LEDGER_KEY", "seamwatch_channel_x", "SEAMWATCH_CHANNEL"]
)
def test_what_is_no_variable_for_channels_is_refused_with_the_name_it_should_have(name: str) -> None:
    why = refused(f"json://host/${{{name}}}")
    assert why is not None
    assert f"write SEAMWATCH_CHANNEL_{name}" in why


def test_a_value_is_not_looked_into_for_further_references() -> None:
    environment = {"SEAMWATCH_CHANNEL_A": "${PATH}", **os.environ}
    assert resolved("json://host/${SEAMWATCH_CHANNEL_A}", environment) == "json://host/${PATH}"


def test_a_variable_that_may_go_anywhere_is_named_until_it_is_bound() -> None:
    environment = {"SEAMWATCH_CHANNEL_A": "x", "SEAMWATCH_CHANNEL_B": "y", "SEAMWATCH_CHANNEL_B_FOR": "slack://*"}
    assert free({**environment, "SEAMWATCH_CHANNEL_C": "", "OTHER": "z"}) == ("SEAMWATCH_CHANNEL_A",)


def test_a_bound_variable_stands_in_what_begins_so_or_in_that_url_alone() -> None:
    environment = {
        "SEAMWATCH_CHANNEL_A": "x",
        "SEAMWATCH_CHANNEL_A_FOR": "slack://${SEAMWATCH_CHANNEL_A}/* json://host/${SEAMWATCH_CHANNEL_A}",
    }
    for url in ("slack://${SEAMWATCH_CHANNEL_A}/#ops", "json://host/${SEAMWATCH_CHANNEL_A}"):
        assert "x" in resolved(url, environment)
    for url in ("json://host/${SEAMWATCH_CHANNEL_A}/more", "json://host.elsewhere/${SEAMWATCH_CHANNEL_A}"):
        with pytest.raises(UsageError, match="SEAMWATCH_CHANNEL_A is given to other channels only"):
            resolved(url, environment)
