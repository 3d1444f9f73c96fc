"""Bars on another share basis than their neighbours, around a recorded split."""

from dataclasses import replace
from fractions import Fraction

import polars as pl
import series_views
from price_tapes import split
from quality_cases import BrokenSeries

from chandlery.market.timeframes import Timeframe
from chandlery.quality.verdicts import Verdict

_DAYS = series_views.clean_view(Timeframe.D1)
_MINUTES = series_views.clean_view(Timeframe.M1, lookback=20, judged=10)
_AT = series_views.ts_of(_DAYS, 10)
_RECORD = split(_AT.date(), Fraction(4))
_ADJUSTED = replace(_DAYS, actions=(_RECORD,), is_split_adjusted=True)
_RAW = replace(series_views.with_scaled(_DAYS, pl.col("ts") >= _AT, price=0.25, volume=4.0), actions=(_RECORD,))


def _ts(place: int) -> pl.Expr:
    return pl.col("ts") == series_views.ts_of(_DAYS, place)


_MINUTE_RECORD = split(series_views.ts_of(_MINUTES, 5).date(), Fraction(2))

CASES = {
    "series_has_one_share_basis": (
        # Published divided by the split, but for what lies before it.
        BrokenSeries(
            series_views.with_scaled(_ADJUSTED, pl.col("ts") < _AT, price=4.0, volume=0.25),
            (_DAYS.bars["ts"][0],),
            Verdict.CONFIRMED,
        ),
        # One session, two before the split, is off by the ratio.
        BrokenSeries(
            series_views.with_scaled(_ADJUSTED, _ts(8), price=0.25, volume=4.0),
            (series_views.ts_of(_DAYS, 8),),
            Verdict.CONFIRMED,
        ),
        # As traded, the split shows, and one session four days later is back on the old basis.
        BrokenSeries(
            series_views.with_scaled(_RAW, _ts(14), price=4.0, volume=0.25),
            (series_views.ts_of(_DAYS, 14),),
            Verdict.CONFIRMED,
        ),
        # As traded, the jump comes three sessions before the recorded day.
        BrokenSeries(
            series_views.with_scaled(
                _RAW, pl.col("ts").is_between(series_views.ts_of(_DAYS, 7), _AT, closed="left"), price=0.25
            ),
            (series_views.ts_of(_DAYS, 7),),
            Verdict.SUSPECTED,
        ),
        # Minutes divided by the split, but for one session.
        BrokenSeries(
            series_views.with_scaled(
                replace(_MINUTES, actions=(_MINUTE_RECORD,), is_split_adjusted=True),
                pl.col("session") == series_views.ts_of(_MINUTES, 4).date(),
                price=2.0,
            ),
            (series_views.ts_of(_MINUTES, 4),),
            Verdict.CONFIRMED,
        ),
    )
}
