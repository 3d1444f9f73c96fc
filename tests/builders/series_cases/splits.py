"""Recorded splits that are none, twice, or early."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import polars as pl
import series_views
from price_tapes import split
from quality_cases import BrokenSeries

from chandlery.market.actions import Status
from chandlery.market.timeframes import Timeframe
from chandlery.quality.verdicts import Verdict

_DAYS = series_views.clean_view(Timeframe.D1)
_AT, _LATER = series_views.ts_of(_DAYS, 6), series_views.ts_of(_DAYS, 11)
_TWO = Fraction(2)
_REAL, _AGAIN = split(_AT.date(), _TWO), split(_LATER.date(), _TWO)
_SPLIT = series_views.with_scaled(_DAYS, pl.col("ts") >= _AT, price=0.5, volume=2.0)
_EARLY = series_views.with_scaled(_DAYS, pl.col("ts") >= series_views.ts_of(_DAYS, -4), price=0.5, volume=2.0)
_NEXT_WEEK = split(_DAYS.end + timedelta(days=5), _TWO)

CASES = {
    "recorded_split_shows_in_prices": (
        BrokenSeries(replace(_DAYS, actions=(_REAL,)), (_AT,), Verdict.CONFIRMED),
        BrokenSeries(replace(_SPLIT, actions=(_REAL, _AGAIN)), (_LATER,), Verdict.CONFIRMED),
        BrokenSeries(
            replace(_SPLIT, actions=(_REAL, replace(_AGAIN, status=Status.REJECTED))), (_LATER,), Verdict.CONFIRMED
        ),
        BrokenSeries(replace(_EARLY, actions=(_NEXT_WEEK,)), (series_views.ts_of(_DAYS, -4),), Verdict.CONFIRMED),
    )
}
