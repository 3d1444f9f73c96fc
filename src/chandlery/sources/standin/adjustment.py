"""Adjustment: bars on today's share basis, computed from the splits table at the moment of asking."""

from collections.abc import Sequence
from math import prod

import polars as pl

from chandlery.sources.protocol import Split
from chandlery.sources.sessions import local_midnight

_PRICES = ("open", "high", "low", "close", "vwap")


def adjusted(rows: pl.DataFrame, splits: Sequence[Split]) -> pl.DataFrame:
    """Return rows on today's share basis: prices times `split_from / split_to`, volume times the inverse.

    A split touches the sessions before its execution date; the pre-market of that date already trades on the
    new basis. Whole numbers are multiplied first and divided once, so a ratio like 3:2 adds one rounding.

    Args:
        rows: bars with `t` in ms.
        splits: of this symbol.
    """
    if not splits:
        return rows
    ordered = sorted(splits, key=lambda split: split.execution_date)
    shares_from, shares_to = pl.lit(1.0), pl.lit(1.0)
    for place in range(len(ordered) - 1, -1, -1):
        is_before = pl.col("t") < local_midnight(ordered[place].execution_date, ordered[place].symbol)
        later = ordered[place:]
        shares_from = pl.when(is_before).then(float(prod(split.split_from for split in later))).otherwise(shares_from)
        shares_to = pl.when(is_before).then(float(prod(split.split_to for split in later))).otherwise(shares_to)
    return rows.with_columns(
        *(pl.col(name) * shares_from / shares_to for name in _PRICES),
        pl.col("volume") * shares_to / shares_from,
    )
