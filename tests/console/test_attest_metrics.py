"""`seamwatch attest reevaluation --metric`: what was measured becomes the statement that is signed."""

from __future__ import annotations

import pytest

from console.commands.attest import _metrics
from seamwatch.clauses.reevaluation.statement import metrics_of
from seamwatch.errors import UsageError


def test_each_metric_is_in_the_statement_with_its_value() -> None:
    said = _metrics("reevaluation", ["gini=0.61", "a=b=-1e-3"])
    assert metrics_of({"metric": None, "value": None, **said}) == {"gini": 0.61, "a=b": -0.001}
    assert _metrics("reevaluation", []) == {}
    assert _metrics("review", []) == {}


@pytest.mark.parametrize("given", ["gini", "gini=", "gini=high", "=1", "gini=nan", "gini=inf", " =1"])
def test_what_is_no_metric_is_refused(given: str) -> None:
    with pytest.raises(UsageError, match="metric"):
        _metrics("reevaluation", [given])


def test_a_metric_is_given_once_and_of_a_reevaluation_only() -> None:
    with pytest.raises(UsageError, match="twice"):
        _metrics("reevaluation", ["a=1", "a=2"])
    with pytest.raises(UsageError, match="--value"):
        _metrics("benchmark", ["a=1"])
