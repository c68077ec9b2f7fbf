"""Outcomes take from their decisions what they do not carry: score, cohort, and the version that decided.

A join of frames. Where the decisions come from is the caller's; no outcome is judged here.
"""

from __future__ import annotations

from urllib.parse import quote

import polars as pl

from seamwatch.judging.model.measure import DECIDED_BY


def join_outcomes(outcomes: pl.DataFrame, unjoined: pl.Series, decisions: pl.DataFrame) -> pl.DataFrame:
    """The outcomes, with `DECIDED_BY`; those that are ``unjoined`` take what they lack from their decision.

    ``decisions`` has system, event_id, score, cohort and version; of several with one id the first counts. An outcome
    whose decision is not among them, or is another system's, stays as it is. Order and number of rows do not change.
    """
    if not unjoined.any():
        return outcomes.with_columns(pl.lit(None, pl.String).alias(DECIDED_BY))
    found = decisions.select(
        "system",
        pl.col("event_id").alias("inference_id"),
        pl.col("score").alias("__score"),
        pl.col("cohort").alias("__cohort"),
        _quoted(decisions["version"]).alias(DECIDED_BY),
        pl.lit(value=True).alias("__lacks"),
    ).unique(["system", "inference_id"], keep="first", maintain_order=True)
    both = outcomes.with_columns(unjoined.alias("__lacks")).join(
        found, on=["system", "inference_id", "__lacks"], how="left", maintain_order="left"
    )
    given = [pl.coalesce(name, f"__{name}").alias(name) for name in ("score", "cohort") if name in outcomes.columns]
    return both.with_columns(given).select(*outcomes.columns, DECIDED_BY)


def _quoted(versions: pl.Series) -> pl.Series:
    names = versions.drop_nulls().unique().to_list()
    return versions.replace_strict(
        names, [quote(name, safe="") for name in names], default=None, return_dtype=pl.String
    )
