"""Outcomes take from their decisions what they do not carry: score, cohort, and the version that decided.

A join of frames. Where the decisions come from is the caller's; no outcome is judged here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from urllib.parse import quote

import numpy as np
import polars as pl

from seamwatch.judging.measure import DECIDED_BY

ROWS_JOINED = 250_000
_OF_DECISION = {
    "system": pl.String(),
    "event_id": pl.String(),
    "score": pl.Float64(),
    "cohort": pl.String(),
    "version": pl.String(),
}


def joined(
    outcomes: Iterable[pl.DataFrame],
    unjoined: Callable[[pl.DataFrame], pl.Series],
    decisions: Callable[[], Iterable[pl.DataFrame]],
    rows: int = ROWS_JOINED,
) -> Iterator[pl.DataFrame]:
    """The blocks of outcomes in their order, each row of which ``unjoined`` says so joined to its decision.

    ``decisions`` gives all there are, once for about every ``rows`` outcomes; what is held is so many outcomes and
    the decisions that they name.
    """
    held: list[pl.DataFrame] = []
    for block in outcomes:
        if not held and not unjoined(block).any():
            yield block
            continue
        held.append(block)
        if sum(frame.height for frame in held) >= rows:
            yield _joined_to_all(held, unjoined, decisions)
            held = []
    if held:
        yield _joined_to_all(held, unjoined, decisions)


def _joined_to_all(
    held: list[pl.DataFrame],
    unjoined: Callable[[pl.DataFrame], pl.Series],
    decisions: Callable[[], Iterable[pl.DataFrame]],
) -> pl.DataFrame:
    outcomes = pl.concat(held, how="diagonal")
    mask = unjoined(outcomes)
    return join_outcomes(outcomes, mask, decisions_of(decisions(), outcomes["inference_id"].filter(mask)))


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


def decisions_of(blocks: Iterable[pl.DataFrame], ids: pl.Series) -> pl.DataFrame:
    """Those of some decisions that have one of these ids, and maybe a few more, with what the join needs of them."""
    wanted = np.unique(ids.hash(seed=0).to_numpy())
    found = [pl.DataFrame(schema=_OF_DECISION)]
    for block in blocks:
        if block.is_empty() or not len(wanted):
            continue
        hashes = block["event_id"].hash(seed=0).to_numpy()
        places = np.minimum(np.searchsorted(wanted, hashes), len(wanted) - 1)
        rows = block.filter(pl.Series(wanted[places] == hashes))
        found.append(rows.select([name for name in _OF_DECISION if name in rows.columns]))
    return pl.concat(found, how="diagonal")


def _quoted(versions: pl.Series) -> pl.Series:
    names = versions.drop_nulls().unique().to_list()
    return versions.replace_strict(
        names, [quote(name, safe="") for name in names], default=None, return_dtype=pl.String
    )
