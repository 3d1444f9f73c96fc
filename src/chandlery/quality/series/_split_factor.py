"""Bars on one share basis: a split doubles the shares traded, it is no news."""

from fractions import Fraction

import polars as pl

from chandlery.market.actions import Status
from chandlery.quality.series.view import SeriesView


def new_shares(view: SeriesView) -> pl.Expr:
    """Shares of today for one share of `session`: the product of the accepted splits after it.

    Volume times it, and price divided by it, are comparable over the whole series. 1 where the publisher has done so.
    """
    factor = pl.lit(1.0)
    if view.is_split_adjusted:
        return factor
    for action in view.actions:
        if action.status is Status.ACCEPTED and action.ratio != Fraction(1):
            before = pl.col("session") < pl.lit(action.ex_date, dtype=pl.Date)
            factor = factor * pl.when(before).then(float(action.ratio)).otherwise(1.0)
    return factor
